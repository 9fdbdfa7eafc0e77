//! Why a bundle was not packed or not opened.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::SpecError;
use pki_core::converge::problem::Problem;

use super::manifest::ManifestError;
use crate::machine::HostError;
use crate::machine::node_source::SourceError;
use crate::machine::programs::ProgramProblem;

/// Why a bundle was not packed or not opened.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The cluster's directory does not give the node.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Programs that the node needs are not as they have to be.
    #[error("the node's programs are not here")]
    Programs(Vec<ProgramProblem>),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bundle would replace another file.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A program was replaced while it was packed.
    #[error("{} changed while it was packed", .0.display())]
    Changed(PathBuf),
    /// What was gathered makes no bundle that could be opened.
    #[error("the node's files make no bundle: {0}")]
    Unpackable(ManifestError),
    /// It is no bundle.
    #[error("{} is not a bundle of kinstall's", .0.display())]
    NoBundle(PathBuf),
    /// It is encrypted, and no passphrase was given.
    #[error("{} is encrypted", .0.display())]
    Encrypted(PathBuf),
    /// A passphrase was given, and it is not encrypted: anybody could have made it.
    #[error("{} is not encrypted, and a passphrase was given", .0.display())]
    NotEncrypted(PathBuf),
    /// The passphrase is another.
    #[error("{}: the passphrase is another one", .0.display())]
    WrongPassphrase(PathBuf),
    /// It is not as it was packed.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// It is not the file that was meant.
    #[error("{} has the digest sha256:{is}, and not sha256:{wanted}", path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// What it has.
        is: String,
    },
    /// Its manifest cannot be used.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// Which bundle.
        path: PathBuf,
        /// Why.
        source: ManifestError,
    },
    /// Its cluster.toml has mistakes.
    #[error("{}: its cluster.toml: {source}", path.display())]
    Spec {
        /// Which bundle.
        path: PathBuf,
        /// All of them.
        source: SpecError,
    },
    /// It is for another machine than this one.
    #[error("{} is for node {node} at {}, and this machine has {}", path.display(), list(addresses), list(here))]
    OtherMachine {
        /// Which bundle.
        path: PathBuf,
        /// Whose it is.
        node: String,
        /// The node's addresses.
        addresses: Vec<IpAddr>,
        /// This machine's.
        here: Vec<IpAddr>,
    },
    /// It is for another node, or of another cluster, than what was said.
    #[error("{} is for {what} {is}, and not for {wanted}", path.display())]
    Other {
        /// Which bundle.
        path: PathBuf,
        /// `node` or `cluster`.
        what: &'static str,
        /// Whose it is.
        is: String,
        /// Whose it should be.
        wanted: String,
    },
    /// This machine is a node of kinstall's already, and another.
    #[error("this machine is node {is} already, and {} is for {node}", path.display())]
    AlreadyNode {
        /// Which bundle.
        path: PathBuf,
        /// Whose it is.
        node: String,
        /// What the machine is.
        is: String,
    },
    /// Its programs do not run here.
    #[error("the programs in {} are for {wanted}, and this machine is {here}", path.display())]
    Architecture {
        /// Which bundle.
        path: PathBuf,
        /// What they are for.
        wanted: String,
        /// What this machine is.
        here: &'static str,
    },
    /// Programs that it names, and does not hold, are not on this machine.
    #[error("the bundle has digests alone, and this machine's programs are others{}", lines(.0))]
    OtherPrograms(Vec<String>),
    /// The place of bundles has something that is not kinstall's.
    #[error("{} is there already, and kinstall did not make it", .0.display())]
    Foreign(PathBuf),
    /// The machine's ledger, or something of the machine.
    #[error(transparent)]
    Host(#[from] HostError),
}

fn list(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    match addresses.as_slice() {
        [] => "no address".to_owned(),
        _ => addresses.join(", "),
    }
}

fn lines(texts: &[String]) -> String {
    let texts = texts.iter();
    texts.map(|text| format!("\n  {text}")).collect()
}

impl BundleError {
    pub(super) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Every problem with its hint.
    pub fn problems(&self) -> Vec<Problem> {
        let with = |hint: &str| vec![Problem::new(self.to_string(), hint)];
        match self {
            Self::Source(SourceError::NoNode { nodes, .. }) => {
                let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
                with(&format!(
                    "name one of {}; or add it to cluster.toml and run kpki apply",
                    nodes.join(", ")
                ))
            }
            Self::Source(error) => error.problems(),
            Self::Programs(problems) => {
                let problems = problems.iter();
                let told = problems.map(|one| Problem::new(one.to_string(), one.hint()));
                told.collect()
            }
            Self::Io { path, source } => vec![Problem::io(path, source)],
            Self::Exists(_) => with("choose another name, or replace it with --force"),
            Self::Changed(_) => with("run it again"),
            Self::Unpackable(_) => with(
                "name files of your own profile with letters, digits, dots, hyphens and underscores",
            ),
            Self::NoBundle(_) => with("name what kinstall bundle wrote"),
            Self::Encrypted(_) => with("give its passphrase: --passphrase-file FILE"),
            Self::NotEncrypted(_) => {
                with("make sure where it comes from; then leave --passphrase-file out")
            }
            Self::WrongPassphrase(_) => with("give the passphrase that it was packed with"),
            Self::Damaged { .. } => with(
                "nothing was written; bring the bundle here again, and compare its digest: sha256sum",
            ),
            Self::Digest { .. } => with(
                "nothing was written; bring the bundle here again, or give the digest that kinstall bundle printed",
            ),
            Self::Manifest {
                source: ManifestError::Format(_),
                ..
            } => with("take the kinstall out of the bundle, and use that"),
            Self::Manifest { .. } => with("nothing was written; pack it anew: kinstall bundle"),
            Self::Spec { path, source } => {
                Problem::of_spec(source, &format!("{}: cluster.toml", path.display()))
            }
            Self::OtherMachine { .. } => with(
                "nothing was written; bring this machine the bundle of its own node, or mend cluster.toml",
            ),
            Self::Other { .. } => {
                with("nothing was written; bring this machine the bundle of its own node")
            }
            Self::AlreadyNode { .. } => {
                with("bring this machine its own bundle; or take away what it is: kinstall reset")
            }
            Self::Architecture { .. } => with(
                "pack it with the other programs: kinstall bundle --bin-dir DIR, with a kinstall for that machine",
            ),
            Self::OtherPrograms(_) => with(
                "put just these programs here and name their directory with --bin-dir; or pack them: kinstall bundle without --digests",
            ),
            Self::Foreign(path) => with(&format!("move {} away", path.display())),
            Self::Host(error) => vec![Problem {
                fact: error.to_string(),
                hint: error.hint(),
            }],
        }
    }
}
