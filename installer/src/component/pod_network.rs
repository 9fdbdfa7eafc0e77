//! How the pods' CIDR is divided among nodes.

use ipnet::IpNet;
use pki_core::cluster::spec::IpFamily;

use super::error::ComponentError;
use crate::desired::NodeSpec;

/// What the controller manager divides at most: 16 bits, since it keeps a bitmap of all blocks
/// (pkg/controller/nodeipam/ipam/cidrset/cidr_set.go, clusterSubnetMaxDiff; only checked for IPv6 there, but a larger
/// bitmap is of no use to IPv4 either).
const MAX_BLOCK_BITS: u8 = 16;
/// Bits that a node's own pods need at least: 16 addresses.
const MIN_HOST_BITS: u8 = 4;

/// How long the prefix of one node's part of each pod CIDR is, in their order.
///
/// The rule: what is usual, /24 and /64. Where the CIDR is too small for that many nodes of the spec, as much as each
/// can have; where it is so large that there would be more than 2^16 parts, as little as makes 2^16.
pub(super) fn node_masks(spec: &NodeSpec) -> Result<Vec<(IpNet, u8)>, ComponentError> {
    let nodes = spec.cluster.nodes().len();
    let mask = |cidr: IpNet| Ok((cidr, node_mask(cidr, nodes)?));
    spec.pod_cidrs().into_iter().map(mask).collect()
}

fn node_mask(cidr: IpNet, nodes: usize) -> Result<u8, ComponentError> {
    let usual = match IpFamily::from(cidr) {
        IpFamily::V4 => 24,
        IpFamily::V6 => 64,
    };
    let room_for_all = nodes.next_power_of_two().ilog2();
    let prefix = cidr.prefix_len();
    let least = u32::from(prefix) + room_for_all;
    if least + u32::from(MIN_HOST_BITS) > u32::from(cidr.max_prefix_len()) {
        return Err(ComponentError::PodCidrTooSmall { cidr, nodes });
    }
    let least = u8::try_from(least).expect("at most 128");
    Ok(usual.max(least).min(prefix.saturating_add(MAX_BLOCK_BITS)))
}

/// How many pods the smallest part of a node has addresses for: all but the network's, the bridge's and the
/// broadcast's.
pub(super) fn pods(masks: &[(IpNet, u8)]) -> u64 {
    let bits = masks
        .iter()
        .map(|(cidr, mask)| cidr.max_prefix_len() - mask);
    let fewest = bits.min().unwrap_or(MIN_HOST_BITS).min(63);
    (1 << fewest) - 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mask(cidr: &str, nodes: usize) -> Option<u8> {
        node_mask(cidr.parse().unwrap(), nodes).ok()
    }

    #[test]
    fn the_usual_where_it_fits() {
        assert_eq!(mask("172.28.0.0/15", 1), Some(24));
        assert_eq!(mask("172.28.0.0/16", 200), Some(24));
        assert_eq!(mask("fd00:4::/56", 1), Some(64));
        assert_eq!(mask("fd00:4::/48", 3), Some(64));
    }

    #[test]
    fn small_ones_are_shared_out() {
        assert_eq!(mask("172.28.0.0/24", 1), Some(24));
        assert_eq!(mask("172.28.0.0/24", 3), Some(26));
        assert_eq!(mask("172.28.0.0/26", 1), Some(26));
        assert_eq!(mask("fd00:4::/64", 2), Some(65));
        assert_eq!(mask("fd00:4::/112", 1), Some(112));
        assert_eq!(mask("172.28.0.0/28", 1), Some(28));
        assert_eq!(mask("172.28.0.0/28", 2), None);
        assert_eq!(mask("fd00:4::/127", 1), None);
    }

    #[test]
    fn large_ones_have_no_more_than_65536_parts() {
        assert_eq!(mask("10.0.0.0/7", 1), Some(23));
        assert_eq!(mask("fd00::/32", 1), Some(48));
    }

    #[test]
    fn pods_of_the_smallest_part() {
        let of = |list: &[(&str, u8)]| {
            let list: Vec<_> = list.iter().map(|(c, m)| (c.parse().unwrap(), *m)).collect();
            pods(&list)
        };
        assert_eq!(of(&[("172.28.0.0/16", 24), ("fd00:4::/56", 64)]), 253);
        assert_eq!(of(&[("172.28.0.0/26", 26)]), 61);
    }
}
