//! `kinstall cluster status`.

use std::fmt::Write as _;

use installer::fleet::{self, MachineStatus, Places, Watcher as _};
use installer::machine::Problem;
use pki_core::cluster::spec::Node;

use super::reach;
use crate::cli::arguments::ClusterStatus;
use crate::cli::fleet_progress::FleetProgress;
use crate::cli::output::{self, ERROR, Failure, GOOD, Outcome, WEAK};

/// Certificates that end sooner are a matter of attention, as `kinstall status` has it.
const SOON_DAYS: i64 = 30;

/// Tells how every machine is.
pub fn run(arguments: &ClusterStatus) -> Result<Outcome, Failure> {
    let spec = reach::spec(&arguments.fleet)?;
    let nodes = reach::nodes(&arguments.fleet, &spec)?;
    let ssh = reach::ssh(&arguments.fleet)?;
    let progress = FleetProgress::begin();
    let at_once = usize::from(arguments.fleet.parallel);
    let reached = fleet::reach(&ssh, &nodes, at_once, &progress);
    let places = Places::system();
    let all = fleet::on_each(&reached, at_once, |reached| match reached {
        Ok(machine) => {
            progress.now(machine.name(), "kinstall status");
            fleet::status(machine, &places)
        }
        Err(error) => Err(vec![error.clone().into()]),
    });
    drop(reached);
    drop(progress);
    let healthy = all
        .iter()
        .all(|one| one.as_ref().is_ok_and(|one| one.healthy));
    let problems = all.iter().filter_map(|one| one.as_ref().err()).flatten();
    let problems: Vec<Problem> = problems.cloned().collect();
    if !problems.is_empty() {
        Failure::from(problems).print();
    }
    let text = match arguments.fleet.json {
        true => json(&nodes, &all, healthy),
        false => table(&nodes, &all, healthy),
    };
    Ok(Outcome::with_attention(text, !healthy))
}

type Answer = Result<MachineStatus, Vec<Problem>>;

fn json(nodes: &[&Node], all: &[Answer], healthy: bool) -> String {
    let nodes = nodes.iter().zip(all).map(|(node, one)| match one {
        Ok(status) => serde_json::json!({
            "node": node.name().as_str(), "reached": true, "healthy": status.healthy, "status": status,
        }),
        Err(problems) => {
            let facts: Vec<_> = problems.iter().map(|problem| &problem.fact).collect();
            serde_json::json!({
                "node": node.name().as_str(), "reached": false, "healthy": false, "problems": facts,
            })
        }
    });
    let nodes: Vec<_> = nodes.collect();
    output::json(&serde_json::json!({ "healthy": healthy, "nodes": nodes }))
}

fn table(nodes: &[&Node], all: &[Answer], healthy: bool) -> String {
    let widest = nodes.iter().map(|node| node.name().as_str().len()).max();
    let widest = widest.unwrap_or(0).max("NODE".len());
    let mut text = format!(
        "{WEAK}{:widest$}  {:9}  {:11}  {:10}  FIRST CERTIFICATE ENDS{WEAK:#}\n",
        "NODE", "HEALTH", "COMPONENTS", "KUBELET"
    );
    for (node, one) in nodes.iter().zip(all) {
        line(&mut text, node.name().as_str(), widest, one);
    }
    let fine = all
        .iter()
        .filter(|one| one.as_ref().is_ok_and(|one| one.healthy))
        .count();
    let (style, word) = match healthy {
        true => (GOOD, "healthy"),
        false => (ERROR, "attention needed"),
    };
    let _ = writeln!(
        text,
        "{style}{word}{style:#}: {fine} of {} machines are well",
        all.len()
    );
    text
}

fn line(text: &mut String, name: &str, widest: usize, one: &Answer) {
    let Ok(status) = one else {
        let _ = writeln!(text, "{name:widest$}  {ERROR}unknown{ERROR:#}");
        return;
    };
    let up = |component: &&fleet::Component| component.running && component.health != "down";
    let well = status.components.iter().filter(up).count();
    let (style, health) = match status.healthy {
        true => (GOOD, "healthy"),
        false => (ERROR, "not well"),
    };
    let kubelet = status.components.iter().find(|one| one.name == "kubelet");
    let version = kubelet
        .and_then(|one| one.version.as_deref())
        .unwrap_or("-");
    let ends = status
        .certificates
        .first()
        .map_or_else(String::new, |first| {
            let soon = if first.days_left < SOON_DAYS {
                ERROR
            } else {
                anstyle::Style::new()
            };
            format!(
                "{soon}in {} days{soon:#} ({})",
                first.days_left,
                output::printable(&first.file)
            )
        });
    let components = format!("{well} of {}", status.components.len());
    let _ = writeln!(
        text,
        "{name:widest$}  {style}{health:9}{style:#}  {components:11}  {:10}  {}",
        output::printable(version),
        ends,
    );
    for component in status.components.iter().filter(|one| !up(one)) {
        let reason = component.reason.as_deref().unwrap_or("does not run");
        let _ = writeln!(
            text,
            "    {}: {}",
            output::printable(&component.name),
            output::printable(reason)
        );
    }
}
