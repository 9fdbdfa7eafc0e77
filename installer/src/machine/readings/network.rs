//! Routes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::text;

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub destination: IpNet,
    /// Over which interface.
    pub interface: String,
    /// Who sends on from there; nobody, where the destination is on the interface's own network.
    pub gateway: Option<IpAddr>,
}

impl Route {
    /// Whether it is for everything that no other route is for.
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

/// As `ip route` takes it.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.destination)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        write!(f, " dev {}", self.interface)
    }
}

/// All of the main table.
pub(crate) fn read() -> Vec<Route> {
    let (v4, v6) = (text("/proc/net/route"), text("/proc/net/ipv6_route"));
    v4.lines()
        .filter_map(route_v4)
        .chain(v6.lines().filter_map(route_v6))
        .collect()
}

/// /proc/net/route: interface, destination, gateway, flags, references, use, metric, mask; addresses as words in the
/// machine's own order.
fn route_v4(line: &str) -> Option<Route> {
    let words: Vec<_> = line.split_whitespace().collect();
    let address = |word: &str| {
        let word = u32::from_str_radix(word, 16).ok()?;
        Some(Ipv4Addr::from(word.to_ne_bytes()))
    };
    let network = Ipv4Net::with_netmask(address(words.get(1)?)?, address(words.get(7)?)?).ok()?;
    let gateway = address(words[2])?;
    Some(Route {
        destination: network.into(),
        interface: words[0].to_owned(),
        gateway: (!gateway.is_unspecified()).then_some(gateway.into()),
    })
}

/// /proc/net/ipv6_route, without the kernel's own on `lo` (addresses of this host, unreachable) and multicast.
fn route_v6(line: &str) -> Option<Route> {
    let words: Vec<_> = line.split_whitespace().collect();
    let address = u128::from_str_radix(words.first()?, 16).ok()?;
    let length = u8::from_str_radix(words.get(1)?, 16).ok()?;
    let interface = *words.get(9)?;
    let address = Ipv6Addr::from(address);
    let gateway = Ipv6Addr::from(u128::from_str_radix(words[4], 16).ok()?);
    if interface == "lo" || address.is_multicast() {
        return None;
    }
    Some(Route {
        destination: Ipv6Net::new(address, length).ok()?.into(),
        interface: interface.to_owned(),
        gateway: (!gateway.is_unspecified()).then_some(gateway.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families() {
        if cfg!(target_endian = "little") {
            let line = "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
            let route = route_v4(line).unwrap();
            assert_eq!(route.destination.to_string(), "10.0.2.0/24");
            assert!(!route.is_default());
            assert_eq!(route.to_string(), "10.0.2.0/24 dev eth0");
            let line = "eth0\t0002F40A\t0C0200C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0";
            let route = route_v4(line).unwrap();
            assert_eq!(route.to_string(), "10.244.2.0/24 via 192.0.2.12 dev eth0");
        }
        assert!(
            route_v4("eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0")
                .unwrap()
                .is_default()
        );
        assert_eq!(
            route_v4("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask"),
            None
        );
        let zero = "0".repeat(32);
        let line = format!(
            "20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 1 0 00000001     eth1"
        );
        assert_eq!(
            route_v6(&line).unwrap().destination.to_string(),
            "2001:db8::/64"
        );
        assert_eq!(route_v6(&line.replace("eth1", "lo")), None);
        let gateway = "20010db8000000000000000000000012";
        let line = format!(
            "20010db8000000000000000000000000 40 {zero} 00 {gateway} 00000100 1 0 00000003     eth1"
        );
        assert_eq!(
            route_v6(&line).unwrap().to_string(),
            "2001:db8::/64 via 2001:db8::12 dev eth1"
        );
    }
}
