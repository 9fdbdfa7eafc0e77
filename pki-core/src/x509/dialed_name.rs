//! What a client dials.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rustls_pki_types::ServerName;

use super::{DnsName, DnsNameError};

/// The host part of what a client connects to, for which the server's certificate must be valid
/// (RFC 9525): a DNS name or an address, never both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DialedName {
    /// A DNS name. A wildcard cannot be dialed: no certificate is valid for one.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
}

impl DialedName {
    /// As rustls and webpki want it; `None` for a wildcard.
    pub(super) fn server_name(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Dns(name) => ServerName::try_from(name.as_str().to_owned()).ok(),
            Self::Ip(address) => Some(ServerName::from(*address)),
        }
    }
}

impl From<DnsName> for DialedName {
    fn from(name: DnsName) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for DialedName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl FromStr for DialedName {
    type Err = DnsNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => Ok(Self::Dns(DnsName::new(text)?)),
        }
    }
}

impl fmt::Display for DialedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart_and_a_wildcard_cannot_be_dialed() {
        let dialed = |text: &str| text.parse::<DialedName>().unwrap();
        assert_eq!(dialed("10.3.0.1"), DialedName::Ip([10, 3, 0, 1].into()));
        assert!(matches!(dialed("fd00::1"), DialedName::Ip(_)));
        assert!(dialed("kubernetes").server_name().is_some());
        assert!(dialed("*.a.test").server_name().is_none());
        assert!("a b".parse::<DialedName>().is_err());
    }
}
