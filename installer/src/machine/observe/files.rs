//! Files, directories and links, without following links.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{Above, Found};
use crate::desired::{File, Owner};
use crate::machine::error::HostError;

/// What is at `path`, compared with the file that is wanted there.
pub(super) fn file(path: &Path, wanted: Option<&File>) -> Result<Found, HostError> {
    let fails = |source: io::Error| HostError::io(path, "cannot be read", source);
    let data = match fs::symlink_metadata(path) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
        Err(error) => return Err(fails(error)),
    };
    let kind = data.file_type();
    if kind.is_symlink() {
        return Ok(Found::Symlink(fs::read_link(path).map_err(fails)?));
    }
    if kind.is_dir() {
        let mut entries = BTreeSet::new();
        for entry in fs::read_dir(path).map_err(fails)? {
            let name = entry.map_err(fails)?.file_name();
            entries.insert(name.to_string_lossy().into_owned());
        }
        return Ok(Found::Directory {
            mode: permissions(&data),
            owner: owner(&data),
            entries,
        });
    }
    if !kind.is_file() {
        return Ok(Found::Special);
    }
    let same = match wanted {
        Some(wanted) => holds(path, &data, wanted.contents.secret_bytes()).map_err(fails)?,
        None => false,
    };
    Ok(Found::File {
        mode: permissions(&data),
        owner: owner(&data),
        same,
    })
}

/// What is at the place of a directory.
pub(super) fn above(path: &Path) -> Result<Above, HostError> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => Ok(Above::Directory),
        Ok(data) if data.is_symlink() => Ok(Above::Symlink),
        Ok(_) => Ok(Above::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Above::Missing),
        Err(error) => Err(HostError::io(path, "cannot be read", error)),
    }
}

fn holds(path: &Path, data: &Metadata, wanted: &[u8]) -> io::Result<bool> {
    if data.len() != wanted.len() as u64 {
        return Ok(false);
    }
    let mut file = fs::OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path)?;
    let mut contents = Zeroizing::new(Vec::with_capacity(wanted.len() + 1));
    file.read_to_end(&mut contents)?;
    Ok(*contents == wanted)
}

/// All permission bits, with set-user-ID, set-group-ID and sticky, which are never wanted.
fn permissions(data: &Metadata) -> u32 {
    data.mode() & 0o7777
}

fn owner(data: &Metadata) -> Owner {
    Owner {
        user: data.uid(),
        group: data.gid(),
    }
}
