//! `kpki trust`.

use std::fmt::Write;
use std::path::PathBuf;

use pki_core::converge::export;
use pki_core::converge::trust::{TrustError, TrustStore};
use pki_core::x509::Certificate;
use serde::Serialize;

use super::export::certificates;
use crate::arguments::{Trust, TrustAction, TrustCommand};
use crate::cluster::Cluster;
use crate::output::errors::Failure;
use crate::output::style::{GOOD, STRONG};
use crate::output::words::count;
use crate::output::{Outcome, json};

pub fn run(arguments: &Trust) -> Result<Outcome, Failure> {
    match &arguments.command {
        TrustCommand::Install(action) => install(action),
        TrustCommand::Remove { action, all } => remove(action, *all),
    }
}

fn install(action: &TrustAction) -> Result<Outcome, Failure> {
    let wanted = named(action)?;
    let store = TrustStore::detect().map_err(told)?;
    let missing = store.missing(&wanted).map_err(told)?;
    let files = missing
        .iter()
        .map(|certificate| store.file(certificate))
        .collect::<Vec<_>>();
    if !action.dry_run && !missing.is_empty() {
        store.install(&missing).map_err(told)?;
    }
    Ok(report(action, &store, "install", &files))
}

fn remove(action: &TrustAction, all: bool) -> Result<Outcome, Failure> {
    let wanted = if all { None } else { Some(named(action)?) };
    let store = TrustStore::detect().map_err(told)?;
    let mut files = store.installed().map_err(told)?;
    if let Some(wanted) = wanted {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|certificate| store.file(certificate))
            .collect();
        files.retain(|path| wanted.contains(path));
    }
    if !action.dry_run && !files.is_empty() {
        store.remove(&files).map_err(told)?;
    }
    Ok(report(action, &store, "remove", &files))
}

/// The certificates that the command line is about.
fn named(action: &TrustAction) -> Result<Vec<Certificate>, Failure> {
    let mut found = Vec::new();
    for path in &action.files {
        found.extend(certificates(path)?);
    }
    if !action.authority.is_empty() {
        let cluster = Cluster::open(&action.tree)?;
        let inventory = cluster.inventory()?;
        let authorities = export::authorities(&action.authority, &cluster.blueprint, &inventory);
        found.extend(authorities.map_err(|error| Failure::new(&error).hint(error.hint()))?);
    }
    if found.is_empty() {
        return Err(Failure::new("no CA was named")
            .hint("name a file, or a CA of the cluster with --authority ca"));
    }
    Ok(found)
}

fn told(error: TrustError) -> Failure {
    Failure::new(&error).maybe_hint(error.hint())
}

/// What was done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    action: &'a str,
    dry_run: bool,
    folder: String,
    program: &'a str,
    files: Vec<String>,
}

fn report(action: &TrustAction, store: &TrustStore, verb: &str, files: &[PathBuf]) -> Outcome {
    let shown = || files.iter().map(|path| path.display().to_string());
    if action.json {
        return Outcome::fine(json::document(&Document {
            action: verb,
            dry_run: action.dry_run,
            folder: store.folder.display().to_string(),
            program: store.program,
            files: shown().collect(),
        }));
    }
    let mut text = String::new();
    for path in shown() {
        let _ = writeln!(text, "{STRONG}{verb:8}{STRONG:#}{path}");
    }
    let _ = match (files.len(), action.dry_run) {
        (0, _) => writeln!(text, "{GOOD}nothing to do{GOOD:#}"),
        (number, true) => writeln!(
            text,
            "would {verb} {} and run {}",
            count(number, "CA"),
            store.program
        ),
        (number, false) => writeln!(
            text,
            "{GOOD}done{GOOD:#}: {} by {}",
            count(number, "CA"),
            store.program
        ),
    };
    Outcome::fine(text)
}
