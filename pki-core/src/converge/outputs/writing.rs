//! A batch on its way: what is staged, kept aside and named, and how that is taken back.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::error::{OutputsError, failed};
use super::{Output, directory_of};
use crate::converge::store::Faults;

/// How many leftovers of killed runs with our process's number may be beside one file: in a container every run may be
/// process 1.
const LEFTOVERS: u32 = 1000;

/// A name may have 255 bytes (limits.h, NAME_MAX), and ours has up to 31 besides.
const LONGEST_IN_NAME: usize = 200;

/// Takes back what was done when dropped, unless it is finished.
pub(super) struct Writing {
    faults: Faults,
    files: Vec<Underway>,
    finished: bool,
}

/// One file of the batch.
struct Underway {
    path: PathBuf,
    /// Until it has its name.
    staged: Option<PathBuf>,
    /// What was there before, under another name.
    old: Option<PathBuf>,
    /// Whether that still has its own name, too.
    in_place: bool,
}

impl Writing {
    pub(super) fn new(faults: Faults) -> Self {
        Self {
            faults,
            files: Vec::new(),
            finished: false,
        }
    }

    /// Writes one file beside its place.
    pub(super) fn stage(&mut self, file: &Output) -> Result<(), OutputsError> {
        let fails = failed::<Errno>(&file.path);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(file.mode.bits().into());
        let open = |name: &Path| self.effect(|| fs::open(name, flags, mode));
        let (staged, handle) = under_free_name("new", &file.path, open).map_err(&fails)?;
        self.files.push(Underway {
            path: file.path.clone(),
            staged: Some(staged),
            old: None,
            in_place: false,
        });
        // The umask may have taken bits away; none are added to what the mode says.
        self.effect(|| fs::fchmod(&handle, mode)).map_err(&fails)?;
        let mut handle = File::from(handle);
        self.step().map_err(&fails)?;
        handle
            .write_all(&file.contents)
            .and_then(|()| handle.sync_all())
            .map_err(failed(&file.path))
    }

    /// Keeps what a file is to replace. The first of a batch keeps its name meanwhile: nothing that belongs to it, and comes
    /// later, has its own any more.
    pub(super) fn keep_old(&mut self, index: usize) -> Result<(), OutputsError> {
        let path = self.files[index].path.clone();
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let link = |old: &Path| self.effect(|| fs::linkat(CWD, &path, CWD, old, AtFlags::empty()));
        if index == 0
            && let Ok((old, ())) = under_free_name("old", &path, link)
        {
            self.files[index].in_place = true;
            self.files[index].old = Some(old);
            return Ok(());
        }
        let rename = |old: &Path| self.rename_to_free(&path, old);
        let (old, ()) = under_free_name("old", &path, rename).map_err(failed(&path))?;
        self.files[index].old = Some(old);
        Ok(())
    }

    /// Gives a staged file its name: in place of what was kept there, and of nothing else.
    pub(super) fn name(&mut self, index: usize) -> Result<(), OutputsError> {
        let file = &self.files[index];
        let path = file.path.clone();
        let Some(staged) = file.staged.clone() else {
            return Ok(());
        };
        let named = if file.in_place {
            self.effect(|| fs::renameat(CWD, &staged, CWD, &path))
        } else {
            self.rename_to_free(&staged, &path)
        };
        match named {
            Ok(()) => {
                self.files[index].staged = None;
                self.files[index].in_place = false;
                Ok(())
            }
            Err(Errno::EXIST) => Err(OutputsError::Exists(path)),
            Err(errno) => Err(failed(&path)(errno)),
        }
    }

    /// Makes names durable.
    pub(super) fn sync(&self) -> Result<(), OutputsError> {
        let mut directories: Vec<_> = self
            .files
            .iter()
            .map(|file| directory_of(&file.path))
            .collect();
        directories.sort_unstable();
        directories.dedup();
        for directory in directories {
            self.step().map_err(failed::<Errno>(directory))?;
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(failed(directory))?;
        }
        Ok(())
    }

    /// Everything has its name; the old files go.
    pub(super) fn finish(mut self) {
        self.finished = true;
        for old in self.files.iter().filter_map(|file| file.old.as_ref()) {
            // The batch is written. What cannot be removed here, where it was just made, keeps its mode.
            let _ = self.effect(|| fs::unlink(old));
        }
    }

    /// Renames, unless something has that name.
    fn rename_to_free(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        let renamed = self.effect(|| fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE));
        match renamed {
            // Not every file system can do that; a hard link never replaces anything either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                self.effect(|| fs::linkat(CWD, from, CWD, to, AtFlags::empty()))?;
                self.effect(|| fs::unlink(from))
            }
            other => other,
        }
    }

    fn effect<T>(&self, act: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
        self.step()?;
        act()
    }

    fn step(&self) -> Result<(), Errno> {
        self.faults.step()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // There is an error already, and nothing better to do about a second one. What is new goes from the last to the
        // first, what is old comes back from the first to the last: so no certificate is ever beside the key of another.
        for file in self.files.iter().rev() {
            let goes = match (&file.staged, &file.old) {
                (Some(staged), _) => staged,
                (None, None) => &file.path,
                // Replaced in one step below.
                (None, Some(_)) if file.path == self.files[0].path => continue,
                (None, Some(_)) => &file.path,
            };
            let _ = self.effect(|| fs::unlink(goes));
        }
        for file in &self.files {
            let Some(old) = &file.old else { continue };
            if file.in_place {
                // Its own name was never gone, and rename(2) does nothing with two links of one file.
                let _ = self.effect(|| fs::unlink(old));
            } else {
                let _ = self.effect(|| fs::renameat(CWD, old, CWD, &file.path));
            }
        }
    }
}

/// Does something with the first name beside `path` that nothing has: `act` says which are taken.
fn under_free_name<T>(
    kind: &str,
    path: &Path,
    act: impl Fn(&Path) -> Result<T, Errno>,
) -> Result<(PathBuf, T), Errno> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=LONGEST_IN_NAME.min(name.len()))
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    let process = std::process::id();
    for number in 0..LEFTOVERS {
        let free =
            directory_of(path).join(format!(".kpki-{kind}-{process}-{number}-{}", &name[..end]));
        match act(&free) {
            Ok(done) => return Ok((free, done)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}
