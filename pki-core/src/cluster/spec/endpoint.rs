//! Where clients reach the API server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Fact, IpFamily, address};
use crate::x509::{DnsName, SubjectAltName};

/// A host and a port, the address of the API server in every kubeconfig.
///
/// On a loopback address it is not one place but one on each node: a load balancer of its own, before all API servers. With the
/// [default port](Self::DEFAULT_PORT) it is the node's own API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

/// A DNS name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A DNS name, without a wildcard.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
}

impl Endpoint {
    /// The API server's port where none is given, as kubeadm's.
    pub const DEFAULT_PORT: u16 = 6443;

    /// The port of the load balancer that each node has where several API servers have no other endpoint. It is neither the API
    /// servers' nor one of the ports that Kubernetes and etcd use (pkg/cluster/ports/ports.go).
    pub const LOCAL_BALANCER_PORT: u16 = 7443;

    /// The host on the default port.
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            port: Self::DEFAULT_PORT,
        }
    }

    /// Each node's own load balancer, at the loopback address of a family.
    pub(super) fn local_balancer(family: IpFamily) -> Self {
        let address = match family {
            IpFamily::V4 => Ipv4Addr::LOCALHOST.into(),
            IpFamily::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        Self {
            host: Host::Ip(address),
            port: Self::LOCAL_BALANCER_PORT,
        }
    }

    /// Whether it is on a loopback address: another place on each node, and none at all for anybody else.
    pub fn is_loopback(&self) -> bool {
        matches!(self.host, Host::Ip(address) if address.is_loopback())
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL for a kubeconfig: `https://[fd00::1]:6443`.
    pub fn url(&self) -> String {
        format!("https://{self}")
    }
}

/// `host:port`, an IPv6 address in brackets (RFC 3986 section 3.2.2).
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl FromStr for Endpoint {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        if let Some((_, rest)) = text.split_once("://") {
            let bare = rest.split('/').next().unwrap_or(rest);
            return Err(Fact::EndpointIsUrl { bare: bare.into() });
        }
        // A bare IPv6 address has no port: "fd00::1:6443" would be ambiguous otherwise.
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::new(Host::Ip(address::reachable(address.into())?)));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']').ok_or(Fact::NotEndpoint)?;
                let address: Ipv6Addr = inner.parse().map_err(|_| Fact::NotEndpoint)?;
                let port = match after {
                    "" => None,
                    _ => Some(after.strip_prefix(':').ok_or(Fact::NotEndpoint)?),
                };
                (Host::Ip(address::reachable(address.into())?), port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host.parse()?, Some(port)),
                None => (text.parse()?, None),
            },
        };
        let port = port.map_or(Ok(Self::DEFAULT_PORT), parse_port)?;
        Ok(Self { host, port })
    }
}

pub(super) fn parse_port(text: &str) -> Result<u16, Fact> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if port > 0 && digits => Ok(port),
        _ => Err(Fact::NotPort),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl FromStr for Host {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address::reachable(address)?));
        }
        let name = DnsName::new(text)?;
        if name.is_wildcard() {
            return Err(Fact::Wildcard);
        }
        Ok(Self::Dns(name))
    }
}

impl From<&Host> for SubjectAltName {
    fn from(host: &Host) -> Self {
        match host {
            Host::Dns(name) => Self::Dns(name.clone()),
            Host::Ip(address) => Self::Ip(*address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::DnsNameError;

    #[test]
    fn every_form_of_an_endpoint() {
        for (text, shown) in [
            ("api.corp.example", "api.corp.example:6443"),
            ("api.corp.example:443", "api.corp.example:443"),
            ("192.0.2.1", "192.0.2.1:6443"),
            ("192.0.2.1:8443", "192.0.2.1:8443"),
            ("fd00::1", "[fd00::1]:6443"),
            ("[fd00::1]", "[fd00::1]:6443"),
            ("[fd00::1]:443", "[fd00::1]:443"),
            // Each node's own balancer is a common way to reach several API servers.
            ("localhost:7443", "localhost:7443"),
            ("127.0.0.1:7443", "127.0.0.1:7443"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown, "{text}");
            assert_eq!(endpoint.url(), format!("https://{shown}"));
            assert_eq!(shown.parse(), Ok(endpoint), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint() {
        for (text, fact) in [
            ("", Fact::DnsName(DnsNameError::Empty)),
            ("api:0", Fact::NotPort),
            ("api:65536", Fact::NotPort),
            ("api:+80", Fact::NotPort),
            ("api:", Fact::NotPort),
            ("[fd00::1", Fact::NotEndpoint),
            ("[fd00::1]443", Fact::NotEndpoint),
            ("[192.0.2.1]:443", Fact::NotEndpoint),
            ("*.corp.example", Fact::Wildcard),
            ("0.0.0.0:6443", Fact::Unspecified),
            (
                "[::ffff:192.0.2.1]:6443",
                Fact::Mapped([192, 0, 2, 1].into()),
            ),
            ("API.corp.example", Fact::DnsName(DnsNameError::Capitals)),
            (
                "https://api.corp.example:6443/x",
                Fact::EndpointIsUrl {
                    bare: "api.corp.example:6443".into(),
                },
            ),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(fact), "{text}");
        }
    }
}
