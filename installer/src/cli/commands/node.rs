//! `kinstall node`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use installer::desired::{NodeSpec, Resource, layout};
use installer::etcd::{self, Prospect};
use installer::image::durable;
use installer::install::{self, Course, Timeline, Watcher};
use installer::machine::node_source::Mode;
use installer::machine::{Host, HostError, Ledger, Observed, Root, ServiceManager};
use installer::plan::{Action, Plan};
use installer::supervisor::Manager;
use rustix::process::geteuid;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::wanted::{self, Wanted};
use super::{from_bundle, machine, preflight};
use crate::cli::arguments::Node;
use crate::cli::output::{self, Failure, GOOD, Outcome, STRONG, WEAK};
use crate::cli::progress::Progress;

/// Makes this machine a node.
pub fn run(mut arguments: Node) -> Result<Outcome, Failure> {
    let only_shows = arguments.dry_run || arguments.check_only || arguments.render.is_some();
    if !geteuid().is_root() {
        return Err(Failure::new(
            "kinstall node changes the machine, and this is not root",
            "run it with sudo",
        ));
    }
    // What is only looked at goes when this ends.
    let _scratch = from_bundle::bring(&mut arguments, only_shows)?;
    let asked = wanted::asked(
        arguments.tree,
        arguments.make,
        arguments.options,
        arguments.kubeconfig,
    )?;
    let mode = if only_shows {
        Mode::Preview
    } else {
        Mode::Write
    };
    let mut wanted = Wanted::of(asked, mode)?;
    wanted.tell();
    if let Some(asked) = &wanted.spec.options.kubeconfig
        && wanted.spec.file("admin.conf").is_none()
    {
        let (path, node) = (asked.path.display(), wanted.spec.node.name());
        output::warn(format_args!(
            "{path} is not written: node {node} has no control plane, and so no administrator's kubeconfig"
        ));
    }
    let report = preflight::report(&wanted)?;
    if arguments.check_only {
        return Ok(preflight::tell(&report, arguments.json));
    }
    preflight::refuse(&report)?;
    let runtime = machine::runtime()?;
    let prospect = runtime.block_on(etcd::prospect(&wanted.spec))?;
    wanted.spec.etcd = prospect.start();
    let desired = desire(&wanted.spec)?;
    if let Some(folder) = &arguments.render {
        return render(&desired, folder);
    }
    // The program that stays, which may be another than this one: a bundle has its own.
    let kinstall = wanted.spec.programs.named("kinstall").path.clone();
    let services = Manager::new(wanted.spec.facts.init, kinstall);
    if arguments.dry_run {
        return dry_run(&wanted.spec, &desired, &services, arguments.json);
    }
    install(
        wanted,
        &prospect,
        &services,
        &runtime,
        Duration::from_secs(arguments.timeout.into()),
        arguments.json,
    )
}

fn desire(spec: &NodeSpec) -> Result<Vec<Resource>, Failure> {
    install::desire(spec).map_err(|error| Failure::new(&error, error.hint()))
}

fn render(desired: &[Resource], folder: &Path) -> Result<Outcome, Failure> {
    let written = install::render(desired, folder).map_err(|(path, error)| {
        Failure::new(
            format_args!("{}: {error}", path.display()),
            "name a directory that is new or empty",
        )
    })?;
    Ok(Outcome::fine(format!(
        "{written} files in {}; keys are among them\n",
        folder.display()
    )))
}

fn dry_run(
    spec: &NodeSpec,
    desired: &[Resource],
    services: &dyn ServiceManager,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let ledger = Ledger::read(&Root::machine()).map_err(HostError::from)?;
    let images = machine::images(spec);
    let store = machine::reachable(&images);
    let observed = Observed::read(&Root::machine(), desired, &ledger, services, store)?;
    let plan = Plan::new(desired, &observed, &ledger);
    let attention = !plan.is_empty();
    let text = if as_json {
        output::json(&plan)
    } else {
        words(&plan)
    };
    Ok(Outcome::with_attention(text, attention))
}

fn install(
    mut wanted: Wanted,
    prospect: &Prospect,
    services: &dyn ServiceManager,
    runtime: &Runtime,
    timeout: Duration,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let mut host = Host::open(Root::machine())?;
    wanted
        .found
        .remember(&Path::new(layout::STATE).join("programs.json"));
    let images = machine::images(&wanted.spec);
    let store = machine::reachable(&images);
    let plan_for = |spec: &NodeSpec, host: &Host| -> Result<_, Failure> {
        let desired = desire(spec)?;
        let observed = Observed::read(host.root(), &desired, host.ledger(), services, store)?;
        let plan = Plan::new(&desired, &observed, host.ledger());
        if plan.obstacles.is_empty() {
            Ok((desired, plan))
        } else {
            Err(obstacles(&plan))
        }
    };
    let (mut desired, mut plan) = plan_for(&wanted.spec, &host)?;
    let mut progress = Progress::begin();
    if let Prospect::Joins(expected) = prospect {
        // The first that is done to others, so after all that could keep it from being of use.
        let mut tell = |what: &str| progress.now(what);
        let start = runtime.block_on(etcd::join(&wanted.spec, timeout, &mut tell))?;
        if start != *expected {
            wanted.spec.etcd = Some(start);
            (desired, plan) = plan_for(&wanted.spec, &host)?;
        }
    }
    let spec = &wanted.spec;
    let course = Course {
        spec,
        desired: &desired,
        plan: &plan,
        services,
        images: &images,
        etcd_begins: prospect.is_without_data(),
        timeout,
    };
    let timeline = runtime
        .block_on(course.run(&mut host, &mut progress))
        .map_err(|error| Failure::maybe(error.to_string(), error.hint()))?;
    if !plan.changes.is_empty() {
        // Not before: etcd waits for the same disk.
        progress.now("putting images on the disk");
        durable::sync(Path::new(layout::CONTAINERD))?;
    }
    drop(progress);
    let text = if as_json {
        output::json(&Document::of(spec, &plan, &timeline))
    } else {
        summary(spec, &plan, &timeline)
    };
    Ok(Outcome::fine(text))
}

