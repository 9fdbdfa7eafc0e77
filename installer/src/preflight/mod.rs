//! What has to be so before a machine can be a node: each check with its reason and its fix. Pure over a [`Context`].

mod certificates;
mod clock;
mod context;
mod control_plane;
mod disk;
mod dns;
mod families;
mod finding;
mod firewall;
mod forwarding;
mod host;
mod kernel;
mod leftovers;
mod neighbours;
mod networks;
mod ports;
mod report;
mod ruleset;
mod runtime;
mod sysctl;

#[cfg(test)]
mod testing;

pub use context::{Context, Ours};
pub use finding::{Finding, Severity};
pub use report::{Report, Told, UnknownChecks};

/// One thing that has to be so.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, for `--ignore-preflight`.
    pub name: &'static str,
    /// Why it has to be so.
    pub reason: &'static str,
    /// Looks. No findings: it is so.
    pub run: for<'a> fn(&Context<'a>) -> Vec<Finding>,
}

/// Every check, in the order in which they are told.
pub const CHECKS: &[Check] = &[
    host::ROOT,
    host::CORES,
    host::MEMORY,
    host::HOST_NAME,
    clock::CLOCK,
    kernel::FEATURES,
    kernel::CONTROLLERS,
    kernel::CGROUP_VERSION,
    kernel::BR_NETFILTER,
    kernel::BRIDGE_NF_CALL,
    kernel::INOTIFY,
    kernel::DEFAULTS,
    kernel::CONNTRACK,
    kernel::SYSCTLS_WRITABLE,
    forwarding::IPV4,
    forwarding::IPV6,
    forwarding::ACCEPT_RA,
    forwarding::RP_FILTER,
    firewall::FORWARD_DROP,
    firewall::IPTABLES_MIXED,
    firewall::MANAGERS,
    families::NODE_ADDRESS,
    families::FAMILY_ORDER,
    families::IPV6_ENABLED,
    families::DEFAULT_ROUTE,
    networks::DISJOINT,
    neighbours::NEIGHBOURS,
    dns::RESOLV_CONF,
    ports::PORTS,
    runtime::PROGRAMS,
    runtime::KUBELET,
    runtime::CONTAINERD,
    runtime::DOCKER,
    runtime::SWAP,
    runtime::SELINUX,
    leftovers::MANIFESTS,
    leftovers::ETCD_DATA,
    disk::SPACE,
    certificates::CERTIFICATES,
    control_plane::REACHED,
    control_plane::CLOCK,
    control_plane::VERSIONS,
];

/// Runs every check. What fails of those in `ignored` is told and counts for nothing.
///
/// # Errors
/// When `ignored` has a name that no check has.
pub fn run(context: &Context<'_>, ignored: &[String]) -> Result<Report, UnknownChecks> {
    let unknown: Vec<_> = ignored
        .iter()
        .filter(|name| CHECKS.iter().all(|check| check.name != **name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(UnknownChecks { names: unknown });
    }
    let told = CHECKS.iter().flat_map(|check| {
        let ignored = ignored.iter().any(|name| name == check.name);
        (check.run)(context).into_iter().map(move |finding| Told {
            check: check.name,
            reason: check.reason,
            ignored,
            finding,
        })
    });
    Ok(Report {
        checks: CHECKS.len(),
        findings: told.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::testing::Fixture;
    use super::*;

    #[test]
    fn a_good_machine_passes_every_check() {
        for fixture in [Fixture::ipv4(), Fixture::dual(), Fixture::ipv6()] {
            let report = run(&fixture.with_pki().context(), &[]).unwrap();
            assert!(report.findings.is_empty(), "{}", report.text());
        }
    }

    #[test]
    fn names_are_kebab_case_and_no_two_are_the_same() {
        let mut seen = std::collections::BTreeSet::new();
        for check in CHECKS {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(check.name.chars().all(plain), "{}", check.name);
            assert!(seen.insert(check.name), "{}", check.name);
            assert!(!check.reason.is_empty());
        }
    }

    #[test]
    fn a_name_that_no_check_has_is_refused() {
        let fixture = Fixture::ipv4();
        let ignored = ["swap".to_owned(), "swpa".to_owned()];
        let error = run(&fixture.context(), &ignored).unwrap_err();
        assert_eq!(error.names, ["swpa"]);
        assert_eq!(
            error.to_string(),
            "--ignore-preflight: there is no check named swpa"
        );
        assert!(error.hint().contains("forwarding-ipv4, forwarding-ipv6"));
    }
}
