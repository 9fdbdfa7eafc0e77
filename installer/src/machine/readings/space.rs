//! Free space.

use std::path::{Path, PathBuf};

use crate::desired::layout;

/// Free space at a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// The directory; it may not be there yet.
    pub path: PathBuf,
    /// What tells its file system from others: several directories may share one.
    pub file_system: u64,
    /// What an ordinary process may still write there, in bytes.
    pub available: u64,
    /// How many more files there may be. Some file systems have no limit and say 0 of 0.
    pub files: Option<u64>,
}

pub(super) fn read() -> Vec<Space> {
    let paths = [layout::ETCD_DATA, layout::CONTAINERD, layout::KUBELET];
    paths
        .into_iter()
        .filter_map(|path| at(Path::new(path)))
        .collect()
}

/// Of the nearest directory above that is there.
fn at(path: &Path) -> Option<Space> {
    let there = path.ancestors().find(|ancestor| ancestor.exists())?;
    let system = rustix::fs::statvfs(there).ok()?;
    Some(Space {
        path: path.to_owned(),
        file_system: system.f_fsid,
        available: system.f_bavail.saturating_mul(system.f_frsize),
        files: (system.f_files > 0).then_some(system.f_favail),
    })
}
