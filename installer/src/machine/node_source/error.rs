//! Why a cluster's directory does not give a node.

use std::io;
use std::path::PathBuf;

use pki_core::cluster::spec::{NodeName, SpecError};
use pki_core::converge::apply::ApplyError;
use pki_core::converge::cluster_directory::ReadError;
use pki_core::converge::host::HostError;
use pki_core::converge::inventory::InventoryError;
use pki_core::converge::problem::Problem;
use pki_core::converge::store::StoreError;
use time::OffsetDateTime;

/// Why a cluster's directory does not give a node.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The directory cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no cluster.toml, and nothing to make one of.
    #[error("{} does not exist, and no --service-cidr is given to make it of", .0.display())]
    NothingGiven(PathBuf),
    /// The command line has mistakes.
    #[error("{source}")]
    Options {
        /// The file that they would be in.
        file: PathBuf,
        /// All of them.
        source: SpecError,
    },
    /// A path of the command line makes no sense.
    #[error("{}: {reason}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// cluster.toml says something else than the command line.
    #[error("the command line and cluster.toml disagree")]
    Disagree(Vec<Problem>),
    /// This host cannot be a node by itself.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The cluster has no such node.
    #[error("{} has no node {node:?}", file.display())]
    NoNode {
        /// The spec's file.
        file: PathBuf,
        /// The name that was looked for.
        node: String,
        /// Those that it has.
        nodes: Vec<NodeName>,
    },
    /// There are no files of a node that may ask.
    #[error("{} has no control-plane node's files, and nobody else may look at the whole cluster", .0.display())]
    NoVantage(PathBuf),
    /// Files of the node's tree are not there.
    #[error("{} is not complete: {} {} missing", dir.display(), missing.join(", "), if missing.len() == 1 { "is" } else { "are" })]
    Incomplete {
        /// The node's tree.
        dir: PathBuf,
        /// What is missing, by path below it.
        missing: Vec<String>,
    },
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tree differs from what is wanted, and cannot be mended here.
    #[error("the cluster's files are not as cluster.toml wants them")]
    CannotMend(Vec<Problem>),
    /// The time of files of the node's tree has not begun, and they cannot be made anew here.
    #[error("the clock says {}, and files of node {node} are not valid before {}", second(*now), second(*begins))]
    TooEarly {
        /// The node.
        node: NodeName,
        /// This moment, as the clock says.
        now: OffsetDateTime,
        /// When all of them are valid.
        begins: OffsetDateTime,
    },
    /// Making or mending the PKI failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InventoryError> for SourceError {
    fn from(error: InventoryError) -> Self {
        Self::Read(error.into())
    }
}

impl SourceError {
    /// Every problem with its hint.
    pub fn problems(&self) -> Vec<Problem> {
        let fact = self.to_string();
        let one = |hint: Option<String>| vec![Problem { fact, hint }];
        match self {
            Self::Read(error) => error.problems(),
            Self::NothingGiven(_) => one(Some(
                "name the directory that kpki init made with --dir, or have one made: kinstall node --service-cidr \
                 10.3.0.0/24"
                    .into(),
            )),
            Self::Options { file, source } => {
                Problem::of_spec(source, &file.display().to_string())
            }
            Self::Path { .. } => one(Some("choose a path of ordinary characters".into())),
            Self::Disagree(problems) | Self::CannotMend(problems) => problems.clone(),
            Self::Host(HostError::Name { .. }) => {
                one(Some("name the machine yourself: --node NAME".into()))
            }
            Self::Host(_) => one(Some(
                "give the machine an address, or name it yourself: --address ADDRESS".into(),
            )),
            Self::NoNode { nodes, .. } => {
                let nodes: Vec<_> = nodes.iter().map(NodeName::as_str).collect();
                one(Some(format!(
                    "name one with --node: {}; or add this machine to cluster.toml and run kpki apply",
                    nodes.join(", ")
                )))
            }
            Self::NoVantage(_) => one(Some(
                "run it on a control-plane node, or name the directory that kpki init made: --dir DIR".into(),
            )),
            Self::Incomplete { dir, .. } => one(Some(format!(
                "run kpki apply where the CA keys are, then bring {} here again",
                dir.display()
            ))),
            Self::Io { path, source } => vec![Problem::io(path, source)],
            Self::TooEarly { .. } => one(Some(
                "set the clock and keep it right, with chrony or systemd-timesyncd; where it is right, another one was ahead when \
                 they were issued: kpki renew --all there"
                    .into(),
            )),
            Self::Apply(error) => one(error.hint()),
            Self::Store(error) => one(error.hint()),
        }
    }
}

/// A moment in UTC, to the second: `2026-11-24T08:00:00Z`.
fn second(moment: OffsetDateTime) -> String {
    let (date, time) = (moment.date(), moment.time());
    let (hour, minute, second) = time.as_hms();
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}
