//! `kpki verify`.

use std::fmt::Write;

use pki_core::converge::verify::{EdgeCheck, Verification, verify};
use serde::Serialize;
use time::OffsetDateTime;

use super::places::Places;
use crate::arguments;
use crate::cluster::Cluster;
use crate::output::errors::{Failure, printable};
use crate::output::style::{ERROR, GOOD, STRONG, WEAK};
use crate::output::words::count;
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Verify) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    let inventory = cluster.inventory()?;
    let verification = verify(&cluster.blueprint, &inventory, OffsetDateTime::now_utc());
    let failed = verification.failures().next().is_some();
    let text = if arguments.json {
        json::document(&Document::new(&cluster, &verification))
    } else {
        text(&cluster, &verification)
    };
    Ok(Outcome::with_attention(text, failed))
}

/// One line for each kind of connection, and one for each handshake that failed.
fn text(cluster: &Cluster, verification: &Verification) -> String {
    let mut text = String::new();
    let mut names: Vec<&str> = Vec::new();
    for check in &verification.checks {
        if !names.contains(&check.edge.name.as_str()) {
            names.push(&check.edge.name);
        }
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    for name in names {
        let checks = || {
            verification
                .checks
                .iter()
                .filter(|check| check.edge.name == name)
        };
        let (all, failed) = (
            checks().count(),
            checks().filter(|one| one.result.is_err()).count(),
        );
        let _ = if failed == 0 {
            let handshakes = count(all, "handshake");
            writeln!(
                text,
                "{GOOD}fine  {GOOD:#} {name:width$}  {WEAK}{handshakes}{WEAK:#}"
            )
        } else {
            writeln!(
                text,
                "{ERROR}failed{ERROR:#} {STRONG}{name:width$}{STRONG:#}  {failed} of {all}"
            )
        };
        for check in checks() {
            if let Err(fault) = &check.result {
                let line = format!("{}: {fault}", who(check));
                let _ = writeln!(text, "         {}", printable(&line));
            }
        }
    }
    let (all, failed) = (verification.checks.len(), verification.failures().count());
    let _ = if failed == 0 {
        writeln!(text, "\n{GOOD}fine{GOOD:#}: {}", count(all, "handshake"))
    } else {
        writeln!(
            text,
            "\n{ERROR}attention needed{ERROR:#}: {failed} of {} failed; kpki plan{} tells what to mend",
            count(all, "handshake"),
            cluster.dir_flag()
        )
    };
    text
}

/// `n1/kubelet-client dials 10.3.0.1`.
pub fn who(check: &EdgeCheck) -> String {
    let client = match &check.edge.client {
        Some(client) => client.to_string(),
        None => "a client without a certificate".into(),
    };
    match &check.dialed {
        Some(dialed) => format!("{client} dials {dialed}"),
        None => format!("{client} to {}", check.edge.server),
    }
}

/// Every handshake, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(flatten)]
    places: Places,
    fine: bool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Check {
    edge: String,
    client: Option<String>,
    server: String,
    dialed: Option<String>,
    tls: Option<String>,
    client_subject: Option<String>,
    fault: Option<String>,
}

impl Document {
    fn new(cluster: &Cluster, verification: &Verification) -> Self {
        let check = |check: &EdgeCheck| {
            let agreed = check.result.as_ref().ok();
            Check {
                edge: check.edge.name.clone(),
                client: check.edge.client.as_ref().map(ToString::to_string),
                server: check.edge.server.to_string(),
                dialed: check.dialed.as_ref().map(ToString::to_string),
                tls: agreed.map(|agreed| agreed.version.to_string()),
                client_subject: agreed
                    .and_then(|agreed| agreed.client.as_ref())
                    .map(|certificate| certificate.subject.to_string()),
                fault: check.result.as_ref().err().map(ToString::to_string),
            }
        };
        Self {
            places: Places::of(cluster),
            fine: verification.failures().next().is_none(),
            checks: verification.checks.iter().map(check).collect(),
        }
    }
}
