//! Making a cluster's PKI where there is none, and mending what differs from cluster.toml, as kpki does.

use pki_core::cluster::blueprint::ArtifactId;
use pki_core::cluster::spec::NodeName;
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::apply::Changes;
use pki_core::converge::cluster_directory::{ClusterDirectory, SPEC, State};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::{Drift, Obstacle, Plan};
use pki_core::converge::problem::Problem;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use crate::check::{Fact, Severity};

use super::{Mode, Outcome, Request, SourceError, find, own};

/// A directory that has all it needs, on disk or, for a preview, in `changes`.
pub(super) struct Prepared {
    pub directory: ClusterDirectory,
    pub changes: Changes,
    pub outcome: Outcome,
}

pub(super) fn prepare(
    request: &Request,
    node: &str,
    mode: Mode,
    now: OffsetDateTime,
) -> Result<Prepared, SourceError> {
    match State::of(&request.dir)? {
        State::Ours => update(request, node, mode, now),
        State::Free => make(request, node, mode, now),
    }
}

/// A new cluster: every file and cluster.toml in one transaction.
fn make(
    request: &Request,
    node: &str,
    mode: Mode,
    now: OffsetDateTime,
) -> Result<Prepared, SourceError> {
    let dir = &request.dir;
    let ca_dir = request.ca_dir.as_deref();
    let spec = request.options.spec(dir, ca_dir)?;
    let directory = ClusterDirectory::of(dir, spec, &dir.join(SPEC), ca_dir)?;
    let mut outcome = Outcome {
        warnings: warnings(&directory),
        ..Outcome::default()
    };
    let store = match mode {
        Mode::Preview => None,
        Mode::Write => {
            let store = Store::open(dir, &directory.authorities)?;
            // Another program may have been faster, or this opening may have finished an interrupted one.
            if State::of(dir)? == State::Ours {
                let recovered = store.recovered().map(ToString::to_string);
                drop(store);
                let mut prepared = update(request, node, mode, now)?;
                prepared.outcome.recovered = recovered;
                return Ok(prepared);
            }
            outcome.recovered = store.recovered().map(ToString::to_string);
            Some(store)
        }
    };
    let inventory = directory.inventory()?;
    let plan = Plan::new(&directory.blueprint, &inventory, now);
    refuse(&plan)?;
    let mut changes = plan.execute(&SystemRandom::new())?;
    let place = Location::tree(SPEC).expect("a file name is a path");
    changes.add(
        place,
        directory.spec.to_toml().into_bytes(),
        FileMode::PUBLIC,
    );
    let changes = finish(changes, store, &mut outcome)?;
    Ok(Prepared {
        directory,
        changes,
        outcome,
    })
}

/// A cluster that is here: what differs from its cluster.toml is mended, where the CA keys are here too.
fn update(
    request: &Request,
    node: &str,
    mode: Mode,
    now: OffsetDateTime,
) -> Result<Prepared, SourceError> {
    let mut directory = ClusterDirectory::read(&request.dir, request.ca_dir.as_deref())?;
    request.options.agree(&request.dir, &directory.spec)?;
    let node = find(&directory.spec, &request.dir, node)?;
    let mut outcome = Outcome {
        warnings: warnings(&directory),
        ..Outcome::default()
    };
    let mut store = None;
    if mode == Mode::Write && Store::peek(&request.dir) {
        let opened = Store::open(&directory.dir, &directory.authorities)?;
        outcome.recovered = opened.recovered().map(ToString::to_string);
        store = Some(opened);
        // What was finished may have been another cluster.toml.
        directory = ClusterDirectory::read(&request.dir, request.ca_dir.as_deref())?;
    }
    let nothing = |directory, outcome| Prepared {
        directory,
        changes: Changes::default(),
        outcome,
    };
    let mut inventory = directory.inventory()?;
    let blueprint = own::blueprint(&directory.blueprint, &inventory, node.name()).into_owned();
    let plan = Plan::new(&blueprint, &inventory, now);
    if plan.is_empty() {
        return Ok(nothing(directory, outcome));
    }
    let mends = own::mendable(&plan, &inventory, node.name());
    if mends.len() < plan.steps().len() {
        refuse_own(&plan, &directory, &inventory, node.name())?;
    }
    let plan = plan.only(&mends);
    if plan.is_empty() {
        return Ok(nothing(directory, outcome));
    }
    refuse(&plan)?;
    if mode == Mode::Write && store.is_none() {
        store = Some(Store::open(&directory.dir, &directory.authorities)?);
        // Only what is read under the lock counts.
        inventory = directory.inventory()?;
    }
    let plan = Plan::new(&blueprint, &inventory, now).only(&mends);
    let changes = plan.execute(&SystemRandom::new())?;
    let changes = finish(changes, store, &mut outcome)?;
    Ok(Prepared {
        directory,
        changes,
        outcome,
    })
}

