//! Subject alternative names: what a certificate is valid for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{DnsName, DnsNameError};

/// One entry of the subjectAltName extension (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectAltName {
    /// dNSName.
    Dns(DnsName),
    /// iPAddress.
    Ip(IpAddr),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
}

/// Why a text is no [`SubjectAltName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectAltNameError {
    /// Neither an address, an email address, a URI nor a DNS name.
    #[error(transparent)]
    Dns(#[from] DnsNameError),
    /// It has an `@` but no mailbox name or host around it, or is not ASCII.
    #[error("not an email address")]
    Email,
    /// It has `://` but no scheme or host around it, or is not ASCII.
    #[error("not a URI")]
    Uri,
}

impl fmt::Display for SubjectAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
            Self::Email(text) | Self::Uri(text) => f.pad(text),
        }
    }
}

/// Tells the kind by the form, as Makecerts does: an IP address, else a URI (`://`), else an email
/// address (`@`), else a DNS name.
impl FromStr for SubjectAltName {
    type Err = SubjectAltNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(address));
        }
        let printable = text.bytes().all(|b| b.is_ascii_graphic());
        if let Some((scheme, rest)) = text.split_once("://") {
            let whole = printable
                && !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
            return if whole {
                Ok(Self::Uri(text.to_owned()))
            } else {
                Err(SubjectAltNameError::Uri)
            };
        }
        if let Some((mailbox, host)) = text.split_once('@') {
            let whole = printable && !mailbox.is_empty() && DnsName::new(host).is_ok();
            return if whole {
                Ok(Self::Email(text.to_owned()))
            } else {
                Err(SubjectAltNameError::Email)
            };
        }
        Ok(Self::Dns(DnsName::new(text)?))
    }
}

impl From<IpAddr> for SubjectAltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<DnsName> for SubjectAltName {
    fn from(name: DnsName) -> Self {
        Self::Dns(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_tells_the_kind() {
        assert_eq!(
            "10.3.0.1".parse(),
            Ok(SubjectAltName::Ip([10, 3, 0, 1].into()))
        );
        assert!(matches!("fd00::1".parse(), Ok(SubjectAltName::Ip(_))));
        assert!(matches!("a.example".parse(), Ok(SubjectAltName::Dns(_))));
        assert!(matches!(
            "ann@a.example".parse(),
            Ok(SubjectAltName::Email(_))
        ));
        assert!(matches!("spiffe://a/b".parse(), Ok(SubjectAltName::Uri(_))));
        assert_eq!(
            "@a".parse::<SubjectAltName>(),
            Err(SubjectAltNameError::Email)
        );
        assert_eq!(
            "://a".parse::<SubjectAltName>(),
            Err(SubjectAltNameError::Uri)
        );
        assert!("a b".parse::<SubjectAltName>().is_err());
    }
}
