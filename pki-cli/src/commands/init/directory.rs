//! Whether a directory is ours, free, or somebody else's.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::cluster::SPEC;
use crate::output::errors::Failure;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has a cluster.toml.
    Ours,
    /// It is empty or not there.
    Free,
}

/// The store's own directory: all that an interrupted init leaves.
const CONTROL: &str = ".kpki";

/// Looks, and refuses what is not ours.
pub fn state(dir: &Path) -> Result<State, Failure> {
    if dir.join(SPEC).symlink_metadata().is_ok() {
        return Ok(State::Ours);
    }
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Free),
        Err(error) => return Err(Failure::io(dir, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(dir, &error))?;
        if entry.file_name() != CONTROL {
            let text = format!(
                "{} is not empty and has no {SPEC}: it is not kpki's",
                dir.display()
            );
            return Err(Failure::new(text).hint(
                "name a new directory with --dir; a kubeadm-made /etc/kubernetes is taken over with kpki import",
            ));
        }
    }
    Ok(State::Free)
}
