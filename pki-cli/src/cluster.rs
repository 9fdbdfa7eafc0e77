//! A cluster in its directory: cluster.toml, the profile it names, and the blueprint of both.

use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, ProfileReference};
use pki_core::cluster::{Location, Root};
use pki_core::converge::inventory::Inventory;

use crate::arguments::Tree;
use crate::output::errors::Failure;

/// The spec's file name.
pub const SPEC: &str = "cluster.toml";

/// Spec, blueprint and places of one cluster.
pub struct Cluster {
    pub dir: PathBuf,
    pub authorities: PathBuf,
    pub spec: ClusterSpec,
    pub blueprint: Blueprint,
}

impl Cluster {
    /// Reads the cluster in a directory.
    pub fn open(tree: &Tree) -> Result<Self, Failure> {
        let (file, text) = read_spec(&tree.dir)?;
        let name = file.display().to_string();
        let spec = ClusterSpec::from_toml(&text).map_err(|error| Failure::spec(&error, &name))?;
        Self::of(&tree.dir, spec, &file, tree.ca_dir.as_deref())
    }

    /// The cluster of a spec that was read from `file`, which relative paths in it are relative to.
    pub fn of(
        dir: &Path,
        spec: ClusterSpec,
        file: &Path,
        ca_dir: Option<&Path>,
    ) -> Result<Self, Failure> {
        let base = file.parent().unwrap_or(Path::new(""));
        let profile = profile(spec.profile(), base)?;
        let blueprint = Blueprint::new(&spec, &profile)
            .map_err(|error| Failure::blueprint(&error, &spec, &file.display().to_string()))?;
        let authorities = spec.authorities_dir(dir, base, ca_dir);
        Ok(Self {
            dir: dir.to_owned(),
            authorities,
            spec,
            blueprint,
        })
    }

    /// What is on disk.
    pub fn inventory(&self) -> Result<Inventory, Failure> {
        Ok(Inventory::read(&self.dir, &self.authorities)?)
    }

    /// A file as a person would name it from here.
    pub fn path(&self, location: &Location) -> PathBuf {
        match location.root {
            Root::Tree => self.dir.join(location.path.as_str()),
            Root::Authorities => self.authorities.join(location.path.as_str()),
        }
    }

    /// `--dir X` for the next command, where it is needed.
    pub fn dir_flag(&self) -> String {
        if self.dir == Path::new("kubernetes") {
            String::new()
        } else {
            let dir = self.dir.to_string_lossy();
            format!(" --dir {}", crate::output::words::shell(&dir))
        }
    }
}

/// The text of a directory's cluster.toml.
pub fn read_spec(dir: &Path) -> Result<(PathBuf, String), Failure> {
    let file = dir.join(SPEC);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok((file, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::new(format_args!("{} does not exist", file.display())).hint(
                "name the cluster's directory with --dir, or make one: kpki init --service-cidr 10.3.0.0/24",
            ))
        }
        Err(error) => Err(Failure::io(&file, &error)),
    }
}

/// The profile that a spec in the directory `base` asks for.
fn profile(reference: &ProfileReference, base: &Path) -> Result<Profile, Failure> {
    match reference {
        ProfileReference::Shipped(name) => {
            Ok(Profile::shipped(name).expect("a spec names only shipped profiles and paths"))
        }
        ProfileReference::File(path) => {
            let path = base.join(path);
            let text =
                std::fs::read_to_string(&path).map_err(|error| Failure::io(&path, &error))?;
            Profile::from_toml(&text)
                .map_err(|error| Failure::profile(&error, &path.display().to_string()))
        }
    }
}
