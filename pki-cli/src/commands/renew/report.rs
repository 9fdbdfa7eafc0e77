//! What a renewal did, and what each program needs that reads it.

use std::collections::BTreeMap;
use std::fmt::Write;

use pki_core::cluster::consumer::{Component, Consumer, Need, consumers};
use pki_core::converge::apply::Applied;
use pki_core::converge::served::{Serving, ServingState};
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
    /// What servers served after a reload.
    pub served: Option<Vec<Serving>>,
}

impl<'a> Report<'a> {
    pub fn new(cluster: &'a Cluster, applied: &'a Applied, now: OffsetDateTime) -> Self {
        Self {
            cluster,
            applied,
            now,
            needs: needs(cluster, applied),
            served: None,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = self.done();
        if let Some(served) = &self.served {
            let all = served.iter().filter(|serving| serving.is_on_disk());
            for serving in all {
                let _ = writeln!(
                    text,
                    "{GOOD}served{GOOD:#}  {} by {}",
                    serving.artifact, serving.address
                );
            }
        }
        text
    }

    fn done(&self) -> String {
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
        let next = match self.served {
            Some(_) => "",
            None => "; copy the trees of nodes again, or run kinstall node there",
        };
        let _ = writeln!(text, "\n{GOOD}done{GOOD:#}: {changed} changed{next}");
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
            served: self
                .served
                .as_ref()
                .map(|served| served.iter().map(ServingDocument::of).collect()),
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
    /// Absent where nothing was reloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<Vec<ServingDocument>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ServingDocument {
    artifact: String,
    address: String,
    state: &'static str,
    fault: Option<String>,
}

impl ServingDocument {
    fn of(serving: &Serving) -> Self {
        let (state, fault) = match &serving.state {
            ServingState::OnDisk => ("on-disk", None),
            ServingState::Other(_) => ("other", None),
            ServingState::Unknown(error) => ("unknown", Some(error.to_string())),
        };
        Self {
            artifact: serving.artifact.to_string(),
            address: serving.address.to_string(),
            state,
            fault,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NeedDocument {
    component: &'static str,
    node: Option<String>,
    need: &'static str,
}
