//! What would be done on a machine: what is brought, and what its own kinstall would change.

use pki_core::converge::problem::Problem;
use serde::{Deserialize, Serialize};

use super::{Errand, Machine, NodeOptions, Places, Survey, script, told};
use crate::remote::Input;

/// What would be done on a machine.
#[derive(Clone, Debug)]
pub struct MachinePlan {
    /// What it is and has.
    pub survey: Survey,
    /// What is brought there.
    pub errand: Errand,
    /// What its own kinstall would change; `None` where that cannot be known before something is brought there.
    pub changes: Option<Vec<Change>>,
    /// What keeps it from being a node.
    pub problems: Vec<Problem>,
}

/// A change that a machine's own kinstall would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// What is changed.
    pub id: String,
    /// `create`, `update`, `restart` or `remove`.
    pub action: String,
    /// What differs, in words.
    pub reasons: Vec<String>,
}

#[derive(Deserialize)]
struct Obstacle {
    fact: String,
    hint: String,
}

/// As `kinstall node --dry-run --json` says it.
#[derive(Deserialize)]
struct Said {
    changes: Vec<Change>,
    obstacles: Vec<Obstacle>,
}

impl MachinePlan {
    /// Whether the machine is as it is wanted.
    pub fn is_empty(&self) -> bool {
        self.errand.is_empty() && self.changes.as_ref().is_some_and(Vec::is_empty)
    }
}

/// Makes the plan of a machine. Nothing is changed there.
pub fn plan(
    machine: &Machine<'_>,
    places: &Places,
    options: &NodeOptions,
    survey: Survey,
    errand: Errand,
) -> MachinePlan {
    let mut plan = MachinePlan {
        problems: unfit(machine, &survey, &errand),
        survey,
        errand,
        changes: None,
    };
    if plan.problems.is_empty() && plan.errand.is_empty() {
        match dry_run(machine, places, &plan.errand, options) {
            Ok(changes) => plan.changes = Some(changes),
            Err(problems) => plan.problems = problems,
        }
    }
    plan
}

fn dry_run(
    machine: &Machine<'_>,
    places: &Places,
    errand: &Errand,
    options: &NodeOptions,
) -> Result<Vec<Change>, Vec<Problem>> {
    let script = script::node(places, errand, options, machine.name(), &["--dry-run"]);
    let said = machine.remote.run(&script, Input::Held);
    let said = said.map_err(|error| vec![error.into()])?;
    let Ok(Said { changes, obstacles }) = serde_json::from_str(&said.stdout) else {
        return Err(told(machine.name(), &said));
    };
    let obstacles = obstacles.into_iter();
    let obstacles: Vec<_> = obstacles
        .map(|one| Problem::new(format!("{}: {}", machine.name(), one.fact), one.hint))
        .collect();
    match obstacles.as_slice() {
        [] => Ok(changes),
        _ => Err(obstacles),
    }
}

/// What a machine is that no node can be made of from here.
fn unfit(machine: &Machine<'_>, survey: &Survey, errand: &Errand) -> Vec<Problem> {
    let name = machine.name();
    let mut problems = Vec::new();
    // They ran here, to tell their versions.
    let here = rustix::system::uname();
    let here = here.machine().to_string_lossy();
    if survey.architecture != here {
        problems.push(Problem::new(
            format!(
                "{name}: it is {}, and the programs here are for {here}",
                survey.architecture
            ),
            format!(
                "run kinstall cluster --only {name} on a machine of its kind, with programs for it"
            ),
        ));
    }
    if let Some(other) = survey.node.as_deref().filter(|other| *other != name) {
        problems.push(Problem::new(
            format!("{name}: the machine is the node {other} already"),
            format!("correct ssh = of {name} in cluster.toml, or run kinstall reset there"),
        ));
    }
    if !errand.is_empty() && !survey.missing.is_empty() {
        problems.push(Problem::new(
            format!("{name}: it has no {}", survey.missing.join(", ")),
            "install them there: they are in the packages tar, coreutils, findutils and sed",
        ));
    }
    problems
}
