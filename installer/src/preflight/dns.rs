//! Where pods' questions go on to.

use super::{Check, Context, Finding};
use crate::machine::facts::resolver;

pub(super) const RESOLV_CONF: Check = Check {
    name: "resolv-conf",
    reason: "CoreDNS sends on what it does not know; in a pod a server on loopback is CoreDNS itself (coredns#2087)",
    run: resolv_conf,
};

fn resolv_conf(context: &Context<'_>) -> Vec<Finding> {
    let path = context.facts.resolv_conf.display();
    let Some(text) = &context.readings.resolv_conf else {
        return vec![Finding::warning(
            format!("there is no {path}: pods will know the cluster's own names only"),
            format!("write one with a nameserver: {path}"),
        )];
    };
    let servers = resolver::nameservers(text);
    if servers.is_empty() {
        return vec![Finding::warning(
            format!("{path} names no nameserver: pods will know the cluster's own names only"),
            format!("name one in {path}: nameserver ADDRESS"),
        )];
    }
    if resolver::is_loop(text) {
        return vec![Finding::error(
            format!(
                "{path} names only servers on loopback, and there is no {} behind it",
                resolver::BEHIND_STUB
            ),
            format!(
                "name a server that pods can ask in {path}, and let the local one listen elsewhere"
            ),
        )];
    }
    let ranges = context
        .spec
        .service_cidrs()
        .iter()
        .chain(context.spec.pod_cidrs());
    let inside =
        ranges.flat_map(|range| servers.iter().filter(move |server| range.contains(*server)));
    inside
        .map(|server| {
            Finding::error(
                format!("{path} names {server}, which is inside the cluster's own networks"),
                "name a server outside of them, or CoreDNS may ask itself",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn nobody_to_ask() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(RESOLV_CONF);
        for (text, is_error) in [
            (Some("nameserver 127.0.0.53\n"), true),
            (Some("nameserver 10.3.0.10\n"), true),
            (Some("search example\n"), false),
            (None, false),
        ] {
            fixture.readings.resolv_conf = text.map(str::to_owned);
            if is_error {
                assert!(
                    fixture
                        .error(RESOLV_CONF)
                        .starts_with("/etc/resolv.conf names")
                );
            } else {
                assert!(
                    fixture
                        .warning(RESOLV_CONF)
                        .ends_with("the cluster's own names only")
                );
            }
        }
    }
}