/// Writes the changes, or keeps them.
fn finish(
    changes: Changes,
    store: Option<Store>,
    outcome: &mut Outcome,
) -> Result<Changes, SourceError> {
    let Some(mut store) = store else {
        outcome.done = changes.done().to_vec();
        return Ok(changes);
    };
    outcome.done = changes.commit(&mut store)?.done;
    Ok(Changes::default())
}

fn warnings(directory: &ClusterDirectory) -> Vec<String> {
    let warnings = directory.spec.warnings();
    warnings.iter().map(ToString::to_string).collect()
}

/// Obstacles and replacements, all at once. That an authority's leaves wait for it is no further obstacle.
fn refuse(plan: &Plan<'_>) -> Result<(), SourceError> {
    let obstacles = plan
        .obstacles()
        .filter(|(_, obstacle)| !matches!(obstacle, Obstacle::AuthorityObstructed { .. }))
        .map(|(step, obstacle)| {
            Problem::new(format!("{}: {obstacle}", step.artifact), obstacle.hint())
        });
    let replacements = plan.replacements().map(|step| {
        let reasons: Vec<_> = step.reasons.iter().map(ToString::to_string).collect();
        Problem::new(
            format!("{} would be replaced: {}", step.artifact, reasons.join(", ")),
            format!(
                "take the change out of {SPEC}, or agree to it: kpki apply --replace {}; then every component restarts",
                step.artifact
            ),
        )
    });
    let problems: Vec<_> = obstacles.chain(replacements).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(SourceError::CannotMend(problems))
    }
}

/// What keeps this node from starting, where not all of the plan can be carried out. A node usually has its own tree
/// and nothing else: what is missing elsewhere is not its business, and what soon expires can wait for its owner.
fn refuse_own(
    plan: &Plan<'_>,
    directory: &ClusterDirectory,
    inventory: &Inventory,
    node: &NodeName,
) -> Result<(), SourceError> {
    let report = crate::check(&directory.blueprint, inventory, node, plan.now());
    let faults = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Fault);
    // A handshake that fails is of the files that differ, where any do.
    let (drifts, edges): (Vec<_>, Vec<_>) =
        faults.partition(|finding| matches!(finding.fact, Fact::Drift { .. }));
    let told = if drifts.is_empty() { edges } else { drifts };
    if told.is_empty() {
        return Ok(());
    }
    let begins = told.iter().filter_map(|finding| match &finding.fact {
        Fact::Drift {
            drift: Drift::NotYetValid { not_before },
            ..
        } => Some(*not_before),
        _ => None,
    });
    if let Some(begins) = begins.max() {
        return Err(SourceError::TooEarly {
            node: node.clone(),
            now: plan.now(),
            begins,
        });
    }
    // What stands in the way of most is why nothing can be done here.
    let mut why = Vec::new();
    let lines: Vec<_> = told
        .iter()
        .map(|finding| {
            if let Fact::Drift { artifact, .. } = &finding.fact
                && let Some(obstacle) = obstacle(plan, artifact).map(ToString::to_string)
                && !why.contains(&obstacle)
            {
                why.push(obstacle);
            }
            format!("\n  {}", finding.fact)
        })
        .collect();
    let why = match why.as_slice() {
        [] => String::new(),
        why => format!(", and cannot be mended here: {}", why.join("; ")),
    };
    let more = match lines.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("\n  and {more} more: kinstall check tells all"),
    };
    let lines = lines.into_iter().take(SHOWN).collect::<String>();
    let tree = directory.dir.join("nodes").join(node.as_str());
    Err(SourceError::CannotMend(vec![Problem::new(
        format!("the files of node {node} are not as {SPEC} wants them{why}{lines}{more}"),
        format!(
            "bring the directory of CA keys here or name it with --ca-dir; or run kpki apply where it is, and bring {} \
             here again",
            tree.display()
        ),
    )]))
}

/// So many differences show what it is about; one cause makes many.
const SHOWN: usize = 6;

/// What stands in the way of mending an artifact, at its authority where that is the reason.
fn obstacle<'a>(plan: &'a Plan<'_>, id: &ArtifactId) -> Option<&'a Obstacle> {
    let own = |id: &ArtifactId| {
        let mut obstacles = plan.obstacles();
        let found = obstacles.find(|(step, _)| step.artifact == *id);
        found.map(|(_, obstacle)| obstacle)
    };
    match own(id) {
        Some(Obstacle::AuthorityObstructed { authority }) => own(authority),
        other => other,
    }
}
