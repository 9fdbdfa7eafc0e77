//! This host: its name and the addresses that other machines can dial.

use std::io;
use std::net::IpAddr;

use crate::cluster::spec::{Fact, IpFamily, NodeName};

/// A name and addresses, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The host's name, in lower case.
    pub name: NodeName,
    /// At least one.
    pub addresses: Vec<IpAddr>,
}

/// Why this host cannot be a node by itself. Whoever names it and its addresses needs nothing from here.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its name is none that a node can have.
    #[error("this host's name {name:?} cannot be a node's: {fact}")]
    Name {
        /// The name, in lower case.
        name: String,
        /// What is wrong with it.
        fact: Fact,
    },
    /// The system does not tell its addresses.
    #[error("this host's addresses: {0}")]
    Interfaces(#[from] io::Error),
    /// It has none but those of loopback, containers and the like.
    #[error("this host has no address that another machine could dial")]
    NoAddress,
}

/// Interfaces of containers and virtual machines on this host, and of cluster networks: nobody outside
/// reaches the host under their addresses, and they come and go.
const INNER: [&str; 14] = [
    "docker",
    "br-",
    "veth",
    "cni",
    "flannel",
    "cali",
    "tunl",
    "vxlan.",
    "cilium",
    "lxc",
    "kube-",
    "nodelocaldns",
    "podman",
    "virbr",
];

/// This host as a node. Addresses of `family` come first, and in each family those of the interface
/// with the default route.
///
/// # Errors
/// [`HostError`].
pub fn this(family: IpFamily) -> Result<Host, HostError> {
    let name = name()?;
    let addresses = addresses(family)?;
    if addresses.is_empty() {
        return Err(HostError::NoAddress);
    }
    Ok(Host { name, addresses })
}

/// This host's name as a node's.
///
/// # Errors
/// [`HostError::Name`].
pub fn name() -> Result<NodeName, HostError> {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy().to_lowercase();
    match name.parse() {
        Ok(name) => Ok(name),
        Err(fact) => Err(HostError::Name { name, fact }),
    }
}

/// This host's addresses that other machines can dial, those of `family` first; perhaps none.
///
/// # Errors
/// [`HostError::Interfaces`].
pub fn addresses(family: IpFamily) -> Result<Vec<IpAddr>, HostError> {
    let interfaces = if_addrs::get_if_addrs()?;
    let fleeting = fleeting(&read("/proc/net/if_inet6"));
    let default_v4 = default_v4(&read("/proc/net/route"));
    let default_v6 = default_v6(&read("/proc/net/ipv6_route"));
    let seen = interfaces
        .into_iter()
        .map(|interface| Seen {
            address: interface.ip(),
            index: interface.index.unwrap_or(u32::MAX),
            up: interface.is_oper_up() || interface.is_p2p(),
            default_route: match interface.ip() {
                IpAddr::V4(_) => default_v4.contains(&interface.name),
                IpAddr::V6(_) => default_v6.contains(&interface.name),
            },
            fleeting: fleeting.contains(&interface.ip()),
            name: interface.name,
        })
        .collect();
    Ok(choose(seen, family))
}

/// An address of an interface.
#[derive(Clone)]
struct Seen {
    name: String,
    address: IpAddr,
    index: u32,
    up: bool,
    default_route: bool,
    fleeting: bool,
}

fn choose(seen: Vec<Seen>, family: IpFamily) -> Vec<IpAddr> {
    let inner = |name: &str| INNER.iter().any(|prefix| name.starts_with(prefix));
    let mut usable: Vec<_> = seen
        .into_iter()
        .filter(|one| one.up && !one.fleeting && !inner(&one.name) && can_be_dialed(one.address))
        .collect();
    usable.sort_by_key(|one| {
        let other_family = IpFamily::from(one.address) != family;
        (other_family, !one.default_route, one.index, one.address)
    });
    let mut addresses: Vec<IpAddr> = Vec::new();
    for one in usable {
        if !addresses.contains(&one.address) {
            addresses.push(one.address);
        }
    }
    addresses
}

fn can_be_dialed(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(link_local || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

fn read(path: &str) -> String {
    // Where the kernel has no IPv6 there is no such file, and nothing to learn from it.
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Temporary (RFC 8981), deprecated and tentative addresses: they do not last, or do not work yet.
fn fleeting(if_inet6: &str) -> Vec<IpAddr> {
    // include/uapi/linux/if_addr.h: IFA_F_TEMPORARY, IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE.
    const FLAGS: u32 = 0x01 | 0x08 | 0x20 | 0x40;
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        (flags & FLAGS != 0).then_some(IpAddr::V6(address.into()))
    };
    if_inet6.lines().filter_map(entry).collect()
}

/// The interfaces of default routes in /proc/net/route: destination and mask are zero.
fn default_v4(route: &str) -> Vec<String> {
    let entry = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let is_default = *words.get(1)? == "00000000" && *words.get(7)? == "00000000";
        is_default.then(|| words[0].to_owned())
    };
    route.lines().filter_map(entry).collect()
}

/// The interfaces of default routes in /proc/net/ipv6_route: the prefix length is zero. The kernel's own
/// unreachable route is on `lo`.
fn default_v6(route: &str) -> Vec<String> {
    let entry = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let interface = *words.get(9)?;
        (words[1] == "00" && interface != "lo").then(|| interface.to_owned())
    };
    route.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, address: &str, index: u32) -> Seen {
        Seen {
            name: name.into(),
            address: address.parse().unwrap(),
            index,
            up: true,
            default_route: name == "eth1",
            fleeting: false,
        }
    }

    fn texts(addresses: &[IpAddr]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_wanted_family_first_then_the_default_route_and_nothing_inner() {
        let all = vec![
            seen("lo", "127.0.0.1", 1),
            seen("eth0", "10.0.2.15", 2),
            seen("eth1", "192.0.2.10", 3),
            seen("eth1", "2001:db8::10", 3),
            seen("eth1", "fe80::1", 3),
            seen("docker0", "172.17.0.1", 4),
            seen("br-0123456789ab", "172.18.0.1", 5),
            seen("flannel.1", "10.244.0.0", 6),
            seen("cni0", "10.244.0.1", 7),
            seen("eth0", "169.254.1.1", 2),
        ];
        assert_eq!(
            texts(&choose(all.clone(), IpFamily::V4)),
            ["192.0.2.10", "10.0.2.15", "2001:db8::10"]
        );
        assert_eq!(
            texts(&choose(all, IpFamily::V6)),
            ["2001:db8::10", "192.0.2.10", "10.0.2.15"]
        );
    }

    #[test]
    fn what_the_kernel_says() {
        let inet6 = "20010db8000000000000000000000010 03 40 00 80     eth1\n\
                     20010db80000000000000000deadbeef 03 40 00 01     eth1\n\
                     00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(texts(&fleeting(inet6)), ["2001:db8::dead:beef"]);
        let route = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(default_v4(route), ["eth1"]);
        let zero = "0".repeat(32);
        let route = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00450003     eth1\n\
             {zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200       lo\n"
        );
        assert_eq!(default_v6(&route), ["eth1"]);
    }
}
