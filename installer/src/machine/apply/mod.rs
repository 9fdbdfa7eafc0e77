//! The one that changes a machine: a plan's stage at a time, each change announced in the ledger first.

mod accounts;
mod directory;
mod files;
mod kernel;
mod remove;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use super::effect::{EffectError, ImageStore, ServiceManager};
use super::error::HostError;
use super::fuse::Fuse;
use super::ledger::{Before, Entry, Ledger, LedgerStore, Made, State};
use super::root::Root;
use crate::desired::{Image, Kind, Resource, ResourceId, Stage};
use crate::plan::{Action, Change, Plan};
use files::Batch;

pub(super) use accounts::remove as remove_account;
pub(super) use files::remove as remove_file;
pub(super) use kernel::write_sysctl;
pub(super) use remove::{remove_directory, remove_tree};

/// A machine that may be changed: no other kinstall does as long as this is there.
#[derive(Debug)]
pub struct Host {
    root: Root,
    store: LedgerStore,
}

/// What changes services and images.
#[derive(Clone, Copy)]
pub struct Effects<'a> {
    /// Services.
    pub services: &'a dyn ServiceManager,
    /// Images; nothing as long as containerd does not run.
    pub images: Option<&'a dyn ImageStore>,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// This begins.
    Begins(&'a Change),
    /// This is done.
    Done(&'a Change),
}

impl Host {
    /// Takes the machine's lock and reads its ledger. What a run that was interrupted left half written
    /// goes away.
    ///
    /// # Errors
    /// When another kinstall is at work, or the ledger cannot be read.
    pub fn open(root: Root) -> Result<Self, HostError> {
        let store = LedgerStore::open(&root)?;
        let host = Self { root, store };
        host.recover()?;
        Ok(host)
    }

    /// What was done so far.
    pub fn ledger(&self) -> &Ledger {
        self.store.ledger()
    }

    /// Where the machine's root is.
    pub fn root(&self) -> &Root {
        &self.root
    }

    pub(super) fn into_parts(self) -> (Root, LedgerStore) {
        (self.root, self.store)
    }

    #[cfg(test)]
    pub(crate) fn burn_after(&mut self, effects: u32) {
        self.store.fuse = Fuse::after(effects);
    }

    pub(crate) fn fuse(&self) -> &Fuse {
        &self.store.fuse
    }

    /// Makes a directory that is not a plan's to fill, and announces it in the ledger first. False where something is there
    /// that kinstall did not make: then nothing is done.
    ///
    /// # Errors
    /// When the ledger or the directory cannot be written.
    pub fn announce_directory(&mut self, resource: &Resource) -> Result<bool, HostError> {
        let Kind::Directory(wanted) = &resource.kind else {
            return Ok(false);
        };
        let id = resource.id();
        if self.ledger().entry(&id).is_none() {
            if self.root.join(&wanted.path).symlink_metadata().is_ok() {
                return Ok(false);
            }
            let entry = Entry {
                id: id.clone(),
                stage: resource.stage,
                state: State::Intended,
                made: Made::of(resource),
                before: Before::Absent,
            };
            self.store.commit(|ledger| ledger.put(entry))?;
        }
        let owner = directory::own(&self.root);
        directory::make(
            &self.root,
            &wanted.path,
            wanted.mode.bits().into(),
            owner,
            self.fuse(),
        )?;
        self.store.commit(|ledger| {
            if let Some(entry) = ledger.entry_mut(&id) {
                entry.state = State::Done;
            }
        })?;
        Ok(true)
    }

    /// Makes the changes of one stage. First all of them are announced in the ledger.
    ///
    /// # Errors
    /// [`HostError`] at the first change that fails; those before it are done. A later run goes on there.
    pub fn apply_stage(
        &mut self,
        plan: &Plan,
        stage: Stage,
        desired: &[Resource],
        effects: Effects<'_>,
        report: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), HostError> {
        if !plan.obstacles.is_empty() {
            return Err(HostError::Obstacles(plan.obstacles.len()));
        }
        let announced = plan.announced(stage);
        self.store.commit(|ledger| {
            for entry in announced {
                ledger.put(entry.clone());
            }
        })?;
        let wanted: BTreeMap<ResourceId, &Resource> = desired
            .iter()
            .map(|resource| (resource.id(), resource))
            .collect();
        let changes = plan.changes.iter().filter(|change| change.stage == stage);
        let mut batch = Batch::default();
        let mut images = Vec::new();
        for change in changes.clone() {
            let resource = wanted.get(&change.id).copied();
            let resource = resource.filter(|_| change.action != Action::Remove);
            match resource.map(|resource| &resource.kind) {
                Some(kind @ (Kind::Directory(_) | Kind::File(_) | Kind::Symlink(_))) => {
                    report(Progress::Begins(change));
                    batch.add(&self.root, self.fuse(), change, kind)?;
                }
                Some(Kind::Image(image)) => {
                    report(Progress::Begins(change));
                    images.push((change, image));
                }
                kind => {
                    batch.finish(self.fuse(), report)?;
                    report(Progress::Begins(change));
                    self.apply(change, kind, effects)?;
                    report(Progress::Done(change));
                }
            }
        }
        batch.finish(self.fuse(), report)?;
        import(self.fuse(), effects, &images, report)?;
        let forgotten = plan.forgotten(stage);
        self.store.commit(|ledger| {
            for entry in announced {
                if let Some(entry) = ledger.entry_mut(&entry.id) {
                    entry.state = State::Done;
                }
            }
            for change in changes.filter(|change| change.action == Action::Remove) {
                ledger.forget(&change.id);
            }
            for id in forgotten {
                ledger.forget(id);
            }
        })?;
        Ok(())
    }

    /// One change that is not of a file or an image; without what is wanted, a removal.
    fn apply(
        &mut self,
        change: &Change,
        wanted: Option<&Kind>,
        effects: Effects<'_>,
    ) -> Result<(), HostError> {
        let path = self.root.path().to_owned();
        let burnt = |error| HostError::io(&path, "interrupted", error);
        self.fuse().burn().map_err(burnt)?;
        let Some(wanted) = wanted else {
            return self.remove(change, effects);
        };
        match wanted {
            Kind::Account(account) => accounts::make(&self.root, account),
            Kind::Sysctl(sysctl) => self.set_sysctl(&change.id, sysctl),
            Kind::Module(module) => kernel::load(&self.root, module),
            Kind::Service(service) => Ok(effects.services.install(service)?),
            // Files and images are made many at once, and traces are only announced.
            Kind::Directory(_)
            | Kind::File(_)
            | Kind::Symlink(_)
            | Kind::Image(_)
            | Kind::Trace(_) => Ok(()),
        }
    }

    /// Takes away what was half written when a run ended.
    fn recover(&self) -> Result<(), HostError> {
        let entries = self.ledger().entries().iter();
        for entry in entries.filter(|entry| entry.state == State::Intended) {
            match &entry.made {
                Made::File { path } | Made::Symlink { path } => {
                    files::remove_temporary(&self.root, path)?;
                }
                Made::Directory { path, .. } => directory::remove_temporary(&self.root, path)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Imports the images that are not there yet, several at once.
fn import(
    fuse: &Fuse,
    effects: Effects<'_>,
    images: &[(&Change, &Image)],
    report: &mut dyn FnMut(Progress<'_>),
) -> Result<(), HostError> {
    if images.is_empty() {
        return Ok(());
    }
    let burnt = |error| HostError::io(Path::new("/"), "interrupted", error);
    fuse.burn().map_err(burnt)?;
    let store = store(effects)?;
    // The plan of a first run was made before containerd ran, so it knew of none. A name says all of an image's content.
    let present = store.present().unwrap_or_default();
    let (there, missing): (Vec<_>, Vec<_>) = images
        .iter()
        .partition(|(_, image)| present.contains(&image.reference));
    for (change, _) in there {
        report(Progress::Done(change));
    }
    let wanted: Vec<&Image> = missing.iter().map(|(_, image)| *image).collect();
    let results = store.import_all(&wanted, &|_, _| {});
    let mut first = Ok(());
    for ((change, _), result) in missing.iter().zip(results) {
        match result {
            Ok(()) => report(Progress::Done(change)),
            Err(error) if first.is_ok() => first = Err(error.into()),
            Err(_) => {}
        }
    }
    first
}

fn store(effects: Effects<'_>) -> Result<&dyn ImageStore, EffectError> {
    effects.images.ok_or_else(|| EffectError {
        fact: "containerd does not run, so no image can be imported".to_owned(),
        hint: Some("see kinstall logs containerd".to_owned()),
    })
}
