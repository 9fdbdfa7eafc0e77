//! kinstall: arguments and words around the library.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use installer::check::{Finding, Report};
use installer::machine::{self, ClusterDirectory, Problem};
use pki_core::cluster::spec::Node;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use serde::Serialize;
use time::OffsetDateTime;

const EXAMPLES: &str = "\
Examples:
  kinstall check                    could this host be a node, with the files of ./kubernetes?
  kinstall check --dir /srv/cluster --node cp1";

const EXIT: &str = "\
There is no `kinstall node` yet: nothing here changes a machine.
Exit codes: 0 fine; 1 something needs your attention; 2 a bug in kinstall.
Documents go to standard output, everything else to standard error.";

const CHECK_EXAMPLES: &str = "\
Examples:
  kinstall check
  kinstall check --dir /srv/cluster --node cp1
  kinstall check --json | jq '.findings[]'";

/// Something needs attention.
const THEIRS: u8 = 1;
/// A bug.
const OURS: u8 = 2;

/// To make a machine a running, secured Kubernetes node. So far it only checks whether it could be one.
#[derive(Debug, Parser)]
#[command(name = "kinstall", version, before_help = EXAMPLES, after_help = EXIT)]
#[command(max_term_width = 110, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

/// Prove that a node could start with its files: all are there, keys belong to their certificates,
/// nothing has expired, and the TLS connections of the node work.
///
/// Only reads. Connections that need files which are not here, such as another machine's, are named and
/// not tried. Exits with 1 when there is a fault; a warning alone is exit code 0.
#[derive(Debug, Args)]
#[command(before_help = CHECK_EXAMPLES)]
struct Check {
    /// The cluster's directory: cluster.toml and nodes/.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    dir: PathBuf,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    ca_dir: Option<PathBuf>,
    /// Which node [default: this host].
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    forbid_core_dumps();
    std::panic::set_hook(Box::new(|panic| {
        // A panic's message might quote what we were working on, so only its place is told.
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(", at {place}"));
        talk(&[Problem {
            fact: format!("a bug in kinstall{place}"),
            hint: Some(
                "please report it, with the command and the version (kinstall --version)".into(),
            ),
        }]);
    }));
    std::panic::catch_unwind(run).unwrap_or(OURS.into())
}

/// No memory of this process is ever written down (core(5)).
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Where the system refuses, nothing worse happens than with any other program.
    let _ = rustix::process::setrlimit(Resource::Core, none);
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let Command::Check(arguments) = cli.command;
    let (text, fine) = match check(&arguments) {
        Ok(answer) => answer,
        Err(problems) => {
            talk(&problems);
            return THEIRS.into();
        }
    };
    match say(&text) {
        Ok(()) if fine => ExitCode::SUCCESS,
        Ok(()) => THEIRS.into(),
        Err(error) => {
            let fact = format!("standard output: {error}");
            talk(&[Problem { fact, hint: None }]);
            THEIRS.into()
        }
    }
}

fn check(arguments: &Check) -> Result<(String, bool), Vec<Problem>> {
    let dir = &arguments.dir;
    let cluster = ClusterDirectory::read(dir, arguments.ca_dir.as_deref())
        .map_err(|error| error.problems())?;
    let name = arguments.node.clone().unwrap_or_else(machine::host_name);
    let Some(node) = cluster.spec.node(&name) else {
        let nodes: Vec<_> = cluster
            .spec
            .nodes()
            .iter()
            .map(|node| node.name().as_str())
            .collect();
        return Err(vec![Problem {
            fact: format!(
                "{} has no node {name:?}",
                dir.join("cluster.toml").display()
            ),
            hint: Some(format!("name one with --node: {}", nodes.join(", "))),
        }]);
    };
    let now = OffsetDateTime::now_utc();
    let report = installer::check(&cluster.blueprint, &cluster.inventory, node.name(), now);
    let text = if arguments.json {
        json(arguments, node, &report)
    } else {
        words(node, &report)
    };
    Ok((text, report.is_fine()))
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

fn json(arguments: &Check, node: &Node, report: &Report) -> String {
    let document = Document {
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
    };
    let mut text = serde_json::to_string_pretty(&document).expect("plain texts and numbers");
    text.push('\n');
    text
}

/// A command line that makes no sense, or that asks for help.
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing is left to do where help cannot be written.
            let _ = say(&error.render().to_string());
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = std::io::stderr().write_all(error.render().to_string().as_bytes());
            THEIRS.into()
        }
        _ => {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default().trim();
            let fact = first.strip_prefix("error: ").unwrap_or(first).to_owned();
            let hint = Some("kinstall --help shows examples".into());
            talk(&[Problem { fact, hint }]);
            THEIRS.into()
        }
    }
}

/// Writes to standard output. A reader that has gone has seen enough.
fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes problems to standard error. There is nowhere to tell of a failure.
fn talk(problems: &[Problem]) {
    let mut text = String::new();
    for Problem { fact, hint } in problems {
        let _ = writeln!(text, "error: {fact}");
        if let Some(hint) = hint {
            let _ = writeln!(text, "hint: {hint}");
        }
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}
