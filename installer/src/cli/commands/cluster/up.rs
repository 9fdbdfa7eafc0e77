//! `kinstall cluster`.

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum;
use installer::desired::{Network, layout};
use installer::fleet::{
    self, Course, Ended, Errand, Load, Machine, MachinePlan, NodeOptions, Places,
};
use installer::machine::Problem;
use pki_core::cluster::spec::{ClusterSpec, Node, Role};
use serde::Serialize;
use time::OffsetDateTime;

use super::{reach, words};
use crate::cli::arguments::Cluster;
use crate::cli::consent;
use crate::cli::fleet_progress::FleetProgress;
use crate::cli::output::{self, ERROR, Failure, GOOD, Outcome, WARNING, WEAK};

/// Makes every machine its node.
pub fn run(arguments: Cluster) -> Result<Outcome, Failure> {
    let spec = reach::spec(&arguments.fleet)?;
    for warning in spec.warnings() {
        output::warn(warning);
    }
    let nodes = reach::nodes(&arguments.fleet, &spec)?;
    let loads = loads(&arguments, &spec, &nodes)?;
    let options = NodeOptions {
        network: arguments.options.network.map(as_typed),
        proxy_mode: arguments.options.proxy_mode.map(as_typed),
        ignore_preflight: arguments.options.ignore_preflight.clone(),
        timeout: arguments.timeout,
    };
    let places = Places::system();
    let ssh = reach::ssh(&arguments.fleet)?;
    let progress = FleetProgress::begin();
    let machines = reach::all(&arguments.fleet, &ssh, &nodes, &progress)?;
    let at_once = usize::from(arguments.fleet.parallel);
    let plans = plans(&machines, &loads, &places, &options, at_once, &progress)?;
    drop(progress);

    let is_empty = plans.iter().all(MachinePlan::is_empty);
    if arguments.dry_run {
        return Ok(show(&machines, &plans, arguments.fleet.json, is_empty));
    }
    if !is_empty {
        let mut text = String::new();
        for (machine, plan) in machines.iter().zip(&plans) {
            words::plan(&mut text, machine, plan);
        }
        output::talk(&text);
        if !arguments.yes {
            let changed = plans.iter().filter(|plan| !plan.is_empty()).count();
            let what = format!(
                "\n{} of {} are changed.",
                count(changed),
                count(plans.len())
            );
            consent::ask("kinstall cluster", what)?;
        }
    }
    let progress = FleetProgress::begin();
    let course = Course {
        spec: &spec,
        machines: &machines,
        loads: &loads,
        plans: &plans,
        places: &places,
        options: &options,
        at_once,
    };
    let ended = course.run(&progress);
    drop(progress);
    Ok(tell(&arguments, &spec, &machines, &ended))
}

/// As it is typed, for each machine's own kinstall.
fn as_typed(choice: impl ValueEnum) -> String {
    let value = choice.to_possible_value().expect("none is hidden");
    value.get_name().to_owned()
}

/// What every machine has to have. Found out before any is asked for anything.
fn loads(arguments: &Cluster, spec: &ClusterSpec, nodes: &[&Node]) -> Result<Vec<Load>, Failure> {
    let network = arguments
        .options
        .network
        .map_or(Network::default(), Into::into);
    let current = std::env::current_dir()
        .map_err(|error| Failure::bare(format_args!("the current directory: {error}")))?;
    let bin_dirs: Vec<_> = arguments
        .options
        .bin_dir
        .iter()
        .map(|dir| current.join(dir))
        .collect();
    let cache = Path::new(layout::STATE).join("programs.json");
    let programs = fleet::programs(spec, network, &bin_dirs, &cache);
    let programs = programs.map_err(|error| Failure::from(error.problems()))?;
    let now = OffsetDateTime::now_utc();
    let ca_dir = arguments.ca_dir.as_deref();
    let (mut loads, mut problems) = (Vec::new(), Vec::new());
    for node in nodes {
        match Load::of(&arguments.fleet.dir, ca_dir, node, &programs, network, now) {
            Ok(load) => loads.push(load),
            Err(error) => problems.extend(error.problems()),
        }
    }
    match problems.as_slice() {
        [] => Ok(loads),
        _ => Err(problems.into()),
    }
}

