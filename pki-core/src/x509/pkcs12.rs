//! The only module that knows the PKCS#12 library: a certificate with its key, or trusted certificates, in one file
//! under a passphrase (RFC 7292).
//!
//! Keys and certificates are encrypted with AES-256-CBC by PBES2, the whole has an HMAC-SHA-256. OpenSSL 3, Go's
//! go-pkcs12, Java 17 and GnuTLS read that. The library takes its salts from the system itself.

use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKeyChain};
use zeroize::Zeroizing;

use super::{Certificate, PrivateKey};

/// OpenSSL has 2048, Java 17 10,000; whoever tries passphrases should take longer.
const ITERATIONS: u32 = 100_000;

/// What the library would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PKCS#12: {0}")]
pub struct Pkcs12Error(String);

/// A certificate with its key and what is above it, under the name `alias`.
///
/// # Errors
/// When `chain` is empty, or a certificate is not read by the library.
pub fn identity(
    alias: &str,
    chain: &[Certificate],
    key: &PrivateKey,
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    let leaf = chain
        .first()
        .ok_or_else(|| Pkcs12Error("no certificate".into()))?;
    let certificates = chain
        .iter()
        .map(certificate)
        .collect::<Result<Vec<_>, _>>()?;
    let pkcs8 = key.secret_pkcs8();
    let key = p12_keystore::PrivateKey::from_der(&pkcs8).map_err(refused)?;
    // What ties the key to its certificate: any bytes that both have (RFC 2985 section 5.5.2).
    let id = leaf.public_key.key_identifier();
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(&id[..], key, certificates);
    store.add_entry(alias, KeyStoreEntry::PrivateKeyChain(entry));
    write(&store, passphrase)
}

/// Trusted certificates alone, each marked as trusted in the way that Java asks for.
///
/// # Errors
/// When there is none, or one is not read by the library.
pub fn trusted(
    anchors: &[Certificate],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    if anchors.is_empty() {
        return Err(Pkcs12Error("no certificate".into()));
    }
    let mut store = KeyStore::new();
    for anchor in anchors {
        // Two CAs may have one name, but not one fingerprint.
        let name = anchor.subject.common_name().unwrap_or("ca");
        let alias = format!("{name} {}", &anchor.fingerprint()[..8]);
        store.add_entry(&alias, KeyStoreEntry::Certificate(certificate(anchor)?));
    }
    write(&store, passphrase)
}

fn write(store: &KeyStore, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    let writer = store
        .writer(passphrase)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS);
    writer.write().map(Zeroizing::new).map_err(refused)
}

fn certificate(certificate: &Certificate) -> Result<p12_keystore::Certificate, Pkcs12Error> {
    p12_keystore::Certificate::from_der(certificate.der()).map_err(refused)
}

fn refused(error: p12_keystore::error::Error) -> Pkcs12Error {
    Pkcs12Error(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{root, server};
    use super::*;
    use p12_keystore::Pkcs12ImportPolicy;

    #[test]
    fn what_is_written_is_read_with_the_passphrase_only() {
        let (ca, _) = root("test-ca");
        let issued = server(&ca, "db.test");
        let chain = [issued.certificate.clone(), ca.certificate().clone()];
        let bytes = identity("db", &chain, &issued.key, "a b").unwrap();
        assert!(KeyStore::from_pkcs12(&bytes, "a c", Pkcs12ImportPolicy::Strict).is_err());
        let store = KeyStore::from_pkcs12(&bytes, "a b", Pkcs12ImportPolicy::Strict).unwrap();
        let (alias, read) = store.private_key_chain().unwrap();
        assert_eq!(alias, "db");
        assert_eq!(read.key().as_der(), &issued.key.secret_pkcs8()[..]);
        assert_eq!(read.certs().len(), 2);
        let anchors = trusted(&[ca.certificate().clone()], "x").unwrap();
        let store = KeyStore::from_pkcs12(&anchors, "x", Pkcs12ImportPolicy::Strict).unwrap();
        assert_eq!(store.entries_len(), 1);
        assert!(trusted(&[], "x").is_err());
    }
}
