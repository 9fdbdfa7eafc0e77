//! A bundle's files on the machine: staged beside where they belong, and only then given their names.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::manifest::{
    LARGEST_TEXT, MANIFEST, Manifest, PROFILE, PROGRAMS, PackedFile, SPEC, TREE,
};
use super::{Bundle, BundleError};
use crate::desired::{Directory, DirectoryContents, Kind, Owner, Resource, Stage, layout};
use crate::machine::Host;

/// Where a bundle is staged, below [`layout::BUNDLE`].
const STAGED: &str = ".new";
/// Its cluster's directory, with cluster.toml and the node's tree.
const CLUSTER: &str = "cluster";
/// Its programs.
const BIN: &str = "bin";

/// Where a bundle is on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The cluster's directory.
    pub dir: PathBuf,
    /// The directory of programs. Empty where the bundle has digests alone.
    pub bin_dir: PathBuf,
    /// Files that came or changed. None when the same bundle was there already.
    pub changed: usize,
}

/// The directory of bundles, as the machine's ledger has it: a reset takes it away with all that is in it.
pub fn directory() -> Resource {
    Resource {
        stage: Stage::Files,
        why: "what came in a bundle".into(),
        kind: Kind::Directory(Directory {
            path: layout::BUNDLE.into(),
            mode: FileMode::new(0o700).expect("permission bits"),
            owner: Owner::ROOT,
            contents: DirectoryContents::Ours,
        }),
    }
}

/// Brings a bundle's files to their place on the machine, below [`layout::BUNDLE`]. What is the same stays as it is: programs
/// keep running, and what was mended in the tree since the same bundle came is kept. A crash leaves each program old or new, and the
/// node's tree old or new; running it again finishes it.
///
/// # Errors
/// When it cannot be written; then nothing but what is staged was.
pub fn place(host: &mut Host, bundle: &Bundle) -> Result<Placed, BundleError> {
    let home = host.root().join(layout::BUNDLE);
    if !host.announce_directory(&directory())? {
        return Err(BundleError::Foreign(home));
    }
    let there = installed(&home);
    let changed = bundle.manifest.files.iter();
    let changed = changed.filter(|file| !is_there(&home, there.as_ref(), file, bundle));
    let changed: Vec<_> = changed.map(|file| file.path.as_str()).collect();
    let placed = Placed {
        dir: home.join(CLUSTER),
        bin_dir: home.join(BIN),
        changed: changed.len(),
    };
    let failed = |error: io::Error| BundleError::io(&home, error);
    let effect = || host.fuse().burn().map_err(failed);
    let staged = home.join(STAGED);
    effect()?;
    // What a killed run left, with keys in it.
    remove(&staged).map_err(failed)?;
    if there.as_ref() == Some(&bundle.manifest) && changed.is_empty() {
        return Ok(placed);
    }
    effect()?;
    // The tree is one: where a file of it changed, all of it is brought.
    let is_tree = |path: &str| !path.starts_with(PROGRAMS);
    let tree_changed = changed.iter().any(|path| is_tree(path));
    unpack_some(bundle, &staged, &|path| {
        changed.contains(&path) || tree_changed && is_tree(path)
    })?;
    synced(&staged)?;
    // From here on it is neither the one nor the other bundle, and the next run looks at nothing that is there.
    effect()?;
    remove(&home.join(MANIFEST)).map_err(failed)?;
    make_directory(&home.join(BIN))?;
    for path in changed.iter().filter(|path| !is_tree(path)) {
        effect()?;
        fs::rename(staged.join(path), home.join(path)).map_err(failed)?;
    }
    if tree_changed {
        effect()?;
        exchange(&staged.join(CLUSTER), &home.join(CLUSTER)).map_err(failed)?;
    }
    // One that has digests alone is for the programs that are there.
    let surplus = match bundle.manifest.has_programs() {
        true => surplus(&home.join(BIN), &bundle.manifest).map_err(failed)?,
        false => Vec::new(),
    };
    for name in surplus {
        effect()?;
        fs::remove_file(home.join(BIN).join(name)).map_err(failed)?;
    }
    synced(&home)?;
    effect()?;
    fs::rename(staged.join(MANIFEST), home.join(MANIFEST)).map_err(failed)?;
    effect()?;
    remove(&staged).map_err(failed)?;
    synced(&home)?;
    Ok(placed)
}

