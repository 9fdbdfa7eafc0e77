//! Services, pods and the host's own networks.

use ipnet::IpNet;
use pki_core::cluster::spec::cidr;

use super::{Check, Context, Finding};
use crate::machine::readings::Route;

pub(super) const DISJOINT: Check = Check {
    name: "networks-disjoint",
    reason: "an address that two networks have is reached in one of them only",
    run: disjoint,
};

/// Interfaces that flannel and its bridge make: what is routed there is the pod network itself.
const OWN: [&str; 3] = ["cni0", "flannel.", "flannel-v6."];

fn disjoint(context: &Context<'_>) -> Vec<Finding> {
    let services = context
        .spec
        .service_cidrs()
        .iter()
        .map(|cidr| ("service CIDR", *cidr));
    let pods = context
        .spec
        .pod_cidrs()
        .iter()
        .map(|cidr| ("pod CIDR", *cidr));
    let ranges = services
        .chain(pods)
        .filter(|(_, range)| context.has_family((*range).into()));
    let mut findings = Vec::new();
    for (what, range) in ranges {
        if let Some(finding) = taken(context, what, range) {
            findings.push(finding);
        }
    }
    findings
}

/// flannel's `host-gw` makes a route to each node's pods, over that node.
fn leads_to_a_node(context: &Context<'_>, route: &Route) -> bool {
    let mut nodes = context.spec.nodes().iter();
    let gateway = route.gateway.as_ref();
    context.ours.installed
        && gateway.is_some_and(|gateway| nodes.any(|node| node.addresses().contains(gateway)))
}

fn taken(context: &Context<'_>, what: &str, range: IpNet) -> Option<Finding> {
    let is_own = |interface: &str| {
        context.ours.installed && OWN.iter().any(|prefix| interface.starts_with(prefix))
    };
    let fix =
        format!("choose another {what}, before the cluster is made: --service-cidr, --pod-cidr");
    let mut addresses = context.facts.addresses.iter();
    let address = addresses.find(|(name, net)| range.contains(&net.addr()) && !is_own(name));
    if let Some((interface, net)) = address {
        return Some(Finding::error(
            format!("{} of {interface} is inside the {what} {range}", net.addr()),
            fix,
        ));
    }
    let mut routes = context.readings.routes.iter();
    let route = routes.find(|route| {
        let is_own = is_own(&route.interface) || leads_to_a_node(context, route);
        !route.is_default() && !is_own && cidr::overlap(route.destination, range)
    })?;
    let fact = format!(
        "the route to {} over {} overlaps the {what} {range}",
        route.destination, route.interface
    );
    // A wider one, as a company's 10.0.0.0/8, goes on working for all the rest.
    Some(if route.destination.prefix_len() < range.prefix_len() {
        Finding::warning(fact, fix)
    } else {
        Finding::error(fact, fix)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    fn with_route(destination: &str, interface: &str) -> Fixture {
        let mut fixture = Fixture::dual();
        fixture.readings.routes.push(Route {
            destination: destination.parse().unwrap(),
            interface: interface.into(),
            gateway: None,
        });
        fixture
    }

    #[test]
    fn an_address_of_the_host_inside() {
        let mut fixture = Fixture::dual();
        fixture
            .facts
            .addresses
            .push(("eth5".into(), "10.3.0.200/16".parse().unwrap()));
        assert_eq!(
            fixture.error(DISJOINT),
            "10.3.0.200 of eth5 is inside the service CIDR 10.3.0.0/24"
        );
    }

    #[test]
    fn routes() {
        assert_eq!(
            with_route("fd00:10:244:7::/64", "tun0").error(DISJOINT),
            "the route to fd00:10:244:7::/64 over tun0 overlaps the pod CIDR fd00:10:244::/56"
        );
        assert!(
            with_route("10.0.0.0/8", "tun0")
                .run(DISJOINT)
                .iter()
                .all(|one| { one.severity == super::super::Severity::Warning })
        );
        let mut ours = with_route("10.244.1.0/24", "flannel.1");
        assert!(ours.error(DISJOINT).contains("flannel.1"));
        ours.ours.installed = true;
        ours.fine(DISJOINT);
        with_route("192.168.0.0/16", "eth7").fine(DISJOINT);
        let mut ours = Fixture::worker();
        ours.readings.routes.push(Route {
            destination: "10.244.1.0/24".parse().unwrap(),
            interface: "eth0".into(),
            gateway: Some("192.0.2.9".parse().unwrap()),
        });
        assert!(ours.error(DISJOINT).contains("eth0"));
        ours.ours.installed = true;
        ours.fine(DISJOINT);
        ours.readings.routes.last_mut().unwrap().gateway = Some("192.0.2.1".parse().unwrap());
        assert!(ours.error(DISJOINT).contains("eth0"));
    }
}
