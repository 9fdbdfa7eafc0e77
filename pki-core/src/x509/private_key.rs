//! Private keys: making, reading and writing them.

use std::fmt;

use der::{Decode, Encode, asn1::ObjectIdentifier};
use pkcs8::{AlgorithmIdentifierRef, PrivateKeyInfoRef};
use ring::rand::SecureRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::{KeyAlgorithm, PublicKey, RandomError, parse_pem, rsa_generation, to_pem};

/// A private key, proven to be one whole key pair: its public half was checked against it when it
/// was made or read. Wiped when dropped; not `Clone`; `Debug` shows the public half only.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
}

enum Secret {
    /// The scalar, big-endian, as long as the curve's field.
    Ecdsa(Zeroizing<Vec<u8>>),
    /// The 32-byte seed.
    Ed25519(Zeroizing<Vec<u8>>),
    /// An RSAPrivateKey (RFC 8017 appendix A.1.2).
    Rsa(Zeroizing<Vec<u8>>),
}

/// Why a text or bytes are no usable [`PrivateKey`]. None of these quote any of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// Not PEM at all, or damaged.
    #[error(transparent)]
    Pem(#[from] super::PemError),
    /// PEM, but none of its blocks is a private key.
    #[error("a PEM text without a private key")]
    NoKey,
    /// Two keys or more where one is meant.
    #[error("{0} private keys in one text")]
    Several(usize),
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted")]
    Encrypted,
    /// The key is encrypted with another passphrase than the one given, or damaged.
    #[error("the passphrase does not open the private key")]
    WrongPassphrase,
    /// Encrypted in a way, or at a cost, that this library does not take.
    #[error("a private key under {0}, which is not supported")]
    UnsupportedEncryption(String),
    /// The structure around the key is damaged.
    #[error("a damaged private key ({0} form)")]
    Damaged(&'static str),
    /// A kind, curve or size that this library does not sign with.
    #[error("a private key of a kind that is not supported: {0}")]
    Unsupported(String),
    /// SEC1 leaves the public half out at will; without it the pair cannot be proven.
    #[error("an EC private key without its public half")]
    NoPublicHalf,
    /// The numbers do not form a key pair.
    #[error("the two halves of the key do not belong together")]
    Inconsistent,
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl PrivateKey {
    /// Makes a new key. RSA takes tens to hundreds of milliseconds, the others microseconds.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(algorithm: KeyAlgorithm, rng: &dyn SecureRandom) -> Result<Self, RandomError> {
        match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {
                let document = EcdsaKeyPair::generate_pkcs8(ring_curve(algorithm), rng)
                    .map_err(|_| RandomError)?;
                // ring has just made both halves from one scalar: proving that again would double the cost.
                let info =
                    PrivateKeyInfoRef::try_from(document.as_ref()).map_err(|_| RandomError)?;
                let inner =
                    EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(|_| RandomError)?;
                let public = inner.public_key.ok_or(RandomError)?;
                Ok(Self {
                    secret: Secret::Ecdsa(Zeroizing::new(inner.private_key.to_vec())),
                    public: PublicKey::from_key(algorithm, public),
                })
            }
            KeyAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new(vec![0; 32]);
                rng.fill(&mut seed).map_err(|_| RandomError)?;
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| RandomError)?;
                let public = PublicKey::from_key(algorithm, pair.public_key().as_ref());
                Ok(Self {
                    secret: Secret::Ed25519(seed),
                    public,
                })
            }
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                let der = rsa_generation::generate(algorithm, rng)?;
                Self::from_pkcs1(der).map_err(|_| RandomError)
            }
        }
    }

    /// Reads the one private key in a PEM text, in PKCS#1 (`RSA PRIVATE KEY`), SEC1
    /// (`EC PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`) form; other kinds of block are passed over.
    ///
    /// # Errors
    /// [`PrivateKeyError`] says what is wrong, without any of the key.
    pub fn from_pem(text: &[u8]) -> Result<Self, PrivateKeyError> {
        let mut blocks: Vec<_> = parse_pem(text)?
            .into_iter()
            .filter(|block| block.label.ends_with("PRIVATE KEY"))
            .collect();
        let block = match blocks.len() {
            0 => return Err(PrivateKeyError::NoKey),
            1 => blocks.remove(0),
            several => return Err(PrivateKeyError::Several(several)),
        };
        if block.encrypted {
            return Err(PrivateKeyError::Encrypted);
        }
        Self::from_block(&block.label, block.der)
    }

    /// Reads the bytes of one PEM block by its label; the caller has seen that they are not
    /// [encrypted](super::PemBlock::encrypted).
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn from_block(label: &str, der: Zeroizing<Vec<u8>>) -> Result<Self, PrivateKeyError> {
        match label {
            "RSA PRIVATE KEY" => Self::from_pkcs1(der),
            "EC PRIVATE KEY" => Self::from_sec1(&der, None),
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "ENCRYPTED PRIVATE KEY" => Err(PrivateKeyError::Encrypted),
            other => Err(PrivateKeyError::Unsupported(other.to_owned())),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let damaged = PrivateKeyError::Damaged("PKCS#8");
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| damaged.clone())?;
        let inner = info.private_key.as_bytes();
        match info.algorithm.oid {
            EC => Self::from_sec1(inner, info.algorithm.parameters_oid().ok()),
            RSA => Self::from_pkcs1(Zeroizing::new(inner.to_vec())),
            ED25519 => {
                // The seed is an OCTET STRING inside the OCTET STRING (RFC 8410 section 7).
                let seed = <&der::asn1::OctetStringRef>::from_der(inner).map_err(|_| damaged)?;
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_bytes())
                    .map_err(|_| PrivateKeyError::Damaged("PKCS#8"))?;
                let public = pair.public_key().as_ref();
                if info
                    .public_key
                    .is_some_and(|given| given.as_bytes() != Some(public))
                {
                    return Err(PrivateKeyError::Inconsistent);
                }
                Ok(Self {
                    secret: Secret::Ed25519(Zeroizing::new(seed.as_bytes().to_vec())),
                    public: PublicKey::from_key(KeyAlgorithm::Ed25519, public),
                })
            }
            oid => Err(PrivateKeyError::Unsupported(oid.to_string())),
        }
    }

    fn from_sec1(
        der: &[u8],
        outer_curve: Option<ObjectIdentifier>,
    ) -> Result<Self, PrivateKeyError> {
        let key = EcPrivateKey::from_der(der).map_err(|_| PrivateKeyError::Damaged("SEC1"))?;
        let curve = key
            .parameters
            .map(|EcParameters::NamedCurve(oid)| oid)
            .or(outer_curve);
        let algorithm = match curve {
            Some(P256) => KeyAlgorithm::EcdsaP256,
            Some(P384) => KeyAlgorithm::EcdsaP384,
            Some(oid) => {
                return Err(PrivateKeyError::Unsupported(format!(
                    "EC key on curve {oid}"
                )));
            }
            None => return Err(PrivateKeyError::Damaged("SEC1")),
        };
        let public = key.public_key.ok_or(PrivateKeyError::NoPublicHalf)?;
        let rng = ring::rand::SystemRandom::new();
        EcdsaKeyPair::from_private_key_and_public_key(
            ring_curve(algorithm),
            key.private_key,
            public,
            &rng,
        )
        .map_err(|_| PrivateKeyError::Inconsistent)?;
        Ok(Self {
            secret: Secret::Ecdsa(Zeroizing::new(key.private_key.to_vec())),
            public: PublicKey::from_key(algorithm, public),
        })
    }

    fn from_pkcs1(der: Zeroizing<Vec<u8>>) -> Result<Self, PrivateKeyError> {
        let pair =
            RsaKeyPair::from_der(&der).map_err(|rejected| match rejected.to_string().as_str() {
                "InvalidEncoding" => PrivateKeyError::Damaged("PKCS#1"),
                reason @ ("TooSmall"
                | "TooLarge"
                | "VersionNotSupported"
                | "PublicExponentTooLarge"
                | "PublicExponentTooSmall"
                | "PrivateModulusLenNotMultipleOf512Bits") => {
                    PrivateKeyError::Unsupported(format!("RSA key ({reason})"))
                }
                _ => PrivateKeyError::Inconsistent,
            })?;
        let bits = pair.public().modulus_len() * 8;
        let algorithm = KeyAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.rsa_bits() == Some(bits))
            .ok_or_else(|| PrivateKeyError::Unsupported(format!("RSA key of {bits} bits")))?;
        let public = PublicKey::from_key(algorithm, pair.public().as_ref());
        Ok(Self {
            secret: Secret::Rsa(der),
            public,
        })
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match (&self.secret, self.public.key_bytes().len()) {
            // An uncompressed point is one byte and two coordinates.
            (Secret::Ecdsa(_), 65) => KeyAlgorithm::EcdsaP256,
            (Secret::Ecdsa(_), _) => KeyAlgorithm::EcdsaP384,
            (Secret::Ed25519(_), _) => KeyAlgorithm::Ed25519,
            (Secret::Rsa(_), _) => self.public.algorithm().unwrap_or(KeyAlgorithm::Rsa2048),
        }
    }

    /// The key as PEM in the oldest form that has one for its kind, since that is what every reader
    /// knows: SEC1 for ECDSA (kubernetes#141774: PKCS#8 EC keys are refused where a public key file is
    /// read), PKCS#1 for RSA, PKCS#8 version 1 for Ed25519 (OpenSSL 3.0 cannot read version 2).
    pub fn secret_pem(&self) -> Zeroizing<String> {
        match &self.secret {
            Secret::Ecdsa(_) => to_pem("EC PRIVATE KEY", &self.sec1(true)),
            Secret::Rsa(der) => to_pem("RSA PRIVATE KEY", der),
            Secret::Ed25519(_) => to_pem("PRIVATE KEY", &self.secret_pkcs8()),
        }
    }

    /// The key as PKCS#8 version 1 (RFC 5208), as ring, rustls and rcgen read it.
    pub fn secret_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let (oid, curve, inner) = match &self.secret {
            Secret::Ecdsa(_) => (EC, Some(self.curve()), self.sec1(false)),
            Secret::Rsa(der) => (RSA, None, der.clone()),
            Secret::Ed25519(seed) => {
                let octets = super::asn1::tagged(der::Tag::OctetString, seed);
                (ED25519, None, Zeroizing::new(octets))
            }
        };
        let parameters = match (&curve, oid) {
            (Some(curve), _) => Some(curve.into()),
            (None, RSA) => Some(der::asn1::AnyRef::NULL),
            (None, _) => None,
        };
        let algorithm = AlgorithmIdentifierRef { oid, parameters };
        let octets = der::asn1::OctetStringRef::new(&inner).expect("a key is short");
        let info = PrivateKeyInfoRef::new(algorithm, octets);
        Zeroizing::new(info.to_der().expect("a key is short"))
    }

    /// The RSAPrivateKey, for the signer.
    pub(super) fn secret_pkcs1(&self) -> Option<&[u8]> {
        match &self.secret {
            Secret::Rsa(der) => Some(der),
            _ => None,
        }
    }

    /// The bare scalar or seed, for the signer.
    pub(super) fn secret_bytes(&self) -> Option<&[u8]> {
        match &self.secret {
            Secret::Ecdsa(bytes) | Secret::Ed25519(bytes) => Some(bytes),
            Secret::Rsa(_) => None,
        }
    }

    fn curve(&self) -> ObjectIdentifier {
        if self.algorithm() == KeyAlgorithm::EcdsaP384 {
            P384
        } else {
            P256
        }
    }

    /// ECPrivateKey (RFC 5915); alone it must name its curve, inside PKCS#8 it need not.
    fn sec1(&self, with_curve: bool) -> Zeroizing<Vec<u8>> {
        let key = EcPrivateKey {
            private_key: self.secret_bytes().unwrap_or_default(),
            parameters: with_curve.then(|| EcParameters::NamedCurve(self.curve())),
            public_key: Some(self.public.key_bytes()),
        };
        Zeroizing::new(key.to_der().expect("a key is short"))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.public)
    }
}

