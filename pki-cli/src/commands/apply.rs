//! `kpki apply`.

use std::fmt::Write;

use pki_core::cluster::Location;
use pki_core::cluster::blueprint::Content;
use pki_core::converge::apply::{Applied, Done};
use pki_core::converge::plan::{Action, Obstacle, Plan};
use pki_core::converge::store::Store;
use pki_core::x509::inspect::CertificateReport;
use ring::rand::SystemRandom;
use serde::Serialize;
use time::OffsetDateTime;

use super::external;
use super::places::Places;
use super::plan;
use crate::arguments;
use crate::cluster::{Cluster, SPEC};
use crate::output::errors::{self, Failure};
use crate::output::progress::Progress;
use crate::output::style::{GOOD, STRONG, WEAK};
use crate::output::words::{count, list, until};
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Apply) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    let now = OffsetDateTime::now_utc();
    if let Some(dir) = &arguments.signed {
        return external::take_back(&cluster, dir, arguments, now);
    }
    if arguments.dry_run {
        let inventory = cluster.inventory()?;
        let plan = Plan::new(&cluster.blueprint, &inventory, now);
        return Ok(plan::show(&cluster, &plan, arguments.json));
    }
    for warning in cluster.spec.warnings() {
        errors::warn(warning);
    }
    let mut store = Store::open(&cluster.dir, &cluster.authorities)?;
    tell_of_recovery(&store);
    let inventory = cluster.inventory()?;
    let mut plan = Plan::new(&cluster.blueprint, &inventory, now);
    consent(&mut plan, &arguments.replace)?;
    refuse_obstacles(&plan)?;
    refuse_replacements(&plan, &arguments.replace)?;
    let progress = key_search(&plan, &cluster);
    let changes = plan.execute(&SystemRandom::new())?;
    drop(progress);
    let applied = changes.commit(&mut store)?;
    Ok(report(&cluster, &applied, now, arguments.json))
}

/// Agrees to what the plan itself wants to replace, and to nothing else.
fn consent(plan: &mut Plan<'_>, named: &[String]) -> Result<(), Failure> {
    for name in named {
        let ids: Vec<_> = plan
            .replacements()
            .map(|step| step.artifact.clone())
            .collect();
        match ids.iter().find(|id| id.to_string() == *name) {
            Some(id) => plan.consent_to(id.clone()),
            None if ids.is_empty() => {
                return Err(Failure::new(format_args!(
                    "--replace {name}: the plan replaces nothing"
                ))
                .hint("take --replace away; kpki plan shows what there is to do"));
            }
            None => {
                return Err(Failure::new(format_args!(
                    "--replace {name}: the plan does not replace it"
                ))
                .hint(format_args!("it would replace {}", list(ids))));
            }
        }
    }
    Ok(())
}

/// All obstacles at once, not only the first. That an authority's leaves wait for it is no further one.
pub fn refuse_obstacles(plan: &Plan<'_>) -> Result<(), Failure> {
    let failures: Vec<_> = plan
        .obstacles()
        .filter(|(_, obstacle)| !matches!(obstacle, Obstacle::AuthorityObstructed { .. }))
        .map(|(step, obstacle)| {
            Failure::new(format_args!("{}: {obstacle}", step.artifact)).hint(obstacle.hint())
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::all(failures))
    }
}

/// All replacements that nobody agreed to, at once.
fn refuse_replacements(plan: &Plan<'_>, named: &[String]) -> Result<(), Failure> {
    let failures: Vec<_> = plan
        .replacements()
        .filter(|step| !named.contains(&step.artifact.to_string()))
        .map(|step| {
            let reasons = list(&step.reasons);
            Failure::new(format_args!(
                "{} would be replaced: {reasons}",
                step.artifact
            ))
            .hint(format_args!(
                "take the change out of {SPEC}, or agree with{} and restart every component",
                plan::consent(plan)
            ))
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::all(failures))
    }
}

/// What opening the store did about an earlier run.
pub fn tell_of_recovery(store: &Store) {
    if let Some(recovery) = store.recovered() {
        errors::warn(recovery);
    }
}

