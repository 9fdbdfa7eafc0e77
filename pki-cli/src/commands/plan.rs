//! `kpki plan`.

use std::fmt::Write;

use pki_core::converge::external::are_out;
use pki_core::converge::plan::{Action, Plan, Step};
use pki_core::converge::store::Store;
use serde::Serialize;
use time::OffsetDateTime;

use super::external;
use super::places::Places;
use crate::arguments;
use crate::cluster::{Cluster, SPEC};
use crate::output::errors::{self, Failure, printable};
use crate::output::style::{ERROR, GOOD, HINT, STRONG, WARNING, WEAK};
use crate::output::words::{count, list};
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Plan) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    if let Some(dir) = &arguments.csr_dir {
        return external::requests(&cluster, dir, arguments.json);
    }
    let inventory = cluster.inventory()?;
    let plan = Plan::new(&cluster.blueprint, &inventory, OffsetDateTime::now_utc());
    Ok(show(&cluster, &plan, arguments.json))
}

/// The plan, also for `kpki apply --dry-run`.
pub fn show(cluster: &Cluster, plan: &Plan<'_>, as_json: bool) -> Outcome {
    for warning in cluster.spec.warnings() {
        errors::warn(warning);
    }
    let interrupted = Store::peek(&cluster.dir);
    let attention = !plan.is_empty() || interrupted;
    if as_json {
        let document = Document::new(cluster, plan, interrupted);
        return Outcome::with_attention(json::document(&document), attention);
    }
    let mut text = steps(cluster, plan);
    if interrupted {
        let _ = writeln!(
            text,
            "{WARNING}interrupted{WARNING:#}: an earlier apply did not end, or one is at work; the next \
             kpki apply finishes it"
        );
    }
    let out = are_out(plan);
    if out > 0 {
        let _ = writeln!(
            text,
            "{WARNING}waiting{WARNING:#}: {} for a certificate that was asked for; kpki apply{} --signed DIR installs them",
            if out == 1 {
                "1 key waits".into()
            } else {
                format!("{out} keys wait")
            },
            cluster.dir_flag()
        );
    }
    if !plan.unmanaged().is_empty() {
        let paths = plan
            .unmanaged()
            .iter()
            .map(|at| cluster.path(at).display().to_string());
        let _ = writeln!(
            text,
            "{WEAK}left alone:{WEAK:#} {}",
            printable(&list(paths))
        );
    }
    if attention {
        let _ = writeln!(text, "\n{}", summary(cluster, plan));
    } else {
        let _ = writeln!(
            text,
            "{GOOD}nothing to do{GOOD:#}: {} is as {} wants it",
            cluster.dir.display(),
            cluster.dir.join(SPEC).display()
        );
    }
    Outcome::with_attention(text, attention)
}

/// A renewal's plan: only what is to be renewed.
pub fn show_renewal(cluster: &Cluster, plan: &Plan<'_>, as_json: bool) -> Outcome {
    let text = if as_json {
        json::document(&Document::new(cluster, plan, false))
    } else if plan.is_empty() {
        format!(
            "{GOOD}nothing to renew{GOOD:#} in {}\n",
            cluster.dir.display()
        )
    } else {
        let count = count(plan.steps().len(), "step");
        format!("{}\n{count}; nothing was changed\n", steps(cluster, plan))
    };
    Outcome::with_attention(
        text,
        plan.obstacles().next().is_some() || !plan.stays_invalid().is_empty(),
    )
}

