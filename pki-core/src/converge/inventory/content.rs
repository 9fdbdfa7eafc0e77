//! Telling what is in a file by its content.

use std::fmt;

use zeroize::Zeroizing;

use crate::cluster::{Kubeconfig, check_encryption_configuration};
use crate::x509::{Certificate, PrivateKey, PublicKey, parse_pem};

/// What a file holds.
pub enum Found {
    /// Certificates, one or more.
    Certificates(Vec<Certificate>),
    /// One private key.
    PrivateKey(PrivateKey),
    /// One public key.
    PublicKey(PublicKey),
    /// A kubeconfig.
    Kubeconfig(Box<Kubeconfig>),
    /// An encryption configuration that encrypts; its text is a secret.
    Encryption(Zeroizing<String>),
    /// A file that holds none of these, or a damaged one, with the reason in words.
    Unreadable(String),
    /// Something that is no regular file, such as a symbolic link.
    NotAFile(&'static str),
}

impl Found {
    /// Looks at the content of a file.
    pub fn of(bytes: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Unreadable("neither PEM nor YAML: not a text".into());
        };
        if text.contains("-----BEGIN ") {
            return Self::pem(bytes);
        }
        if text.trim().is_empty() {
            return Self::Unreadable("empty".into());
        }
        // Both are YAML; the kind is told before either is parsed, so that the error speaks of the right one.
        if text.contains("EncryptionConfiguration") {
            return match check_encryption_configuration(text) {
                Ok(()) => Self::Encryption(Zeroizing::new(text.to_owned())),
                Err(error) => Self::Unreadable(format!("encryption configuration: {error}")),
            };
        }
        if !text.contains("kind:") && !text.contains("\"kind\"") {
            return Self::Unreadable("neither PEM nor a kubeconfig".into());
        }
        match Kubeconfig::parse(text) {
            Ok(config) => Self::Kubeconfig(Box::new(config)),
            Err(error) => Self::Unreadable(format!("kubeconfig: {error}")),
        }
    }

    fn pem(bytes: &[u8]) -> Self {
        let blocks = match parse_pem(bytes) {
            Ok(blocks) => blocks,
            Err(error) => return Self::Unreadable(error.to_string()),
        };
        let has = |end: &str| blocks.iter().any(|block| block.label.ends_with(end));
        match (has("CERTIFICATE"), has("PRIVATE KEY"), has("PUBLIC KEY")) {
            (true, false, _) => match Certificate::from_pem_chain(bytes) {
                Ok(chain) => Self::Certificates(chain),
                Err(error) => Self::Unreadable(error.to_string()),
            },
            (false, true, _) => match PrivateKey::from_pem(bytes) {
                Ok(key) => Self::PrivateKey(key),
                Err(error) => Self::Unreadable(error.to_string()),
            },
            (false, false, true) => {
                let block = blocks.iter().find(|block| block.label == "PUBLIC KEY");
                match block.map(|block| PublicKey::from_der(&block.der)) {
                    Some(Ok(key)) => Self::PublicKey(key),
                    Some(Err(error)) => Self::Unreadable(error.to_string()),
                    None => Self::Unreadable("a public key that is no SubjectPublicKeyInfo".into()),
                }
            }
            (true, true, _) => {
                Self::Unreadable("a certificate and a private key in one file".into())
            }
            (false, false, false) => Self::Unreadable("PEM without a certificate or key".into()),
        }
    }

    /// The certificates in it.
    pub fn certificates(&self) -> Option<&[Certificate]> {
        match self {
            Self::Certificates(chain) => Some(chain),
            Self::Kubeconfig(config) => config.chain.embedded().map(Vec::as_slice),
            _ => None,
        }
    }

    /// The private key in it.
    pub fn private_key(&self) -> Option<&PrivateKey> {
        match self {
            Self::PrivateKey(key) => Some(key),
            Self::Kubeconfig(config) => config.key.embedded(),
            _ => None,
        }
    }

    /// What it is, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Certificates(chain) => match &chain[..] {
                [one] => format!("certificate of {}", one.subject),
                several => format!("{} certificates", several.len()),
            },
            Self::PrivateKey(key) => format!("private key ({})", key.algorithm()),
            Self::PublicKey(key) => format!("public key ({key})"),
            Self::Kubeconfig(config) => format!("kubeconfig of {}", config.user),
            Self::Encryption(_) => "encryption configuration".into(),
            Self::Unreadable(reason) => reason.clone(),
            Self::NotAFile(kind) => (*kind).into(),
        }
    }
}

/// Without anything secret.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({})", self.describe())
    }
}
