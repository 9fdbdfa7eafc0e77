//! A host name as it may stand in a certificate.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A DNS name in lower case, of letters, digits and hyphens, at most 253 characters long, with an
/// optional leading `*.` (RFC 1123 section 2.1, RFC 5280 section 4.2.1.6, RFC 6125 section 6.4.3).
/// Never an IP address: those belong in an iPAddress SAN.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(String);

/// Why a text is no [`DnsName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsNameError {
    /// Nothing at all.
    #[error("the name is empty")]
    Empty,
    /// Over 253 characters.
    #[error("the name has {0} characters, more than 253")]
    TooLong(usize),
    /// A part between dots is empty or over 63 characters.
    #[error("the label {0:?} is not 1 to 63 characters long")]
    LabelLength(String),
    /// A part between dots begins or ends with a hyphen.
    #[error("the label {0:?} begins or ends with a hyphen")]
    LabelHyphen(String),
    /// A character outside `a-z`, `0-9`, `-`.
    #[error("the character {0:?} is not allowed in a host name")]
    Character(char),
    /// A letter in upper case.
    #[error("the name has capital letters")]
    Capitals,
    /// An IP address.
    #[error("this is an IP address, not a DNS name")]
    IsAddress,
}

impl DnsName {
    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// [`DnsNameError`] says which rule the text breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, DnsNameError> {
        Self::checked(text.into(), false)
    }

    /// As [`Self::new`], with underscores too. They are in no host name (RFC 1123 section 2.1), but in the names of
    /// services of docker-compose, and every verifier matches them.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_underscores(text: impl Into<String>) -> Result<Self, DnsNameError> {
        Self::checked(text.into(), true)
    }

    fn checked(text: String, underscores: bool) -> Result<Self, DnsNameError> {
        let bare = text.strip_prefix("*.").unwrap_or(&text);
        if bare.is_empty() {
            return Err(DnsNameError::Empty);
        }
        if text.len() > 253 {
            return Err(DnsNameError::TooLong(text.len()));
        }
        if bare.parse::<IpAddr>().is_ok() {
            return Err(DnsNameError::IsAddress);
        }
        if bare.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(DnsNameError::Capitals);
        }
        let allowed = |c: char| match c {
            'a'..='z' | '0'..='9' | '-' | '.' => true,
            '_' => underscores,
            _ => false,
        };
        if let Some(bad) = bare.chars().find(|c| !allowed(*c)) {
            return Err(DnsNameError::Character(bad));
        }
        for label in bare.split('.') {
            if label.is_empty() || label.len() > 63 {
                return Err(DnsNameError::LabelLength(label.to_owned()));
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(DnsNameError::LabelHyphen(label.to_owned()));
            }
        }
        // A last label of digits only would be read as an IPv4 address by many programs (WHATWG URL).
        if bare
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(DnsNameError::IsAddress);
        }
        Ok(Self(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name begins with `*.`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for DnsName {
    type Err = DnsNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl AsRef<str> for DnsName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters_are_accepted() {
        for name in [
            "kubernetes",
            "kubernetes.default.svc.cluster.local",
            "n1",
            "*.corp.example",
            "3com",
        ] {
            assert_eq!(DnsName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn underscores_only_where_they_are_expected() {
        assert_eq!(DnsName::new("a_b"), Err(DnsNameError::Character('_')));
        assert_eq!(DnsName::with_underscores("a_b").unwrap().as_str(), "a_b");
        assert_eq!(
            DnsName::with_underscores("a b"),
            Err(DnsNameError::Character(' '))
        );
    }

    #[test]
    fn each_broken_rule_has_its_own_error() {
        let long_label = "a".repeat(64);
        for (name, error) in [
            ("", DnsNameError::Empty),
            ("*.", DnsNameError::Empty),
            ("10.3.0.1", DnsNameError::IsAddress),
            ("fd00::1", DnsNameError::IsAddress),
            ("host.10", DnsNameError::IsAddress),
            ("Node", DnsNameError::Capitals),
            ("a_b", DnsNameError::Character('_')),
            ("a..b", DnsNameError::LabelLength(String::new())),
            ("a.", DnsNameError::LabelLength(String::new())),
            (&long_label, DnsNameError::LabelLength(long_label.clone())),
            ("-a", DnsNameError::LabelHyphen("-a".into())),
            ("b.a-", DnsNameError::LabelHyphen("a-".into())),
            ("a.*.b", DnsNameError::Character('*')),
        ] {
            assert_eq!(DnsName::new(name), Err(error), "{name}");
        }
        assert_eq!(
            DnsName::new("ab.".repeat(85)),
            Err(DnsNameError::TooLong(255))
        );
    }
}
