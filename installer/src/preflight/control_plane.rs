//! What the API servers that are there say: whether this machine fits to them.

use pki_core::cluster::spec::Role;

use super::{Check, Context, Finding};
use crate::desired::{Program, Programs};
use crate::machine::programs::{ProgramProblem, check_skew};
use crate::machine::readings::{ApiServer, Asked};

/// The controller manager backdates the certificates of kubelets by so much (pkg/controller/certificates/signer,
/// `Backdate`): one whose clock is further behind takes its new one for not yet valid. In seconds.
const CLOCKS_APART: u64 = 300;

pub(super) const CLOCK: Check = Check {
    name: "control-plane-clock",
    reason: "certificates and tokens are valid from one moment to another: with clocks that differ nobody believes anybody",
    run: clock,
};

pub(super) const VERSIONS: Check = Check {
    name: "control-plane-versions",
    reason: "Kubernetes promises only for some versions that they understand each other (version skew policy)",
    run: versions,
};

pub(super) const REACHED: Check = Check {
    name: "control-plane-reached",
    reason: "a worker learns from an API server what to run",
    run: reached,
};

/// Those that answered.
fn answers<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a str, &'a ApiServer)> {
    let asked = context.readings.api_servers.iter();
    asked.filter_map(|one| Some((one.node.as_str(), one.answer.as_ref().ok()?)))
}

fn clock(context: &Context<'_>) -> Vec<Finding> {
    let apart = answers(context).filter(|(_, server)| server.ahead.unsigned_abs() > CLOCKS_APART);
    let finding = |(node, server): (&str, &ApiServer)| {
        let side = if server.ahead > 0 {
            "behind"
        } else {
            "ahead of"
        };
        Finding::error(
            format!(
                "the clock is {} {side} that of the API server of {node}",
                span(server.ahead.unsigned_abs())
            ),
            "set the clocks of all machines and keep them right, with chrony or systemd-timesyncd",
        )
    };
    apart.take(1).map(finding).collect()
}

/// In words: `1 h 2 min`.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn versions(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (node, server) in answers(context) {
        let mut beside = Programs::default();
        let mut add = |name: &str, version: &str| {
            let program = Program {
                path: name.into(),
                version: version.to_owned(),
                digest: String::new(),
                libraries: Vec::new(),
            };
            beside.0.insert(name.to_owned(), program);
        };
        for name in ["kubelet", "kube-proxy"] {
            if let Some(own) = context.found.0.get(name) {
                add(name, &own.version);
            }
        }
        add("kube-apiserver", &server.version);
        for problem in check_skew(&beside) {
            let told = match &problem {
                ProgramProblem::Skew {
                    name,
                    version,
                    other_version,
                    rule,
                    ..
                } => format!(
                    "{name} is {version} and the API server of {node} is {other_version}: {rule}"
                ),
                other => format!("the API server of {node}: {other}"),
            };
            findings.push(Finding::error(told, FIX_VERSION));
        }
        if let Some(own) = context.found.0.get("kube-apiserver")
            && context.is_control_plane()
            && let (Some(one), Some(two)) = (minor(&own.version), minor(&server.version))
            && one.abs_diff(two) > 1
        {
            findings.push(Finding::error(
                format!(
                    "kube-apiserver is {} and that of {node} is {}: they may be one minor version apart",
                    own.version, server.version
                ),
                FIX_VERSION,
            ));
        }
    }
    findings.truncate(1);
    findings
}

const FIX_VERSION: &str = "take programs of the cluster's version (--bin-dir); an upgrade begins with the control plane, one minor version at a time";

fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// It may only not be up yet, and is waited for later; but who waits wants to know for what.
fn reached(context: &Context<'_>) -> Vec<Finding> {
    let asked = &context.readings.api_servers;
    if context.node.has(Role::ControlPlane)
        || asked.is_empty()
        || asked.iter().any(|one| one.answer.is_ok())
    {
        return Vec::new();
    }
    let reasons: Vec<_> = asked
        .iter()
        .filter_map(|Asked { node, answer }| Some(format!("{node}: {}", answer.as_ref().err()?)))
        .collect();
    vec![Finding::warning(
        format!("no API server answers: {}", reasons.join("; ")),
        "run kinstall node on a control-plane node first, and let this machine reach it; it is waited for",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    fn says(version: &str, ahead: i64) -> Asked {
        Asked {
            node: "cp1".into(),
            answer: Ok(ApiServer {
                version: version.into(),
                ahead,
            }),
        }
    }

    /// A worker whose programs are of a version, beside an API server.
    fn worker(version: &str, asked: Asked) -> Fixture {
        let mut fixture = Fixture::worker();
        for name in ["kubelet", "kube-proxy"] {
            fixture.found(name, version);
        }
        fixture.readings.api_servers = vec![asked];
        fixture
    }

    #[test]
    fn clocks_that_differ() {
        for fine in [0, 300, -300] {
            worker("1.37.2", says("1.37.2", fine)).fine(CLOCK);
        }
        assert_eq!(
            worker("1.37.2", says("1.37.2", 3600)).error(CLOCK),
            "the clock is 1 h behind that of the API server of cp1"
        );
        assert_eq!(
            worker("1.37.2", says("1.37.2", -3720)).error(CLOCK),
            "the clock is 1 h 2 min ahead of that of the API server of cp1"
        );
        assert_eq!(
            worker("1.37.2", says("1.37.2", 301)).error(CLOCK),
            "the clock is 5 min behind that of the API server of cp1"
        );
    }

    #[test]
    fn versions_that_do_not_fit() {
        for fine in ["1.37.2", "1.37.9", "1.34.0"] {
            worker(fine, says("1.37.2", 0)).fine(VERSIONS);
        }
        assert_eq!(
            worker("1.38.0", says("1.37.2", 0)).error(VERSIONS),
            "kubelet is 1.38.0 and the API server of cp1 is 1.37.2: it may be three minor versions older, and not newer"
        );
        assert!(
            worker("1.33.9", says("1.37.2", 0))
                .error(VERSIONS)
                .starts_with("kubelet is 1.33.9 and the API server of cp1 is 1.37.2")
        );
    }

    #[test]
    fn api_servers_that_are_too_far_apart() {
        let mut fixture = Fixture::ipv4();
        fixture.found("kube-apiserver", "1.37.2");
        fixture.readings.api_servers = vec![says("1.36.0", 0)];
        fixture.fine(VERSIONS);
        fixture.readings.api_servers = vec![says("1.39.0", 0)];
        assert_eq!(
            fixture.error(VERSIONS),
            "kube-apiserver is 1.37.2 and that of cp1 is 1.39.0: they may be one minor version apart"
        );
    }

    #[test]
    fn nobody_answers() {
        let silent = |node: &str| Asked {
            node: node.into(),
            answer: Err("connection refused".into()),
        };
        let mut fixture = worker("1.37.2", silent("cp1"));
        assert_eq!(
            fixture.warning(REACHED),
            "no API server answers: cp1: connection refused"
        );
        fixture.readings.api_servers.push(says("1.37.2", 0));
        fixture.fine(REACHED);
        // A control plane may be the first.
        let mut fixture = Fixture::ipv4();
        fixture.readings.api_servers = vec![silent("cp2")];
        fixture.fine(REACHED);
    }
}