/// Each step with its reasons.
pub fn steps(cluster: &Cluster, plan: &Plan<'_>) -> String {
    let mut text = String::new();
    for step in plan.steps() {
        let style = match step.action {
            Action::Replace => WARNING,
            Action::Create => GOOD,
            _ => STRONG,
        };
        let action = step.action.as_str();
        let _ = writeln!(
            text,
            "{style}{action:8}{style:#} {STRONG}{}{STRONG:#} {WEAK}({}){WEAK:#}",
            step.artifact, step.kind
        );
        for reason in &step.reasons {
            let _ = writeln!(text, "           {}", printable(&reason.to_string()));
        }
        let files = plan
            .files(step)
            .map(|at| cluster.path(at).display().to_string());
        let files = list(files);
        if !files.is_empty() {
            let verb = match step.action {
                Action::Protect => "sets the mode of",
                _ => "writes",
            };
            let files = printable(&files);
            let _ = writeln!(text, "           {WEAK}{verb} {files}{WEAK:#}");
        }
        if let Some(obstacle) = &step.obstacle {
            let _ = writeln!(
                text,
                "  {ERROR}obstacle:{ERROR:#} {}\n      {HINT}hint:{HINT:#} {}",
                printable(&obstacle.to_string()),
                printable(&obstacle.hint())
            );
        } else if step.action == Action::Replace {
            let _ = writeln!(
                text,
                "      {HINT}hint:{HINT:#} everything that relies on it changes at once; agree with --replace {}",
                step.artifact
            );
        }
    }
    text
}

fn summary(cluster: &Cluster, plan: &Plan<'_>) -> String {
    let (steps, obstacles) = (plan.steps().len(), plan.obstacles().count());
    let flag = cluster.dir_flag();
    if steps == 0 {
        format!("{WARNING}attention needed{WARNING:#}: run kpki apply{flag}")
    } else if obstacles > 0 {
        format!(
            "{ERROR}attention needed{ERROR:#}: {}, {}; nothing can be applied before that is mended",
            count(steps, "step"),
            count(obstacles, "obstacle")
        )
    } else {
        let consent = consent(plan);
        format!(
            "{WARNING}attention needed{WARNING:#}: {}; run kpki apply{flag}{consent}",
            count(steps, "step")
        )
    }
}

/// The flags that agree to all replacements: ` --replace ca --replace sa`.
pub fn consent(plan: &Plan<'_>) -> String {
    plan.replacements()
        .map(|step| format!(" --replace {}", step.artifact))
        .collect()
}

/// Obstacles on standard error, where the plan itself is not shown.
pub fn tell_obstacles(plan: &Plan<'_>) {
    for (step, obstacle) in plan.obstacles() {
        Failure::new(format_args!("{}: {obstacle}", step.artifact))
            .hint(obstacle.hint())
            .print();
    }
}

/// The plan for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    #[serde(flatten)]
    places: Places,
    nothing_to_do: bool,
    interrupted: bool,
    steps: Vec<StepDocument>,
    left_alone: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepDocument {
    action: &'static str,
    artifact: String,
    kind: &'static str,
    reasons: Vec<Reason>,
    files: Vec<String>,
    obstacle: Option<ObstacleDocument>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    text: String,
}

#[derive(Serialize)]
struct ObstacleDocument {
    text: String,
    hint: String,
}

impl Document {
    pub fn new(cluster: &Cluster, plan: &Plan<'_>, interrupted: bool) -> Self {
        let step = |step: &Step| StepDocument {
            action: step.action.as_str(),
            artifact: step.artifact.to_string(),
            kind: step.kind,
            reasons: step
                .reasons
                .iter()
                .map(|reason| Reason {
                    code: reason.code(),
                    text: reason.to_string(),
                })
                .collect(),
            files: plan
                .files(step)
                .map(|at| cluster.path(at).display().to_string())
                .collect(),
            obstacle: step.obstacle.as_ref().map(|obstacle| ObstacleDocument {
                text: obstacle.to_string(),
                hint: obstacle.hint(),
            }),
        };
        Self {
            places: Places::of(cluster),
            nothing_to_do: plan.is_empty() && !interrupted,
            interrupted,
            steps: plan.steps().iter().map(step).collect(),
            left_alone: plan
                .unmanaged()
                .iter()
                .map(|at| cluster.path(at).display().to_string())
                .collect(),
        }
    }
}
