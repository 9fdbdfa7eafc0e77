//! `kinstall check`.

use std::fmt::Write as _;

use installer::check::{Finding, Report};
use installer::machine::{self, ClusterDirectory};
use pki_core::cluster::spec::Node;
use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::arguments::Check;
use crate::cli::output::{self, Failure, Outcome};

/// Proves that a node could start with its files.
pub fn run(arguments: &Check) -> Result<Outcome, Failure> {
    let dir = &arguments.dir;
    let cluster = ClusterDirectory::read(dir, arguments.ca_dir.as_deref())?;
    let name = arguments.node.clone().unwrap_or_else(machine::host_name);
    let Some(node) = cluster.spec.node(&name) else {
        let nodes: Vec<_> = cluster
            .spec
            .nodes()
            .iter()
            .map(|node| node.name().as_str())
            .collect();
        return Err(Failure::new(
            format_args!(
                "{} has no node {name:?}",
                dir.join("cluster.toml").display()
            ),
            format_args!("name one with --node: {}", nodes.join(", ")),
        ));
    };
    let now = OffsetDateTime::now_utc();
    let report = installer::check(&cluster.blueprint, &cluster.inventory, node.name(), now);
    let text = if arguments.json {
        output::json(&document(arguments, node, &report))
    } else {
        words(node, &report)
    };
    Ok(Outcome::with_attention(text, !report.is_fine()))
}

fn words(node: &Node, report: &Report) -> String {
    let mut text = String::new();
    for Finding { severity, fact } in &report.findings {
        let _ = writeln!(text, "{severity:8} {fact}");
    }
    for untried in &report.untried {
        let _ = writeln!(
            text,
            "untried  {}: {} is not here",
            untried.edge, untried.path
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let name = node.name();
    let (files, handshakes) = (report.files, report.handshakes);
    let _ = if report.is_fine() {
        writeln!(
            text,
            "fine: {name} has what it needs: {files} files, {handshakes} handshakes"
        )
    } else {
        let faults = report.findings.iter();
        let faults = faults
            .filter(|one| one.severity == installer::check::Severity::Fault)
            .count();
        writeln!(
            text,
            "attention needed: {name} could not start, {faults} of the above are faults; run kpki apply where the \
             CA keys are, then bring nodes/{name} here again"
        )
    };
    text
}

/// The report, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    dir: String,
    node: &'a str,
    fine: bool,
    files: usize,
    handshakes: usize,
    findings: Vec<FindingDocument>,
    untried: Vec<UntriedDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FindingDocument {
    severity: String,
    code: &'static str,
    fact: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct UntriedDocument<'a> {
    edge: &'a str,
    path: &'a str,
}

fn document<'a>(arguments: &Check, node: &'a Node, report: &'a Report) -> Document<'a> {
    Document {
        dir: arguments.dir.display().to_string(),
        node: node.name().as_str(),
        fine: report.is_fine(),
        files: report.files,
        handshakes: report.handshakes,
        findings: report
            .findings
            .iter()
            .map(|finding| FindingDocument {
                severity: finding.severity.to_string(),
                code: finding.fact.code(),
                fact: finding.fact.to_string(),
            })
            .collect(),
        untried: report
            .untried
            .iter()
            .map(|untried| UntriedDocument {
                edge: &untried.edge,
                path: &untried.path,
            })
            .collect(),
    }
}
