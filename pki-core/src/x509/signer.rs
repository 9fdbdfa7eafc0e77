//! What holds a private key and signs with it.

use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::{KeyAlgorithm, PrivateKey, PublicKey, private_key::ring_curve};

/// A private key that can be used but not read: a local key today, a PKCS#11 token or a KMS behind
/// the same three methods.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The kind of key; the signature algorithm follows from it: ECDSA with SHA-256 on P-256 and
    /// SHA-384 on P-384, Ed25519, RSASSA-PKCS1-v1_5 with SHA-256.
    fn algorithm(&self) -> KeyAlgorithm;

    /// The signature over `message` as it stands in a certificate (ECDSA: DER, RFC 3279 section 2.2.3).
    ///
    /// # Errors
    /// When whatever holds the key cannot sign.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// The holder of the key did not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing failed: {0}")]
pub struct SignError(pub String);

/// A [`Signer`] over a private key in this process's memory.
pub struct LocalSigner {
    pair: Pair,
    public: PublicKey,
    algorithm: KeyAlgorithm,
    rng: SystemRandom,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl LocalSigner {
    /// Takes the use of `key`; the key itself stays with the caller.
    ///
    /// # Errors
    /// When ring refuses the key. It does not for a [`PrivateKey`], which was proven when it was made.
    pub fn new(key: &PrivateKey) -> Result<Self, SignError> {
        let rng = SystemRandom::new();
        let public = key.public_key().clone();
        let algorithm = key.algorithm();
        let rejected = |error: ring::error::KeyRejected| SignError(error.to_string());
        let secret = key.secret_bytes().unwrap_or_default();
        let pair = match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {
                let curve = ring_curve(algorithm);
                let point = public.key_bytes();
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(curve, secret, point, &rng);
                Pair::Ecdsa(pair.map_err(rejected)?)
            }
            KeyAlgorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(secret, public.key_bytes());
                Pair::Ed25519(pair.map_err(rejected)?)
            }
            _ => {
                let pair = RsaKeyPair::from_der(key.secret_pkcs1().unwrap_or_default());
                Pair::Rsa(Box::new(pair.map_err(rejected)?))
            }
        };
        Ok(Self {
            pair,
            public,
            algorithm,
            rng,
        })
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |_| SignError("ring refused".to_owned());
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair
                .sign(&self.rng, message)
                .map_err(failed)?
                .as_ref()
                .to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.rng, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }
}