/// The curve and signature hash as ring names them.
pub(super) fn ring_curve(algorithm: KeyAlgorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        _ => &ECDSA_P256_SHA256_ASN1_SIGNING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_both_of_its_forms() {
        let rng = ring::rand::SystemRandom::new();
        for algorithm in KeyAlgorithm::ALL {
            let key = PrivateKey::generate(algorithm, &rng).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let again = PrivateKey::from_pem(key.secret_pem().as_bytes()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            let modern = to_pem("PRIVATE KEY", &key.secret_pkcs8());
            let again = PrivateKey::from_pem(modern.as_bytes()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(again.secret_pem(), key.secret_pem());
            assert_eq!(
                PublicKey::from_der(key.public_key().der()).unwrap(),
                *key.public_key()
            );
        }
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let rng = ring::rand::SystemRandom::new();
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519, &rng).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("ed25519"));
        assert!(!shown.contains(&super::super::hex(key.secret_bytes().unwrap())));
    }

    #[test]
    fn a_pair_that_does_not_match_is_refused() {
        let rng = ring::rand::SystemRandom::new();
        let [a, b] = [(); 2].map(|()| PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap());
        let crossed = PrivateKey {
            secret: a.secret,
            public: b.public,
        };
        let text = crossed.secret_pem();
        assert_eq!(
            PrivateKey::from_pem(text.as_bytes()).err(),
            Some(PrivateKeyError::Inconsistent)
        );
    }

    #[test]
    fn what_is_no_single_key_is_told_apart() {
        let rng = ring::rand::SystemRandom::new();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap();
        let pem = key.secret_pem();
        let error = |text: &str| PrivateKey::from_pem(text.as_bytes()).err().unwrap();
        assert_eq!(error(&to_pem("CERTIFICATE", &[1])), PrivateKeyError::NoKey);
        assert_eq!(
            error(&format!("{}{}", *pem, *pem)),
            PrivateKeyError::Several(2)
        );
        assert_eq!(
            error(&to_pem("ENCRYPTED PRIVATE KEY", &[1])),
            PrivateKeyError::Encrypted
        );
        assert_eq!(
            error(&to_pem("EC PRIVATE KEY", &[1])),
            PrivateKeyError::Damaged("SEC1")
        );
        assert_eq!(
            error(&to_pem("RSA PRIVATE KEY", &[1])),
            PrivateKeyError::Damaged("PKCS#1")
        );
        assert_eq!(
            error(&to_pem("PRIVATE KEY", &[1])),
            PrivateKeyError::Damaged("PKCS#8")
        );
        assert!(matches!(
            error(&to_pem("DSA PRIVATE KEY", &[1])),
            PrivateKeyError::Unsupported(_)
        ));
    }
}
