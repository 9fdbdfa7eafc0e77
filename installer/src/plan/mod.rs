//! What has to change on a machine, each change with its reasons. Pure.

mod compare;
mod removal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::desired::{DirectoryContents, Resource, ResourceId, Stage};
use crate::machine::ledger::{Before, Entry, Made, State};
use crate::machine::{Found, Ledger, Observed};

/// What has to change on a machine.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// In the order of their stages, within one as it was wanted; what goes comes last in its stage.
    pub changes: Vec<Change>,
    /// What is in the way. Nothing is changed as long as there is something.
    pub obstacles: Vec<Obstacle>,
    /// What has to be in the ledger before anything is done.
    #[serde(skip)]
    announced: BTreeMap<Stage, Vec<Entry>>,
    /// What the ledger says and is not so any more.
    #[serde(skip)]
    forgotten: BTreeMap<Stage, Vec<ResourceId>>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Of what.
    pub id: ResourceId,
    /// When it is made.
    pub stage: Stage,
    /// What is done.
    pub action: Action,
    /// Why a node needs the resource.
    pub why: String,
    /// How what is there differs from what is wanted.
    pub reasons: Vec<String>,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is not there.
    Create,
    /// It is there and differs.
    Update,
    /// A service that is down, or has to read what it reads when it starts.
    Restart,
    /// It is not wanted any more.
    Remove,
}

/// Something in the way that kinstall did not make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Obstacle {
    /// Of what it is in the way.
    pub id: ResourceId,
    /// What is there.
    pub fact: String,
    /// What would mend it.
    pub hint: String,
}

/// What comes of comparing one resource.
enum Verdict {
    /// It is as wanted.
    Fine,
    /// It is not.
    Differs(Action, Vec<String>),
    /// Something else is in its place.
    Blocked { fact: String, hint: String },
}

impl Plan {
    /// What has to change so that a machine is as desired. What the ledger does not hold is never removed,
    /// and never written over.
    pub fn new(desired: &[Resource], observed: &Observed, ledger: &Ledger) -> Self {
        let known: BTreeMap<&ResourceId, &Entry> = ledger
            .entries()
            .iter()
            .map(|entry| (&entry.id, entry))
            .collect();
        let mut planner = Planner {
            observed,
            known,
            plan: Self::default(),
            parents: BTreeSet::new(),
        };
        let mut in_order: Vec<&Resource> = desired.iter().collect();
        in_order.sort_by_key(|resource| resource.stage);
        for resource in in_order {
            planner.resource(resource);
        }
        removal::plan(desired, observed, ledger, &mut planner.plan);
        let mut plan = planner.plan;
        // Stable: within a stage the order stays.
        plan.changes.sort_by_key(|change| change.stage);
        plan
    }

    /// Whether the machine is as desired.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.obstacles.is_empty()
    }

    /// What the ledger has to hold before a stage begins.
    pub(crate) fn announced(&self, stage: Stage) -> &[Entry] {
        self.announced.get(&stage).map_or(&[], Vec::as_slice)
    }

    /// What the ledger does not need to hold after a stage.
    pub(crate) fn forgotten(&self, stage: Stage) -> &[ResourceId] {
        self.forgotten.get(&stage).map_or(&[], Vec::as_slice)
    }
}

struct Planner<'a> {
    observed: &'a Observed,
    known: BTreeMap<&'a ResourceId, &'a Entry>,
    plan: Plan,
    /// Directories above something that have to be made, whether somebody asked for them or not.
    parents: BTreeSet<PathBuf>,
}

impl Planner<'_> {
    fn resource(&mut self, resource: &Resource) {
        let id = resource.id();
        let made = Made::of(resource);
        if let Some(path) = made.path()
            && !self.above(&id, path, resource.stage)
        {
            return;
        }
        let found = self.observed.of(&id);
        let known = self.known.get(&id).copied();
        let state = match compare::compare(resource, found, known) {
            Verdict::Fine => State::Done,
            Verdict::Blocked { fact, hint } => {
                self.obstacle(&id, fact, hint);
                return;
            }
            Verdict::Differs(action, reasons) => {
                self.plan.changes.push(Change {
                    id: id.clone(),
                    stage: resource.stage,
                    action,
                    why: resource.why.clone(),
                    reasons,
                });
                State::Intended
            }
        };
        let before = before(known, found);
        let stage = resource.stage;
        self.announce(Entry {
            id,
            stage,
            state,
            made,
            before,
        });
    }

    /// Looks at what is above a path: missing directories will be made. False when one is no directory.
    fn above(&mut self, id: &ResourceId, path: &Path, stage: Stage) -> bool {
        let ancestors: Vec<_> = path.ancestors().skip(1).collect();
        for ancestor in ancestors.into_iter().rev() {
            let Some(above) = self.observed.above.get(ancestor) else {
                continue;
            };
            if let Some((fact, hint)) = compare::above(ancestor, *above) {
                self.obstacle(id, fact, hint);
                return false;
            }
            if !above.is_missing() || !self.parents.insert(ancestor.to_owned()) {
                continue;
            }
            let id = ResourceId(format!("directory {}", ancestor.display()));
            let announced = self.plan.announced.values().flatten();
            if announced.into_iter().any(|entry| entry.id == id) {
                continue;
            }
            self.announce(Entry {
                id,
                stage,
                state: State::Intended,
                made: Made::Directory {
                    path: ancestor.to_owned(),
                    contents: DirectoryContents::Foreign,
                },
                before: Before::Absent,
            });
        }
        true
    }

    /// What is in the way of many is told once.
    fn obstacle(&mut self, id: &ResourceId, fact: String, hint: String) {
        let obstacles = &mut self.plan.obstacles;
        if obstacles.iter().all(|old| old.fact != fact) {
            let id = id.clone();
            obstacles.push(Obstacle { id, fact, hint });
        }
    }

    fn announce(&mut self, entry: Entry) {
        let entries = self.plan.announced.entry(entry.stage).or_default();
        // A directory above that is wanted itself is announced as that.
        if let Some(old) = entries.iter_mut().find(|old| old.id == entry.id) {
            *old = entry;
        } else if self.known.get(&entry.id).is_none_or(|old| **old != entry) {
            entries.push(entry);
        }
    }
}

/// What was there before kinstall: what the ledger says, but for what went away since.
fn before(known: Option<&Entry>, found: &Found) -> Before {
    let now = match found {
        Found::Absent | Found::Unknown => Before::Absent,
        Found::Account { user, group, .. } => Before::Account {
            user: user.is_some(),
            group: group.is_some(),
        },
        Found::Directory {
            mode,
            owner,
            entries,
        } => Before::Directory {
            mode: *mode,
            owner: *owner,
            entries: entries.clone(),
        },
        Found::Sysctl(value) => Before::Value(value.clone()),
        Found::Matches(names) => Before::Existing(names.clone()),
        Found::File { .. }
        | Found::Symlink(_)
        | Found::Special
        | Found::Present
        | Found::Service(_) => Before::Same,
    };
    match known.map(|entry| &entry.before) {
        None => now,
        Some(Before::Same | Before::Directory { .. }) if *found == Found::Absent => Before::Absent,
        Some(Before::Account { user, group }) => match now {
            Before::Account { user: u, group: g } => Before::Account {
                user: *user && u,
                group: *group && g,
            },
            _ => Before::Absent,
        },
        Some(before) => before.clone(),
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Restart => "restart",
            Self::Remove => "remove",
        })
    }
}
