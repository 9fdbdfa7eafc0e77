//! The node's addresses and its families.

use pki_core::cluster::spec::{IpFamily, Role};

use super::{Check, Context, Finding};

pub(super) const NODE_ADDRESS: Check = Check {
    name: "node-address",
    reason: "etcd, the API server and the kubelet listen on it, and certificates are made for it",
    run: node_address,
};

pub(super) const FAMILY_ORDER: Check = Check {
    name: "family-order",
    reason: "the API server advertises an address of the first service CIDR's family, and NodePorts answer on one of each",
    run: family_order,
};

pub(super) const IPV6_ENABLED: Check = Check {
    name: "ipv6-enabled",
    reason: "Services and pods have IPv6 addresses in this cluster",
    run: ipv6_enabled,
};

pub(super) const DEFAULT_ROUTE: Check = Check {
    name: "default-route",
    reason: "the kernel routes packets to Services before their rules see them, and programs look for the node's address by it",
    run: default_route,
};

fn node_address(context: &Context<'_>) -> Vec<Finding> {
    let here = &context.facts.addresses;
    let addresses = context.node.addresses().iter();
    let missing = addresses.filter(|address| here.iter().all(|(_, net)| net.addr() != **address));
    let known: Vec<_> = here
        .iter()
        .map(|(name, net)| format!("{} ({name})", net.addr()))
        .collect();
    let finding = |address| {
        Finding::error(
            format!(
                "{address} of node {} is on no interface of this machine",
                context.node.name()
            ),
            if known.is_empty() {
                "give an interface that address".to_owned()
            } else {
                format!(
                    "give an interface that address, or change cluster.toml: here are {}",
                    known.join(", ")
                )
            },
        )
    };
    missing.map(finding).collect()
}

fn family_order(context: &Context<'_>) -> Vec<Finding> {
    let families = context.families().into_iter();
    let missing = families.filter(|family| context.node.address(*family).is_none());
    let finding = |family| {
        Finding::error(
            format!(
                "node {} has no {family} address, and the cluster has a {family} service CIDR",
                context.node.name()
            ),
            format!(
                "add its {family} address to cluster.toml, or take the {family} service CIDR out"
            ),
        )
    };
    missing.map(finding).collect()
}

fn ipv6_enabled(context: &Context<'_>) -> Vec<Finding> {
    if !context.has_family(IpFamily::V6) {
        return Vec::new();
    }
    let off = |at: &&str| {
        let key = format!("net/ipv6/conf/{at}/disable_ipv6");
        context.readings.sysctl(&key) != Some("0")
    };
    let off: Vec<_> = ["all", "default"].into_iter().filter(off).collect();
    if off.is_empty() {
        return Vec::new();
    }
    let keys: Vec<_> = off
        .iter()
        .map(|at| format!("net.ipv6.conf.{at}.disable_ipv6"))
        .collect();
    vec![Finding::error(
        format!("IPv6 is switched off: {}", keys.join(", ")),
        "switch it on: set them to 0 in /etc/sysctl.d, and take ipv6.disable=1 from the kernel's command line",
    )]
}

fn default_route(context: &Context<'_>) -> Vec<Finding> {
    if !context.node.has(Role::Worker) && !context.is_control_plane() {
        return Vec::new();
    }
    let has = |family: IpFamily| {
        let routes = &context.readings.routes;
        routes
            .iter()
            .any(|route| route.is_default() && IpFamily::from(route.destination) == family)
    };
    let families = context.families().into_iter();
    let finding = |family: IpFamily| {
        Finding::warning(
            format!("there is no default {family} route"),
            format!(
                "add one, also where no packet should leave: ip -{} route add default via ROUTER",
                match family {
                    IpFamily::V4 => 4,
                    IpFamily::V6 => 6,
                }
            ),
        )
    };
    families
        .filter(|family| !has(*family))
        .map(finding)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn an_address_of_another_machine() {
        let mut fixture = Fixture::dual();
        fixture.fine(NODE_ADDRESS);
        fixture
            .facts
            .addresses
            .retain(|(_, net)| net.addr().is_ipv4());
        assert_eq!(
            fixture.error(NODE_ADDRESS),
            "2001:db8::11 of node cp1 is on no interface of this machine"
        );
        assert!(
            fixture.run(NODE_ADDRESS)[0]
                .fix
                .contains("192.0.2.11 (eth0)")
        );
        fixture.facts.addresses.clear();
        assert_eq!(fixture.run(NODE_ADDRESS).len(), 2);
    }

    #[test]
    fn a_family_without_address() {
        let fixture = Fixture::new(&["fd00:3::/112", "10.3.0.0/24"], "cp1=2001:db8::11");
        assert_eq!(
            fixture.error(FAMILY_ORDER),
            "node cp1 has no IPv4 address, and the cluster has a IPv4 service CIDR"
        );
        Fixture::ipv6().fine(FAMILY_ORDER);
    }

    #[test]
    fn switched_off() {
        let mut fixture = Fixture::dual();
        fixture.fine(IPV6_ENABLED);
        fixture.set("net/ipv6/conf/all/disable_ipv6", "1");
        assert_eq!(
            fixture.error(IPV6_ENABLED),
            "IPv6 is switched off: net.ipv6.conf.all.disable_ipv6"
        );
        // A kernel without IPv6 has no such sysctl.
        fixture.readings.sysctls.clear();
        assert!(fixture.error(IPV6_ENABLED).contains("default"));
    }

    #[test]
    fn no_way_out() {
        let mut fixture = Fixture::dual();
        fixture.fine(DEFAULT_ROUTE);
        fixture
            .readings
            .routes
            .retain(|route| route.destination.addr().is_ipv4());
        assert_eq!(
            fixture.warning(DEFAULT_ROUTE),
            "there is no default IPv6 route"
        );
    }
}
