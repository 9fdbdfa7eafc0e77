//! The guard: this program a second time, waiting to become the supervisor when that is killed.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, getppid, kill_process, pidfd_open};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::child::wait_for_end;
use super::keeper::Shared;
use super::{SupervisorError, system};

/// In a guard's environment: the process id of its supervisor.
const VARIABLE: &str = "KINSTALL_GUARD_OF";
/// A supervisor that ended sooner than that will end again, so the next one takes a breath.
const STEADY: Duration = Duration::from_secs(10);
/// How long.
const BREATH: Duration = Duration::from_secs(1);

/// Returns at once in a supervisor. In a guard it waits until its supervisor has died, and then replaces this process by a
/// supervisor, under the same arguments.
pub fn stand_by() -> Result<(), SupervisorError> {
    let Some(supervisor) = std::env::var(VARIABLE).ok() else {
        return Ok(());
    };
    let began = Instant::now();
    let pid = supervisor.parse().ok().and_then(Pid::from_raw);
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // With another parent, the supervisor is dead already, and its number may be another's.
    if let Some(handle) = handle.filter(|_| getppid() == pid) {
        wait_for_end(&handle);
    }
    if began.elapsed() < STEADY {
        std::thread::sleep(BREATH);
    }
    let (program, arguments) = own_call().map_err(system("finding kinstall"))?;
    let error = Command::new(program)
        .args(arguments)
        .env_remove(VARIABLE)
        .exec();
    Err(system("becoming the supervisor")(error))
}

fn own_call() -> io::Result<(PathBuf, Vec<OsString>)> {
    Ok((
        std::env::current_exe()?,
        std::env::args_os().skip(1).collect(),
    ))
}

/// What keeps a guard.
pub struct Guard {
    task: JoinHandle<()>,
    dismiss: oneshot::Sender<()>,
}

/// Starts a guard, and another one whenever it ends.
pub fn keep_one(shared: &Shared) -> Guard {
    let (dismiss, mut dismissed) = oneshot::channel();
    let shared = shared.clone();
    // Asked for now: an upgrade may replace the file later, under the same name.
    let call = own_call();
    let task = tokio::task::spawn_local(async move {
        let Ok((program, arguments)) = call else {
            return;
        };
        loop {
            let spawned = Command::new(&program)
                .args(&arguments)
                .env(VARIABLE, std::process::id().to_string())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            match spawned {
                Ok(child) => {
                    let id = child.id();
                    let end = shared.reaper.end_of(id);
                    tokio::select! {
                        _ = end => {}
                        _ = &mut dismissed => {
                            if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                                let _ = kill_process(pid, Signal::KILL);
                            }
                            return;
                        }
                    }
                }
                Err(error) => {
                    let program = program.display();
                    shared.journal.say(&format!("no guard: {program}: {error}"));
                }
            }
            tokio::select! {
                () = sleep(BREATH) => {}
                _ = &mut dismissed => return,
            }
        }
    });
    Guard { task, dismiss }
}

impl Guard {
    /// Ends the guard: the supervisor is about to end on purpose.
    pub async fn dismiss(self) {
        let _ = self.dismiss.send(());
        let _ = self.task.await;
    }
}
