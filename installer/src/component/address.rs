//! Addresses as components want them written.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pki_core::cluster::spec::IpFamily;

use crate::desired::NodeSpec;

/// `https://[fd00::1]:2379`.
pub(crate) fn url(scheme: &str, address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("{scheme}://{address}:{port}"),
        IpAddr::V6(address) => format!("{scheme}://[{address}]:{port}"),
    }
}

/// The loopback address of the cluster's own family.
pub(super) fn loopback(spec: &NodeSpec) -> IpAddr {
    match spec.cluster.family() {
        IpFamily::V4 => Ipv4Addr::LOCALHOST.into(),
        IpFamily::V6 => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Every address of the families in use: `::` listens for both. Go takes `0.0.0.0` for IPv4 alone.
pub(super) fn any(spec: &NodeSpec) -> IpAddr {
    if spec.families().contains(&IpFamily::V6) {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    }
}

/// `a,b`.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(",")
}
