//! What `kpki init` says.

use std::fmt::Write;
use std::path::Path;

use pki_core::converge::apply::Applied;
use pki_core::converge::plan::Plan;
use time::OffsetDateTime;

use crate::cluster::{Cluster, SPEC};
use crate::commands::{apply, plan};
use crate::output::issued::{self, Row};
use crate::output::style::{GOOD, STRONG, WEAK};
use crate::output::words::{count, shell};
use crate::output::{Outcome, errors, json};

/// Everything that was made.
pub fn made(cluster: &Cluster, applied: &Applied, now: OffsetDateTime, as_json: bool) -> Outcome {
    for done in &applied.done {
        for warning in &done.warnings {
            errors::warn(format_args!("{}: {warning}", done.artifact));
        }
    }
    if as_json {
        return Outcome::fine(json::document(&apply::Document::new(cluster, applied, now)));
    }
    let rows = applied
        .done
        .iter()
        .filter_map(|done| Row::done(cluster, done));
    let mut text = issued::table(cluster, rows.collect(), now);
    let _ = write!(
        text,
        "\n{GOOD}made{GOOD:#} {}, described by {}\n\nNext:\n{}",
        count(applied.committed.changes.len(), "file"),
        cluster.dir.join(SPEC).display(),
        next(cluster)
    );
    Outcome::fine(text)
}

/// Two or three commands that people want next.
fn next(cluster: &Cluster) -> String {
    let flag = cluster.dir_flag();
    let mut lines = vec![(
        format!("kpki verify{flag}"),
        "a TLS handshake over every connection of the cluster".to_owned(),
    )];
    if let Some(node) = cluster.spec.nodes().first() {
        let tree = cluster.dir.join("nodes").join(node.name().as_str());
        lines.push((
            format!(
                "sudo cp -r --preserve=mode {}/. /etc/kubernetes",
                quoted(&tree)
            ),
            format!("on {}: all that it needs, and nothing else", node.name()),
        ));
    }
    lines.push((
        format!("kpki plan{flag}"),
        format!("after a change in {SPEC}, and from time to time: what is to be renewed"),
    ));
    let width = lines
        .iter()
        .map(|(command, _)| command.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (command, why) in lines {
        let _ = writeln!(
            text,
            "  {STRONG}{command:width$}{STRONG:#}  {WEAK}# {why}{WEAK:#}"
        );
    }
    text
}

fn quoted(path: &Path) -> String {
    shell(&path.to_string_lossy())
}

/// Everything that would be made.
pub fn would_make(cluster: &Cluster, plan: &Plan<'_>, as_json: bool) -> Outcome {
    let obstructed = plan.obstacles().next().is_some();
    if as_json {
        let text = json::document(&plan::Document::new(cluster, plan, false));
        return Outcome::with_attention(text, obstructed);
    }
    let steps = plan.steps().iter();
    let artifacts = steps.filter_map(|step| cluster.blueprint.artifact(&step.artifact));
    let mut text = issued::table(cluster, artifacts.map(Row::wanted).collect(), plan.now());
    let files: usize = plan
        .steps()
        .iter()
        .map(|step| plan.files(step).count())
        .sum();
    let _ = writeln!(
        text,
        "\nwould make {} and {}; nothing was written",
        count(files, "file"),
        cluster.dir.join(SPEC).display()
    );
    plan::tell_obstacles(plan);
    Outcome::with_attention(text, obstructed)
}

/// `init` a second time.
pub fn nothing_to_do(cluster: &Cluster, as_json: bool) -> Outcome {
    if as_json {
        return Outcome::fine(json::document(&apply::Document::nothing(cluster)));
    }
    Outcome::fine(format!(
        "{GOOD}nothing to do{GOOD:#}: {} is as {} wants it\n",
        cluster.dir.display(),
        cluster.dir.join(SPEC).display()
    ))
}

/// `init` a second time, where something has changed since.
pub fn drifted(cluster: &Cluster, plan: &Plan<'_>, as_json: bool) -> Outcome {
    if as_json {
        return Outcome::with_attention(
            json::document(&plan::Document::new(cluster, plan, false)),
            true,
        );
    }
    let mut text = plan::steps(cluster, plan);
    let flag = cluster.dir_flag();
    let _ = writeln!(
        text,
        "\nattention needed: init changes nothing in a cluster that is there; run kpki apply{flag}"
    );
    Outcome::with_attention(text, true)
}
