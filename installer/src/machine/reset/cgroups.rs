//! Control groups: their processes, and the groups themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::machine::error::HostError;

/// A group cannot be removed until the kernel has let go of its last process, a moment after its end.
const LONGEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The processes of a group and of those below it, by their numbers in this process's namespace.
pub(super) fn processes(group: &Path) -> Vec<i32> {
    let mut found = Vec::new();
    for group in tree(group) {
        let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        // 0 is one of another namespace of processes.
        found.extend(
            text.lines()
                .filter_map(|line| line.parse::<i32>().ok())
                .filter(|id| *id > 0),
        );
    }
    found
}

/// Removes a group with those below it.
pub(super) fn remove(group: &Path) -> Result<(), HostError> {
    for group in tree(group) {
        let begin = Instant::now();
        loop {
            match fs::remove_dir(&group) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error)
                    if error.kind() == io::ErrorKind::ResourceBusy && begin.elapsed() < LONGEST =>
                {
                    sleep(PAUSE);
                }
                Err(error) => return Err(HostError::io(&group, "cannot be removed", error)),
            }
        }
    }
    Ok(())
}

/// A group and those below it, the deepest first.
pub(super) fn tree(group: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let Ok(entries) = fs::read_dir(group) else {
        return all;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all.extend(tree(&entry.path()));
        }
    }
    all.push(group.to_owned());
    all
}
