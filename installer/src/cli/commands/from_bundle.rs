//! `kinstall node --bundle`: from a file that was brought here to what `kinstall node` is told otherwise.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use installer::bundle::{self, Bundle, Machine};
use installer::desired::layout;
use installer::install::{self, Watcher as _};
use installer::machine::programs::{self, ProgramWish};
use installer::machine::{Host, Problem, Root, facts};
use tempfile::TempDir;

use crate::cli::arguments::Node;
use crate::cli::output::Failure;
use crate::cli::passphrase;
use crate::cli::progress::Progress;

/// Where a bundle is unpacked only to show what would be done: on the disk where it would be, and gone again at the end.
pub type Scratch = Option<TempDir>;

/// Checks the bundle that is named, brings what is in it to its place, and says so in `arguments`. Without one it does nothing.
pub fn bring(arguments: &mut Node, only_shows: bool) -> Result<Scratch, Failure> {
    let Some(path) = arguments.bundle.bundle.as_deref() else {
        return Ok(None);
    };
    let passphrase = arguments.bundle.passphrase_file.as_deref();
    let passphrase = passphrase.map(passphrase::read).transpose()?;
    let mut progress = Progress::begin();
    progress.now(&format!("checking {}", path.display()));
    let bundle = Bundle::open(
        path,
        passphrase.as_ref(),
        arguments.bundle.digest.as_deref(),
    )?;
    bundle::suits(&bundle, &machine(arguments, &bundle)?)?;
    progress.now(&format!("unpacking {}", path.display()));
    let (placed, scratch) = if only_shows {
        let scratch = scratch()?;
        (bundle::unpack(&bundle, scratch.path())?, Some(scratch))
    } else {
        (
            bundle::place(&mut Host::open(Root::machine())?, &bundle)?,
            None,
        )
    };
    let manifest = &bundle.manifest;
    arguments.tree.dir = Some(placed.dir);
    arguments.tree.node = Some(manifest.node.clone());
    let options = &mut arguments.options;
    options.network = options.network.or(Some(manifest.network.into()));
    options.proxy_mode = options.proxy_mode.or(Some(manifest.proxy_mode.into()));
    if manifest.has_programs() {
        options.bin_dir.push(placed.bin_dir);
    }
    if options.ignore_preflight.is_empty() {
        options
            .ignore_preflight
            .clone_from(&manifest.ignore_preflight);
    }
    Ok(scratch)
}

/// What the bundle has to suit.
fn machine(arguments: &Node, bundle: &Bundle) -> Result<Machine, Failure> {
    let remembered = install::remembered(Path::new(layout::KINSTALL))
        .map_err(|error| Failure::new(&error, error.hint()))?;
    let addresses = facts::read()?.addresses;
    let bin_dirs = match &remembered {
        Some(before) if arguments.options.bin_dir.is_empty() => before.bin_dir.clone(),
        _ => arguments.options.bin_dir.clone(),
    };
    let mut digests = BTreeMap::new();
    if !bundle.manifest.has_programs() {
        let cache = Path::new(layout::STATE).join("programs.json");
        for program in &bundle.manifest.programs {
            let wish = [ProgramWish::new(&program.name)];
            if let Ok(found) = programs::look(&wish, &bin_dirs, &cache).programs {
                digests.extend(
                    found
                        .0
                        .into_iter()
                        .map(|(name, found)| (name, found.digest)),
                );
            }
        }
    }
    Ok(Machine {
        addresses: addresses.iter().map(|(_, net)| net.addr()).collect(),
        node: remembered.map(|options| options.node),
        wanted_node: arguments.tree.node.clone(),
        wanted_cluster: arguments.make.name.clone(),
        programs: digests,
    })
}

fn scratch() -> Result<TempDir, Failure> {
    let beside = Path::new(layout::STATE).parent().unwrap_or(Path::new("/"));
    let scratch = tempfile::Builder::new()
        .prefix(".kinstall-look-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(beside);
    scratch.map_err(|error| Problem::io(beside, &error).into())
}
