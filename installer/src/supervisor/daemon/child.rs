//! A service's main process: started here, or taken over from the supervisor before this one.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitStatus, pidfd_open, pidfd_send_signal};
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::output::Output;
use super::reaper::Reaper;
use crate::desired::Service;
use crate::supervisor::record::Process;
use crate::supervisor::unit::oom_score_adjust;

/// systemd's default for services.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A service's main process.
pub struct Child {
    /// Which.
    pub process: Process,
    /// Refers to just that process, even after its number has another meaning.
    handle: OwnedFd,
    /// How it ends; nothing where it is not this process's child.
    end: oneshot::Receiver<Option<WaitStatus>>,
}

impl Child {
    /// Starts the service.
    pub fn spawn(
        service: &Service,
        output: &Output,
        notify: Option<&Path>,
        reaper: &Reaper,
    ) -> io::Result<Self> {
        let writer = output.writer()?;
        let child = Command::new(&service.program)
            .args(&service.arguments)
            .env_clear()
            .env("PATH", PATH)
            .envs(notify.map(|path| ("NOTIFY_SOCKET", path)))
            .envs(&service.environment)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            // What is sent to the supervisor's group is not for services.
            .process_group(0)
            .spawn()?;
        let id = child.id();
        let end = reaper.end_of(id);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        // Not reaped yet, so it is there, as a zombie at least.
        let handle = handle(id)?;
        let process = Process::now(id, now).unwrap_or_else(|| Process {
            id,
            start_ticks: 0,
            boot: String::new(),
            since: now,
        });
        // Lowering needs CAP_SYS_RESOURCE; without it the service is as any other process.
        let _ = fs::write(
            format!("/proc/{id}/oom_score_adj"),
            oom_score_adjust(&service.name).to_string(),
        );
        Ok(Self {
            process,
            handle,
            end,
        })
    }

    /// Takes over a process that another supervisor started, if it lives.
    pub fn adopt(process: &Process) -> Option<Self> {
        let handle = handle(process.id).ok()?;
        // Looked at after it was opened: so the handle is for this process and no later one.
        process.lives().then_some(())?;
        let watched = handle.try_clone().ok()?;
        let (sender, end) = oneshot::channel();
        // There are as many of these threads as adopted services, and tokio has no other way without unsafe code.
        std::thread::spawn(move || {
            wait_for_end(&watched);
            let _ = sender.send(None);
        });
        Some(Self {
            process: process.clone(),
            handle,
            end,
        })
    }

    /// Waits until it ended, and says how. Nothing is lost when it is not waited to the end.
    pub async fn ended(&mut self) -> String {
        match (&mut self.end).await {
            Ok(Some(status)) => in_words(status),
            _ => "how is not known, as an earlier supervisor started it".to_owned(),
        }
    }

    /// Sends a signal to the process alone, never to its group: shims and pods live on.
    pub fn signal(&self, signal: Signal) {
        // Only one that has ended does not get it.
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}

/// A process of the service that no record tells of, as when a supervisor died between starting and recording it: one that
/// was called as the service is, and writes into its pipe.
pub fn find(service: &Service, output: &Path) -> Option<Process> {
    let mut called = vec![service.program.to_string_lossy().into_owned()];
    called.extend(service.arguments.iter().cloned());
    // As the kernel names it.
    let output = output.canonicalize().ok()?;
    let ids = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let proc = Path::new("/proc").join(id.to_string());
        // First what is quick: nearly all fail here.
        if fs::read_link(proc.join("fd/1")).ok()? != output {
            return None;
        }
        let words = fs::read(proc.join("cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words);
        let words: Vec<_> = words.strip_suffix('\0')?.split('\0').collect();
        // A script's interpreter comes before it.
        let began = fs::metadata(&proc).ok()?.modified().ok()?;
        let since = OffsetDateTime::from(began).unix_timestamp();
        words
            .ends_with(&called.iter().map(String::as_str).collect::<Vec<_>>())
            .then(|| Process::now(id, since))?
    });
    ids.min_by_key(|process| process.start_ticks)
}

/// Waits for the end of a process that need not be a child: then its handle is readable (pidfd_open(2)).
pub fn wait_for_end(handle: &OwnedFd) {
    loop {
        match poll(&mut [PollFd::new(handle, PollFlags::IN)], None) {
            Err(rustix::io::Errno::INTR) => {}
            _ => return,
        }
    }
}

fn handle(id: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

fn in_words(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (_, Some(number)) => match signal_name(number) {
            Some(name) => format!("signal {number} ({name})"),
            None => format!("signal {number}"),
        },
        _ => "it ended".to_owned(),
    }
}

/// Those that end processes in practice.
fn signal_name(number: i32) -> Option<&'static str> {
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::KILL, "SIGKILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
    ];
    let mut names = names.into_iter();
    names.find_map(|(signal, name)| (signal.as_raw() == number).then_some(name))
}
