//! Whether the kernel passes packets on, for every family that is in use.

use pki_core::cluster::spec::IpFamily;

use super::{Check, Context, Finding, sysctl};
use crate::desired::SysctlValue;

pub(super) const IPV4: Check = Check {
    name: "forwarding-ipv4",
    reason: "without it pods reach nobody, and NodePorts are dead from outside",
    run: ipv4,
};

pub(super) const IPV6: Check = Check {
    name: "forwarding-ipv6",
    reason: "without it pods reach nobody over IPv6, and NodePorts are dead from outside; interfaces made later follow \
             `default`, the others `all` (kubespray#747)",
    run: ipv6,
};

pub(super) const ACCEPT_RA: Check = Check {
    name: "accept-ra",
    reason: "a kernel that forwards no longer listens to routers, and the default route runs out, unless accept_ra is 2 \
             (k3s#5019)",
    run: accept_ra,
};

pub(super) const RP_FILTER: Check = Check {
    name: "rp-filter",
    reason: "a strict filter drops packets of Services that come back another way than they went (RFC 3704)",
    run: rp_filter,
};

fn ipv4(context: &Context<'_>) -> Vec<Finding> {
    on(context, IpFamily::V4, &["net/ipv4/ip_forward"])
}

fn ipv6(context: &Context<'_>) -> Vec<Finding> {
    let keys = [
        "net/ipv6/conf/all/forwarding",
        "net/ipv6/conf/default/forwarding",
    ];
    on(context, IpFamily::V6, &keys)
}

fn on(context: &Context<'_>, family: IpFamily, keys: &[&str]) -> Vec<Finding> {
    if !context.has_family(family) {
        return Vec::new();
    }
    let look = |key: &&str| sysctl::wanted(context, key, SysctlValue::Exactly(1));
    keys.iter().filter_map(look).collect()
}

fn accept_ra(context: &Context<'_>) -> Vec<Finding> {
    if !context.has_family(IpFamily::V6) {
        return Vec::new();
    }
    let interfaces = context.facts.router_advertisements.iter();
    let look = |interface: &String| {
        let key = format!("net/ipv6/conf/{interface}/accept_ra");
        sysctl::wanted(context, &key, SysctlValue::Exactly(2))
    };
    interfaces.filter_map(look).collect()
}

fn rp_filter(context: &Context<'_>) -> Vec<Finding> {
    if !context.has_family(IpFamily::V4) {
        return Vec::new();
    }
    let strict = |at: &&str| {
        let key = format!("net/ipv4/conf/{at}/rp_filter");
        context.readings.sysctl(&key) == Some("1")
    };
    let warn = |at: &str| {
        Finding::warning(
            format!("net.ipv4.conf.{at}.rp_filter is 1: strict"),
            format!(
                "sysctl -w net.ipv4.conf.{at}.rp_filter=2 (loose), and the same in /etc/sysctl.d for the next boot"
            ),
        )
    };
    ["all", "default"]
        .into_iter()
        .filter(strict)
        .map(warn)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn each_family_that_is_in_use_and_no_other() {
        let mut fixture = Fixture::dual();
        fixture.fine(IPV4);
        fixture.fine(IPV6);
        fixture.set("net/ipv4/ip_forward", "0");
        fixture.set("net/ipv6/conf/all/forwarding", "0");
        assert_eq!(fixture.error(IPV4), "net.ipv4.ip_forward is 0, not 1");
        assert_eq!(
            fixture.error(IPV6),
            "net.ipv6.conf.all.forwarding is 0, not 1"
        );
        fixture.set("net/ipv6/conf/all/forwarding", "1");
        fixture.set("net/ipv6/conf/default/forwarding", "0");
        assert_eq!(
            fixture.error(IPV6),
            "net.ipv6.conf.default.forwarding is 0, not 1"
        );
        assert!(fixture.run(IPV6)[0].mendable);

        let mut only_v4 = Fixture::ipv4();
        only_v4.set("net/ipv6/conf/all/forwarding", "0");
        only_v4.fine(IPV6);
        let mut only_v6 = Fixture::ipv6();
        only_v6.set("net/ipv4/ip_forward", "0");
        only_v6.fine(IPV4);
    }

    #[test]
    fn routers_are_listened_to() {
        let mut fixture = Fixture::dual();
        fixture.facts.router_advertisements = vec!["eth1".into()];
        fixture.set("net/ipv6/conf/eth1/accept_ra", "1");
        assert_eq!(
            fixture.error(ACCEPT_RA),
            "net.ipv6.conf.eth1.accept_ra is 1, not 2"
        );
        fixture.set("net/ipv6/conf/eth1/accept_ra", "2");
        fixture.fine(ACCEPT_RA);
    }

    #[test]
    fn strict_filters() {
        let mut fixture = Fixture::ipv4();
        fixture.set("net/ipv4/conf/all/rp_filter", "2");
        fixture.fine(RP_FILTER);
        fixture.set("net/ipv4/conf/all/rp_filter", "1");
        assert_eq!(
            fixture.warning(RP_FILTER),
            "net.ipv4.conf.all.rp_filter is 1: strict"
        );
        let mut other = Fixture::ipv6();
        other.set("net/ipv4/conf/all/rp_filter", "1");
        other.fine(RP_FILTER);
    }
}
