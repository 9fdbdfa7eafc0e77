//! Taking away what the ledger says we made.

use std::fs;
use std::io;
use std::path::Path;

use super::directory::{self, Directory};
use super::{Effects, Host, files, store, write_sysctl};
use crate::desired::DirectoryContents;
use crate::machine::effect::EffectError;
use crate::machine::error::HostError;
use crate::machine::fuse::Fuse;
use crate::machine::ledger::{Before, Made};
use crate::machine::mounts;
use crate::machine::root::Root;
use crate::plan::Change;

impl Host {
    pub(super) fn remove(&self, change: &Change, effects: Effects<'_>) -> Result<(), HostError> {
        let Some(entry) = self.ledger().entry(&change.id) else {
            return Ok(());
        };
        match &entry.made {
            Made::File { path } | Made::Symlink { path } => files::remove(&self.root, path),
            Made::Directory { path, contents } => {
                remove_directory(&self.root, path, *contents, &entry.before, self.fuse())
            }
            Made::Sysctl { key } => match &entry.before {
                Before::Value(value) => write_sysctl(&self.root, key, value),
                _ => Ok(()),
            },
            Made::Image { reference } => Ok(store(effects)?.remove(reference)?),
            Made::Service { name } => Ok(effects.services.remove(name)?),
            // These stay until a reset.
            Made::Account { .. } | Made::Module { .. } | Made::Trace(_) => Ok(()),
        }
    }
}

/// Removes a directory, or brings the one that was there before back to what it was. What is not ours in it
/// stays, and then it stays too. [`DirectoryContents::Data`] is taken for ours here.
pub(in crate::machine) fn remove_directory(
    root: &Root,
    path: &Path,
    contents: DirectoryContents,
    before: &Before,
    fuse: &Fuse,
) -> Result<(), HostError> {
    let Some((above, name)) = Directory::above(root, path)? else {
        return Ok(());
    };
    let place = above.path.join(name);
    let fails = |error: io::Error| HostError::io(&place, "cannot be removed", error);
    match place.symlink_metadata() {
        Ok(data) if data.is_dir() => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fails(error)),
    }
    if contents != DirectoryContents::Foreign {
        refuse_mounts(&place)?;
        let kept = match before {
            Before::Directory { entries, .. } => Some(entries),
            _ => None,
        };
        for entry in fs::read_dir(&place).map_err(fails)? {
            let entry = entry.map_err(fails)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if kept.is_some_and(|kept| kept.contains(&name)) {
                continue;
            }
            fuse.burn().map_err(fails)?;
            remove_tree(&entry.path())?;
        }
    }
    if let Before::Directory { mode, owner, .. } = before {
        return directory::make(root, path, *mode, *owner, fuse);
    }
    fuse.burn().map_err(fails)?;
    match fs::remove_dir(&place) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::DirectoryNotEmpty
                    // A file system of its own is mounted there: that was its owner's doing.
                    | io::ErrorKind::ResourceBusy
            ) =>
        {
            Err(fails(error))
        }
        _ => Ok(()),
    }
}

/// Removes a file, or a directory with all that is in it; never what is mounted there.
pub(in crate::machine) fn remove_tree(place: &Path) -> Result<(), HostError> {
    let fails = |error: io::Error| HostError::io(place, "cannot be removed", error);
    let data = match place.symlink_metadata() {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fails(error)),
    };
    if !data.is_dir() {
        return match fs::remove_file(place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fails(error)),
            _ => Ok(()),
        };
    }
    refuse_mounts(place)?;
    match fs::remove_dir_all(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fails(error)),
        _ => Ok(()),
    }
}

/// What is mounted below is another's data, however it came there.
fn refuse_mounts(place: &Path) -> Result<(), HostError> {
    let below = mounts::below(place)
        .map_err(|error| HostError::io(place, "its mounts are unknown", error))?;
    match below.first() {
        None => Ok(()),
        Some(point) => Err(EffectError {
            fact: format!(
                "{} is not removed: something is mounted on {}",
                place.display(),
                point.display()
            ),
            hint: Some(format!("umount {}, then run again", point.display())),
        }
        .into()),
    }
}
