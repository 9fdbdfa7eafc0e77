//! What a renewal did, and what each program needs that reads it.

use std::collections::BTreeMap;
use std::fmt::Write;

use pki_core::cluster::consumer::{Component, Consumer, Need, consumers};
use pki_core::converge::apply::Applied;
use serde::Serialize;
use time::OffsetDateTime;

use super::super::apply::{self, Document};
use crate::cluster::Cluster;
use crate::output::json;
use crate::output::style::{GOOD, STRONG, WEAK};
use crate::output::words::count;

/// What was done, and for whom.
pub struct Report<'a> {
    cluster: &'a Cluster,
    applied: &'a Applied,
    now: OffsetDateTime,
    needs: Vec<Consumer>,
}

impl<'a> Report<'a> {
    pub fn new(cluster: &'a Cluster, applied: &'a Applied, now: OffsetDateTime) -> Self {
        Self {
            cluster,
            applied,
            now,
            needs: needs(cluster, applied),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        if self.applied.done.is_empty() {
            let dir = self.cluster.dir.display();
            return format!("{GOOD}nothing to renew{GOOD:#} in {dir}\n");
        }
        let mut text = apply::lines(&self.applied.done, self.now);
        if !self.needs.is_empty() {
            let _ = writeln!(text, "\nWho reads them, and needs:");
        }
        let names = self.needs.iter().map(ToString::to_string);
        let width = names.map(|name| name.len()).max().unwrap_or(0);
        for consumer in &self.needs {
            let (style, need) = match consumer.need {
                Need::Nothing => (WEAK, "nothing: it reads them anew by itself".to_owned()),
                need => (STRONG, need.to_string()),
            };
            let _ = writeln!(text, "  {consumer:width$}  {style}{need}{style:#}");
        }
        let changed = count(self.applied.committed.changes.len(), "file");
        let _ = writeln!(
            text,
            "\n{GOOD}done{GOOD:#}: {changed} changed; copy the trees of nodes again, or run kinstall node there"
        );
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let need = |consumer: &Consumer| NeedDocument {
            component: consumer.component.as_str(),
            node: consumer.node.as_ref().map(ToString::to_string),
            need: match consumer.need {
                Need::Nothing => "nothing",
                Need::Signal(signal) => signal,
                Need::Restart => "restart",
            },
        };
        json::document(&RenewDocument {
            applied: Document::new(self.cluster, self.applied, self.now),
            needs: self.needs.iter().map(need).collect(),
        })
    }
}

/// Each program that reads what was renewed, once, with all that it needs. People read their files each time.
fn needs(cluster: &Cluster, applied: &Applied) -> Vec<Consumer> {
    let done = applied.done.iter();
    let artifacts = done.filter_map(|done| cluster.blueprint.artifact(&done.artifact));
    let all = artifacts.flat_map(|artifact| consumers(&cluster.blueprint, artifact));
    let mut needs = BTreeMap::new();
    for consumer in all.filter(|consumer| consumer.component != Component::Person) {
        let key = (consumer.node.clone(), consumer.component);
        let need = needs.entry(key).or_insert(consumer.need);
        *need = consumer.need.max(*need);
    }
    let one = |((node, component), need)| Consumer {
        component,
        node,
        need,
    };
    needs.into_iter().map(one).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RenewDocument {
    #[serde(flatten)]
    applied: Document,
    needs: Vec<NeedDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NeedDocument {
    component: &'static str,
    node: Option<String>,
    need: &'static str,
}
