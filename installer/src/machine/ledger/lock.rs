//! One kinstall at a time.

use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::LedgerError;

/// A kinstall that was killed just when it had forked, to call a program, left the lock to that child until it
/// executes the program.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, held.
///
/// flock(2) belongs to the open file, so the kernel lets go of it however we end. The file itself goes
/// with [`Drop`], still under the lock: whoever opened it before sees that it has no name any more, and
/// begins anew.
#[derive(Debug)]
pub(super) struct Lock {
    file: std::fs::File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self, LedgerError> {
        let fails = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        let mut tries = TRIES;
        loop {
            let mut file = std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                .open(path)
                .map_err(fails)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    let mut text = String::new();
                    // Best effort: who it is only helps to find it.
                    let _ = file.read_to_string(&mut text);
                    let holder = text.trim().parse().ok();
                    if holder.is_some_and(lives) || tries == 0 {
                        let path = path.to_owned();
                        return Err(LedgerError::Busy { path, holder });
                    }
                    tries -= 1;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(errno) => return Err(fails(errno.into())),
            }
            if file.metadata().map_err(fails)?.nlink() == 0 {
                continue;
            }
            write_own_id(&mut file).map_err(fails)?;
            let path = path.to_owned();
            return Ok(Self { file, path });
        }
    }
}

fn lives(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

fn write_own_id(file: &mut std::fs::File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Best effort: a lock file without a lock on it hinders nobody.
        let _ = std::fs::remove_file(&self.path);
        // Nor does a directory that nothing was written to; one that holds something stays.
        if let Some(directory) = self.path.parent() {
            let _ = std::fs::remove_dir(directory);
        }
        // Outright, whoever shares the descriptor.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