/// A spinner, where keys are made whose primes have to be searched for, or very many.
pub fn key_search(plan: &Plan<'_>, cluster: &Cluster) -> Progress {
    const MANY: usize = 2000;
    let makes_rsa = || {
        plan.steps()
            .iter()
            .filter(|step| {
                matches!(
                    step.action,
                    Action::Create | Action::Issue | Action::Replace
                )
            })
            .filter_map(|step| cluster.blueprint.artifact(&step.artifact))
            .any(|artifact| match &artifact.content {
                Content::Authority(entry) => entry.key_algorithm.is_rsa(),
                Content::ServiceAccount(algorithm) => algorithm.is_rsa(),
                content => content
                    .leaf()
                    .is_some_and(|leaf| leaf.request.key_algorithm.is_rsa()),
            })
    };
    Progress::begin(plan.steps().len() > MANY || makes_rsa(), "making keys")
}

pub fn report(cluster: &Cluster, applied: &Applied, now: OffsetDateTime, as_json: bool) -> Outcome {
    tell_warnings(&applied.done);
    if as_json {
        return Outcome::fine(json::document(&Document::new(cluster, applied, now)));
    }
    if applied.done.is_empty() {
        return Outcome::fine(format!(
            "{GOOD}nothing to do{GOOD:#}: {} is as {} wants it\n",
            cluster.dir.display(),
            cluster.dir.join(SPEC).display()
        ));
    }
    let mut text = lines(&applied.done, now);
    let _ = writeln!(
        text,
        "\n{GOOD}done{GOOD:#}: {} changed; restart what reads them, and copy the trees of nodes again",
        count(applied.committed.changes.len(), "file")
    );
    Outcome::fine(text)
}

/// What lint noticed without refusing.
pub fn tell_warnings(done: &[Done]) {
    for done in done {
        for warning in &done.warnings {
            errors::warn(format_args!("{}: {warning}", done.artifact));
        }
    }
}

/// What was done, a line for each artifact.
pub fn lines(done: &[Done], now: OffsetDateTime) -> String {
    let mut text = String::new();
    for done in done {
        let action = done.action.as_str();
        let _ = write!(
            text,
            "{STRONG}{action:8}{STRONG:#} {STRONG}{}{STRONG:#} {WEAK}({}){WEAK:#}",
            done.artifact, done.kind
        );
        let issued = !matches!(done.action, Action::Protect | Action::Rewrite);
        if let Some(certificate) = done.certificate.as_ref().filter(|_| issued) {
            let _ = write!(
                text,
                ", valid until {}",
                until(certificate.validity.not_after, now)
            );
        }
        text.push('\n');
    }
    text
}

/// What was done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    #[serde(flatten)]
    places: Places,
    nothing_to_do: bool,
    done: Vec<DoneDocument>,
    files: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DoneDocument {
    action: &'static str,
    artifact: String,
    kind: &'static str,
    files: Vec<String>,
    certificate: Option<CertificateReport>,
    warnings: Vec<String>,
}

impl Document {
    pub fn new(cluster: &Cluster, applied: &Applied, now: OffsetDateTime) -> Self {
        let path = |at: &Location| cluster.path(at).display().to_string();
        let done = |done: &Done| DoneDocument {
            action: done.action.as_str(),
            artifact: done.artifact.to_string(),
            kind: done.kind,
            files: done.files.iter().map(path).collect(),
            certificate: done
                .certificate
                .as_ref()
                .map(|certificate| CertificateReport::new(certificate, now)),
            warnings: done.warnings.iter().map(ToString::to_string).collect(),
        };
        Self {
            places: Places::of(cluster),
            nothing_to_do: applied.done.is_empty(),
            done: applied.done.iter().map(done).collect(),
            files: applied
                .committed
                .changes
                .iter()
                .map(|changed| path(&changed.location))
                .collect(),
        }
    }

    pub fn nothing(cluster: &Cluster) -> Self {
        Self {
            places: Places::of(cluster),
            nothing_to_do: true,
            done: Vec::new(),
            files: Vec::new(),
        }
    }
}
