//! Arithmetic and rules of CIDRs: which range may hold Services, which address in it is whose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::{Fact, IpFamily, address};

/// Fewer addresses than this and kube-apiserver 1.37 does not start
/// (pkg/controlplane/apiserver/options/options.go, ServiceIPRange).
pub const LEAST_SERVICE_ADDRESSES: u128 = 8;

/// The most host bits of a service CIDR: /12 for IPv4, /108 for IPv6. kubeadm 1.37 refuses more
/// (cmd/kubeadm/app/constants/constants.go, MaximumBitsForServiceSubnet), as did kube-apiserver
/// (cmd/kube-apiserver/app/options/validation.go, maxCIDRBits) until DisableAllocatorDualWrite was
/// locked on in 1.35.
pub const MOST_SERVICE_BITS: u8 = 20;

/// Fewer addresses than this and kubeadm 1.37 refuses a pod CIDR
/// (cmd/kubeadm/app/constants/constants.go, MinimumAddressesInPodSubnet).
pub const LEAST_POD_ADDRESSES: u128 = 14;

/// How many addresses the range has, its network address included; the whole of IPv6 counts one
/// less than it has.
pub fn size(cidr: IpNet) -> u128 {
    let bits = u32::from(IpFamily::from(cidr).bits() - cidr.prefix_len());
    1u128.checked_shl(bits).unwrap_or(u128::MAX)
}

/// The address at `offset` from the network address, if the range has it.
pub fn nth_address(cidr: IpNet, offset: u128) -> Option<IpAddr> {
    if offset >= size(cidr) {
        return None;
    }
    Some(match cidr.network() {
        IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4) + u32::try_from(offset).ok()?).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) + offset).into(),
    })
}

/// The address of the `kubernetes` Service, which every pod dials: network + 1 (the same
/// ServiceIPRange picks index 1). Panics for a range of one address, which no spec has.
pub fn first_address(cidr: IpNet) -> IpAddr {
    nth_address(cidr, 1).expect("a service CIDR has at least 8 addresses")
}

/// The last address a Service may have. The allocator keeps the IPv4 broadcast address free, and
/// uses the last one of IPv6 (pkg/registry/core/service/ipallocator/ipallocator.go).
pub fn last_service_address(cidr: IpNet) -> IpAddr {
    match cidr {
        IpNet::V4(_) => nth_address(cidr, size(cidr).saturating_sub(2)).unwrap_or(cidr.network()),
        IpNet::V6(_) => cidr.broadcast(),
    }
}

/// The cluster DNS address where none is chosen: network + 10, as kubeadm's (GetDNSIP), and every
/// guide's. Where the range is too small for it (/29: eight addresses), the last one that a
/// Service may have: farthest from the first ones, which the allocator's static band hands out.
pub fn default_cluster_dns(cidr: IpNet) -> IpAddr {
    let last = last_service_address(cidr);
    nth_address(cidr, 10)
        .filter(|tenth| *tenth <= last)
        .unwrap_or(last)
}

/// Whether two ranges share an address.
pub fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// Whether the range lies in space that no public host has: private use, shared, for
/// documentation, for benchmarks, or unique local (RFC 1918, 6598, 5737, 2544, 4193, 3849).
pub fn is_private(cidr: IpNet) -> bool {
    const PRIVATE: [&str; 10] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "fc00::/7",
        "2001:db8::/32",
    ];
    PRIVATE
        .into_iter()
        .map(|text| text.parse::<IpNet>().expect("a constant"))
        .any(|private| private.contains(&cidr))
}

/// A CIDR as both CIDR fields want it: well formed and without host bits.
pub(super) fn parse(text: &str) -> Result<IpNet, Fact> {
    let (host, length) = match text.split_once('/') {
        Some(parts) => parts,
        None => {
            return Err(match text.parse::<IpAddr>() {
                Ok(_) => Fact::PrefixMissing,
                Err(_) => Fact::NotCidr,
            });
        }
    };
    let address: IpAddr = host.parse().map_err(|_| Fact::NotCidr)?;
    let limit = IpFamily::from(address).bits();
    // Go's parser refuses "/+8" and "/08" as well, so kube-apiserver would not take them.
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    if !digits || (length.len() > 1 && length.starts_with('0')) {
        return Err(Fact::NotCidr);
    }
    let length: u8 = match length.parse() {
        Ok(length) if length <= limit => length,
        _ => return Err(Fact::PrefixTooLong { limit }),
    };
    address::not_mapped(address)?;
    let cidr = IpNet::new(address, length).expect("the prefix length was checked");
    if cidr.network() != cidr.addr() {
        return Err(Fact::HostBits {
            masked: cidr.trunc(),
            exact: shortest_exact(address),
        });
    }
    address::between_machines(cidr.network())?;
    Ok(cidr)
}

