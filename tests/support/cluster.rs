//! A cluster's tree in a directory of its own, made by `kpki init`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::cluster::blueprint::{Artifact, ArtifactId, Blueprint, CertificateEntry, Part};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, ProfileReference};
use pki_core::cluster::{Location, Root};
use tempfile::TempDir;

use crate::command::succeed;
use crate::kpki;

/// What a cluster's directory is called.
pub const DIRECTORY: &str = "kubernetes";

/// An issued cluster; the directory goes with it.
#[derive(Debug)]
pub struct Cluster {
    temporary: TempDir,
    /// What it is made from.
    pub spec: ClusterSpec,
    /// What it is meant to hold.
    pub blueprint: Blueprint,
}

/// A leaf certificate on disk.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// What it is called.
    pub artifact: &'a Artifact,
    /// What it is meant to be.
    pub entry: &'a CertificateEntry,
    /// The file that holds the certificate: PEM or a kubeconfig.
    pub file: PathBuf,
    /// The file that holds its key.
    pub key: PathBuf,
    /// Its issuer's certificate, in the CA directory.
    pub issuer: PathBuf,
}

impl Leaf<'_> {
    /// What it is to be used for, in the judge's words.
    pub fn usages(&self) -> Vec<&'static str> {
        let usages = self.entry.request.usages.iter();
        usages.map(|usage| usage.as_str()).collect()
    }

    /// The names and addresses it is to be valid for.
    pub fn names(&self) -> Vec<String> {
        let names = self.entry.request.sans.iter();
        names.map(ToString::to_string).collect()
    }
}

impl Cluster {
    /// `kpki init` with these arguments, and what its cluster.toml says.
    pub fn init(arguments: &[&str]) -> Self {
        Self::init_in(
            tempfile::tempdir().expect("a temporary directory"),
            arguments,
        )
    }

    /// `kpki init --spec` with this text.
    pub fn init_from(spec: &str) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let file = temporary.path().join("spec.toml");
        fs::write(&file, spec).expect("written");
        let file = file.to_str().expect("plain").to_owned();
        Self::init_in(temporary, &["--spec", &file])
    }

    /// `kpki init` beside what a test has put into the directory already.
    pub fn init_in(temporary: TempDir, arguments: &[&str]) -> Self {
        let dir = temporary.path().join(DIRECTORY);
        let mut command = kpki::command(&["init"]);
        succeed(command.args(arguments).arg("--dir").arg(dir));
        Self::open(temporary)
    }

    /// What some other command of kpki has made in [`DIRECTORY`] below it.
    pub fn open(temporary: TempDir) -> Self {
        let dir = temporary.path().join(DIRECTORY);
        let text = read(&dir.join("cluster.toml"));
        let spec = ClusterSpec::from_toml(&text).unwrap_or_else(|error| panic!("{error}"));
        let ProfileReference::Shipped(name) = spec.profile() else {
            panic!("tests use the shipped profiles");
        };
        let profile = Profile::shipped(name).expect("it is shipped");
        Self {
            temporary,
            blueprint: Blueprint::new(&spec, &profile).unwrap_or_else(|error| panic!("{error}")),
            spec,
        }
    }

    /// What `--dir` names.
    pub fn dir(&self) -> PathBuf {
        self.temporary.path().join(DIRECTORY)
    }

    /// Where the authorities are.
    pub fn authorities(&self) -> PathBuf {
        self.dir().join("ca")
    }

    /// A node's `/etc/kubernetes`.
    pub fn node(&self, name: &str) -> PathBuf {
        let path = self.dir().join("nodes").join(name);
        assert!(path.is_dir(), "there is no {}", path.display());
        path
    }

    /// Room for what a test needs besides the tree, deleted with it.
    pub fn scratch(&self, name: &str) -> PathBuf {
        let path = self.temporary.path().join(name);
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    /// Where a location is.
    pub fn path(&self, location: &Location) -> PathBuf {
        let root = match location.root {
            Root::Tree => self.dir(),
            Root::Authorities => self.authorities(),
        };
        root.join(location.path.as_str())
    }

    /// Runs `kpki` with `--dir` on it.
    pub fn kpki(&self, arguments: &[&str]) -> Command {
        let mut command = kpki::command(arguments);
        command.arg("--dir").arg(self.dir());
        command
    }

    /// The first file that holds this part of an artifact.
    pub fn file(&self, id: &ArtifactId, part: Part) -> PathBuf {
        let artifact = self.blueprint.artifact(id).expect("a known artifact");
        let placement = artifact.placements.iter().find(|p| p.part == part);
        self.path(&placement.expect("it has this part").location)
    }

    /// Every leaf certificate in every place where it is.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        for artifact in self.blueprint.artifacts() {
            let Some(entry) = artifact.content.leaf() else {
                continue;
            };
            for placement in &artifact.placements {
                let file = self.path(&placement.location);
                let key = match placement.part {
                    Part::Whole => file.clone(),
                    Part::Certificate => file.with_extension("key"),
                    _ => continue,
                };
                leaves.push(Leaf {
                    artifact,
                    entry,
                    file,
                    key,
                    issuer: self.file(&entry.issuer, Part::Certificate),
                });
            }
        }
        leaves
    }
}

/// Reads a file that has to be there.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