/// Unpacks all of a bundle into a directory that is made for it, 0700.
///
/// # Errors
/// When it cannot be written, or the bundle changed since it was opened.
pub fn unpack(bundle: &Bundle, into: &Path) -> Result<Placed, BundleError> {
    unpack_some(bundle, into, &|_| true)?;
    Ok(Placed {
        dir: into.join(CLUSTER),
        bin_dir: into.join(BIN),
        changed: bundle.manifest.files.len(),
    })
}

fn unpack_some(
    bundle: &Bundle,
    into: &Path,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), BundleError> {
    make_directory(into)?;
    make_directory(&into.join(BIN))?;
    let node = &bundle.manifest.node;
    bundle.each(&mut |packed, contents| {
        if !wanted(&packed.path) {
            return Ok(());
        }
        let below = below(node, &packed.path);
        let mut directory = into.to_owned();
        for step in below.parent().into_iter().flatten() {
            directory.push(step);
            make_directory(&directory)?;
        }
        write(&into.join(&below), packed.mode.bits().into(), contents)
    })?;
    write(
        &into.join(MANIFEST),
        0o600,
        &mut bundle.manifest.to_bytes().as_slice(),
    )
}

/// Where a file of the archive is in a directory that it was unpacked into.
fn below(node: &str, path: &str) -> PathBuf {
    let cluster = Path::new(CLUSTER);
    match path.strip_prefix(TREE) {
        Some(path) => cluster.join("nodes").join(node).join(path),
        None if matches!(path, SPEC | PROFILE) => cluster.join(path),
        None => PathBuf::from(path),
    }
}

/// Never over anything, and with its mode from birth, whatever the umask.
fn write(path: &Path, mode: u32, contents: &mut dyn Read) -> Result<(), BundleError> {
    let failed = |error: io::Error| BundleError::io(path, error);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
    let mut file = options.open(path).map_err(failed)?;
    io::copy(contents, &mut file).map_err(failed)?;
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(failed)
}

fn make_directory(path: &Path) -> Result<(), BundleError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(BundleError::io(path, error))
        }
        _ => Ok(()),
    }
}

/// The manifest of the bundle that is there. None where that makes no sense: then all is brought.
fn installed(home: &Path) -> Option<Manifest> {
    let file = File::open(home.join(MANIFEST)).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST_TEXT).read_to_end(&mut bytes).ok()?;
    Manifest::read(&bytes).ok()
}

/// Whether a file is there as it came with the bundle before, which had the same one. What was mended since is not looked at.
fn is_there(home: &Path, before: Option<&Manifest>, file: &PackedFile, bundle: &Bundle) -> bool {
    let same =
        before.is_some_and(|before| before.node == bundle.manifest.node && before.has_same(file));
    let at = home.join(below(&bundle.manifest.node, &file.path));
    same && at.symlink_metadata().is_ok_and(|there| there.is_file())
}

/// Programs that came with another bundle.
fn surplus(bin: &Path, manifest: &Manifest) -> io::Result<Vec<std::ffi::OsString>> {
    let mut surplus = Vec::new();
    for entry in fs::read_dir(bin)? {
        let name = entry?.file_name();
        let path = format!("{PROGRAMS}{}", name.to_string_lossy());
        if !manifest.files.iter().any(|file| file.path == path) {
            surplus.push(name);
        }
    }
    Ok(surplus)
}

/// Gives `new` the name of `old`, which gets its place: whoever looks sees the one or the other.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => return Ok(()),
        Err(Errno::NOENT) => {}
        // A file system that cannot: the old one goes first.
        Err(Errno::INVAL | Errno::NOSYS | Errno::XDEV | Errno::NOTSUP) => remove(old)?,
        Err(errno) => return Err(errno.into()),
    }
    fs::rename(new, old)
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts everything on the disk, with one call for all files.
fn synced(directory: &Path) -> Result<(), BundleError> {
    let synced = File::open(directory).and_then(|file| Ok(rustix::fs::syncfs(file)?));
    synced.map_err(|error| BundleError::io(directory, error))
}
