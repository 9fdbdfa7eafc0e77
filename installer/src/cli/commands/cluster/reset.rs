//! `kinstall cluster reset`.

use std::fmt::Write as _;

use installer::fleet::{self, Found, Places, Reset, Watcher as _};
use installer::machine::Problem;

use super::reach;
use crate::cli::arguments::ClusterReset;
use crate::cli::consent;
use crate::cli::fleet_progress::FleetProgress;
use crate::cli::output::{self, ERROR, Failure, GOOD, Outcome, WARNING};

/// Takes away what kinstall made and what was brought.
pub fn run(arguments: &ClusterReset) -> Result<Outcome, Failure> {
    let spec = reach::spec(&arguments.fleet)?;
    let nodes = reach::nodes(&arguments.fleet, &spec)?;
    let ssh = reach::ssh(&arguments.fleet)?;
    let progress = FleetProgress::begin();
    let machines = reach::all(&arguments.fleet, &ssh, &nodes, &progress)?;
    let places = Places::system();
    let at_once = usize::from(arguments.fleet.parallel);
    let looked = fleet::on_each(&machines, at_once, |machine| {
        progress.now(machine.name(), "looks at the machine");
        fleet::look(machine, &places)
    });
    drop(progress);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for one in looked {
        match one {
            Ok(one) => found.push(one),
            Err(more) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(reach::nothing_was_changed(problems));
    }
    let names: Vec<_> = machines.iter().map(|machine| machine.name()).collect();
    let is_empty = found.iter().all(|one| one.is_empty());
    if is_empty || arguments.dry_run {
        return Ok(show(&names, &found, arguments.fleet.json, is_empty));
    }
    if !arguments.yes {
        let data = match arguments.purge {
            true => "and with it every object of the cluster",
            false => "etcd's data stay",
        };
        let what = format!(
            "{}what kinstall made goes from these machines; {data}.",
            listed(&names, &found)
        );
        consent::ask("kinstall cluster reset", what)?;
    }
    let progress = FleetProgress::begin();
    let results = fleet::reset(
        &Reset {
            spec: &spec,
            machines: &machines,
            found: &found,
            places: &places,
            purge: arguments.purge,
            at_once,
        },
        &progress,
    );
    drop(progress);
    Ok(tell(&names, &results, arguments.fleet.json))
}

fn listed(names: &[&str], found: &[Found]) -> String {
    let mut text = String::new();
    for (name, found) in names.iter().zip(found) {
        let _ = match (found.made, found.brought) {
            (0, false) => writeln!(text, "{name}: nothing of kinstall's"),
            (0, true) => writeln!(text, "{name}: what was brought there"),
            (made, _) => writeln!(text, "{name}: {made} things that kinstall made"),
        };
    }
    text
}

fn show(names: &[&str], found: &[Found], as_json: bool, is_empty: bool) -> Outcome {
    if as_json {
        let nodes = names.iter().zip(found);
        let nodes: Vec<_> = nodes
            .map(|(name, found)| serde_json::json!({ "node": name, "made": found.made, "brought": found.brought }))
            .collect();
        let text = output::json(&serde_json::json!({ "nodes": nodes }));
        return Outcome::with_attention(text, !is_empty);
    }
    let mut text = listed(names, found);
    if is_empty {
        text.push_str("\nnothing to do\n");
    }
    Outcome::with_attention(text, !is_empty)
}

type Results = [Option<Result<fleet::Undone, Vec<Problem>>>];

fn tell(names: &[&str], results: &Results, as_json: bool) -> Outcome {
    let is_done = |one: &Option<Result<_, _>>| one.as_ref().is_some_and(Result::is_ok);
    let attention = !results.iter().all(is_done);
    for problems in results
        .iter()
        .flatten()
        .filter_map(|one| one.as_ref().err())
    {
        Failure::from(problems.clone()).print();
    }
    if as_json {
        let nodes = names.iter().zip(results).map(|(name, one)| match one {
            Some(Ok(undone)) => serde_json::json!({ "node": name, "outcome": "done", "undone": undone.undone, "kept": undone.kept, "notes": undone.notes }),
            Some(Err(problems)) => {
                let facts: Vec<_> = problems.iter().map(|problem| &problem.fact).collect();
                serde_json::json!({ "node": name, "outcome": "failed", "problems": facts })
            }
            None => serde_json::json!({ "node": name, "outcome": "not-tried" }),
        });
        let nodes: Vec<_> = nodes.collect();
        let document = serde_json::json!({ "fine": !attention, "nodes": nodes });
        return Outcome::with_attention(output::json(&document), attention);
    }
    let mut text = String::new();
    for (name, one) in names.iter().zip(results) {
        let _ = match one {
            Some(Ok(undone)) => {
                for kept in &undone.kept {
                    let _ = writeln!(text, "{name}: kept: {}", output::printable(kept));
                }
                for note in &undone.notes {
                    let _ = writeln!(text, "{name}: note: {}", output::printable(note));
                }
                writeln!(
                    text,
                    "{name}: {GOOD}{} things taken away{GOOD:#}",
                    undone.undone
                )
            }
            Some(Err(_)) => writeln!(text, "{name}: {ERROR}failed{ERROR:#}"),
            None => writeln!(
                text,
                "{name}: {WARNING}not tried{WARNING:#}, since another failed before"
            ),
        };
    }
    if attention {
        text.push_str("\nmend what failed, and run kinstall cluster reset again: it goes on\n");
    }
    Outcome::with_attention(text, attention)
}
