//! Packet filters of others.

use ipnet::IpNet;
use pki_core::cluster::spec::IpFamily;

use super::ruleset::{self, ForwardChain};
use super::{Check, Context, Finding};

pub(super) const FORWARD_DROP: Check = Check {
    name: "forward-drop",
    reason: "packets of pods are forwarded packets: what drops those makes Services and NodePorts dead (k/k#39658)",
    run: forward_drop,
};

pub(super) const IPTABLES_MIXED: Check = Check {
    name: "iptables-mixed",
    reason: "each kind filters what the other let through, and shows only its own rules (k/k#71305)",
    run: iptables_mixed,
};

pub(super) const MANAGERS: Check = Check {
    name: "firewall-managers",
    reason: "they write the rules anew when they like, and drop what they do not know, such as pods (rke2#10469)",
    run: managers,
};

fn forward_drop(context: &Context<'_>) -> Vec<Finding> {
    let firewall = &context.readings.firewall;
    let mut chains = ruleset::of_nft(firewall.nft.as_deref().unwrap_or_default());
    for saved in &firewall.legacy {
        chains.extend(ruleset::of_iptables(&saved.program, &saved.text));
    }
    chains
        .iter()
        .filter_map(|chain| blocked(context, chain))
        .collect()
}

fn blocked(context: &Context<'_>, chain: &ForwardChain) -> Option<Finding> {
    let pods = context.spec.pod_cidrs().iter();
    let pods = pods.filter(|pod| {
        let family = IpFamily::from(**pod);
        context.has_family(family) && chain.families.contains(&family)
    });
    let blocked: Vec<(&IpNet, String)> = pods
        .filter_map(|pod| Some((pod, chain.obstacle(*pod)?)))
        .collect();
    let (_, why) = blocked.first()?;
    let pods: Vec<_> = blocked.iter().map(|(pod, _)| pod.to_string()).collect();
    let pods = pods.join(" and ");
    Some(Finding::error(
        format!(
            "{}: {why}, also what goes to pods ({pods}) or comes from them",
            chain.place
        ),
        format!(
            "accept forwarded packets from and to {pods} there, or all: iptables -P FORWARD ACCEPT"
        ),
    ))
}

fn iptables_mixed(context: &Context<'_>) -> Vec<Finding> {
    let firewall = &context.readings.firewall;
    // iptables-nft keeps its rules in tables and chains of the old names.
    let nft = firewall.nft.as_deref().unwrap_or_default();
    let of_nft = nft
        .split("table ")
        .filter(|table| is_iptables(table))
        .any(|table| table.contains("counter packets"));
    let of_legacy = |text: &str| text.lines().any(|line| line.starts_with("-A "));
    let legacy = firewall.legacy.iter().find(|saved| of_legacy(&saved.text));
    match legacy {
        Some(saved) if of_nft => vec![Finding::error(
            format!(
                "iptables has rules of both kinds: {} shows some, and nft others",
                saved.program
            ),
            "choose nft for all (update-alternatives --set iptables /usr/sbin/iptables-nft), restart who made the rules, \
             then take the old ones away: iptables-legacy -F, also with -t nat and -t mangle, or a reboot",
        )],
        _ => Vec::new(),
    }
}

/// `ip filter {` and the like: the tables that iptables-nft makes.
fn is_iptables(table: &str) -> bool {
    let words: Vec<_> = table.split_whitespace().take(2).collect();
    matches!(
        words[..],
        [
            "ip" | "ip6",
            "filter" | "nat" | "mangle" | "raw" | "security"
        ]
    )
}

fn managers(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let processes = &context.readings.processes;
    if processes
        .iter()
        .any(|one| one.name == "firewalld" || one.is("firewalld"))
    {
        findings.push(Finding::error(
            "firewalld is running",
            "systemctl disable --now firewalld, and filter outside of the node or with rules of your own",
        ));
    }
    let firewall = &context.readings.firewall;
    let texts = firewall
        .nft
        .iter()
        .chain(firewall.legacy.iter().map(|saved| &saved.text));
    if texts
        .into_iter()
        .any(|text| text.contains("ufw-user-forward"))
    {
        findings.push(Finding::warning(
            "ufw is active",
            "ufw disable; or accept what the node needs: ufw default allow routed, and ufw allow from each pod CIDR",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::testing::Fixture;
    use super::*;
    use crate::machine::readings::{Process, Ruleset};

    const DROP: &str = "table ip filter {\n chain FORWARD {\n type filter hook forward priority 0; policy drop;\n \
                        counter packets 1 bytes 1 jump DOCKER-USER\n }\n}\n";

    #[test]
    fn docker_was_here() {
        let mut fixture = Fixture::dual();
        fixture.readings.firewall.nft = Some(DROP.into());
        assert_eq!(
            fixture.error(FORWARD_DROP),
            "chain FORWARD of nft's table ip filter: its policy drops what no rule accepts, also what goes to pods \
             (10.244.0.0/16) or comes from them"
        );
        fixture.readings.firewall.nft = Some(DROP.replace("policy drop", "policy accept"));
        fixture.fine(FORWARD_DROP);
        // What is dropped of a family that is not in use is nobody's loss.
        let mut ipv6 = Fixture::ipv6();
        ipv6.readings.firewall.nft = Some(DROP.into());
        ipv6.fine(FORWARD_DROP);
    }

    #[test]
    fn both_kinds() {
        let mut fixture = Fixture::ipv4();
        fixture.readings.firewall.nft = Some(DROP.replace("policy drop", "policy accept"));
        fixture.fine(IPTABLES_MIXED);
        let legacy = |text: &str| Ruleset {
            program: "iptables-legacy-save".into(),
            text: text.into(),
        };
        fixture.readings.firewall.legacy = vec![legacy("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n")];
        fixture.fine(IPTABLES_MIXED);
        fixture.readings.firewall.legacy =
            vec![legacy("*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n")];
        assert!(
            fixture
                .error(IPTABLES_MIXED)
                .starts_with("iptables has rules of both kinds")
        );
        fixture.readings.firewall.nft =
            Some("table ip kube-proxy {\n counter packets 1 bytes 1\n}".into());
        fixture.fine(IPTABLES_MIXED);
    }

    #[test]
    fn those_who_write_rules() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(MANAGERS);
        fixture.readings.processes.push(Process {
            id: 7,
            name: "firewalld".into(),
            program: Some(PathBuf::from("/usr/bin/python3.11")),
        });
        assert_eq!(fixture.error(MANAGERS), "firewalld is running");
        fixture.readings.processes.clear();
        fixture.readings.firewall.nft = Some("chain ufw-user-forward {\n}\n".into());
        assert_eq!(fixture.warning(MANAGERS), "ufw is active");
    }
}