fn obstacles(plan: &Plan) -> Failure {
    let obstacles = plan.obstacles.iter();
    let problems: Vec<_> = obstacles
        .map(|one| installer::machine::Problem::new(one.fact.clone(), one.hint.clone()))
        .collect();
    problems.into()
}

/// A plan for people.
fn words(plan: &Plan) -> String {
    let mut text = String::new();
    let mut stage = None;
    for change in &plan.changes {
        if stage != Some(change.stage) {
            stage = Some(change.stage);
            let _ = writeln!(text, "{STRONG}{}{STRONG:#}", change.stage);
        }
        let verb = match change.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Restart => "restart",
            Action::Remove => "remove",
        };
        let _ = writeln!(
            text,
            "  {verb:8} {} {WEAK}{}{WEAK:#}",
            change.id,
            output::printable(&change.why)
        );
        for reason in &change.reasons {
            let _ = writeln!(text, "           {}", output::printable(reason));
        }
    }
    for obstacle in &plan.obstacles {
        let _ = writeln!(text, "obstacle   {}: {}", obstacle.fact, obstacle.hint);
    }
    if plan.is_empty() {
        text.push_str("nothing to do: the machine is as it is wanted\n");
    } else {
        let _ = writeln!(
            text,
            "\n{} changes, {} obstacles; run kinstall node without --dry-run",
            plan.changes.len(),
            plan.obstacles.len()
        );
    }
    text
}

fn summary(spec: &NodeSpec, plan: &Plan, timeline: &Timeline) -> String {
    let mut text = String::new();
    if plan.changes.is_empty() {
        let _ = writeln!(
            text,
            "{GOOD}nothing to do:{GOOD:#} {} is as it is wanted, and healthy",
            spec.node.name()
        );
        return text;
    }
    let steps = timeline.0.iter();
    let widest = steps.clone().map(|step| step.name.len()).max().unwrap_or(0);
    for step in steps {
        let _ = writeln!(
            text,
            "  {:widest$}  {WEAK}{:6.1} s{WEAK:#}",
            step.name, step.at_seconds
        );
    }
    let _ = write!(
        text,
        "\n{GOOD}{} is a node of {}.{GOOD:#} Next:\n\n",
        spec.node.name(),
        spec.cluster.name(),
    );
    if let Some(kubeconfig) = kubeconfig(spec) {
        let _ = write!(
            text,
            "  export KUBECONFIG={}\n  kubectl get nodes,pods --all-namespaces\n",
            kubeconfig.display(),
        );
    }
    text.push_str("  kinstall status\n");
    text
}

/// The administrator's, on a node that has it: a worker does not.
fn kubeconfig(spec: &NodeSpec) -> Option<PathBuf> {
    spec.file("admin.conf")?;
    let wanted = spec.options.kubeconfig.as_ref();
    let admin = || Path::new(layout::KUBERNETES).join("admin.conf");
    Some(wanted.map_or_else(admin, |wanted| wanted.path.clone()))
}

/// What was done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    node: &'a str,
    nothing_to_do: bool,
    changes: &'a [installer::plan::Change],
    timeline: &'a Timeline,
    kubeconfig: Option<PathBuf>,
}

impl<'a> Document<'a> {
    fn of(spec: &'a NodeSpec, plan: &'a Plan, timeline: &'a Timeline) -> Self {
        Self {
            node: spec.node.name().as_str(),
            nothing_to_do: plan.changes.is_empty(),
            changes: &plan.changes,
            timeline,
            kubeconfig: kubeconfig(spec),
        }
    }
}

impl Wanted {
    /// What became of the cluster's directory, on standard error.
    fn tell(&self) {
        for warning in &self.made.warnings {
            output::warn(warning);
        }
        if let Some(recovered) = &self.made.recovered {
            output::talk(&format!("{recovered}\n"));
        }
        if !self.made.done.is_empty() {
            output::talk(&format!(
                "{}: {} artifacts made or renewed\n",
                self.spec.options.dir.display(),
                self.made.done.len()
            ));
        }
    }
}
