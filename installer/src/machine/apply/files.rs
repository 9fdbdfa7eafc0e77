//! Files, directories and links: written beside, synced all at once, then put in place by rename.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::Progress;
use super::directory::{self, Directory, set_owner_and_mode};
use crate::desired::layout::MANIFESTS;
use crate::desired::{File, Kind, Symlink};
use crate::machine::error::HostError;
use crate::machine::fuse::Fuse;
use crate::machine::root::Root;
use crate::plan::{Action, Change};

/// So many files are synced at the same time: the file system then writes its journal once for many.
const SYNCS: usize = 8;

/// Changes of files that are put in place together.
#[derive(Default)]
pub(super) struct Batch<'a> {
    steps: Vec<(&'a Change, Option<Staged>)>,
}

/// Something under its temporary name.
struct Staged {
    from: Directory,
    temporary: OsString,
    to: Directory,
    name: OsString,
    /// A file that is not synced yet.
    file: Option<OwnedFd>,
    /// Nothing may be there: it was seen that nothing is.
    create: bool,
}

impl<'a> Batch<'a> {
    /// Makes a directory at once; a file or link under a temporary name.
    pub(super) fn add(
        &mut self,
        root: &Root,
        fuse: &Fuse,
        change: &'a Change,
        wanted: &Kind,
    ) -> Result<(), HostError> {
        let create = change.action == Action::Create;
        let staged = match wanted {
            Kind::Directory(wanted) => {
                let mode = u32::from(wanted.mode.bits());
                directory::make(root, &wanted.path, mode, wanted.owner, fuse)?;
                None
            }
            Kind::File(file) => Some(Staged::file(root, fuse, file, create)?),
            Kind::Symlink(link) => Some(Staged::link(root, fuse, link, create)?),
            _ => None,
        };
        self.steps.push((change, staged));
        Ok(())
    }

    /// Puts everything in place, in the order in which it was added.
    pub(super) fn finish(
        &mut self,
        fuse: &Fuse,
        report: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), HostError> {
        let steps = std::mem::take(&mut self.steps);
        sync(&steps)?;
        let mut changed: Vec<Directory> = Vec::new();
        for (change, staged) in steps {
            if let Some(staged) = staged {
                let to = staged.put(fuse)?;
                if changed.iter().all(|directory| directory.path != to.path) {
                    changed.push(to);
                }
            }
            report(Progress::Done(change));
        }
        changed.iter().try_for_each(Directory::sync)
    }
}

fn sync(steps: &[(&Change, Option<Staged>)]) -> Result<(), HostError> {
    let staged = steps.iter().filter_map(|(_, staged)| staged.as_ref());
    let files: Vec<&Staged> = staged.filter(|staged| staged.file.is_some()).collect();
    std::thread::scope(|scope| {
        let share = files.len().div_ceil(SYNCS).max(1);
        let threads = files
            .chunks(share)
            .map(|files| scope.spawn(|| files.iter().try_for_each(|staged| staged.sync())));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("fsync does not panic"))
    })
}

impl Staged {
    fn new(root: &Root, fuse: &Fuse, path: &Path, create: bool) -> Result<Self, HostError> {
        let (to, name) = Directory::made_above(root, path, fuse)?;
        let (from, temporary) = staging(root, path, &to, &name)?;
        let staged = Self {
            from,
            temporary,
            to,
            name,
            file: None,
            create,
        };
        unlink(&staged.from, &staged.temporary)?;
        fuse.burn()
            .map_err(|error| HostError::io(&staged.path(), "cannot be written", error))?;
        Ok(staged)
    }

    fn file(root: &Root, fuse: &Fuse, file: &File, create: bool) -> Result<Self, HostError> {
        let mut staged = Self::new(root, fuse, &file.path, create)?;
        let path = staged.path();
        let fails = |errno: Errno| HostError::io(&path, "cannot be written", errno);
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let new = fs::openat(
            &staged.from.file,
            &staged.temporary,
            flags,
            Mode::RUSR | Mode::WUSR,
        )
        .map_err(fails)?;
        // Mode and owner come before the contents.
        set_owner_and_mode(&new, u32::from(file.mode.bits()), file.owner).map_err(fails)?;
        let mut new = std::fs::File::from(new);
        new.write_all(file.contents.secret_bytes())
            .map_err(|error| HostError::io(&path, "cannot be written", error))?;
        staged.file = Some(new.into());
        Ok(staged)
    }

