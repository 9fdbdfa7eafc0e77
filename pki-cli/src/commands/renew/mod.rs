//! `kpki renew`.

mod reload;
mod report;

use std::time::Duration;

use pki_core::cluster::blueprint::ArtifactId;
use pki_core::converge::apply::Applied;
use pki_core::converge::plan::{Drift, Obstacle, Plan, Renewal, Step, check_clock};
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::{apply, plan};
use crate::arguments;
use crate::cluster::Cluster;
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::output::words::list;
use reload::Way;
use report::Report;

pub fn run(arguments: &arguments::Renew) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    let now = OffsetDateTime::now_utc();
    check_clock(now).map_err(|error| Failure::new(error).hint(error.hint()))?;
    let renewal = wanted(arguments, &cluster)?;
    let way = Way::of(arguments)?;
    if arguments.dry_run {
        let inventory = cluster.inventory()?;
        let plan = Plan::renewal(&cluster.blueprint, &inventory, now, &renewal);
        tell_what_stays(&plan, &[]);
        return Ok(plan::show_renewal(&cluster, &plan, arguments.json));
    }
    let mut store = Store::open(&cluster.dir, &cluster.authorities)?;
    apply::tell_of_recovery(&store);
    let inventory = cluster.inventory()?;
    let mut plan = Plan::renewal(&cluster.blueprint, &inventory, now, &renewal);
    let obstructed = plan.take_obstructed();
    tell_obstructed(&obstructed);
    let attention = tell_what_stays(&plan, &obstructed) || !obstructed.is_empty();
    let progress = apply::key_search(&plan, &cluster);
    let changes = plan.execute(&SystemRandom::new())?;
    drop(progress);
    let applied: Applied = changes.commit(&mut store)?;
    drop(store);
    apply::tell_warnings(&applied.done);
    let mut report = Report::new(&cluster, &applied, now);
    let mut unserved = false;
    if let Some(way) = way {
        let patience = Duration::from_secs(arguments.timeout.into());
        match reload::reload(&way, &cluster, &applied, patience) {
            Ok(served) => {
                unserved = reload::tell_unserved(&served);
                report.served = Some(served);
            }
            // What was renewed is told all the same.
            Err(failure) => {
                failure.print();
                unserved = true;
            }
        }
    }
    let text = if arguments.json {
        report.json()
    } else {
        report.text()
    };
    Ok(Outcome::with_attention(text, attention || unserved))
}

/// What the command line asks to renew.
fn wanted(arguments: &arguments::Renew, cluster: &Cluster) -> Result<Renewal, Failure> {
    let renewal = match arguments.if_within {
        _ if arguments.all => Renewal::all(),
        Some(within) => Renewal::within(within),
        None => Renewal::named(&cluster.blueprint, &arguments.names)
            .map_err(|error| Failure::new(&error).hint(error.hint()))?,
    };
    Ok(if arguments.keep_key {
        renewal.keeping_keys()
    } else {
        renewal
    })
}

/// Tells what cannot be renewed; the rest is. That an authority's leaves wait for it is no further obstacle.
fn tell_obstructed(obstructed: &[Step]) {
    let told = obstructed.iter().filter_map(|step| {
        let obstacle = step.obstacle.as_ref()?;
        let is_cause = !matches!(obstacle, Obstacle::AuthorityObstructed { .. });
        let fact = format!("{} is not renewed: {obstacle}", step.artifact);
        is_cause.then(|| Failure::new(fact).hint(obstacle.hint()))
    });
    let told: Vec<_> = told.collect();
    if !told.is_empty() {
        Failure::all(told).print();
    }
}

/// Tells what is not valid and stays so, so that nothing expires in silence. What could not be renewed was told before.
fn tell_what_stays(plan: &Plan<'_>, obstructed: &[Step]) -> bool {
    let told = |id: &ArtifactId| obstructed.iter().any(|step| step.artifact == *id);
    let stays = plan.stays_invalid();
    let stays = stays.iter().filter(|(artifact, _)| !told(&artifact.id));
    let (over, early): (Vec<_>, Vec<_>) =
        stays.partition(|(_, drift)| matches!(drift, Drift::Expired { .. }));
    let mut failures = Vec::new();
    for (those, state, hint) in [
        (
            over,
            "over",
            "kpki renew --all --keep-key renews everything, authorities that are over too",
        ),
        (
            early,
            "not valid yet",
            "is the clock of this machine slow? If not, that of the one that issued them was fast: kpki renew --all mends it",
        ),
    ] {
        if !those.is_empty() {
            let ids = list(those.iter().map(|(artifact, _)| &artifact.id));
            failures.push(Failure::new(format_args!("{state}, and left so: {ids}")).hint(hint));
        }
    }
    let attention = !failures.is_empty();
    if attention {
        Failure::all(failures).print();
    }
    attention
}
