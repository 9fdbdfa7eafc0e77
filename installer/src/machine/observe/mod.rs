//! What is on a machine of what is wanted, and of what kinstall made.

mod accounts;
mod files;
pub(crate) mod traces;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::effect::{ImageStore, ServiceManager, ServiceState};
use super::error::HostError;
use super::ledger::{Ledger, Made};
use super::root::Root;
use crate::desired::{Kind, Owner, Resource, ResourceId};
use accounts::Accounts;

/// What is there of each wanted resource and of each entry of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub(crate) found: BTreeMap<ResourceId, Found>,
    /// Each directory above a wanted file, directory or link.
    pub(crate) above: BTreeMap<PathBuf, Above>,
}

/// What is there of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// Nobody can tell now: containerd does not run yet.
    Unknown,
    /// Accounts of that name or number.
    Account {
        /// The number of the user of that name, and of its group.
        user: Option<(u32, u32)>,
        /// The number of the group of that name.
        group: Option<u32>,
        /// Another user that has the number.
        user_with_number: Option<String>,
        /// Another group that has the number.
        group_with_number: Option<String>,
    },
    /// A directory.
    Directory {
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        owner: Owner,
        /// What is in it.
        entries: BTreeSet<String>,
    },
    /// A regular file.
    File {
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        owner: Owner,
        /// Whether its contents are those that are wanted; false when it is not wanted at all.
        same: bool,
    },
    /// A symbolic link, and where it leads.
    Symlink(PathBuf),
    /// A device, a socket or a pipe.
    Special,
    /// A sysctl's value.
    Sysctl(String),
    /// It is there: a module, an image, or a trace that was announced before.
    Present,
    /// A service.
    Service(Box<ServiceState>),
    /// What matches a trace that was not announced yet.
    Matches(BTreeSet<String>),
}

/// What is at the place of a directory that something is to be made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Above {
    Missing,
    Directory,
    Symlink,
    Other,
}

impl Observed {
    /// Reads the machine, without following symbolic links. Images are unknown without an image store.
    ///
    /// # Errors
    /// When something is there and cannot be read, or a manager does not answer.
    pub fn read(
        root: &Root,
        desired: &[Resource],
        ledger: &Ledger,
        services: &dyn ServiceManager,
        images: Option<&dyn ImageStore>,
    ) -> Result<Self, HostError> {
        let mut observed = Self::default();
        let mut reader = Reader {
            root,
            services,
            images,
            accounts: None,
            present: None,
        };
        let known: BTreeSet<&ResourceId> = ledger.entries().iter().map(|entry| &entry.id).collect();
        for resource in desired {
            let id = resource.id();
            let made = Made::of(resource);
            let found = match made.path() {
                Some(path) if !observed.is_reachable(root, path)? => Found::Absent,
                Some(path) => match &resource.kind {
                    Kind::File(file) => files::file(&root.join(path), Some(file))?,
                    _ => files::file(&root.join(path), None)?,
                },
                None if matches!(made, Made::Trace(_)) && known.contains(&id) => Found::Present,
                None => reader.read(&made)?,
            };
            observed.found.insert(id, found);
        }
        for entry in ledger.entries() {
            if observed.found.contains_key(&entry.id) {
                continue;
            }
            let found = match entry.made.path() {
                Some(path) if !observed.is_reachable(root, path)? => Found::Absent,
                Some(path) => files::file(&root.join(path), None)?,
                None if matches!(entry.made, Made::Trace(_)) => Found::Present,
                None => reader.read(&entry.made)?,
            };
            observed.found.insert(entry.id.clone(), found);
        }
        Ok(observed)
    }

    /// What is there of one resource; nothing when it was not asked for.
    pub fn of(&self, id: &ResourceId) -> &Found {
        self.found.get(id).unwrap_or(&Found::Absent)
    }

    /// Whether all that is above a path are directories. Remembers what they are.
    fn is_reachable(&mut self, root: &Root, path: &Path) -> Result<bool, HostError> {
        let ancestors: Vec<_> = path.ancestors().skip(1).collect();
        // From the root on: below what is not a directory there is nothing to look at.
        for ancestor in ancestors.into_iter().rev() {
            if ancestor == Path::new("/") || ancestor.as_os_str().is_empty() {
                continue;
            }
            let above = match self.above.get(ancestor) {
                Some(above) => *above,
                None => {
                    let above = files::above(&root.join(ancestor))?;
                    self.above.insert(ancestor.to_owned(), above);
                    above
                }
            };
            match above {
                Above::Directory => {}
                Above::Missing => {
                    // What is below is missing too, and the plan wants to know all of it.
                    let below = path.ancestors().skip(1);
                    for missing in below.take_while(|one| *one != ancestor) {
                        self.above.insert(missing.to_owned(), Above::Missing);
                    }
                    return Ok(false);
                }
                Above::Symlink | Above::Other => return Ok(false),
            }
        }
        Ok(true)
    }
}

struct Reader<'a> {
    root: &'a Root,
    services: &'a dyn ServiceManager,
    images: Option<&'a dyn ImageStore>,
    accounts: Option<Accounts>,
    present: Option<BTreeSet<String>>,
}

impl Reader<'_> {
    fn read(&mut self, made: &Made) -> Result<Found, HostError> {
        Ok(match made {
            Made::Account { name, id } => {
                if self.accounts.is_none() {
                    self.accounts = Some(Accounts::read(self.root)?);
                }
                match &self.accounts {
                    Some(accounts) => accounts.find(name, *id),
                    None => Found::Absent,
                }
            }
            Made::Directory { path, .. } | Made::File { path } | Made::Symlink { path } => {
                files::file(&self.root.join(path), None)?
            }
            Made::Sysctl { key } => match sysctl(self.root, key)? {
                Some(value) => Found::Sysctl(value),
                None => Found::Absent,
            },
            Made::Module { proof, .. } => {
                let path = self.root.join(proof);
                match path.try_exists() {
                    Ok(true) => Found::Present,
                    Ok(false) => Found::Absent,
                    Err(error) => return Err(HostError::io(&path, "cannot be read", error)),
                }
            }
            Made::Image { reference } => match self.images {
                None => Found::Unknown,
                Some(store) => {
                    if self.present.is_none() {
                        self.present = Some(store.present()?);
                    }
                    match &self.present {
                        Some(present) if present.contains(reference) => Found::Present,
                        _ => Found::Absent,
                    }
                }
            },
            Made::Service { name } => match self.services.state(name)? {
                Some(state) => Found::Service(Box::new(state)),
                None => Found::Absent,
            },
            Made::Trace(trace) => Found::Matches(traces::matches(self.root, trace)?),
        })
    }
}

/// A sysctl's value; nothing where the kernel has none of that name.
pub(crate) fn sysctl(root: &Root, key: &str) -> Result<Option<String>, HostError> {
    let path = root.join(Path::new("/proc/sys").join(key));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HostError::io(&path, "cannot be read", error)),
    }
}

impl Above {
    pub(crate) fn is_missing(self) -> bool {
        self == Self::Missing
    }
}
