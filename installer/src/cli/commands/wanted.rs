//! From the command line to what is wanted of this machine.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use installer::desired::{NodeOptions, NodeSpec, Owner, Programs, UserKubeconfig, layout};
use installer::install::{self, Wishes};
use installer::machine::node_source::{self, MakeOptions, Mode, Source};
use installer::machine::{Problem, facts, programs};
use time::OffsetDateTime;

use crate::cli::arguments::{Make, Options, Tree};
use crate::cli::output::Failure;

/// What a command line asks for.
pub struct Asked {
    pub options: NodeOptions,
    pub make: MakeOptions,
}

/// All there is to know before a plan.
pub struct Wanted {
    pub spec: NodeSpec,
    pub source: Source,
    /// What became of the cluster's directory.
    pub made: node_source::Outcome,
    /// What is wrong with the programs: preflight tells it.
    pub program_problems: Vec<Problem>,
    /// What was found out about programs, for the next time.
    pub found: programs::Found,
}

/// What is said now, with what was said before.
pub fn asked(
    tree: Tree,
    make: Make,
    options: Options,
    kubeconfig: Option<PathBuf>,
) -> Result<Asked, Failure> {
    let current = std::env::current_dir()
        .map_err(|error| Failure::bare(format_args!("the current directory: {error}")))?;
    let remembered = install::remembered(Path::new(layout::KINSTALL))
        .map_err(|error| Failure::new(&error, error.hint()))?;
    let wishes = Wishes {
        dir: tree.dir,
        ca_dir: tree.ca_dir,
        node: tree.node,
        network: options.network.map(Into::into),
        proxy_mode: options.proxy_mode.map(Into::into),
        bin_dir: options.bin_dir,
        ignore_preflight: options.ignore_preflight,
        kubeconfig: kubeconfig.map(|path| UserKubeconfig {
            path: current.join(path),
            owner: caller(),
        }),
    };
    let options = install::resolve(
        wishes,
        remembered,
        &current,
        &installer::machine::host_name(),
    );
    let make = MakeOptions {
        service_cidrs: make.service_cidr,
        cluster_dns: make.cluster_dns,
        pod_cidrs: make.pod_cidr,
        domain: make.domain,
        name: make.name,
        endpoint: make.endpoint,
        node: Some(options.node.clone()),
        addresses: make.address,
        sans: make.san,
        profile: make.profile,
        key_algorithm: make.key_algorithm,
        ..MakeOptions::default()
    };
    Ok(Asked { options, make })
}

/// Whoever ran sudo, else root.
fn caller() -> Owner {
    let number = |name: &str| {
        let value = std::env::var_os(name)?;
        std::str::from_utf8(value.as_bytes()).ok()?.parse().ok()
    };
    match (number("SUDO_UID"), number("SUDO_GID")) {
        (Some(user), Some(group)) => Owner { user, group },
        _ => Owner::ROOT,
    }
}

impl Wanted {
    /// Reads the cluster's directory, or makes it, and the machine.
    pub fn of(asked: Asked, mode: Mode) -> Result<Self, Failure> {
        let request = node_source::Request {
            dir: asked.options.dir.clone(),
            ca_dir: asked.options.ca_dir.clone(),
            options: asked.make,
        };
        let (source, made) = node_source::open(&request, mode, OffsetDateTime::now_utc())
            .map_err(|error| Failure::from(error.problems()))?;
        let facts = facts::read()?;
        let wishes = programs::wanted(&source.spec, &source.node, asked.options.network);
        let cache = Path::new(layout::STATE).join("programs.json");
        let mut found = programs::look(&wishes, &asked.options.bin_dir, &cache);
        let looked = std::mem::replace(&mut found.programs, Ok(Programs::default()));
        let (programs, program_problems) = match looked {
            Ok(programs) => (programs, Vec::new()),
            Err(problems) => {
                let problems = problems.iter();
                let told = problems.map(|one| Problem::new(one.to_string(), one.hint()));
                (Programs::default(), told.collect())
            }
        };
        let spec = NodeSpec {
            cluster: source.spec.clone(),
            node: source.node.clone(),
            options: asked.options,
            facts,
            programs,
            tree: source.tree.clone(),
            // Found out when it is certain that the machine can be a node.
            etcd: None,
        };
        Ok(Self {
            spec,
            source,
            made,
            program_problems,
            found,
        })
    }
}
