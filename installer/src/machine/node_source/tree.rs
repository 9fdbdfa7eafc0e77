//! Reading a node's tree: just the files that the blueprint places in it, and no link.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pki_core::cluster::Location;
use pki_core::cluster::spec::NodeName;
use pki_core::converge::apply::Changes;
use pki_core::converge::cluster_directory::ClusterDirectory;
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::SourceError;
use crate::desired::{Contents, NodeNeeds, TreeFile};

/// No certificate, key or kubeconfig comes near this size.
const LARGEST: u64 = 1 << 20;

pub(super) fn read(
    directory: &ClusterDirectory,
    changes: &Changes,
    node: &NodeName,
) -> Result<BTreeMap<PathBuf, TreeFile>, SourceError> {
    let changed: BTreeMap<&Location, &[u8]> = changes
        .secret_files()
        .map(|(location, _, contents)| (location, contents))
        .collect();
    let own = format!("nodes/{node}");
    let (mut tree, mut missing) = (BTreeMap::new(), Vec::new());
    for needed in NodeNeeds::new(&directory.blueprint, node).files() {
        let location = &needed.placement.location;
        let below = location.path.as_str();
        let path = below
            .strip_prefix(&own)
            .and_then(|path| path.strip_prefix('/'));
        let path = path.expect("a file of the node's tree is below it");
        let contents = match changed.get(location) {
            Some(contents) => Contents::new(*contents),
            None => match read_file(&directory.dir, below) {
                Ok(bytes) => Contents::new(bytes.as_slice()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(path.to_owned());
                    continue;
                }
                Err(source) => {
                    let path = directory.dir.join(below);
                    return Err(SourceError::Io { path, source });
                }
            },
        };
        let mode = needed.placement.mode;
        tree.insert(PathBuf::from(path), TreeFile { contents, mode });
    }
    if missing.is_empty() {
        Ok(tree)
    } else {
        missing.sort();
        let dir = directory.dir.join(own);
        Err(SourceError::Incomplete { dir, missing })
    }
}

/// Reads `below` in `dir` without following a link on the way, so that nobody who may write to the tree can have
/// another file taken for one of it.
fn read_file(dir: &Path, below: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let directory = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(dir, directory, Mode::empty())?;
    let (parents, name) = below.rsplit_once('/').unwrap_or(("", below));
    for component in parents.split('/').filter(|component| !component.is_empty()) {
        at = rustix::fs::openat(&at, component, directory | OFlags::NOFOLLOW, Mode::empty())?;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(&at, name, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(io::Error::other("not a regular file of ordinary size"));
    }
    // One byte over, so that the buffer never grows and leaves a piece of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    Read::by_ref(&mut file)
        .take(metadata.len())
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
