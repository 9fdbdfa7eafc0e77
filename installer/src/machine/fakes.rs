//! Stand-ins for the tests of plan, executor and reset.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use pki_core::cluster::FileMode;

use super::apply::{Effects, Host};
use super::effect::{EffectError, ImageStore, ServiceManager, ServiceState};
use super::error::HostError;
use super::observe::Observed;
use super::root::Root;
use crate::desired::{
    Contents, Directory, DirectoryContents, File, Image, Kind, Owner, Resource, Service, Stage,
    Symlink,
};
use crate::plan::Plan;

/// Services that only remember what they were told.
#[derive(Default)]
pub(crate) struct FakeServices(pub(crate) RefCell<BTreeMap<String, Service>>);

impl ServiceManager for FakeServices {
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError> {
        Ok(self.0.borrow().get(name).map(|service| ServiceState {
            definition: service.clone(),
            running: true,
            since: None,
            process: Some(1),
            restarts: 0,
            last_end: None,
        }))
    }

    fn install(&self, service: &Service) -> Result<(), EffectError> {
        let name = service.name.clone();
        self.0.borrow_mut().insert(name, service.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), EffectError> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }
}

/// The same of images.
#[derive(Default)]
pub(crate) struct FakeImages(pub(crate) RefCell<BTreeSet<String>>);

impl ImageStore for FakeImages {
    fn present(&self) -> Result<BTreeSet<String>, EffectError> {
        Ok(self.0.borrow().clone())
    }

    fn import(&self, image: &Image) -> Result<(), EffectError> {
        self.0.borrow_mut().insert(image.reference.clone());
        Ok(())
    }

    fn remove(&self, reference: &str) -> Result<(), EffectError> {
        self.0.borrow_mut().remove(reference);
        Ok(())
    }
}

/// A machine in a directory.
pub(crate) struct FakeMachine {
    scratch: tempfile::TempDir,
    pub(crate) services: FakeServices,
    pub(crate) images: FakeImages,
}

impl FakeMachine {
    /// With what every machine has.
    pub(crate) fn new() -> Self {
        let machine = Self {
            scratch: scratch(),
            services: FakeServices::default(),
            images: FakeImages::default(),
        };
        for path in ["/etc", "/run", "/var/lib", "/proc/sys/net/ipv4"] {
            fs::create_dir_all(machine.root().join(path)).unwrap();
        }
        machine.write("/proc/sys/net/ipv4/ip_forward", "0\n");
        machine
    }

    pub(crate) fn root(&self) -> Root {
        Root::at(self.scratch.path())
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Everything below the root: modes, contents and where links lead.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        tree(self.scratch.path(), self.scratch.path(), &mut found);
        found
    }

    pub(crate) fn plan(&self, desired: &[Resource]) -> Plan {
        let ledger = super::Ledger::read(&self.root()).unwrap();
        let images = Some(&self.images as &dyn ImageStore);
        let observed =
            Observed::read(&self.root(), desired, &ledger, &self.services, images).unwrap();
        Plan::new(desired, &observed, &ledger)
    }

    /// A whole run, which ends after so many effects.
    pub(crate) fn run(&self, desired: &[Resource], fuse: Option<u32>) -> Result<Plan, HostError> {
        let mut host = Host::open(self.root())?;
        if let Some(fuse) = fuse {
            host.burn_after(fuse);
        }
        let plan = self.plan(desired);
        let effects = Effects {
            services: &self.services,
            images: Some(&self.images),
        };
        for stage in Stage::ALL {
            host.apply_stage(&plan, stage, desired, effects, &mut |_| {})?;
        }
        Ok(plan)
    }
}

/// In memory where there is such a place: the disk is synced very often.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn tree(root: &Path, path: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let data = path.symlink_metadata().unwrap();
        let mode = data.mode() & 0o7777;
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let text = if data.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if data.is_dir() {
            tree(root, &path, found);
            format!("{mode:04o}")
        } else {
            format!("{mode:04o} {}", fs::read_to_string(&path).unwrap())
        };
        found.insert(name, text);
    }
}

pub(crate) fn resource(stage: Stage, kind: Kind) -> Resource {
    Resource {
        stage,
        why: "a test wants it".into(),
        kind,
    }
}

/// Ourselves: a test need not be root.
pub(crate) fn owner() -> Owner {
    Owner {
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
    }
}

pub(crate) fn file(path: &str, text: &str, mode: u16) -> Resource {
    resource(
        Stage::Files,
        Kind::File(File {
            path: path.into(),
            contents: Contents::new(text),
            mode: FileMode::new(mode).unwrap(),
            owner: owner(),
        }),
    )
}

pub(crate) fn directory(path: &str, mode: u16, contents: DirectoryContents) -> Resource {
    resource(
        Stage::Files,
        Kind::Directory(Directory {
            path: path.into(),
            mode: FileMode::new(mode).unwrap(),
            owner: owner(),
            contents,
        }),
    )
}

pub(crate) fn symlink(path: &str, target: &str) -> Resource {
    let (path, target) = (path.into(), target.into());
    resource(Stage::Files, Kind::Symlink(Symlink { path, target }))
}

pub(crate) fn image(reference: &str) -> Resource {
    resource(
        Stage::Images,
        Kind::Image(Image {
            reference: reference.into(),
            entrypoint: Vec::new(),
            files: BTreeMap::new(),
            links: BTreeMap::new(),
        }),
    )
}

pub(crate) fn service(name: &str, argument: &str, inputs: &str) -> Resource {
    resource(
        Stage::Runtime,
        Kind::Service(Service {
            name: name.into(),
            description: String::new(),
            program: "/bin/true".into(),
            arguments: vec![argument.into()],
            environment: BTreeMap::new(),
            after: Vec::new(),
            inputs: inputs.into(),
            stop_seconds: 1,
        }),
    )
}
