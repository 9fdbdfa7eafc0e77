//! `kpki init` where a cluster.toml is already: nothing is changed, but what was never made is made.

use pki_core::cluster::Root;
use pki_core::cluster::spec::{ClusterSpec, Difference};
use pki_core::converge::cluster_directory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::{authority, report, wanted};
use crate::arguments::Init;
use crate::cluster::{Cluster, SPEC};
use crate::commands::apply::{key_search, tell_of_recovery};
use crate::output::Outcome;
use crate::output::errors::Failure;

pub fn run(arguments: &Init, now: OffsetDateTime) -> Result<Outcome, Failure> {
    let (file, text) = cluster_directory::read_text(&arguments.dir)?;
    let name = file.display().to_string();
    let spec = ClusterSpec::from_toml(&text).map_err(|error| Failure::spec(&error, &name))?;
    let asked = match &arguments.spec {
        Some(_) => wanted::read(arguments)?,
        None => wanted::over(&text, &file, arguments, &file)?,
    };
    agree(&spec, &asked.spec, &name, arguments)?;
    let cluster = Cluster::of(&arguments.dir, spec, &file, None)?;

    if Store::peek(&arguments.dir) {
        tell_of_recovery(&Store::open(&arguments.dir, &cluster.authorities)?);
    }
    let inventory = cluster.inventory()?;
    for imported in authority::load_all(arguments, &cluster, now)? {
        authority::same(&imported, &cluster)?;
    }
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    if plan.is_empty() {
        return Ok(report::nothing_to_do(&cluster, arguments.json));
    }
    let issued = inventory
        .files()
        .any(|(location, _)| location.root == Root::Tree);
    if issued {
        return Ok(report::drifted(&cluster, &plan, arguments.json));
    }
    // A cluster.toml that somebody wrote, and nothing made from it yet.
    if arguments.dry_run {
        return Ok(report::would_make(&cluster, &plan, arguments.json));
    }
    let mut store = Store::open(&arguments.dir, &cluster.authorities)?;
    let inventory = cluster.inventory()?;
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let progress = key_search(&plan, &cluster);
    let changes = plan.execute(&SystemRandom::new())?;
    drop(progress);
    let applied = changes.commit(&mut store)?;
    Ok(report::made(&cluster, &applied, now, arguments.json))
}

/// Every flag that says something else than cluster.toml.
fn agree(
    has: &ClusterSpec,
    asked: &ClusterSpec,
    file: &str,
    arguments: &Init,
) -> Result<(), Failure> {
    // Another service CIDR brings another cluster DNS along, which is not worth a second error.
    let follows = arguments.cluster_dns.is_empty() && has.service_cidrs() != asked.service_cidrs();
    let differences = has.differences(asked).into_iter();
    let differ = differences.filter(|one| !(follows && one.field == "cluster-dns"));
    let failures: Vec<_> = differ
        .map(|Difference { field, has, other }| {
            let fact = format!(
                "{file} says {field} {}, not {}",
                or_none(&has),
                or_none(&other)
            );
            Failure::new(fact).hint(format_args!(
                "change {SPEC}, look at kpki plan, then run kpki apply"
            ))
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::all(failures))
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
