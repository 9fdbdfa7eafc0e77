//! What the servers of the cluster serve while the report is made.

use std::time::Duration;

use pki_core::converge::check::{EndpointCheck, Level};
use pki_core::x509::lint::Severity;
use time::OffsetDateTime;

use super::findings::{Entry, Group};
use crate::cluster::Cluster;
use crate::commands::check::{Checked, THRESHOLDS, Wanted, check};

/// As `kpki check --timeout` has it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Dials every server of the cluster.
pub fn ask(cluster: &Cluster, now: OffsetDateTime) -> Checked {
    let mut paths = vec![cluster.dir.clone()];
    // CAs may live elsewhere, and are who is trusted.
    if !cluster.authorities.starts_with(&cluster.dir) && cluster.authorities.exists() {
        paths.push(cluster.authorities.clone());
    }
    check(Wanted {
        paths,
        servers: Vec::new(),
        only_servers: false,
        live: true,
        client: None,
        patience: PATIENCE,
        thresholds: THRESHOLDS,
        now,
    })
}

/// What is wrong with servers. What is wrong on disk stands in the other groups.
pub fn group(checked: &Checked) -> Group {
    let unknown = checked.files.unknown.iter().map(|problem| Entry {
        severity: Severity::Error,
        place: "kpki check".into(),
        facts: [Some(problem.fact.clone()), problem.hint.clone()]
            .into_iter()
            .flatten()
            .collect(),
    });
    let served = checked.endpoints.iter().flat_map(entries);
    Group {
        title: "What servers serve now (kpki check --live)",
        fine: "every server of the cluster answers, and nothing is wrong with what it serves",
        entries: unknown.chain(served).collect(),
    }
}

fn entries(server: &EndpointCheck) -> Vec<Entry> {
    let address = server.target.address.to_string();
    let place = match &server.target.artifact {
        Some(artifact) => format!("{address}: {artifact}"),
        None => address,
    };
    let entry = |severity, facts| Entry {
        severity,
        place: place.clone(),
        facts,
    };
    if let Err(error) = &server.served {
        let facts = vec![error.to_string(), error.hint().to_string()];
        return vec![entry(Severity::Error, facts)];
    }
    let findings = server.findings.iter().map(|finding| {
        let severity = match finding.level() {
            Level::Critical => Severity::Error,
            Level::Fine | Level::Warning => Severity::Warning,
        };
        entry(severity, vec![finding.to_string()])
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use pki_core::converge::check::{CheckedFiles, Finding, OnDisk, Target};
    use pki_core::converge::dial::{DialError, Served};

    use super::*;

    fn server(served: Result<Served, DialError>, findings: Vec<Finding>) -> EndpointCheck {
        EndpointCheck {
            target: Target {
                address: "192.0.2.1:6443".parse().unwrap(),
                artifact: None,
                client: None,
            },
            served,
            on_disk: OnDisk::Nothing,
            consumers: Vec::new(),
            findings,
        }
    }

    fn shown(endpoints: Vec<EndpointCheck>) -> Vec<(Severity, String, String)> {
        let group = group(&Checked {
            files: CheckedFiles::default(),
            endpoints,
            now: OffsetDateTime::UNIX_EPOCH,
        });
        let entries = group.entries.into_iter();
        entries
            .map(|entry| (entry.severity, entry.place, entry.facts.join("; ")))
            .collect()
    }

    fn answers() -> Served {
        Served {
            address: ([192, 0, 2, 1], 6443).into(),
            chain: Vec::new(),
            version: None,
            asks_for_certificate: true,
            refusal: None,
        }
    }

    #[test]
    fn a_server_that_is_right_is_no_finding() {
        assert_eq!(shown(vec![server(Ok(answers()), Vec::new())]), []);
    }

    #[test]
    fn who_does_not_answer_and_who_serves_another_are_findings() {
        let silent = DialError::Connect {
            server: "192.0.2.1:6443".parse().unwrap(),
            source: io::Error::from(io::ErrorKind::ConnectionRefused),
        };
        let old = Finding::NotOnDisk {
            path: "pki/apiserver.crt".into(),
            needs: None,
        };
        let over = Finding::Expired {
            not_after: OffsetDateTime::UNIX_EPOCH,
        };
        let findings = shown(vec![
            server(Err(silent), Vec::new()),
            server(Ok(answers()), vec![old.clone(), over.clone()]),
        ]);
        let place = "192.0.2.1:6443".to_owned();
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert_eq!((findings[0].0, &findings[0].1), (Severity::Error, &place));
        assert!(
            findings[0].2.starts_with("192.0.2.1:6443: no connection: ")
                && findings[0].2.ends_with("reachable from here?"),
            "{findings:?}"
        );
        assert_eq!(
            findings[1],
            (Severity::Warning, place.clone(), old.to_string())
        );
        assert_eq!(findings[2], (Severity::Error, place, over.to_string()));
    }
}
