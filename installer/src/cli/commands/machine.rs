//! This machine's own services, images and remembered node.

use std::path::{Path, PathBuf};

use installer::desired::{InitSystem, NodeOptions, NodeSpec, Programs, layout};
use installer::image::{ContainerdImages, Unpack};
use installer::install;
use installer::machine::node_source::{self, Vantage};
use installer::machine::{EffectError, ImageStore, facts, programs};
use installer::supervisor::Manager;

use crate::cli::arguments::Directory;
use crate::cli::output::Failure;

/// What keeps services on this machine.
pub fn services(init: InitSystem) -> Result<Manager, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::bare(format_args!("this program's own path: {error}")))?;
    Ok(Manager::new(init, program))
}

/// What holds images on this machine.
pub fn images(spec: &NodeSpec) -> ContainerdImages {
    ContainerdImages {
        ctr: spec.programs.named("ctr").path.clone(),
        socket: PathBuf::from(layout::CONTAINERD_SOCKET),
        unpack: Unpack::default(),
    }
}

/// The images, where containerd runs; on a fresh machine it does not yet.
pub fn reachable(images: &ContainerdImages) -> Option<&dyn ImageStore> {
    let answers = std::os::unix::net::UnixStream::connect(&images.socket).is_ok();
    answers.then_some(images as &dyn ImageStore)
}

/// What earlier runs were told. On a machine without a node that is the user's problem.
pub fn options() -> Result<NodeOptions, Failure> {
    let remembered = install::remembered(Path::new(layout::KINSTALL))
        .map_err(|error| Failure::new(&error, error.hint()))?;
    remembered.ok_or_else(|| {
        Failure::new(
            "this machine is no node of kinstall's",
            "kinstall node makes it one",
        )
    })
}

/// The node that this machine is, as it is wanted.
pub fn node() -> Result<NodeSpec, Failure> {
    let options = options()?;
    let source = node_source::load(&options.dir, options.ca_dir.as_deref(), &options.node)
        .map_err(|error| Failure::from(error.problems()))?;
    let wishes = programs::wanted(&source.spec, &source.node, options.network);
    let cache = Path::new(layout::STATE).join("programs.json");
    let programs = programs::find(&wishes, &options.bin_dir, &cache);
    Ok(NodeSpec {
        cluster: source.spec,
        node: source.node,
        facts: facts::read()?,
        // What is missing is seen as not running.
        programs: programs.unwrap_or_else(|_| Programs::default()),
        options,
        tree: source.tree,
        // Of no consequence for what runs.
        etcd: None,
    })
}

/// One runtime on this thread, for what waits.
pub fn runtime() -> Result<tokio::runtime::Runtime, EffectError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| EffectError {
            fact: format!("the asynchronous runtime: {error}"),
            hint: None,
        })
}

/// From where the whole cluster is asked: the directory that was named, else this node's, else `./kubernetes`.
pub fn vantage(directory: &Directory) -> Result<Vantage, Failure> {
    // What is no node, or may not read what a node remembers, has a directory of its own.
    let own = options().ok();
    let (dir, ca_dir) = match (&directory.dir, &own) {
        (Some(dir), _) => (dir.clone(), None),
        (None, Some(own)) => (own.dir.clone(), own.ca_dir.clone()),
        (None, None) => (PathBuf::from("kubernetes"), None),
    };
    let ca_dir = directory.ca_dir.clone().or(ca_dir);
    let own = own.map(|own| own.node);
    Vantage::open(&dir, ca_dir.as_deref(), own.as_deref())
        .map_err(|error| Failure::from(error.problems()))
}

/// Whether this machine is that node.
pub fn is(node: &str) -> bool {
    options().is_ok_and(|own| own.node == node)
}
