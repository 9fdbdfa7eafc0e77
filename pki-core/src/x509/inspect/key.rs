//! What can be told of keys.

use std::fmt;

use serde::Serialize;

use super::text::Lines;
use crate::x509::{PrivateKeyError, PublicKey};

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublicKeyReport {
    /// The kind, such as `ecdsa-p256`.
    pub algorithm: String,
    /// The SHA-256 digest of the SubjectPublicKeyInfo in hexadecimal: the same for a private key, a
    /// request and a certificate exactly when they belong together.
    pub sha256: String,
}

/// A private key: its public half and how it is written, nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PrivateKeyReport {
    /// How it is written.
    pub form: PrivateKeyForm,
    /// Its public half, where it could be read.
    pub public_key: Option<PublicKeyReport>,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// Which certificates and requests of the same file it belongs to, counted from 1; absent where
    /// there are none.
    pub belongs_to: Option<Vec<usize>>,
}

/// How a private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivateKeyForm {
    /// `RSA PRIVATE KEY` (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `ENCRYPTED PRIVATE KEY` (RFC 5958 section 3).
    EncryptedPkcs8,
    /// One that this library does not read, such as `OPENSSH PRIVATE KEY`.
    Other,
}

impl PublicKeyReport {
    /// What can be told of `key`.
    pub fn new(key: &PublicKey) -> Self {
        Self {
            algorithm: key.to_string(),
            sha256: key.fingerprint(),
        }
    }

    pub(super) fn add_to(&self, lines: &mut Lines) {
        lines.add("key algorithm", &self.algorithm);
        lines.add("public key SHA-256", &self.sha256);
    }
}

impl PrivateKeyReport {
    /// What can be told of the private key to `public`.
    pub fn new(form: PrivateKeyForm, public: &PublicKey) -> Self {
        Self {
            form,
            public_key: Some(PublicKeyReport::new(public)),
            problem: None,
            belongs_to: None,
        }
    }

    /// What can be told of a private key that this library cannot use.
    pub fn unusable(form: PrivateKeyForm, problem: &PrivateKeyError) -> Self {
        Self {
            form,
            public_key: None,
            problem: Some(problem.to_string()),
            belongs_to: None,
        }
    }
}

impl PrivateKeyForm {
    /// The form that a PEM label says.
    pub fn of_label(label: &str) -> Self {
        match label {
            "RSA PRIVATE KEY" => Self::Pkcs1,
            "EC PRIVATE KEY" => Self::Sec1,
            "PRIVATE KEY" => Self::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPkcs8,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for PrivateKeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::Pkcs8 => "PKCS#8",
            Self::EncryptedPkcs8 => "PKCS#8, encrypted",
            Self::Other => "another",
        })
    }
}

impl fmt::Display for PublicKeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::default();
        self.add_to(&mut lines);
        lines.fmt(f)
    }
}

impl fmt::Display for PrivateKeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::default();
        lines.add("form", self.form);
        if let Some(public) = &self.public_key {
            public.add_to(&mut lines);
        }
        lines.maybe("problem", self.problem.as_ref());
        match self.belongs_to.as_deref() {
            None => {}
            Some([]) => lines.add("belongs to", "NOTHING in this file"),
            Some(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                lines.list("belongs to", &numbers);
            }
        }
        lines.fmt(f)
    }
}
