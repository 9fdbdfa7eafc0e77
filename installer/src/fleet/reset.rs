//! Taking away what kinstall made, machine after machine, and then what was brought there.

use std::time::Instant;

use pki_core::cluster::spec::{ClusterSpec, Node, Role};
use pki_core::converge::problem::Problem;
use serde::{Deserialize, Serialize};

use super::order::{self, HoldsUp};
use super::{Machine, Places, Watcher, script, told};
use crate::machine::each::each;
use crate::remote::{Input, Said, quote};

/// What there is to be taken away from a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    /// How many things kinstall made.
    pub made: usize,
    /// Whether anything was brought there.
    pub brought: bool,
}

/// What is taken away, and how.
pub struct Reset<'a> {
    /// The cluster.
    pub spec: &'a ClusterSpec,
    /// Its machines, or some of them.
    pub machines: &'a [Machine<'a>],
    /// What there is on each.
    pub found: &'a [Found],
    /// Where things are there.
    pub places: &'a Places,
    /// etcd's data go too.
    pub purge: bool,
    /// How many workers at once.
    pub at_once: usize,
}

/// What a machine's own reset says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Undone {
    /// How many things are gone, or as they were.
    pub undone: usize,
    /// What stays, and why.
    pub kept: Vec<String>,
    /// What could not be done and does no harm.
    pub notes: Vec<String>,
}

impl Found {
    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.made == 0 && !self.brought
    }
}

/// Looks at what there is to be taken away. Changes nothing.
///
/// # Errors
/// Every problem of this machine.
pub fn look(machine: &Machine<'_>, places: &Places) -> Result<Found, Vec<Problem>> {
    let lines: String = [
        ("brought", &places.programs),
        ("brought", &places.tree),
        ("brought", &places.arriving),
        ("made", &places.ledger),
    ]
    .iter()
    .map(|(word, path)| format!("if [ -e {} ]; then echo {word}; fi; ", quote(path)))
    .collect();
    let said = run(machine, &lines, Input::Nothing)?;
    let says = |word: &str| said.stdout.lines().any(|line| line == word);
    let made = match says("made") {
        false => 0,
        true => {
            let script = kinstall(places, &["reset", "--dry-run", "--json"]);
            let said = machine.remote.run(&script, Input::Held);
            let said = said.map_err(|error| vec![Problem::from(error)])?;
            let entries: Result<Vec<serde_json::Value>, _> = serde_json::from_str(&said.stdout);
            entries.map_err(|_| told(machine.name(), &said))?.len()
        }
    };
    Ok(Found {
        made,
        brought: says("brought"),
    })
}

/// Workers first, at once; then the control plane one by one, etcd's first member last. What fails holds up all of the
/// control plane that comes after it: a machine that was not tried has no result.
pub fn reset(
    reset: &Reset<'_>,
    watcher: &dyn Watcher,
) -> Vec<Option<Result<Undone, Vec<Problem>>>> {
    let nodes: Vec<_> = reset.machines.iter().map(|machine| &machine.node).collect();
    let mut results: Vec<Option<Result<Undone, Vec<Problem>>>> = vec![None; nodes.len()];
    let mut stopped = false;
    for wave in order::down(reset.spec, &nodes) {
        if stopped && wave.holds_up != HoldsUp::Nothing {
            continue;
        }
        let done = each(&wave.machines, reset.at_once, |index| {
            one(reset, *index, watcher)
        });
        for (index, result) in wave.machines.into_iter().zip(done) {
            stopped |= result.is_err();
            results[index] = Some(result);
        }
    }
    results
}

fn one(reset: &Reset<'_>, index: usize, watcher: &dyn Watcher) -> Result<Undone, Vec<Problem>> {
    let (machine, found) = (&reset.machines[index], reset.found[index]);
    let began = Instant::now();
    let mut undone = Undone::default();
    if found.made > 0 {
        watcher.now(machine.name(), "kinstall reset");
        let mut words = vec!["reset", "--yes", "--json"];
        words.extend(reset.purge.then_some("--purge"));
        words.extend(goes_as_a_whole(reset).then_some("--keep-member"));
        let said = run(machine, &kinstall(reset.places, &words), Input::Held)?;
        undone = serde_json::from_str(&said.stdout).unwrap_or_default();
    }
    // Where data stay, so does the kinstall that can purge them later.
    if !found.is_empty() && undone.kept.is_empty() {
        watcher.now(machine.name(), "takes away what was brought");
        run(machine, &script::take_away(reset.places), Input::Nothing)?;
        watcher.done(
            machine.name(),
            "has nothing of kinstall's any more",
            began.elapsed(),
        );
    }
    Ok(undone)
}

/// Whether all of etcd's members go: then none has to leave the others first, and whatever data stay are of one cluster.
fn goes_as_a_whole(reset: &Reset<'_>) -> bool {
    let goes = |node: &Node| {
        let mut machines = reset.machines.iter();
        machines.any(|machine| machine.node.name() == node.name())
    };
    reset.spec.nodes_with(Role::Etcd).all(goes)
}

fn kinstall(places: &Places, words: &[&str]) -> String {
    script::kinstall(std::slice::from_ref(&places.programs), words)
}

fn run(machine: &Machine<'_>, script: &str, input: Input<'_>) -> Result<Said, Vec<Problem>> {
    let said = machine
        .remote
        .run(script, input)
        .map_err(|error| vec![error.into()])?;
    match said.code {
        0 => Ok(said),
        _ => Err(told(machine.name(), &said)),
    }
}
