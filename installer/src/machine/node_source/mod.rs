//! From the cluster's directory to what a [`NodeSpec`](crate::desired::NodeSpec) is made of; and the PKI itself, where
//! there is none yet or cluster.toml has changed.

mod error;
mod options;
pub(crate) mod own;
mod prepare;
mod tree;
mod vantage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::spec::{ClusterSpec, Node};
use pki_core::converge::apply::{Changes, Done};
use pki_core::converge::cluster_directory::{ClusterDirectory, SPEC};
use pki_core::converge::inventory::Inventory;
use time::OffsetDateTime;

pub use error::SourceError;
pub use options::MakeOptions;
pub use vantage::Vantage;

use crate::desired::TreeFile;

/// What the cluster's directory says of one node.
#[derive(Debug)]
pub struct Source {
    /// The cluster.
    pub spec: ClusterSpec,
    /// Which of its nodes this is.
    pub node: Node,
    /// The node's tree, by path below `/etc/kubernetes`, as `pki/ca.crt`: just what the blueprint places there.
    pub tree: BTreeMap<PathBuf, TreeFile>,
    /// What spec and profile want.
    pub blueprint: Blueprint,
    /// The cluster's files that are here.
    pub inventory: Inventory,
}

/// Which cluster, and what to make of it where it is not there.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cluster's directory.
    pub dir: PathBuf,
    /// The directory of CA certificates and keys, where it is not the one that cluster.toml names.
    pub ca_dir: Option<PathBuf>,
    /// What the command line asks for. Where there is a cluster.toml, it has to agree.
    pub options: MakeOptions,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Keys and certificates that are missing or differ are made and written.
    Write,
    /// They are made in memory only, so that a plan for the machine can be shown.
    Preview,
}

/// What happened to the cluster's directory, or would.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What an interrupted run had left, and what became of it.
    pub recovered: Option<String>,
    /// Allowed but worth a word.
    pub warnings: Vec<String>,
    /// One entry for each artifact that was made or mended. Empty when the directory is as cluster.toml wants it.
    pub done: Vec<Done>,
}

/// The node of a directory, with all that it needs made first. What `kinstall node` begins with.
///
/// # Errors
/// [`SourceError`]; then the directory is as it was.
pub fn open(
    request: &Request,
    mode: Mode,
    now: OffsetDateTime,
) -> Result<(Source, Outcome), SourceError> {
    let node = request.options.node_name()?;
    let prepared = prepare::prepare(request, &node, mode, now)?;
    let source = Source::of(prepared.directory, &prepared.changes, &node)?;
    Ok((source, prepared.outcome))
}

/// The node of a directory as it is, for what changes nothing.
///
/// # Errors
/// [`SourceError`], also when a file of the node's tree is missing.
pub fn load(dir: &Path, ca_dir: Option<&Path>, node: &str) -> Result<Source, SourceError> {
    let directory = ClusterDirectory::read(dir, ca_dir)?;
    Source::of(directory, &Changes::default(), node)
}

impl Source {
    /// What `changes` hold is taken from there, the rest from the disk.
    fn of(directory: ClusterDirectory, changes: &Changes, node: &str) -> Result<Self, SourceError> {
        let node = find(&directory.spec, &directory.dir, node)?;
        let mut inventory = directory.inventory()?;
        for (location, mode, contents) in changes.secret_files() {
            inventory.add(location.clone(), mode, contents);
        }
        let tree = tree::read(&directory, changes, node.name())?;
        Ok(Self {
            spec: directory.spec,
            node,
            tree,
            blueprint: directory.blueprint,
            inventory,
        })
    }
}

fn find(spec: &ClusterSpec, dir: &Path, name: &str) -> Result<Node, SourceError> {
    spec.node(name).cloned().ok_or_else(|| SourceError::NoNode {
        file: dir.join(SPEC),
        node: name.to_owned(),
        nodes: spec
            .nodes()
            .iter()
            .map(|node| node.name().clone())
            .collect(),
    })
}
