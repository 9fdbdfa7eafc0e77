//! `kpki report`.

mod findings;
mod live;
mod page;
mod table;
mod timeline;

use pki_core::converge::graph::Graph;
use pki_core::converge::plan::Plan;
use pki_core::converge::verify::verify;
use time::OffsetDateTime;

use super::graph::put;
use crate::arguments;
use crate::cluster::Cluster;
use crate::output::Outcome;
use crate::output::errors::Failure;
use findings::Findings;

pub fn run(arguments: &arguments::Report) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    let inventory = cluster.inventory()?;
    let now = OffsetDateTime::now_utc();
    let graph = Graph::new(&cluster.spec, &cluster.blueprint, &inventory, now);
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let verification = verify(&cluster.blueprint, &inventory, now);
    let live = arguments
        .live
        .then(|| live::group(&live::ask(&cluster, now)));
    let findings = Findings::new(&cluster, &plan, &verification, live)?;
    let html = page::page(&graph, &findings);
    match &arguments.output {
        Some(path) => put(path, &html),
        None => Ok(Outcome::fine(html)),
    }
}
