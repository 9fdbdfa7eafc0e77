//! What a machine has to have before its `kinstall node` can run: programs, cluster.toml, the node's own tree.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::{ClusterSpec, Node};
use pki_core::converge::cluster_directory::SPEC;
use pki_core::converge::problem::Problem;
use time::OffsetDateTime;

use crate::check::{Severity, check};
use crate::desired::{Contents, Network, Programs, TreeFile};
use crate::machine::node_source::{self, Source, SourceError};
use crate::machine::programs::{self, ProgramProblem, ProgramWish};

/// What a machine has to have.
#[derive(Debug)]
pub struct Load {
    /// The programs, in the order of their names.
    pub programs: Vec<Program>,
    /// The files, by their path below the cluster's directory there: `nodes/cp1/pki/ca.crt`.
    pub files: BTreeMap<String, TreeFile>,
}

/// A program on this machine that another has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Where it is here.
    pub path: PathBuf,
    /// SHA-256 of it, in hexadecimal.
    pub digest: String,
    /// How large it is, in bytes.
    pub size: u64,
}

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The cluster's directory is not as it should be.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The node could not start with its files.
    #[error("the files of node {node} are not as {SPEC} wants them: {facts}")]
    Faults {
        /// The node.
        node: String,
        /// What is wrong.
        facts: String,
    },
    /// Programs are missing here, or do not fit.
    #[error("programs")]
    Programs(Vec<ProgramProblem>),
    /// The profile is where no other machine has it.
    #[error("the profile {} is not below the cluster's directory", .0.display())]
    Profile(PathBuf),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LoadError {
    /// Every problem with its hint.
    pub fn problems(&self) -> Vec<Problem> {
        let one = |hint: &str| vec![Problem::new(self.to_string(), hint)];
        match self {
            Self::Source(error) => error.problems(),
            Self::Faults { .. } => one("kpki plan tells more; kpki apply mends it"),
            Self::Programs(problems) => {
                let problems = problems.iter();
                problems
                    .map(|one| Problem::new(one.to_string(), one.hint()))
                    .collect()
            }
            Self::Profile(_) => one("put it beside cluster.toml, and name it there as ./NAME.toml"),
            Self::Io { path, source } => vec![Problem::io(path, source)],
        }
    }
}

impl Load {
    /// What `node` of the cluster in `dir` has to have. Programs are looked for as `kinstall node` does.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn of(
        dir: &Path,
        ca_dir: Option<&Path>,
        node: &Node,
        programs: &Programs,
        network: Network,
        now: OffsetDateTime,
    ) -> Result<Self, LoadError> {
        let source = node_source::load(dir, ca_dir, node.name().as_str())?;
        refuse_faults(&source, now)?;
        let wishes = programs::wanted(&source.spec, node, network).into_iter();
        let own = wishes.filter_map(|wish| {
            let found = programs.0.get(&wish.name)?;
            let size = fs::metadata(&found.path).map_or(0, |file| file.len());
            Some(Program {
                name: wish.name,
                path: found.path.clone(),
                digest: found.digest.clone(),
                size,
            })
        });
        let mut own: Vec<_> = own.collect();
        own.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            programs: own,
            files: files(dir, &source)?,
        })
    }

    /// The digest of each file, by its path.
    pub fn digests(&self) -> impl Iterator<Item = (&str, String)> {
        let files = self.files.iter();
        files.map(|(path, file)| (path.as_str(), file.contents.digest()))
    }
}

/// The programs that nodes of this cluster get from here: those that are the same on every machine. A program with shared
/// libraries that is not ours is its machine's own, from a package: `runc`, `nft`, `mount`.
///
/// # Errors
/// [`LoadError::Programs`].
pub fn programs(
    spec: &ClusterSpec,
    network: Network,
    bin_dirs: &[PathBuf],
    cache: &Path,
) -> Result<Programs, LoadError> {
    let mut wishes: Vec<ProgramWish> = Vec::new();
    for wish in spec
        .nodes()
        .iter()
        .flat_map(|node| programs::wanted(spec, node, network))
    {
        if !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }
    let (packaged, ours): (Vec<_>, Vec<_>) = wishes
        .into_iter()
        .partition(|wish| programs::DISTRIBUTION.contains(&wish.name.as_str()));
    let mut found = programs::look(&ours, bin_dirs, cache)
        .programs
        .map_err(LoadError::Programs)?;
    // Where somebody has a static one, it is brought too.
    for wish in packaged {
        if let Ok(one) = programs::look(&[wish], bin_dirs, cache).programs {
            found.0.extend(
                one.0
                    .into_iter()
                    .filter(|(_, one)| one.libraries.is_empty()),
            );
        }
    }
    Ok(found)
}

fn refuse_faults(source: &Source, now: OffsetDateTime) -> Result<(), LoadError> {
    let name = source.node.name();
    let report = check(&source.blueprint, &source.inventory, name, now);
    let findings = report.findings.iter();
    let faults = findings.filter(|finding| finding.severity == Severity::Fault);
    let facts: Vec<_> = faults.map(|finding| finding.fact.to_string()).collect();
    match facts.as_slice() {
        [] => Ok(()),
        facts => Err(LoadError::Faults {
            node: name.to_string(),
            facts: facts.join("; "),
        }),
    }
}

fn files(dir: &Path, source: &Source) -> Result<BTreeMap<String, TreeFile>, LoadError> {
    let public = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(TreeFile {
            contents: Contents::new(bytes),
            mode: FileMode::PUBLIC,
        }),
        Err(source) => Err(LoadError::Io {
            path: path.to_owned(),
            source,
        }),
    };
    let mut files = BTreeMap::new();
    files.insert(SPEC.to_owned(), public(&dir.join(SPEC))?);
    if let Some(profile) = source.spec.profile().path() {
        let below: Option<PathBuf> = profile
            .components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| matches!(part, Component::Normal(_)).then_some(part.as_os_str()))
            .collect();
        let below = below.filter(|path| !path.starts_with("nodes") && !path.as_os_str().is_empty());
        let below = below.ok_or_else(|| LoadError::Profile(profile.to_owned()))?;
        files.insert(below.display().to_string(), public(&dir.join(profile))?);
    }
    for (path, file) in &source.tree {
        let path = format!("nodes/{}/{}", source.node.name(), path.display());
        files.insert(path, file.clone());
    }
    Ok(files)
}
