//! All services, in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::keeper::{Keeper, Order, Shared};
use crate::desired::Service;
use crate::supervisor::definition::{self, Problems};
use crate::supervisor::order::start_order;
use crate::supervisor::record::Record;

/// All services, and who keeps each.
pub struct Table {
    shared: Shared,
    entries: BTreeMap<String, (Service, Keeper)>,
    problems: Problems,
}

impl Table {
    /// None yet.
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            entries: BTreeMap::new(),
            problems: Problems::new(),
        }
    }

    /// Starts or adopts all, and stops what runs without being defined any more.
    pub async fn begin(&mut self) {
        // Facts are in the journal, and in every answer.
        self.reload().await;
        for name in self.recorded() {
            if self.entries.contains_key(&name) || self.problems.contains_key(&name) {
                continue;
            }
            let path = self.shared.paths.record(&name);
            let Some(mut record) = Record::read(&path) else {
                let _ = definition::remove(&path);
                continue;
            };
            // Stopped: so nothing is started that is not there.
            record.stopped = true;
            let _ = record.write(&path);
            let keeper = Keeper::start(record.definition, self.shared.clone());
            if let Err(fact) = keeper.order(Order::Forget).await {
                self.shared.journal.say(&fact);
            }
        }
    }

    /// Reads the definitions again: starts what is new, stops what is gone, restarts what changed. A definition that makes
    /// no sense leaves its service as it was. Facts, where something did not work.
    pub async fn reload(&mut self) -> Vec<String> {
        let dir = &self.shared.paths.definitions;
        let (services, problems) = match definition::read_all(dir) {
            Ok(found) => found,
            Err(error) => return vec![format!("{}: {error}", dir.display())],
        };
        for (name, fact) in &problems {
            if self.problems.get(name) != Some(fact) {
                self.shared.journal.say(fact);
            }
        }
        self.problems = problems;
        let defined: BTreeSet<_> = services
            .iter()
            .map(|service| service.name.clone())
            .collect();
        let gone = |name: &String| !defined.contains(name) && !self.problems.contains_key(name);
        let mut order = self.order();
        order.retain(gone);
        let mut errors = Vec::new();
        for name in order.iter().rev() {
            if let Some((_, keeper)) = self.entries.get(name) {
                match keeper.order(Order::Forget).await {
                    Ok(()) => drop(self.entries.remove(name)),
                    Err(fact) => errors.push(fact),
                }
            }
        }
        let mut services: BTreeMap<_, _> = services
            .into_iter()
            .map(|service| (service.name.clone(), service))
            .collect();
        for name in start_order(services.values()) {
            let service = services.remove(&name).expect("its own name");
            match self.entries.get_mut(&name) {
                Some((known, keeper)) => {
                    if *known != service {
                        let order = Order::Define(Box::new(service.clone()));
                        errors.extend(keeper.order(order).await.err());
                        keeper.ready().await;
                        *known = service;
                    }
                }
                None => {
                    let keeper = Keeper::start(service.clone(), self.shared.clone());
                    // One that was adopted may run with an older definition.
                    let order = Order::Define(Box::new(service.clone()));
                    errors.extend(keeper.order(order).await.err());
                    keeper.ready().await;
                    self.entries.insert(name, (service, keeper));
                }
            }
        }
        errors
    }

    /// Starts these, or all.
    pub async fn start(&self, names: &[String]) -> Vec<String> {
        let mut errors = self.unknown(names);
        for name in self.order() {
            if names.is_empty() || names.contains(&name) {
                let (_, keeper) = &self.entries[&name];
                errors.extend(keeper.order(Order::Start).await.err());
                keeper.ready().await;
            }
        }
        errors
    }

    /// Stops these, or all, the last first.
    pub async fn stop(&self, names: &[String]) -> Vec<String> {
        let mut errors = self.unknown(names);
        for name in self.order().iter().rev() {
            if names.is_empty() || names.contains(name) {
                let (_, keeper) = &self.entries[name];
                errors.extend(keeper.order(Order::Stop).await.err());
            }
        }
        errors
    }

    /// Lets all go on without a supervisor.
    pub async fn leave(&self) {
        for (_, keeper) in self.entries.values() {
            let _ = keeper.order(Order::Leave).await;
        }
    }

    /// What is wrong with definitions.
    pub fn problems(&self) -> Vec<String> {
        self.problems.values().cloned().collect()
    }

    fn order(&self) -> Vec<String> {
        start_order(self.entries.values().map(|(service, _)| service))
    }

    fn unknown(&self, names: &[String]) -> Vec<String> {
        let unknown = names
            .iter()
            .filter(|name| !self.entries.contains_key(*name));
        unknown
            .map(|name| {
                let known: Vec<_> = self.entries.keys().map(String::as_str).collect();
                let known = match known.as_slice() {
                    [] => "there are none".to_owned(),
                    known => format!("there are {}", known.join(", ")),
                };
                format!("there is no service {name:?}: {known}")
            })
            .collect()
    }

    /// The names of all records that an earlier supervisor left.
    fn recorded(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.shared.paths.run).into_iter().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let name = name.strip_suffix(".process.json")?;
            definition::is_name(name).then(|| name.to_owned())
        });
        names.collect()
    }
}
