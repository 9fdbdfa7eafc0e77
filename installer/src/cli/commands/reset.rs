//! `kinstall reset`.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use installer::machine::reset::{ResetOptions, reset};
use installer::machine::{Host, HostError, Ledger, Root, facts};
use rustix::process::geteuid;

use super::machine;
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
    let root = Root::machine();
    let ledger = Ledger::read(&root).map_err(HostError::from)?;
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
    if !arguments.yes {
        ask(&ledger, arguments.purge)?;
    }
    let services = machine::services(facts::read()?.init)?;
    let options = ResetOptions {
        purge: arguments.purge,
    };
    let host = Host::open(root)?;
    let mut tell = |what: &str| {
        if std::io::stderr().is_terminal() {
            output::talk(&format!("{}\n", output::printable(what)));
        }
    };
    let report = reset(host, &services, options, &mut tell)?;
    if arguments.json {
        return Ok(Outcome::fine(output::json(&report)));
    }
    let mut text = String::new();
    for kept in &report.kept {
        let _ = writeln!(text, "kept: {}", output::printable(kept));
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", output::printable(note));
    }
    let _ = writeln!(text, "{GOOD}{} things taken away{GOOD:#}", report.undone);
    Ok(Outcome::fine(text))
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

fn ask(ledger: &Ledger, purge: bool) -> Result<(), Failure> {
    let data = if purge {
        "and with them every object of the cluster"
    } else {
        "etcd's data stay"
    };
    let what = format!(
        "{} things that kinstall made go from this machine; {data}.",
        ledger.entries().len()
    );
    consent::ask("kinstall reset", what)
}
