//! `kpki init`: apply on an empty directory, with a spec made from flags.

mod authority;
mod existing;
mod report;
mod wanted;

use pki_core::cluster::{FileMode, Location};
use pki_core::converge::cluster_directory::State;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use crate::arguments::Init;
use crate::cluster::{Cluster, SPEC};
use crate::commands::apply::{key_search, tell_of_recovery};
use crate::output::Outcome;
use crate::output::errors::{self, Failure};

pub fn run(arguments: &Init) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    match State::of(&arguments.dir)? {
        State::Ours => existing::run(arguments, now),
        State::Free => fresh(arguments, now),
    }
}

fn fresh(arguments: &Init, now: OffsetDateTime) -> Result<Outcome, Failure> {
    let wanted = wanted::read(arguments)?;
    for warning in wanted.spec.warnings() {
        errors::warn(warning);
    }
    let cluster = Cluster::of(&arguments.dir, wanted.spec, &wanted.file, None)?;
    let imported = authority::load_all(arguments, &cluster, now)?;

    if arguments.dry_run {
        let mut inventory = cluster.inventory()?;
        authority::announce(&imported, &mut inventory, &cluster)?;
        let plan = Plan::new(&cluster.blueprint, &inventory, now);
        return Ok(report::would_make(&cluster, &plan, arguments.json));
    }

    let mut store = Store::open(&arguments.dir, &cluster.authorities)?;
    tell_of_recovery(&store);
    // Another init may have been faster, or this opening may have finished an interrupted one.
    if State::of(&arguments.dir)? == State::Ours {
        drop(store);
        return existing::run(arguments, now);
    }
    let mut inventory = cluster.inventory()?;
    authority::announce(&imported, &mut inventory, &cluster)?;
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let progress = key_search(&plan, &cluster);
    let mut changes = plan.execute(&SystemRandom::new())?;
    drop(progress);
    for file in imported {
        changes.add(file.location, file.contents, file.mode);
    }
    let spec = Location::tree(SPEC).expect("a file name is a path");
    changes.add(spec, wanted.text.into_bytes(), FileMode::PUBLIC);
    let applied = changes.commit(&mut store)?;
    Ok(report::made(&cluster, &applied, now, arguments.json))
}
