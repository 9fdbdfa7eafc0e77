//! `kpki import`.

use std::fmt::Write;

use pki_core::cluster::spec::Written;
use pki_core::converge::cluster_directory::State;
use pki_core::converge::import::{ImportError, ImportHints, import};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use serde::Serialize;
use time::OffsetDateTime;

use super::{apply::tell_of_recovery, plan};
use crate::arguments;
use crate::cluster::{Cluster, SPEC};
use crate::output::errors::Failure;
use crate::output::style::{GOOD, WARNING};
use crate::output::words::count;
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Import) -> Result<Outcome, Failure> {
    let written = |flag: &'static str, values: &[String]| -> Vec<Written> {
        values
            .iter()
            .map(|value| Written::flag(flag, value))
            .collect()
    };
    let hints = ImportHints {
        service_cidrs: written("--service-cidr", &arguments.service_cidr),
        pod_cidrs: written("--pod-cidr", &arguments.pod_cidr),
        cluster_dns: written("--cluster-dns", &arguments.cluster_dns),
    };
    refuse_taken(arguments)?;
    let now = OffsetDateTime::now_utc();
    let found = import(&arguments.source, &hints).map_err(|error| refused(&error, arguments))?;
    let target = arguments.dir.join(SPEC);
    let cluster = Cluster::of(&arguments.dir, found.spec.clone(), &target, None)?;
    let changes = found.into_changes();
    let mut inventory = Inventory::empty();
    let mut files = Vec::new();
    for (location, mode, contents) in changes.secret_files() {
        files.push(cluster.path(location).display().to_string());
        if cluster.path(location) != target {
            inventory.add(location.clone(), mode, contents);
        }
    }
    if !arguments.dry_run {
        let mut store = Store::open(&cluster.dir, &cluster.authorities)?;
        tell_of_recovery(&store);
        refuse_taken(arguments)?;
        changes.commit(&mut store)?;
    }
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let text = if arguments.json {
        json::document(&Document {
            taken_over: !arguments.dry_run,
            files,
            spec_text: cluster.spec.to_toml(),
            plan: plan::Document::new(&cluster, &plan, false),
        })
    } else {
        text(&cluster, &plan, files.len(), arguments.dry_run)
    };
    Ok(Outcome::fine(text))
}

fn refuse_taken(arguments: &arguments::Import) -> Result<(), Failure> {
    match State::of(&arguments.dir)? {
        State::Free => Ok(()),
        State::Ours => {
            let path = arguments.dir.join(SPEC);
            Err(
                Failure::new(format_args!("{} is there already", path.display()))
                    .hint("name a new directory with --dir"),
            )
        }
    }
}

fn refused(error: &ImportError, arguments: &arguments::Import) -> Failure {
    match error {
        ImportError::Spec(spec) => Failure::spec(spec, &arguments.source.display().to_string()),
        other => Failure::new(other).maybe_hint(other.hint()),
    }
}

fn text(cluster: &Cluster, plan: &Plan<'_>, files: usize, dry_run: bool) -> String {
    let mut text = String::new();
    let spec = cluster.dir.join(SPEC);
    let _ = if dry_run {
        writeln!(
            text,
            "would take over {}; nothing was written. {} would say:\n\n{}",
            count(files, "file"),
            spec.display(),
            cluster.spec.to_toml()
        )
    } else {
        let (files, spec) = (count(files, "file"), spec.display());
        writeln!(
            text,
            "{GOOD}took over{GOOD:#} {files}, described by {spec}\n"
        )
    };
    let flag = cluster.dir_flag();
    if plan.is_empty() {
        let _ = writeln!(text, "nothing to do: kpki would make the same");
    } else {
        text.push_str(&plan::steps(cluster, plan));
        let steps = count(plan.steps().len(), "step");
        let _ = writeln!(
            text,
            "\n{WARNING}not yet as {SPEC} wants it{WARNING:#}: kpki apply{flag} would do these {steps}"
        );
    }
    text
}

/// What was taken over, and what is still to do, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    taken_over: bool,
    files: Vec<String>,
    spec_text: String,
    plan: plan::Document,
}
