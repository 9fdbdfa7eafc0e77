//! Public keys as they stand in certificates.

use std::fmt;
use std::sync::{Arc, LazyLock};

use der::{Decode, Encode, asn1::ObjectIdentifier, asn1::UintRef};
use spki::SubjectPublicKeyInfoRef;

use super::{KeyAlgorithm, asn1};

/// A SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
///
/// A clone shares the bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    spki: Arc<[u8]>,
    algorithm: Result<KeyAlgorithm, Arc<str>>,
    /// Where the key itself begins in `spki`: the content of its BIT STRING, which is its tail.
    key_start: usize,
}

/// Why bytes are no [`PublicKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a public key: {0}")]
pub struct PublicKeyError(#[from] der::Error);

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. A kind of key that this library cannot use is no error here:
    /// see [`Self::algorithm`].
    ///
    /// # Errors
    /// When `der` is not one whole SubjectPublicKeyInfo.
    pub fn from_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)?;
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or(der::ErrorKind::Failed)
            .map_err(der::Error::from)?;
        let curve = || spki.algorithm.parameters_oid().ok();
        let algorithm = match spki.algorithm.oid {
            EC if curve() == Some(P256) => Ok(KeyAlgorithm::EcdsaP256),
            EC if curve() == Some(P384) => Ok(KeyAlgorithm::EcdsaP384),
            EC => Err(format!(
                "EC key on curve {}",
                curve().map_or("?".into(), |oid| oid.to_string())
            )
            .into()),
            ED25519 => Ok(KeyAlgorithm::Ed25519),
            RSA => match modulus_bits(key)? {
                2048 => Ok(KeyAlgorithm::Rsa2048),
                3072 => Ok(KeyAlgorithm::Rsa3072),
                4096 => Ok(KeyAlgorithm::Rsa4096),
                bits => Err(format!("RSA key of {bits} bits").into()),
            },
            oid => Err(format!("key of kind {oid}").into()),
        };
        Ok(Self {
            algorithm,
            key_start: der.len() - key.len(),
            spki: der.into(),
        })
    }

    /// Lays out the SubjectPublicKeyInfo for the bare key of a kind: the uncompressed point, the
    /// Ed25519 key, or an RSAPublicKey.
    pub(super) fn from_key(algorithm: KeyAlgorithm, key: &[u8]) -> Self {
        let bits = asn1::joined(der::Tag::BitString, &[&[0], key]);
        let spki = asn1::sequence(&[identifier(algorithm), &bits]);
        Self {
            algorithm: Ok(algorithm),
            key_start: spki.len() - key.len(),
            spki: spki.into(),
        }
    }

    /// The complete SubjectPublicKeyInfo.
    pub fn der(&self) -> &[u8] {
        &self.spki
    }

    /// The bare key: the content of the BIT STRING.
    pub fn key_bytes(&self) -> &[u8] {
        &self.spki[self.key_start..]
    }

    /// Which kind it is, `None` for a kind that this library cannot sign with.
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        self.algorithm.as_ref().ok().copied()
    }

    /// The first 20 bytes of the SHA-256 digest of the bare key (RFC 7093 section 2, method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.key_bytes());
        let mut identifier = [0; 20];
        identifier.copy_from_slice(&digest.as_ref()[..20]);
        identifier
    }

    /// The SHA-256 digest of the SubjectPublicKeyInfo in hexadecimal: the same for a key pair,
    /// a request and a certificate exactly when they belong together.
    pub fn fingerprint(&self) -> String {
        super::hex(ring::digest::digest(&ring::digest::SHA256, &self.spki).as_ref())
    }
}

/// The kind, such as `ecdsa-p256` or `EC key on curve 1.3.132.0.35`.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.algorithm {
            Ok(algorithm) => algorithm.fmt(f),
            Err(other) => f.pad(other),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self} {})", self.fingerprint())
    }
}

/// The AlgorithmIdentifier of a kind of key, encoded once.
fn identifier(algorithm: KeyAlgorithm) -> &'static [u8] {
    static IDENTIFIERS: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
        let oid = |oid: ObjectIdentifier| oid.to_der().expect("a constant identifier");
        [
            asn1::sequence(&[&oid(EC), &oid(P256)]),
            asn1::sequence(&[&oid(EC), &oid(P384)]),
            asn1::sequence(&[&oid(ED25519)]),
            // The parameters of rsaEncryption are an explicit NULL (RFC 3279 section 2.3.1).
            asn1::sequence(&[&oid(RSA), &[5, 0]]),
        ]
    });
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &IDENTIFIERS[0],
        KeyAlgorithm::EcdsaP384 => &IDENTIFIERS[1],
        KeyAlgorithm::Ed25519 => &IDENTIFIERS[2],
        KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => &IDENTIFIERS[3],
    }
}

/// The length of the modulus of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn modulus_bits(key: &[u8]) -> Result<usize, der::Error> {
    let parts = asn1::elements(key)?;
    let first = parts
        .first()
        .ok_or(der::ErrorKind::Failed)
        .map_err(der::Error::from)?;
    let modulus = UintRef::from_der(first)?;
    let bytes = modulus.as_bytes();
    Ok(bytes.len() * 8
        - bytes
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize))
}