/// What there is to do on each machine, or every problem of every one.
fn plans(
    machines: &[Machine<'_>],
    loads: &[Load],
    places: &Places,
    options: &NodeOptions,
    at_once: usize,
    progress: &FleetProgress,
) -> Result<Vec<MachinePlan>, Failure> {
    use fleet::Watcher as _;
    let pairs: Vec<_> = machines.iter().zip(loads).collect();
    let plans = fleet::on_each(&pairs, at_once, |(machine, load)| {
        progress.now(machine.name(), "looks at the machine");
        let survey = fleet::survey(machine.remote.as_ref(), places, load)?;
        let errand = Errand::new(places, load, &survey);
        Ok::<_, installer::remote::RemoteError>(fleet::plan(
            machine, places, options, survey, errand,
        ))
    });
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for plan in plans {
        match plan {
            Ok(plan) => {
                problems.extend(plan.problems.iter().cloned());
                all.push(plan);
            }
            Err(error) => problems.push(Problem::from(error)),
        }
    }
    match problems.as_slice() {
        [] => Ok(all),
        _ => Err(reach::nothing_was_changed(problems)),
    }
}

fn show(machines: &[Machine<'_>], plans: &[MachinePlan], as_json: bool, is_empty: bool) -> Outcome {
    if as_json {
        let documents = machines.iter().zip(plans);
        let nodes: Vec<_> = documents
            .map(|(machine, plan)| words::PlanDocument::of(machine, plan))
            .collect();
        return Outcome::with_attention(
            output::json(&serde_json::json!({ "nodes": nodes })),
            !is_empty,
        );
    }
    let mut text = String::new();
    for (machine, plan) in machines.iter().zip(plans) {
        words::plan(&mut text, machine, plan);
    }
    text.push_str(match is_empty {
        true => "\nnothing to do: the machines are as they are wanted\n",
        false => "\nrun kinstall cluster without --dry-run\n",
    });
    Outcome::with_attention(text, !is_empty)
}

/// What became of a machine, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    node: &'a str,
    outcome: &'static str,
    nothing_to_do: bool,
    seconds: f64,
    because: Option<&'a str>,
    problems: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    fact: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(machine: &'a Machine<'_>, ended: &'a Ended) -> Self {
        let mut document = Self {
            node: machine.name(),
            outcome: "done",
            nothing_to_do: false,
            seconds: ended.took.as_secs_f64(),
            because: None,
            problems: Vec::new(),
        };
        match &ended.outcome {
            fleet::Outcome::Done { nothing_to_do } => document.nothing_to_do = *nothing_to_do,
            fleet::Outcome::Failed(problems) => {
                document.outcome = "failed";
                let told = |one: &'a Problem| Told {
                    fact: &one.fact,
                    hint: one.hint.as_deref(),
                };
                document.problems = problems.iter().map(told).collect();
            }
            fleet::Outcome::NotTried { because } => {
                document.outcome = "not-tried";
                document.because = Some(because);
            }
        }
        document
    }
}

fn tell(
    arguments: &Cluster,
    spec: &ClusterSpec,
    machines: &[Machine<'_>],
    ended: &[Ended],
) -> Outcome {
    let is_fine = |one: &&Ended| matches!(one.outcome, fleet::Outcome::Done { .. });
    let fine = ended.iter().filter(is_fine).count();
    let attention = fine < ended.len();
    for one in ended {
        if let fleet::Outcome::Failed(problems) = &one.outcome {
            Failure::from(problems.clone()).print();
        }
    }
    if arguments.fleet.json {
        let documents = machines.iter().zip(ended);
        let nodes: Vec<_> = documents
            .map(|(machine, ended)| Document::of(machine, ended))
            .collect();
        let document = serde_json::json!({ "fine": !attention, "nodes": nodes });
        return Outcome::with_attention(output::json(&document), attention);
    }
    let mut text = String::new();
    let widest = machines
        .iter()
        .map(|machine| machine.name().len())
        .max()
        .unwrap_or(0);
    for (machine, ended) in machines.iter().zip(ended) {
        let name = machine.name();
        let seconds = ended.took.as_secs_f64();
        let _ = match &ended.outcome {
            fleet::Outcome::Done {
                nothing_to_do: true,
            } => {
                writeln!(
                    text,
                    "{name:widest$}  {GOOD}as it is wanted, and healthy{GOOD:#}"
                )
            }
            fleet::Outcome::Done { .. } => {
                writeln!(
                    text,
                    "{name:widest$}  {GOOD}is a node{GOOD:#}  {WEAK}{seconds:.1} s{WEAK:#}"
                )
            }
            fleet::Outcome::Failed(_) => {
                writeln!(
                    text,
                    "{name:widest$}  {ERROR}failed{ERROR:#}  {WEAK}{seconds:.1} s{WEAK:#}"
                )
            }
            fleet::Outcome::NotTried { because } => {
                writeln!(
                    text,
                    "{name:widest$}  {WARNING}not tried{WARNING:#}: {because} comes first, and failed"
                )
            }
        };
    }
    let nodes = count(fine);
    let _ = match attention {
        true => writeln!(
            text,
            "\n{fine} of {} are nodes of {}; mend what failed, and run kinstall cluster again: it goes on",
            count(ended.len()),
            spec.name()
        ),
        false => writeln!(
            text,
            "\n{GOOD}{nodes} of {} as wanted.{GOOD:#} Next:\n",
            spec.name()
        ),
    };
    if !attention {
        if let Some(admin) = admin(arguments, spec) {
            let _ = writeln!(
                text,
                "  export KUBECONFIG={}\n  kubectl get nodes",
                admin.display()
            );
        }
        text.push_str("  kinstall cluster status\n");
    }
    Outcome::with_attention(text, attention)
}

/// The administrator's kubeconfig, where it is here.
fn admin(arguments: &Cluster, spec: &ClusterSpec) -> Option<std::path::PathBuf> {
    let first = spec.nodes_with(Role::ControlPlane).next()?;
    let trees = arguments.fleet.dir.join("nodes");
    let admin = trees.join(first.name().as_str()).join("admin.conf");
    admin.exists().then_some(admin)
}

/// `1 machine`, `2 machines`.
fn count(machines: usize) -> String {
    match machines {
        1 => "1 machine".to_owned(),
        many => format!("{many} machines"),
    }
}
