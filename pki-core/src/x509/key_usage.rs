//! The two key usage extensions.

use std::fmt;

use der::asn1::ObjectIdentifier;

use super::Usage;

/// The bits of the keyUsage extension (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

const NAMES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

#[allow(missing_docs)]
impl KeyUsage {
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    pub const CRL_SIGN: Self = Self(1 << 6);
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    pub const DECIPHER_ONLY: Self = Self(1 << 8);
}

impl KeyUsage {
    /// From bits numbered as in the RFC: bit 0, the lowest, is digitalSignature.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// Whether every bit of `other` is set here.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    #[must_use]
    pub const fn overlap(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each bit that is set, alone, in the order of the RFC.
    pub fn bits(self) -> impl Iterator<Item = Self> {
        (0..NAMES.len())
            .map(|bit| Self(1 << bit))
            .filter(move |bit| self.contains(*bit))
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the set bits, as in the RFC.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..NAMES.len())
            .filter(move |bit| self.0 >> bit & 1 == 1)
            .map(|bit| NAMES[bit])
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.names().collect::<Vec<_>>().join(", "))
    }
}

/// id-kp-serverAuth.
const SERVER: &str = "1.3.6.1.5.5.7.3.1";
/// id-kp-clientAuth.
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";

/// A purpose in the extended key usage extension (RFC 5280 section 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExtendedKeyUsage {
    /// One that the clusters' own certificates have.
    Known(Usage),
    /// Any other, as its object identifier in dotted numbers.
    Other(String),
}

/// A text that is no object identifier in dotted numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an object identifier in dotted numbers")]
pub struct NotAnObjectIdentifier(pub String);

impl ExtendedKeyUsage {
    /// The purpose with this object identifier in dotted numbers.
    ///
    /// # Errors
    /// When `text` is not one.
    pub fn from_oid(text: &str) -> Result<Self, NotAnObjectIdentifier> {
        ObjectIdentifier::new(text).map_err(|_| NotAnObjectIdentifier(text.to_owned()))?;
        Ok(match text {
            SERVER => Self::Known(Usage::Server),
            CLIENT => Self::Known(Usage::Client),
            other => Self::Other(other.to_owned()),
        })
    }

    /// Its object identifier in dotted numbers.
    pub fn oid(&self) -> &str {
        match self {
            Self::Known(Usage::Server) => SERVER,
            Self::Known(Usage::Client) => CLIENT,
            Self::Other(oid) => oid,
        }
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(usage) => usage.fmt(f),
            Self::Other(oid) => f.pad(oid),
        }
    }
}
