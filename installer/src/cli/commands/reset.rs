//! `kinstall reset`.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use installer::machine::reset::{ResetOptions, ResetReport, reset};
use installer::machine::{Host, HostError, Ledger, Root, facts};
use rustix::process::geteuid;
use serde::Serialize;

use super::machine;
use super::membership::{self, Left, Membership};
use crate::cli::arguments::Reset;
use crate::cli::consent;
use crate::cli::output::{self, Failure, GOOD, Outcome};

/// Takes away what the ledger says.
pub fn run(arguments: &Reset) -> Result<Outcome, Failure> {
    if !geteuid().is_root() {
        return Err(Failure::new(
            "kinstall reset changes the machine, and this is not root",
            "run it with sudo",
        ));
    }
    let ledger = Ledger::read(&Root::machine()).map_err(HostError::from)?;
    if ledger.is_empty() {
        return Ok(Outcome::fine(
            "nothing to do: kinstall has made nothing here\n",
        ));
    }
    if arguments.dry_run {
        return Ok(if arguments.json {
            Outcome::with_attention(output::json(&ledger.entries()), true)
        } else {
            Outcome::with_attention(words(&ledger), true)
        });
    }
    let member = membership::of_this_node(arguments.keep_member)?;
    if !arguments.yes {
        ask(&ledger, arguments.purge, &member)?;
    }
    let left = member.leave()?;
    let report = this_machine(arguments.purge)?;
    Ok(told(&report, &left, arguments.json))
}

/// Takes away what the ledger of this machine says. Nobody is asked.
pub fn this_machine(purge: bool) -> Result<ResetReport, Failure> {
    let services = machine::services(facts::read()?.init)?;
    let host = Host::open(Root::machine())?;
    let mut tell = |what: &str| {
        if std::io::stderr().is_terminal() {
            output::talk(&format!("{}\n", output::printable(what)));
        }
    };
    Ok(reset(host, &services, ResetOptions { purge }, &mut tell)?)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a ResetReport,
    /// What became of its member of etcd: `left`, `stays`.
    member: Option<&'static str>,
}

fn told(report: &ResetReport, left: &Left, as_json: bool) -> Outcome {
    if as_json {
        let member = left.word();
        return Outcome::fine(output::json(&Document { report, member }));
    }
    let mut text = String::new();
    for kept in &report.kept {
        let _ = writeln!(text, "kept: {}", output::printable(kept));
    }
    for note in report
        .notes
        .iter()
        .chain(&left.note(!report.kept.is_empty()))
    {
        let _ = writeln!(text, "note: {}", output::printable(note));
    }
    let _ = writeln!(text, "{GOOD}{} things taken away{GOOD:#}", report.undone);
    Outcome::fine(text)
}

fn words(ledger: &Ledger) -> String {
    let mut text = String::new();
    for entry in ledger.entries().iter().rev() {
        let _ = writeln!(text, "{}", entry.id);
    }
    let _ = writeln!(
        text,
        "\n{} things would be taken away",
        ledger.entries().len()
    );
    text
}

fn ask(ledger: &Ledger, purge: bool, member: &Membership) -> Result<(), Failure> {
    let data = if purge {
        "and with them every object of the cluster"
    } else {
        "etcd's data stay"
    };
    let what = format!(
        "{}{} things that kinstall made go from this machine; {data}.",
        member.words(),
        ledger.entries().len()
    );
    consent::ask("kinstall reset", what)
}
