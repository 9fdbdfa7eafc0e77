//! A service's output: through a named pipe into its log.
//!
//! The service holds the pipe open for reading too. So its output neither ends nor breaks when the supervisor dies (a broken
//! pipe on standard output ends a Go program): it waits in the pipe for the next supervisor, up to a mebibyte.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{CWD, Mode};
use tokio::net::unix::pipe::{self, Receiver};
use tokio::task::JoinHandle;

use super::journal::Journal;
use super::rotate::{LIMIT, RotatingLog};
use crate::supervisor::definition;

/// What the kernel lets anybody have (`/proc/sys/fs/pipe-max-size`).
const PIPE_BYTES: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// The pipe of one service, and the task that empties it.
pub struct Output {
    path: PathBuf,
    pipe: Rc<Receiver>,
    log: Rc<std::cell::RefCell<Log>>,
    task: JoinHandle<()>,
}

impl Output {
    /// Makes or finds the pipe, and begins to empty it into the log.
    pub fn open(path: &Path, log: &Path, journal: &Rc<Journal>) -> io::Result<Self> {
        let is_pipe = path
            .symlink_metadata()
            .map(|found| found.file_type().is_fifo());
        if !matches!(is_pipe, Ok(true)) {
            definition::remove(path)?;
            rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
        }
        let pipe = pipe::OpenOptions::new()
            .read_write(true)
            .open_receiver(path)?;
        // Where the kernel refuses, the pipe is smaller.
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, PIPE_BYTES);
        let pipe = Rc::new(pipe);
        let log = Rc::new(std::cell::RefCell::new(Log::new(log, journal)));
        let task = tokio::task::spawn_local(pump(pipe.clone(), log.clone()));
        Ok(Self {
            path: path.to_owned(),
            pipe,
            log,
            task,
        })
    }

    /// The end for the service.
    pub fn writer(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }

    /// Reads what is there already: for an end in which nobody waits.
    pub fn drain(&self) {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = self.pipe.try_read(&mut chunk) {
            self.log.borrow_mut().write(&chunk[..count]);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pump(pipe: Rc<Receiver>, log: Rc<std::cell::RefCell<Log>>) {
    let mut chunk = vec![0; CHUNK];
    while pipe.readable().await.is_ok() {
        if let Ok(count @ 1..) = pipe.try_read(&mut chunk) {
            log.borrow_mut().write(&chunk[..count]);
        }
        // One service that writes without pause must not keep the others waiting.
        tokio::task::yield_now().await;
    }
}

/// A log that bears a full disk: a service never waits for it.
struct Log {
    path: PathBuf,
    open: Option<RotatingLog>,
    lost: u64,
    journal: Rc<Journal>,
}

impl Log {
    fn new(path: &Path, journal: &Rc<Journal>) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
            lost: 0,
            journal: journal.clone(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        match self.try_write(bytes) {
            Ok(()) if self.lost == 0 => {}
            Ok(()) => {
                let (path, lost) = (self.path.display(), self.lost);
                self.journal.say(&format!("{path}: {lost} bytes were lost"));
                self.lost = 0;
            }
            Err(error) => {
                if self.lost == 0 {
                    let path = self.path.display();
                    self.journal
                        .say(&format!("{path}: {error}; output is lost"));
                }
                self.open = None;
                self.lost += bytes.len() as u64;
            }
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let log = match &mut self.open {
            Some(log) => log,
            None => {
                definition::make_private_dir(self.path.parent().expect("a directory"))?;
                self.open.insert(RotatingLog::open(&self.path, LIMIT)?)
            }
        };
        log.write(bytes)
    }
}
