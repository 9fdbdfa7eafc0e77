//! Undoing exactly what the ledger says, the youngest first.
//!
//! The ledger is not touched until all is undone, and every step may be done twice: interrupted anywhere,
//! another reset finishes it.

mod cgroups;
pub(crate) mod containers;
mod host;
mod network;

use std::collections::BTreeSet;
use std::path::Path;

use super::apply::{Host, remove_account, remove_directory, remove_file, remove_tree};
use super::effect::ServiceManager;
use super::error::HostError;
use super::ledger::{Before, Entry, LedgerStore, Made};
use super::root::Root;
use crate::desired::layout::STATE;
use crate::desired::{DirectoryContents, ResourceId, Trace};

/// The service whose containers are ended before it is.
const RUNTIME: &str = "containerd";

/// What else a reset does.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResetOptions {
    /// etcd's data go too.
    pub purge: bool,
}

/// What a reset did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResetReport {
    /// How many things of the ledger are gone, or as they were.
    pub undone: usize,
    /// What stays, and why.
    pub kept: Vec<String>,
    /// What could not be done and does no harm.
    pub notes: Vec<String>,
}

/// Undoes what the ledger says. `report` is told each part before it begins.
///
/// Where etcd's data stay, so does their entry in the ledger: a later reset can still purge them.
///
/// # Errors
/// At the first thing that cannot be undone. The ledger stays, and another reset goes on.
pub fn reset(
    host: Host,
    services: &dyn ServiceManager,
    options: ResetOptions,
    report: &mut dyn FnMut(&str),
) -> Result<ResetReport, HostError> {
    let (root, store) = host.into_parts();
    let entries = store.ledger().entries().to_vec();
    let mut reset = Reset {
        root: &root,
        entries: &entries,
        store: &store,
        options,
        report,
        result: ResetReport::default(),
        data: BTreeSet::new(),
    };
    reset.services(services)?;
    reset.runtime_traces()?;
    reset.files()?;
    reset.sysctls()?;
    reset.modules();
    reset.accounts()?;
    let Reset {
        mut result, data, ..
    } = reset;
    result.undone = entries.len() - data.len();
    finish(store, &data)?;
    Ok(result)
}

struct Reset<'a> {
    root: &'a Root,
    entries: &'a [Entry],
    store: &'a LedgerStore,
    options: ResetOptions,
    report: &'a mut dyn FnMut(&str),
    result: ResetReport,
    /// Data that stay.
    data: BTreeSet<ResourceId>,
}

impl<'a> Reset<'a> {
    /// The youngest first.
    fn entries(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.entries.iter().rev()
    }

