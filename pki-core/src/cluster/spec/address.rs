//! Which addresses may stand where.

use std::net::IpAddr;

use super::Fact;
use crate::x509::SubjectAltName;

/// An address that somebody can dial: neither "any" nor many.
pub(super) fn reachable(address: IpAddr) -> Result<IpAddr, Fact> {
    not_mapped(address)?;
    if address.is_unspecified() {
        return Err(Fact::Unspecified);
    }
    if address.is_multicast() {
        return Err(Fact::Multicast);
    }
    if matches!(address, IpAddr::V4(v4) if v4.is_broadcast()) {
        return Err(Fact::LimitedBroadcast);
    }
    Ok(address)
}

/// An address that another machine can dial. The kubelet refuses the same as its node IP
/// (kubernetes 1.37, pkg/kubelet/kubelet_node_status.go, validateNodeIP).
pub(super) fn between_machines(address: IpAddr) -> Result<IpAddr, Fact> {
    reachable(address)?;
    if address.is_loopback() {
        return Err(Fact::Loopback);
    }
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if link_local {
        return Err(Fact::LinkLocal);
    }
    Ok(address)
}

/// The address in `text`, once it is one that another machine can dial.
pub(super) fn parse_between_machines(text: &str) -> Result<IpAddr, Fact> {
    between_machines(parse(text)?)
}

/// Any address.
pub(super) fn parse(text: &str) -> Result<IpAddr, Fact> {
    text.parse().map_err(|_| Fact::NotAddress)
}

/// Go and rustls read `::ffff:10.3.0.1` as IPv4 in one place and as IPv6 in another, so that a
/// certificate made for it matches by luck. It is refused everywhere.
pub(super) fn not_mapped(address: IpAddr) -> Result<(), Fact> {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Err(Fact::Mapped(v4)),
            None => Ok(()),
        },
        IpAddr::V4(_) => Ok(()),
    }
}

/// An extra SAN: a DNS name, perhaps with a wildcard, or an address. Kubernetes' own clients dial
/// nothing else, and its signer for kubelet certificates refuses email and URI.
pub(super) fn parse_san(text: &str) -> Result<SubjectAltName, Fact> {
    match text.parse()? {
        SubjectAltName::Ip(address) => Ok(SubjectAltName::Ip(reachable(address)?)),
        SubjectAltName::Dns(name) => Ok(SubjectAltName::Dns(name)),
        SubjectAltName::Email(_) | SubjectAltName::Uri(_) => Err(Fact::SanKind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::DnsNameError;

    #[test]
    fn addresses_of_machines() {
        for good in ["192.168.1.10", "10.0.0.1", "fd00::10", "2001:db8::1"] {
            assert!(parse_between_machines(good).is_ok(), "{good}");
        }
        for (text, fact) in [
            ("", Fact::NotAddress),
            ("010.0.0.1", Fact::NotAddress),
            ("fe80::1%eth0", Fact::NotAddress),
            ("0.0.0.0", Fact::Unspecified),
            ("::", Fact::Unspecified),
            ("127.0.0.1", Fact::Loopback),
            ("::1", Fact::Loopback),
            ("224.0.0.1", Fact::Multicast),
            ("ff02::1", Fact::Multicast),
            ("255.255.255.255", Fact::LimitedBroadcast),
            ("169.254.1.1", Fact::LinkLocal),
            ("fe80::1", Fact::LinkLocal),
            ("::ffff:10.0.0.1", Fact::Mapped([10, 0, 0, 1].into())),
        ] {
            assert_eq!(parse_between_machines(text), Err(fact), "{text}");
        }
    }

    #[test]
    fn extra_names() {
        for good in ["extra.example", "*.apps.example", "192.0.2.9", "127.0.0.2"] {
            assert_eq!(parse_san(good).unwrap().to_string(), good);
        }
        for (text, fact) in [
            ("ann@corp.example", Fact::SanKind),
            ("spiffe://corp/ann", Fact::SanKind),
            ("10.3.0.300", Fact::DnsName(DnsNameError::IsAddress)),
            ("::ffff:10.0.0.1", Fact::Mapped([10, 0, 0, 1].into())),
            ("a b", Fact::DnsName(DnsNameError::Character(' '))),
        ] {
            assert_eq!(parse_san(text), Err(fact), "{text}");
        }
    }
}
