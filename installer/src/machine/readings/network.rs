//! Routes.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::text;

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub destination: IpNet,
    /// Over which interface.
    pub interface: String,
}

impl Route {
    /// Whether it is for everything that no other route is for.
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

pub(super) fn read() -> Vec<Route> {
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
    Some(Route {
        destination: network.into(),
        interface: words[0].to_owned(),
    })
}

/// /proc/net/ipv6_route, without the kernel's own on `lo` (addresses of this host, unreachable) and multicast.
fn route_v6(line: &str) -> Option<Route> {
    let words: Vec<_> = line.split_whitespace().collect();
    let address = u128::from_str_radix(words.first()?, 16).ok()?;
    let length = u8::from_str_radix(words.get(1)?, 16).ok()?;
    let interface = *words.get(9)?;
    let address = Ipv6Addr::from(address);
    if interface == "lo" || address.is_multicast() {
        return None;
    }
    Some(Route {
        destination: Ipv6Net::new(address, length).ok()?.into(),
        interface: interface.to_owned(),
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
    }
}
