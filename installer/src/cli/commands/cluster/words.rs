//! What is shown of machines.

use std::fmt::Write as _;

use installer::fleet::{Machine, MachinePlan};
use serde::Serialize;

use crate::cli::output::{self, STRONG, WEAK};

/// The plan of a machine, for people.
pub fn plan(text: &mut String, machine: &Machine<'_>, plan: &MachinePlan) {
    let survey = &plan.survey;
    let node = &machine.node;
    let roles: Vec<_> = node.roles().iter().map(|role| role.as_str()).collect();
    let _ = writeln!(
        text,
        "{STRONG}{}{STRONG:#}  {}  {WEAK}{}{WEAK:#}",
        node.name(),
        node.ssh_destination(),
        roles.join(", ")
    );
    let gibibytes = survey.memory as f64 / f64::from(1 << 20);
    let _ = writeln!(
        text,
        "  {}, {}, {} processors, {gibibytes:.1} GiB of memory",
        output::printable(&survey.system),
        output::printable(&survey.kernel),
        survey.processors,
    );
    let errand = &plan.errand;
    if !errand.programs.is_empty() {
        let _ = writeln!(
            text,
            "  bring    {} programs, {} MiB",
            errand.programs.len(),
            errand.size() >> 20
        );
    }
    if errand.tree {
        text.push_str("  bring    cluster.toml and the node's tree\n");
    }
    match &plan.changes {
        None if plan.problems.is_empty() && survey.is_made => {
            text.push_str("  then     kinstall node, which changes what differs\n");
        }
        None if plan.problems.is_empty() => {
            text.push_str("  then     kinstall node, which makes a node of it\n");
        }
        None => {}
        Some(changes) if changes.is_empty() => text.push_str("  nothing to do\n"),
        Some(changes) if !survey.is_made => {
            let changes = changes.len();
            let _ = writeln!(
                text,
                "  then     kinstall node, which makes a node of it: {changes} changes"
            );
        }
        Some(changes) => {
            for change in changes {
                let _ = writeln!(
                    text,
                    "  {:8} {}",
                    change.action,
                    output::printable(&change.id)
                );
            }
        }
    }
}

/// The same for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanDocument<'a> {
    node: &'a str,
    ssh: String,
    machine: &'a installer::fleet::Survey,
    programs: Vec<&'a str>,
    program_bytes: u64,
    tree: bool,
    changes: Option<&'a [installer::fleet::Change]>,
}

impl<'a> PlanDocument<'a> {
    pub fn of(machine: &'a Machine<'_>, plan: &'a MachinePlan) -> Self {
        let programs = plan.errand.programs.iter();
        Self {
            node: machine.name(),
            ssh: machine.node.ssh_destination().to_string(),
            machine: &plan.survey,
            programs: programs.map(|program| program.name.as_str()).collect(),
            program_bytes: plan.errand.size(),
            tree: plan.errand.tree,
            changes: plan.changes.as_deref(),
        }
    }
}
