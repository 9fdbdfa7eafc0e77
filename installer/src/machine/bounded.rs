//! Running a program that may not end.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// As much of what a program says as anybody reads.
const SAID: u64 = 1 << 20;

/// How a program ended, and what it said until then.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Whether it was killed because its time was over.
    pub(crate) late: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `command`, gives its input to `feed`, and waits for its end. It is killed when it takes longer than `limit`, which
/// also ends a `feed` that waits for it to read on.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    feed: impl FnOnce(ChildStdin),
) -> io::Result<Ended> {
    // Files in memory, not pipes: nothing has to read while it runs, and what it leaves behind cannot keep them open.
    let (mut stdout, mut stderr) = (memory("stdout")?, memory("stderr")?);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let stdin = child.stdin.take().expect("it was asked for");
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let late = thread::scope(|scope| {
        let watch = scope.spawn(|| ends_late(&process, limit));
        feed(stdin);
        watch.join().expect("it does not panic")
    });
    Ok(Ended {
        status: child.wait()?,
        late,
        stdout: said(&mut stdout)?,
        stderr: said(&mut stderr)?,
    })
}

fn ends_late(process: &OwnedFd, limit: Duration) -> bool {
    let limit = Timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    loop {
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&limit)) {
            Err(Errno::INTR) => {}
            Ok(0) => {
                // It may have ended just now: then this does nothing.
                let _ = pidfd_send_signal(process, Signal::KILL);
                return true;
            }
            Ok(_) | Err(_) => return false,
        }
    }
}

fn memory(name: &str) -> io::Result<File> {
    Ok(memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

fn said(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(SAID).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn hears_both_outputs_and_feeds_the_input() {
        let mut command = shell("cat; echo bad >&2; exit 3");
        let ended = run(&mut command, Duration::from_secs(60), |mut stdin| {
            stdin.write_all(b"good").expect("it reads");
        })
        .expect("there is a shell");
        assert_eq!((&*ended.stdout, &*ended.stderr), ("good", "bad\n"));
        assert_eq!((ended.status.code(), ended.late), (Some(3), false));
    }

    #[test]
    fn kills_what_does_not_end_and_does_not_read() {
        let mut fed = Ok(());
        let mut command = shell("exec tail -f /dev/null");
        let ended = run(&mut command, Duration::from_millis(200), |mut stdin| {
            fed = stdin.write_all(&[0; 1 << 20]);
        })
        .expect("there is a shell");
        assert_eq!((ended.status.code(), ended.late), (None, true));
        let error = fed.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn does_not_wait_for_what_a_program_leaves_behind() {
        let mut command = shell("tail -f /dev/null & echo $!");
        let ended = run(&mut command, Duration::from_secs(60), drop).expect("there is a shell");
        assert!(!ended.late);
        let left: i32 = ended.stdout.trim().parse().expect("a process id");
        let left = Pid::from_raw(left).expect("a process id");
        rustix::process::kill_process(left, Signal::KILL).expect("it still runs");
    }
}
