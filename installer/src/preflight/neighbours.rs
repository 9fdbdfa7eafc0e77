//! Nodes that have to be on one network segment.

use ipnet::IpNet;
use pki_core::cluster::spec::{IpFamily, Node};

use super::{Check, Context, Finding};
use crate::desired::Network;

pub(super) const NEIGHBOURS: Check = Check {
    name: "host-gw-neighbours",
    reason: "host-gw sends packets of pods to the node that they are for as they are: a router between the two does not know \
             that address",
    run: neighbours,
};

fn neighbours(context: &Context<'_>) -> Vec<Finding> {
    if context.network != Network::HostGw {
        return Vec::new();
    }
    let others = context.spec.nodes().iter();
    let others = others.filter(|other| other.name() != context.node.name());
    let families = context.families();
    others
        .flat_map(|other| families.iter().map(move |family| (other, *family)))
        .filter_map(|(other, family)| away(context, other, family))
        .collect()
}

/// Whether another node is not on the network of this one's address.
fn away(context: &Context<'_>, other: &Node, family: IpFamily) -> Option<Finding> {
    let (own, address) = (context.node.address(family)?, other.address(family)?);
    let mut here = context.facts.addresses.iter();
    // Where the own address is missing, another check says so.
    let network: IpNet = here.find(|(_, net)| net.addr() == own)?.1;
    if network.contains(&address) {
        return None;
    }
    Some(Finding::error(
        format!(
            "node {} has {address}, which is not on the network of this node's address {network}",
            other.name()
        ),
        "wrap the packets: --network flannel, on every node; or give the nodes addresses on one network",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn a_router_between_nodes() {
        let mut fixture = Fixture::worker();
        fixture.network = Network::HostGw;
        fixture.fine(NEIGHBOURS);
        fixture.facts.addresses[0].1 = "192.0.2.11/30".parse().unwrap();
        // 192.0.2.9 is on it.
        fixture.fine(NEIGHBOURS);
        fixture.facts.addresses[0].1 = "192.0.2.11/31".parse().unwrap();
        assert_eq!(
            fixture.error(NEIGHBOURS),
            "node cp1 has 192.0.2.9, which is not on the network of this node's address 192.0.2.11/31"
        );
        fixture.network = Network::Flannel;
        fixture.fine(NEIGHBOURS);
    }
}
