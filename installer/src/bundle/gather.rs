//! What goes into a node's bundle: its own tree and no other's, and the programs that its roles need.

use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::{ClusterSpec, ProfileReference, SpecBuilder};
use pki_core::converge::cluster_directory;

use super::BundleError;
use super::manifest::{Manifest, PROFILE, PROGRAMS, PackedFile, PackedProgram, SPEC, TREE};
use crate::desired::{Contents, Network, Program, Programs, ProxyMode};
use crate::machine::node_source::{self, Source, SourceError};
use crate::machine::programs::{self, ProgramProblem, ProgramWish};

/// Whose bundle it is to be, and what from.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cluster's directory.
    pub dir: PathBuf,
    /// The directory of CA certificates, where it is not the one that cluster.toml names.
    pub ca_dir: Option<PathBuf>,
    /// The node's name in cluster.toml.
    pub node: String,
    /// How pods of different nodes reach each other.
    pub network: Network,
    /// How kube-proxy leads packets to Services.
    pub proxy_mode: ProxyMode,
    /// Preflight checks whose failure is accepted on that machine.
    pub ignore_preflight: Vec<String>,
    /// Where to look for programs first.
    pub bin_dirs: Vec<PathBuf>,
    /// A file that keeps what is known of programs; see [`programs::look`].
    pub cache: PathBuf,
    /// Whether the programs themselves go in.
    pub carried: Carried,
}

/// What of programs goes into a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// They themselves.
    Programs,
    /// Their digests alone: the machine has to have just these.
    Digests,
}

/// What goes into a bundle: a manifest, and where its files come from.
#[derive(Debug)]
pub struct Gathered {
    /// All that is in it.
    pub manifest: Manifest,
    pub(super) origins: Vec<Origin>,
}

/// Where the contents of a file come from.
#[derive(Debug)]
pub(super) enum Origin {
    Memory(Contents),
    Disk(PathBuf),
}

/// Gathers what the node's machine needs.
///
/// # Errors
/// When the directory does not have all of the node's tree, or a program is missing.
pub fn gather(request: &Request) -> Result<Gathered, BundleError> {
    let source = node_source::load(&request.dir, request.ca_dir.as_deref(), &request.node)?;
    let wishes = programs::wanted(&source.spec, &source.node, request.network);
    let (programs, elsewhere) = find(wishes, request)?;
    let (spec, profile) = spec(&request.dir, &source.spec)?;

    let mut gathered = Gathered {
        manifest: Manifest {
            format: Manifest::FORMAT,
            cluster: source.spec.name().to_owned(),
            node: source.node.name().to_string(),
            network: request.network,
            proxy_mode: request.proxy_mode,
            ignore_preflight: request.ignore_preflight.clone(),
            architecture: std::env::consts::ARCH.to_owned(),
            kinstall: env!("CARGO_PKG_VERSION").to_owned(),
            programs: Vec::new(),
            machine_programs: elsewhere,
            files: Vec::new(),
        },
        origins: Vec::new(),
    };
    gathered.text(SPEC, FileMode::PUBLIC, Contents::new(spec));
    if let Some(profile) = profile {
        gathered.text(PROFILE, FileMode::PUBLIC, Contents::new(profile));
    }
    gathered.tree(&source);
    gathered.programs(&programs, request.carried)?;
    // What could not be opened is better not packed.
    Manifest::read(&gathered.manifest.to_bytes()).map_err(BundleError::Unpackable)?;
    Ok(gathered)
}

/// The programs that are here, and the names of those that every machine has from its distribution and this one has not.
fn find(
    mut wishes: Vec<ProgramWish>,
    request: &Request,
) -> Result<(Programs, Vec<String>), BundleError> {
    let look =
        |wishes: &[ProgramWish]| programs::look(wishes, &request.bin_dirs, &request.cache).programs;
    let problems = match look(&wishes) {
        Ok(programs) => return Ok((programs, Vec::new())),
        Err(problems) => problems,
    };
    let mut elsewhere = Vec::new();
    for problem in &problems {
        if let ProgramProblem::Missing { names, .. } = problem {
            let names = names
                .iter()
                .filter(|name| programs::DISTRIBUTION.contains(&name.as_str()));
            elsewhere.extend(names.cloned());
        }
    }
    if elsewhere.is_empty() {
        return Err(BundleError::Programs(problems));
    }
    wishes.retain(|wish| !elsewhere.contains(&wish.name));
    let programs = look(&wishes).map_err(BundleError::Programs)?;
    Ok((programs, elsewhere))
}

/// cluster.toml as it is; where it names a profile of the user's own, with the name that this has in the bundle, and the
/// profile.
fn spec(dir: &Path, spec: &ClusterSpec) -> Result<(String, Option<String>), BundleError> {
    let read = |error| BundleError::Source(SourceError::Read(error));
    let (file, text) = cluster_directory::read_text(dir).map_err(read)?;
    let ProfileReference::File(profile) = spec.profile() else {
        return Ok((text, None));
    };
    let profile = dir.join(profile);
    let profile =
        std::fs::read_to_string(&profile).map_err(|error| BundleError::io(&profile, error))?;
    let moved = SpecBuilder::from_toml(&text)
        .profile(format!("./{PROFILE}"))
        .build()
        .map_err(|source| SourceError::Options { file, source })?;
    Ok((moved.to_toml(), Some(profile)))
}

impl Gathered {
    fn text(&mut self, path: &str, mode: FileMode, contents: Contents) {
        self.manifest.files.push(PackedFile {
            path: path.to_owned(),
            mode,
            size: contents.secret_bytes().len() as u64,
            sha256: contents.digest(),
        });
        self.origins.push(Origin::Memory(contents));
    }

    fn tree(&mut self, source: &Source) {
        for (path, file) in &source.tree {
            let path = format!("{TREE}{}", path.display());
            self.text(&path, file.mode, file.contents.clone());
        }
    }

    fn programs(&mut self, programs: &Programs, carried: Carried) -> Result<(), BundleError> {
        for (name, program) in &programs.0 {
            if !runs_anywhere(program) {
                // That one has it in its own distribution.
                self.manifest.machine_programs.push(name.clone());
                continue;
            }
            self.manifest.programs.push(PackedProgram {
                name: name.clone(),
                version: program.version.clone(),
                sha256: program.digest.clone(),
            });
            if carried == Carried::Programs {
                let size = std::fs::metadata(&program.path);
                let size = size.map_err(|error| BundleError::io(&program.path, error))?;
                self.manifest.files.push(PackedFile {
                    path: format!("{PROGRAMS}{name}"),
                    mode: FileMode::new(0o755).expect("permission bits"),
                    size: size.len(),
                    sha256: program.digest.clone(),
                });
                self.origins.push(Origin::Disk(program.path.clone()));
            }
        }
        Ok(())
    }
}

/// Whether a program needs nothing of a distribution but its C library, so that it may run on another machine. `nft` from one
/// distribution does not run with the libraries of another: such a one the machine has to have itself.
fn runs_anywhere(program: &Program) -> bool {
    const EVERYWHERE: [&str; 8] = [
        "ld-linux",
        "libc.so",
        "libm.so",
        "libgcc_s.so",
        "libdl.so",
        "libpthread.so",
        "librt.so",
        "libresolv.so",
    ];
    program.libraries.iter().all(|(path, _)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        EVERYWHERE.iter().any(|library| name.starts_with(library))
    })
}