    fn link(root: &Root, fuse: &Fuse, link: &Symlink, create: bool) -> Result<Self, HostError> {
        let staged = Self::new(root, fuse, &link.path, create)?;
        fs::symlinkat(&link.target, &staged.from.file, &staged.temporary)
            .map_err(|errno| HostError::io(&staged.path(), "cannot be made", errno))?;
        Ok(staged)
    }

    fn sync(&self) -> Result<(), HostError> {
        match &self.file {
            Some(file) => fs::fsync(file)
                .map_err(|errno| HostError::io(&self.path(), "cannot be written", errno)),
            None => Ok(()),
        }
    }

    /// Puts it in place; returns the directory that has changed.
    fn put(self, fuse: &Fuse) -> Result<Directory, HostError> {
        let path = self.path();
        fuse.burn()
            .map_err(|error| HostError::io(&path, "cannot be put in place", error))?;
        let rename = |flags| {
            fs::renameat_with(
                &self.from.file,
                &self.temporary,
                &self.to.file,
                &self.name,
                flags,
            )
        };
        let renamed = if self.create {
            match rename(RenameFlags::NOREPLACE) {
                // Not every file system knows how to (renameat2(2)).
                Err(Errno::INVAL | Errno::NOSYS) => rename(RenameFlags::empty()),
                other => other,
            }
        } else {
            rename(RenameFlags::empty())
        };
        renamed.map_err(|errno| HostError::io(&path, "cannot be put in place", errno))?;
        Ok(self.to)
    }

    fn path(&self) -> std::path::PathBuf {
        self.to.path.join(&self.name)
    }
}

/// The directory and the name under which something is made. What scans a folder by endings of names does
/// not take it for one of its own.
fn staging(
    root: &Root,
    path: &Path,
    to: &Directory,
    name: &OsStr,
) -> Result<(Directory, OsString), HostError> {
    let fails = |errno: Errno| HostError::io(&to.path, "cannot be read", errno);
    let folder = path.parent().unwrap_or(path);
    // The kubelet runs any file in its folder of manifests (kubernetes#129364), so they are made beside it.
    if folder == Path::new(MANIFESTS)
        && let Some((beside, _)) = Directory::above(root, folder)?
    {
        let device = |directory: &Directory| fs::fstat(&directory.file).map(|stat| stat.st_dev);
        if device(&beside).map_err(fails)? == device(to).map_err(fails)? {
            return Ok((beside, temporary(name)));
        }
    }
    match to.file.try_clone() {
        Ok(file) => {
            let path = to.path.clone();
            Ok((Directory { file, path }, temporary(name)))
        }
        Err(error) => Err(HostError::io(&to.path, "cannot be read", error)),
    }
}

/// The temporary name of what will be `name`: always the same, so that a later run finds it.
pub(super) fn temporary(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".kinstall-new");
    temporary
}

/// Removes what an interrupted run may have left of `path`.
pub(super) fn remove_temporary(root: &Root, path: &Path) -> Result<(), HostError> {
    let Some((to, name)) = Directory::above(root, path)? else {
        return Ok(());
    };
    unlink(&to, &temporary(&name))?;
    let (from, temporary) = staging(root, path, &to, &name)?;
    unlink(&from, &temporary)
}

/// Removes a file or a link. One that is not there is no error.
pub(in crate::machine) fn remove(root: &Root, path: &Path) -> Result<(), HostError> {
    remove_temporary(root, path)?;
    match Directory::above(root, path)? {
        Some((directory, name)) => unlink(&directory, &name),
        None => Ok(()),
    }
}

fn unlink(directory: &Directory, name: &OsStr) -> Result<(), HostError> {
    match fs::unlinkat(&directory.file, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(HostError::io(
            &directory.path.join(name),
            "cannot be removed",
            errno,
        )),
    }
}
