//! What fits into the devices through which pods' packets leave a node.

use super::Subnet;
use crate::machine::pod_subnet;

/// flannel's, one for each family. Their names end in VXLAN's number, of which 1 is flannel's default
/// (pkg/backend/vxlan/vxlan.go).
const DEVICES: [&str; 2] = ["flannel.1", "flannel-v6.1"];

/// `subnet`, with packets that are no larger than those devices take.
///
/// flanneld says 50 bytes less than the node's interface for either family (pkg/backend/vxlan/vxlan_network.go,
/// encapOverhead), and the header of IPv6 is 20 bytes longer: the kernel gives `flannel-v6.1` what fits (VXLAN6_HEADROOM in
/// include/net/vxlan.h).
pub(super) fn fit(subnet: Subnet) -> Subnet {
    fit_into(subnet, pod_subnet::mtu)
}

fn fit_into(subnet: Subnet, mtu: impl Fn(&str) -> Option<u32>) -> Subnet {
    let least = DEVICES.into_iter().filter_map(mtu).min();
    Subnet {
        mtu: subnet.mtu.into_iter().chain(least).min(),
        ..subnet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_counts() {
        let subnet = Subnet {
            mtu: Some(1450),
            ..Subnet::default()
        };
        let of = |devices: &'static [(&str, u32)]| {
            let mtu = |name: &str| {
                let mut devices = devices.iter();
                devices.find(|(one, _)| *one == name).map(|(_, mtu)| *mtu)
            };
            fit_into(subnet.clone(), mtu).mtu
        };
        assert_eq!(of(&[]), Some(1450));
        assert_eq!(of(&[("flannel.1", 1450)]), Some(1450));
        assert_eq!(
            of(&[("flannel.1", 1450), ("flannel-v6.1", 1430)]),
            Some(1430)
        );
        assert_eq!(of(&[("flannel-v6.1", 8930)]), Some(1450));
    }
}
