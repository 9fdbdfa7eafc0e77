//! Every file of a desired state in a folder, to be looked at.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::desired::{Kind, Resource};

/// Writes every file and link of `desired` below `folder`, with its mode, as the current user's. Returns how many.
///
/// # Errors
/// When `folder` has something in it already, or cannot be written.
pub fn render(desired: &[Resource], folder: &Path) -> Result<usize, (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let below = path.strip_prefix("/").unwrap_or(path);
        folder.join(below)
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // What is in there may be keys: the folder is its owner's alone.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed(folder))?;
    if fs::read_dir(folder)
        .map_err(failed(folder))?
        .next()
        .is_some()
    {
        let error = io::Error::new(io::ErrorKind::DirectoryNotEmpty, "is not empty");
        return Err((folder.to_owned(), error));
    }
    let mut written = 0;
    for resource in desired {
        match &resource.kind {
            Kind::Directory(directory) => {
                let path = at(&directory.path);
                fs::create_dir_all(&path).map_err(failed(&path))?;
            }
            Kind::File(file) => {
                let path = at(&file.path);
                make_parent(&path).map_err(failed(&path))?;
                let mut options = OpenOptions::new();
                options
                    .write(true)
                    .create_new(true)
                    .mode(file.mode.bits().into());
                let mut out = options.open(&path).map_err(failed(&path))?;
                out.write_all(file.contents.secret_bytes())
                    .map_err(failed(&path))?;
                written += 1;
            }
            Kind::Symlink(link) => {
                let path = at(&link.path);
                make_parent(&path).map_err(failed(&path))?;
                std::os::unix::fs::symlink(&link.target, &path).map_err(failed(&path))?;
                written += 1;
            }
            _ => {}
        }
    }
    Ok(written)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}