/// A CIDR of the right size to hold Services.
pub(super) fn parse_service(text: &str) -> Result<IpNet, Fact> {
    let cidr = parse(text)?;
    let addresses = size(cidr);
    if addresses < LEAST_SERVICE_ADDRESSES {
        return Err(Fact::CidrTooSmall {
            addresses,
            least: LEAST_SERVICE_ADDRESSES,
        });
    }
    let shortest = IpFamily::from(cidr).bits() - MOST_SERVICE_BITS;
    if cidr.prefix_len() < shortest {
        return Err(Fact::ServiceCidrTooLarge { shortest });
    }
    Ok(cidr)
}

/// A CIDR with room for pods. What controller-manager does with a larger or smaller one depends
/// on its flags; see [`super::Warning::PodCidrPerNode`].
pub(super) fn parse_pod(text: &str) -> Result<IpNet, Fact> {
    let cidr = parse(text)?;
    let addresses = size(cidr);
    if addresses < LEAST_POD_ADDRESSES {
        return Err(Fact::CidrTooSmall {
            addresses,
            least: LEAST_POD_ADDRESSES,
        });
    }
    Ok(cidr)
}

/// The shortest prefix under which `address` has no host bits, when that leaves a range of use.
fn shortest_exact(address: IpAddr) -> Option<IpNet> {
    let (bits, zeros) = match address {
        IpAddr::V4(v4) => (32, u32::from(v4).trailing_zeros()),
        IpAddr::V6(v6) => (128, u128::from(v6).trailing_zeros()),
    };
    let length = u8::try_from(bits - zeros).expect("at most 128");
    IpNet::new(address, length)
        .ok()
        .filter(|cidr| size(*cidr) >= LEAST_SERVICE_ADDRESSES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_of_service_and_dns_addresses() {
        for (cidr, service, dns) in [
            ("10.3.0.0/24", "10.3.0.1", "10.3.0.10"),
            ("172.16.0.0/12", "172.16.0.1", "172.16.0.10"),
            ("172.20.0.0/14", "172.20.0.1", "172.20.0.10"),
            ("10.96.0.0/28", "10.96.0.1", "10.96.0.10"),
            ("10.96.0.0/29", "10.96.0.1", "10.96.0.6"),
            ("fd00:3::/108", "fd00:3::1", "fd00:3::a"),
            ("fd00:3::/112", "fd00:3::1", "fd00:3::a"),
            ("fd00:3::/124", "fd00:3::1", "fd00:3::a"),
            ("fd00:3::/125", "fd00:3::1", "fd00:3::7"),
        ] {
            let cidr = parse_service(cidr).unwrap();
            assert_eq!(first_address(cidr).to_string(), service, "{cidr}");
            assert_eq!(default_cluster_dns(cidr).to_string(), dns, "{cidr}");
        }
    }

    #[test]
    fn each_broken_rule_has_its_own_fact() {
        for (text, fact) in [
            ("", Fact::NotCidr),
            ("10.3.0.0", Fact::PrefixMissing),
            ("ten/8", Fact::NotCidr),
            ("10.3.0.0/", Fact::NotCidr),
            ("10.3.0.0/+24", Fact::NotCidr),
            ("10.3.0.0/024", Fact::NotCidr),
            ("10.3.0.0/24/1", Fact::NotCidr),
            ("10.3.0.0/33", Fact::PrefixTooLong { limit: 32 }),
            ("10.3.0.0/999", Fact::PrefixTooLong { limit: 32 }),
            ("fd00::/129", Fact::PrefixTooLong { limit: 128 }),
            ("::ffff:10.3.0.0/120", Fact::Mapped([10, 3, 0, 0].into())),
            (
                "10.3.0.5/24",
                Fact::HostBits {
                    masked: net("10.3.0.0/24"),
                    exact: None,
                },
            ),
            (
                "172.20.0.0/12",
                Fact::HostBits {
                    masked: net("172.16.0.0/12"),
                    exact: Some(net("172.20.0.0/14")),
                },
            ),
            (
                "10.3.0.0/30",
                Fact::CidrTooSmall {
                    addresses: 4,
                    least: 8,
                },
            ),
            ("10.0.0.0/11", Fact::ServiceCidrTooLarge { shortest: 12 }),
            ("fd00::/107", Fact::ServiceCidrTooLarge { shortest: 108 }),
            ("224.0.0.0/12", Fact::Multicast),
            ("127.0.0.0/24", Fact::Loopback),
            ("0.0.0.0/12", Fact::Unspecified),
            ("169.254.0.0/16", Fact::LinkLocal),
        ] {
            assert_eq!(parse_service(text), Err(fact), "{text}");
        }
        assert_eq!(
            parse_pod("10.3.0.0/29"),
            Err(Fact::CidrTooSmall {
                addresses: 8,
                least: 14
            })
        );
        assert!(parse_pod("10.0.0.0/8").is_ok());
    }

    #[test]
    fn private_and_public() {
        for cidr in ["10.3.0.0/24", "172.20.0.0/14", "fd00:3::/108"] {
            assert!(is_private(net(cidr)), "{cidr}");
        }
        for cidr in ["8.8.8.0/24", "172.32.0.0/16", "2a00::/108"] {
            assert!(!is_private(net(cidr)), "{cidr}");
        }
    }

    #[test]
    fn the_widest_ranges_do_not_overflow() {
        assert_eq!(size(net("0.0.0.0/0")), 1 << 32);
        assert_eq!(size(net("::/0")), u128::MAX);
        assert!(nth_address(net("::/0"), u128::MAX - 1).is_some());
        assert_eq!(nth_address(net("10.0.0.0/32"), 1), None);
    }

    fn service_cidr() -> impl Strategy<Value = IpNet> {
        let v4 = (0x0100_0000u32..0x7f00_0000, 12u8..=29)
            .prop_map(|(bits, length)| IpNet::new(Ipv4Addr::from(bits).into(), length).unwrap());
        let v6 = (0x2000u128 << 112..0xfe80u128 << 112, 108u8..=125)
            .prop_map(|(bits, length)| IpNet::new(Ipv6Addr::from(bits).into(), length).unwrap());
        prop_oneof![v4, v6].prop_map(|cidr| cidr.trunc())
    }

    proptest! {
        #[test]
        fn every_service_cidr_gives_two_distinct_usable_addresses(cidr in service_cidr()) {
            prop_assert_eq!(parse_service(&cidr.to_string()), Ok(cidr));
            let first = first_address(cidr);
            let dns = default_cluster_dns(cidr);
            prop_assert!(cidr.contains(&first) && cidr.contains(&dns));
            prop_assert!(cidr.network() < first && first < dns);
            prop_assert!(cidr.addr().is_ipv6() || dns != cidr.broadcast());
            prop_assert_eq!(nth_address(cidr, 10) == Some(dns), size(cidr) > 11);
        }

        #[test]
        fn a_hint_for_host_bits_is_itself_accepted(cidr in service_cidr(), bits: u128) {
            let host = nth_address(cidr, bits % size(cidr)).unwrap();
            match parse_service(&format!("{host}/{}", cidr.prefix_len())) {
                Ok(same) => prop_assert_eq!(same, cidr),
                Err(Fact::HostBits { masked, exact }) => {
                    prop_assert_eq!(masked, cidr);
                    if let Some(hint) = exact {
                        prop_assert_eq!(parse_service(&hint.to_string()), Ok(hint));
                    }
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }

        #[test]
        fn overlap_is_symmetric_and_true_of_parts(cidr in service_cidr(), other in service_cidr()) {
            prop_assert!(overlap(cidr, cidr));
            prop_assert_eq!(overlap(cidr, other), overlap(other, cidr));
            let half = cidr.subnets(cidr.prefix_len() + 1).unwrap().last().unwrap();
            prop_assert!(overlap(cidr, half));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f:./+]{0,24}") {
            let _ = parse_service(&text);
            let _ = parse_pod(&text);
        }
    }
}