    /// Every trace, with what of it was there before.
    fn traces(&self) -> impl Iterator<Item = (&'a Trace, &'a BTreeSet<String>)> + use<'a> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.entries().filter_map(|entry| match &entry.made {
            Made::Trace(trace) => Some(match &entry.before {
                Before::Existing(names) => (trace, names),
                _ => (trace, &NONE),
            }),
            _ => None,
        })
    }

    fn services(&mut self, services: &dyn ServiceManager) -> Result<(), HostError> {
        let ours = self.entries().filter(|entry| entry.before != Before::Same);
        let names = ours.filter_map(|entry| match &entry.made {
            Made::Service { name } => Some(name.as_str()),
            _ => None,
        });
        let (runtime, others): (Vec<_>, Vec<_>) = names.partition(|name| *name == RUNTIME);
        for name in others {
            (self.report)(&format!("stops {name}"));
            services.remove(name)?;
        }
        if self.root.is_machine() {
            (self.report)("ends containers");
            let groups = self.traces().filter_map(|(trace, before)| match trace {
                Trace::Cgroup(group) => Some((group.as_str(), before)),
                _ => None,
            });
            // A runtime that was here before us has containers that are not ours.
            containers::end(groups, !runtime.is_empty())?;
        }
        for name in runtime {
            (self.report)(&format!("stops {name}"));
            services.remove(name)?;
        }
        Ok(())
    }

    fn runtime_traces(&mut self) -> Result<(), HostError> {
        (self.report)("removes what components left");
        let traces: Vec<_> = self.traces().collect();
        // Mounts hold namespaces, namespaces hold links, processes are gone.
        let rank = |trace: &Trace| match trace {
            Trace::Mounts(_) => 0,
            Trace::NetworkNamespaces(_) => 1,
            Trace::Link(_) => 2,
            // What is left when links took theirs along.
            Trace::NftTable(_) | Trace::IptablesChains(_) | Trace::Routes(_) => 3,
            Trace::Cgroup(_) => 4,
            Trace::Path(_) => 5,
            Trace::Sysctl(_) => 6,
        };
        for wanted in 0..=5 {
            for (trace, before) in traces.iter().filter(|(trace, _)| rank(trace) == wanted) {
                host::undo_trace(self.root, trace, before)?;
            }
        }
        Ok(())
    }

    fn files(&mut self) -> Result<(), HostError> {
        (self.report)("removes files");
        for entry in self.entries() {
            match &entry.made {
                Made::File { path } | Made::Symlink { path } if entry.before != Before::Same => {
                    self.burn(entry)?;
                    remove_file(self.root, path)?;
                }
                // The ledger is in there: it goes last.
                Made::Directory { path, .. } if path == Path::new(STATE) => {}
                Made::Directory { path, contents } => {
                    let there = self.root.join(path).symlink_metadata().is_ok();
                    if *contents == DirectoryContents::Data && !self.options.purge {
                        if there {
                            let path = path.display();
                            self.result.kept.push(format!("{path}: data"));
                            self.data.insert(entry.id.clone());
                        }
                        continue;
                    }
                    self.burn(entry)?;
                    remove_directory(self.root, path, *contents, &entry.before, &self.store.fuse)?;
                    let left = self.root.join(path).symlink_metadata().is_ok();
                    if left && entry.before == Before::Absent {
                        let path = path.display();
                        let fact = format!("{path}: holds what kinstall did not make");
                        self.result.kept.push(fact);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn sysctls(&mut self) -> Result<(), HostError> {
        (self.report)("sets sysctls back");
        let own = self.entries().filter_map(|entry| match &entry.made {
            Made::Sysctl { key } => match &entry.before {
                Before::Value(value) => Some((key.as_str(), value.as_str())),
                _ => None,
            },
            _ => None,
        });
        // Those that components set come last: setting one of ours may change them.
        let traces = self.traces().filter_map(|(trace, before)| match trace {
            Trace::Sysctl(key) => Some((key.as_str(), before.first()?.as_str())),
            _ => None,
        });
        let all: Vec<_> = own.chain(traces).collect();
        host::set_sysctls(self.root, &all, &mut self.result.notes)
    }

    fn modules(&mut self) {
        for entry in self.entries() {
            if let Made::Module { name, proof } = &entry.made
                && entry.before == Before::Absent
                && self.root.is_machine()
                && proof.exists()
                && let Err(error) = host::unload(name)
            {
                let note = format!("the module {name} stays loaded: {error}");
                self.result.notes.push(note);
            }
        }
    }

    fn accounts(&mut self) -> Result<(), HostError> {
        for entry in self.entries() {
            if let Made::Account { name, .. } = &entry.made
                && entry.before != Before::Same
            {
                (self.report)(&format!("removes the account {name}"));
                remove_account(self.root, name, &entry.before)?;
            }
        }
        Ok(())
    }

    fn burn(&self, entry: &Entry) -> Result<(), HostError> {
        let path = entry.made.path().unwrap_or(self.root.path());
        let burnt = self.store.fuse.burn();
        burnt.map_err(|error| HostError::io(path, "cannot be removed", error))
    }
}

/// kinstall's own directory goes last, and the ledger last of it; where data stay, so does what says that
/// they are ours.
fn finish(mut store: LedgerStore, data: &BTreeSet<ResourceId>) -> Result<(), HostError> {
    for path in store.neighbours()? {
        remove_tree(&path)?;
    }
    if data.is_empty() {
        return Ok(store.erase()?);
    }
    store.commit(|ledger| ledger.retain(|entry| data.contains(&entry.id)))?;
    Ok(())
}
