//! Private keys under a passphrase: PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 section 3), PBES2 (RFC 8018).

use std::fmt;

use der::{Decode, Encode, asn1::OctetStringRef};
use pkcs8::pkcs5::pbes2::{Kdf, PBES2_OID, Parameters, Pbkdf2Params};
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef};
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use super::{PrivateKey, PrivateKeyError, RandomError, parse_pem, to_pem};

const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// What OWASP's Password Storage Cheat Sheet asks of PBKDF2 with HMAC-SHA-256 (2023): a sixth of a second
/// to a second for one try.
const ITERATIONS: u32 = 600_000;

/// What a file may make us do before we know that it is ours: some seconds of work, and the memory that
/// OpenSSL too allows scrypt at most (`SCRYPT_MAX_MEM` in crypto/evp/pbe_scrypt.c has 32 MiB) many times over.
const MOST_ITERATIONS: u32 = 10_000_000;
const MOST_SCRYPT_MEMORY: u64 = 256 << 20;
const MOST_SCRYPT_LANES: u16 = 16;

/// A passphrase; not empty. Wiped when dropped; not `Clone`; `Debug` shows nothing of it.
pub struct Passphrase(Zeroizing<String>);

/// An empty passphrase protects nothing, and OpenSSL and Java do not take one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an empty passphrase")]
pub struct EmptyPassphrase;

impl Passphrase {
    /// Takes over `text`.
    ///
    /// # Errors
    /// When it is empty.
    pub fn new(text: Zeroizing<String>) -> Result<Self, EmptyPassphrase> {
        if text.is_empty() {
            return Err(EmptyPassphrase);
        }
        Ok(Self(text))
    }

    /// The passphrase itself.
    pub fn secret_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl PrivateKey {
    /// The key as PEM under a passphrase, in the one form that OpenSSL, Java, GnuTLS and Go's packages
    /// all read: PBKDF2 with HMAC-SHA-256, then AES-256 in CBC mode. (scrypt would cost a thief more, but
    /// of these OpenSSL alone reads it.)
    ///
    /// ```
    /// use pki_core::x509::{KeyAlgorithm, Passphrase, PrivateKey};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let rng = ring::rand::SystemRandom::new();
    /// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng)?;
    /// let passphrase = Passphrase::new("correct horse".to_owned().into())?;
    /// let text = key.encrypted_pem(&passphrase, &rng)?;
    /// assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    /// let again = PrivateKey::from_encrypted_pem(text.as_bytes(), &passphrase)?;
    /// assert_eq!(again.public_key(), key.public_key());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no randomness for salt and initialization vector.
    pub fn encrypted_pem(
        &self,
        passphrase: &Passphrase,
        rng: &dyn SecureRandom,
    ) -> Result<String, RandomError> {
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rng.fill(&mut salt).map_err(|_| RandomError)?;
        rng.fill(&mut iv).map_err(|_| RandomError)?;
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)
            .expect("a salt of 16 bytes is allowed");
        let encrypted = parameters
            .encrypt(passphrase.secret_text(), &self.secret_pkcs8())
            .expect("what was chosen above can be encrypted with");
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: OctetStringRef::new(&encrypted).expect("a key is short"),
        };
        let der = info.to_der().expect("a key is short");
        Ok(std::mem::take(&mut *to_pem(LABEL, &der)))
    }

    /// Reads the one private key in a PEM text, with the passphrase where it is encrypted: with PBKDF2 or
    /// scrypt and AES, as OpenSSL 1.1 and newer and Java write it. A key that is not encrypted is read
    /// without.
    ///
    /// # Errors
    /// As [`Self::from_pem`], and [`PrivateKeyError::WrongPassphrase`].
    pub fn from_encrypted_pem(
        text: &[u8],
        passphrase: &Passphrase,
    ) -> Result<Self, PrivateKeyError> {
        match Self::from_pem(text) {
            Err(PrivateKeyError::Encrypted) => {}
            outcome => return outcome,
        }
        let blocks = parse_pem(text)?;
        let block = blocks.iter().find(|block| block.label == LABEL);
        // `Proc-Type: 4,ENCRYPTED`: one round of MD5 over the passphrase.
        let block = block.ok_or(unsupported("encryption of the old PEM form"))?;
        decrypt(&block.der, passphrase)
    }
}

fn decrypt(der: &[u8], passphrase: &Passphrase) -> Result<PrivateKey, PrivateKeyError> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| unread(der))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(unread(der));
    };
    affordable(&parameters.kdf)?;
    let secret = parameters
        .decrypt(passphrase.secret_text(), info.encrypted_data.as_bytes())
        .map(Zeroizing::new)
        .map_err(|error| match error {
            pkcs5::Error::DecryptFailed => PrivateKeyError::WrongPassphrase,
            _ => unread(der),
        })?;
    // Padding alone fits by chance once in 256 tries of a wrong passphrase.
    PrivateKey::from_block("PRIVATE KEY", secret).map_err(|error| match error {
        PrivateKeyError::Damaged(_) => PrivateKeyError::WrongPassphrase,
        error => error,
    })
}

/// Why a structure is not taken: `SEQUENCE { algorithm, OCTET STRING }` with another algorithm, or damage.
fn unread(der: &[u8]) -> PrivateKeyError {
    let algorithm = super::asn1::elements(der)
        .ok()
        .filter(|elements| elements.len() == 2)
        .and_then(|elements| AlgorithmIdentifierRef::from_der(elements[0]).ok());
    match algorithm {
        None => PrivateKeyError::Damaged("encrypted PKCS#8"),
        Some(algorithm) if algorithm.oid == PBES2_OID => {
            unsupported("encryption by other than AES and SHA-2")
        }
        Some(_) => unsupported("encryption older than PBES2"),
    }
}

/// Refuses parameters that would keep us busy, or fill our memory, before anything is proven.
fn affordable(kdf: &Kdf) -> Result<(), PrivateKeyError> {
    match kdf {
        Kdf::Pbkdf2(Pbkdf2Params {
            iteration_count, ..
        }) if *iteration_count > MOST_ITERATIONS => Err(unsupported(format_args!(
            "encryption by PBKDF2 with {iteration_count} iterations, more than {MOST_ITERATIONS}"
        ))),
        Kdf::Scrypt(scrypt) => {
            let cost = scrypt.cost_parameter;
            let memory = cost.saturating_mul(128 * u64::from(scrypt.block_size));
            if cost < 2 || memory > MOST_SCRYPT_MEMORY || scrypt.parallelization > MOST_SCRYPT_LANES
            {
                return Err(unsupported(format_args!(
                    "encryption by scrypt with N={cost}, r={}, p={}",
                    scrypt.block_size, scrypt.parallelization
                )));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn unsupported(what: impl fmt::Display) -> PrivateKeyError {
    PrivateKeyError::UnsupportedEncryption(what.to_string())
}

#[cfg(test)]
mod tests;
