//! A check for people: a table of certificates, one of servers, and what it comes to.

use std::fmt::Write;

use pki_core::cluster::consumer::{Component, Consumer};
use pki_core::converge::check::{CheckedCertificate, EndpointCheck, Finding, Level, OnDisk};

use super::Checked;
use crate::output::style::{ERROR, GOOD, WARNING};
use crate::output::table::{Cell, Table};
use crate::output::words::{count, list, until};

const USED_BY: usize = 2;
const ON_DISK: usize = 3;

/// Everything, the first to end first.
pub fn text(checked: &Checked) -> String {
    let mut text = String::new();
    if !checked.files.certificates.is_empty() {
        text.push_str(&certificates(checked));
    }
    if !checked.endpoints.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&endpoints(checked));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(checked));
    text
}

fn certificates(checked: &Checked) -> String {
    let mut table = Table::new(["CERTIFICATE", "VALID UNTIL", "USED BY", "FILE"], USED_BY);
    for one in &checked.files.certificates {
        table.row([
            Cell::strong(one.name()),
            end(
                one.level(),
                until(one.certificate.validity.not_after, checked.now),
            ),
            Cell::plain(used_by(&one.consumers)),
            Cell::weak(places(one)),
        ]);
        notes(&mut table, &one.findings);
    }
    table.render()
}

fn endpoints(checked: &Checked) -> String {
    let mut table = Table::new(["SERVER", "VALID UNTIL", "SERVES", "ON DISK"], ON_DISK);
    for one in &checked.endpoints {
        let address = Cell::strong(one.target.address.to_string());
        match &one.served {
            Ok(served) => {
                let certificate = served.certificate();
                let valid = until(certificate.validity.not_after, checked.now);
                table.row([
                    address,
                    end(one.level(), valid),
                    Cell::plain(serves(one, &certificate.subject)),
                    Cell::weak(match &one.on_disk {
                        OnDisk::Same(path) => format!("the same: {}", path.display()),
                        OnDisk::Other(path) => format!("another: {}", path.display()),
                        OnDisk::Nothing => "nothing like it".into(),
                    }),
                ]);
            }
            Err(_) => table.row([
                address,
                Cell::styled("unknown", WARNING),
                Cell::plain(""),
                Cell::plain(""),
            ]),
        }
        notes(&mut table, &one.findings);
    }
    table.render()
}

fn serves(one: &EndpointCheck, subject: &impl ToString) -> String {
    match &one.target.artifact {
        Some(artifact) => artifact.to_string(),
        None => subject.to_string(),
    }
}

fn end(level: Level, text: String) -> Cell {
    match level {
        Level::Fine => Cell::plain(text),
        Level::Warning => Cell::styled(text, WARNING),
        Level::Critical => Cell::styled(text, ERROR),
    }
}

fn notes(table: &mut Table, findings: &[Finding]) {
    for finding in findings {
        table.note(format!("{}: {finding}", finding.level()));
    }
}

/// Each program once: `kube-apiserver on cp1, kubelet on 12 nodes`.
fn used_by(consumers: &[Consumer]) -> String {
    let mut programs: Vec<(Component, Vec<&Consumer>)> = Vec::new();
    for consumer in consumers {
        match programs
            .iter_mut()
            .find(|(known, _)| *known == consumer.component)
        {
            Some((_, all)) => all.push(consumer),
            None => programs.push((consumer.component, vec![consumer])),
        }
    }
    list(programs.iter().map(|(program, all)| match all[..] {
        [one] => one.to_string(),
        _ => format!("{program} on {} nodes", all.len()),
    }))
}

fn places(one: &CheckedCertificate) -> String {
    let first = one.places[0].path.display();
    match one.places.len() - 1 {
        0 => first.to_string(),
        others => format!("{first} and {others} more"),
    }
}

fn summary(checked: &Checked) -> String {
    let files = &checked.files.certificates;
    let levels = || {
        let files = files.iter().map(|one| one.level());
        files.chain(checked.endpoints.iter().map(|one| one.level()))
    };
    let number = |level: Level| levels().filter(|one| *one == level).count();
    let mut all = vec![count(files.len(), "certificate")];
    if !checked.endpoints.is_empty() {
        all.push(count(checked.endpoints.len(), "server"));
    }
    let all = all.join(" and ");
    let unknown = match checked.unknown().count() {
        0 => String::new(),
        number => format!("; {} could not be told", count(number, "thing")),
    };
    let (critical, warnings) = (number(Level::Critical), number(Level::Warning));
    let style = if critical > 0 { ERROR } else { WARNING };
    match (critical, warnings) {
        (0, 0) if !unknown.is_empty() => {
            format!("{WARNING}could not tell{WARNING:#}: {all}{unknown}")
        }
        (0, 0) => match files.first() {
            Some(first) => format!(
                "{GOOD}fine{GOOD:#}: {all}; the first to end is {}, {}",
                first.name(),
                until(first.certificate.validity.not_after, checked.now)
            ),
            None => format!("{GOOD}fine{GOOD:#}: {all}"),
        },
        (critical, warnings) => {
            let mut words = Vec::new();
            if critical > 0 {
                words.push(format!("{critical} critical"));
            }
            if warnings > 0 {
                words.push(count(warnings, "warning"));
            }
            let words = words.join(" and ");
            format!("{style}attention needed{style:#}: {words} among {all}{unknown}")
        }
    }
}
