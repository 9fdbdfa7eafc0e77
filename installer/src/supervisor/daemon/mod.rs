//! The supervisor: a process that keeps services running and outlives who started it.
//!
//! Nothing depends on it staying alive. Services write into pipes that they hold open themselves, records below `/run` say
//! which process belongs to which service, and a guard, which is nothing but the same program waiting, becomes the next
//! supervisor when this one is killed. The next one adopts what runs; nothing is started twice.

mod backoff;
mod child;
mod control;
mod guard;
mod journal;
mod keeper;
mod output;
mod ready;
mod reaper;
pub(super) mod rotate;
mod table;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::rc::Rc;

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{Resource, Rlimit};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use super::definition;
use super::paths::SupervisorPaths;
use journal::Journal;
use keeper::Shared;
use reaper::Reaper;
use table::Table;

/// As containerd's and the kubelet's units say.
const OPEN_FILES: u64 = 1_048_576;

/// Why there is no supervisor.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// Another one holds the lock.
    #[error("a supervisor runs already: {} is locked", .0.display())]
    RunsAlready(PathBuf),
    /// A file or directory of it does not do what it should.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses something that every process may do.
    #[error("{what}: {source}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl SupervisorError {
    /// What would mend it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::RunsAlready(_) => Some("kinstall status shows what it keeps running"),
            Self::Io { source, .. } => {
                let denied = source.kind() == io::ErrorKind::PermissionDenied;
                denied.then_some("run as root")
            }
            Self::System { .. } => None,
        }
    }
}

/// Keeps services running until it is told to end, by SIGTERM, SIGINT or on its socket; these stop the services too. When
/// `detach`, it leaves the session and the terminal that it was started in, and its standard error once it is ready.
///
/// # Errors
/// [`SupervisorError`], before any service was started.
pub fn run(paths: SupervisorPaths, detach: bool) -> Result<(), SupervisorError> {
    guard::stand_by()?;
    if detach {
        // Only the leader of a process group is refused: it has a session of its own, or its starter wants to keep it.
        let _ = rustix::process::setsid();
    }
    become_steady().map_err(system("settling down"))?;
    let lock = lock(&paths)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("starting an event loop"))?;
    let served = LocalSet::new().block_on(&runtime, serve(paths, detach));
    drop(lock);
    served
}

async fn serve(paths: SupervisorPaths, detach: bool) -> Result<(), SupervisorError> {
    let journal = Rc::new(Journal::open(&paths.log("supervisor")));
    let signals = "listening for signals";
    let mut terminate = signal(SignalKind::terminate()).map_err(system(signals))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system(signals))?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(system(signals))?;
    let shared = Shared {
        paths: Rc::new(paths),
        journal: journal.clone(),
        reaper: Reaper::start().map_err(system(signals))?,
        board: Rc::default(),
    };
    let socket = listen(&shared.paths)?;
    end_on_panic(&shared.paths);
    journal.say("the supervisor starts");
    let guard = guard::keep_one(&shared);
    let mut table = Table::new(shared.clone());
    table.begin().await;
    let table = Rc::new(Mutex::new(table));
    let (end, mut ends) = tokio::sync::mpsc::channel(1);
    tokio::task::spawn_local(control::answer(socket, table.clone(), shared.clone(), end));
    if detach {
        leave_terminal().map_err(system("leaving the terminal"))?;
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => { table.lock().await.stop(&[]).await; break }
            _ = interrupt.recv() => { table.lock().await.stop(&[]).await; break }
            // Nobody's terminal is ours, so somebody means: read the definitions again.
            _ = hang_up.recv() => { table.lock().await.reload().await; }
            _ = ends.recv() => break,
        }
    }
    // From here on an end is no accident.
    guard.dismiss().await;
    journal.say("the supervisor ends");
    let socket = shared.paths.socket();
    definition::remove(&socket).map_err(at(socket))
}

/// Independent of where it was started.
fn become_steady() -> io::Result<()> {
    std::env::set_current_dir("/")?;
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(OPEN_FILES).max(OPEN_FILES);
    for maximum in [Some(most), limit.maximum] {
        let wanted = Rlimit {
            current: Some(maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES)),
            maximum,
        };
        // The first needs CAP_SYS_RESOURCE where it is more than there was.
        if rustix::process::setrlimit(Resource::Nofile, wanted).is_ok() {
            break;
        }
    }
    // As systemd itself: never the first to go. Refused without CAP_SYS_RESOURCE, where it is as any other process.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    Ok(())
}

/// Makes this the only supervisor for as long as the file is open; children do not inherit it.
fn lock(paths: &SupervisorPaths) -> Result<File, SupervisorError> {
    definition::make_private_dir(&paths.run).map_err(at(paths.run.clone()))?;
    let path = paths.lock();
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(at(path.clone()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(SupervisorError::RunsAlready(path)),
        Err(error) => Err(at(path)(error.into())),
    }
}

fn listen(paths: &SupervisorPaths) -> Result<UnixListener, SupervisorError> {
    let path = paths.socket();
    // Of a supervisor that was killed: this one has the lock.
    definition::remove(&path).map_err(at(path.clone()))?;
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let listener = UnixListener::bind(&path);
    rustix::process::umask(umask);
    listener.map_err(at(path))
}

fn leave_terminal() -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// A task that panicked would leave its service alone. The guard's supervisor takes all over instead.
fn end_on_panic(paths: &SupervisorPaths) {
    let log = paths.log("supervisor");
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!(", at {place}"));
        let place = place.unwrap_or_default();
        Journal::open(&log).say(&format!("a bug in kinstall{place}: the supervisor ends"));
        std::process::exit(2);
    }));
}

fn system(what: &'static str) -> impl Fn(io::Error) -> SupervisorError {
    move |source| SupervisorError::System { what, source }
}

fn at(path: PathBuf) -> impl FnOnce(io::Error) -> SupervisorError {
    move |source| SupervisorError::Io { path, source }
}
