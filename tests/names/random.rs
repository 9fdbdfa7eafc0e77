//! Any service CIDR at all: the same rules by another arithmetic.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pki_core::cluster::blueprint::{ArtifactId, Blueprint};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use proptest::prelude::*;

/// Private space, so that nothing overlaps the node or the default pod CIDR: 10.0.0.0/9 and fd01::/16.
fn ipv4() -> impl Strategy<Value = (u32, u8)> {
    (0..1u32 << 23, 12..=29u8).prop_map(|(low, length)| (0x0a00_0000 | low, length))
}

fn ipv6() -> impl Strategy<Value = (u128, u8)> {
    (any::<u128>(), 108..=125u8).prop_map(|(low, length)| (0xfd01 << 112 | low >> 16, length))
}

/// The error is what a user sees of it: the mistakes and their hints.
fn build(cidrs: &[String]) -> Result<(ClusterSpec, Blueprint), String> {
    let spec = ClusterSpec::builder()
        .service_cidrs(cidrs.iter().map(String::as_str))
        .node(NodeDocument::new("n1").addresses(["192.0.2.10", "2001:db8::10"]))
        .build()
        .map_err(|error| {
            let hints = error.mistakes.iter().filter_map(|mistake| mistake.hint());
            format!("{error}\n{}", hints.collect::<String>())
        })?;
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).map_err(|e| e.to_string())?;
    Ok((spec, blueprint))
}

fn sans(spec: &ClusterSpec, blueprint: &Blueprint) -> BTreeSet<String> {
    let id = ArtifactId::node(spec.nodes()[0].name(), "apiserver");
    let entry = blueprint.artifact(&id).unwrap().content.leaf().unwrap();
    entry.request.sans.iter().map(ToString::to_string).collect()
}

/// What stays when the host bits go, and how many addresses there are.
fn masked(address: u128, bits: u32, length: u8) -> (u128, u128) {
    let size = 1u128 << (bits - u32::from(length));
    (address / size * size, size)
}

/// The documented rule: the tenth address, or the last one that a Service may have.
fn dns(network: u128, size: u128, broadcast: bool) -> u128 {
    let last = network + size - if broadcast { 2 } else { 1 };
    (network + 10).min(last)
}

fn v4(number: u128) -> IpAddr {
    Ipv4Addr::from(u32::try_from(number).unwrap()).into()
}

fn v6(number: u128) -> IpAddr {
    Ipv6Addr::from(number).into()
}

proptest! {
    #[test]
    fn one_range_of_ipv4((address, length) in ipv4()) {
        let (network, size) = masked(address.into(), 32, length);
        let (spec, blueprint) = build(&[format!("{}/{length}", v4(network))]).unwrap();
        prop_assert_eq!(spec.service_addresses(), vec![v4(network + 1)]);
        prop_assert_eq!(spec.cluster_dns(), &[v4(dns(network, size, true))][..]);
        prop_assert!(sans(&spec, &blueprint).contains(&v4(network + 1).to_string()));
        prop_assert_eq!(sans(&spec, &blueprint).len(), 11);
    }

    #[test]
    fn one_range_of_ipv6((address, length) in ipv6()) {
        let (network, size) = masked(address, 128, length);
        let (spec, blueprint) = build(&[format!("{}/{length}", v6(network))]).unwrap();
        prop_assert_eq!(spec.service_addresses(), vec![v6(network + 1)]);
        prop_assert_eq!(spec.cluster_dns(), &[v6(dns(network, size, false))][..]);
        prop_assert!(sans(&spec, &blueprint).contains(&v6(network + 1).to_string()));
        prop_assert_eq!(sans(&spec, &blueprint).len(), 11);
    }

    #[test]
    fn both_families_in_either_order(one in ipv4(), other in ipv6(), ipv6_first: bool) {
        let ((a, a_size), (b, b_size)) =
            (masked(one.0.into(), 32, one.1), masked(other.0, 128, other.1));
        let mut cidrs = vec![format!("{}/{}", v4(a), one.1), format!("{}/{}", v6(b), other.1)];
        let mut first = vec![v4(a + 1), v6(b + 1)];
        let mut names = [v4(dns(a, a_size, true)), v6(dns(b, b_size, false))];
        if ipv6_first {
            cidrs.reverse();
            first.reverse();
            names.reverse();
        }
        let (spec, blueprint) = build(&cidrs).unwrap();
        prop_assert_eq!(spec.service_addresses(), first.clone());
        prop_assert_eq!(spec.cluster_dns(), &names[..]);
        let sans = sans(&spec, &blueprint);
        prop_assert!(first.iter().all(|address| sans.contains(&address.to_string())));
    }

    /// An address with host bits is refused, and the range that was meant is named.
    #[test]
    fn host_bits((address, length) in ipv4()) {
        let (network, size) = masked(address.into(), 32, length);
        prop_assume!(network != u128::from(address) && size > 1);
        let error = build(&[format!("{}/{length}", v4(address.into()))]).unwrap_err();
        prop_assert!(error.contains(&format!("{}/{length}", v4(network))), "{}", error);
    }

    /// Too long or too short a prefix is refused, never rounded.
    #[test]
    fn lengths_out_of_bounds(low in 0..1u32 << 23, length in (0..=32u8).prop_filter("out", |l| !(12..=29).contains(l))) {
        let (network, _) = masked((0x0a00_0000 | low).into(), 32, length);
        let built = build(&[format!("{}/{length}", v4(network))]);
        prop_assert!(built.is_err());
    }
}
