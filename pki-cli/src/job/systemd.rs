//! A job as a service of systemd and its timer: systemd.service(5), systemd.exec(5), systemd.timer(5).

use std::fmt::Write;

use super::{Job, JobFile, MARK};
use crate::arguments::Every;

/// What the job never needs. It reads and writes files of one user, and speaks to nobody.
const HARDENING: &str = "\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
KeyringMode=private
UMask=0077
LimitCORE=0
";

pub(super) fn files(job: &Job) -> Vec<JobFile> {
    vec![
        JobFile {
            name: format!("{}.service", job.name),
            contents: service(job),
        },
        JobFile {
            name: format!("{}.timer", job.name),
            contents: timer(job),
        },
    ]
}

fn service(job: &Job) -> String {
    let description = specifiers(&job.description());
    let mut unit = format!(
        "{MARK}.\n[Unit]\nDescription=kpki {description}\n\n[Service]\nType=oneshot\nTimeoutStartSec=10min\n"
    );
    let check = command(job, &job.check());
    match job.renew() {
        // The check is the last word, also about what could not be renewed.
        Some(renew) => {
            let _ = write!(
                unit,
                "ExecStart={}\nExecStopPost={check}\n",
                command(job, &renew)
            );
        }
        None => {
            let _ = writeln!(unit, "ExecStart={check}");
        }
    }
    if let Some(user) = job.user {
        let _ = writeln!(unit, "User={user}");
    }
    unit.push('\n');
    unit.push_str(HARDENING);
    for path in job.writes() {
        let _ = writeln!(unit, "ReadWritePaths={}", quoted(&super::text(&path)));
    }
    unit
}

fn timer(job: &Job) -> String {
    let every = match job.every {
        Every::Hourly => "hourly",
        Every::Daily => "daily",
        Every::Weekly => "weekly",
    };
    format!(
        "{MARK}.\n[Unit]\nDescription=kpki {description}, {every}\n\n[Timer]\nOnCalendar={every}\n\
         # Not all machines at once.\nRandomizedDelaySec={jitter}s\n\
         # What was missed while the machine was off is made up for.\nPersistent=yes\n\
         # What was valid yesterday may be over when the clock has jumped.\nOnClockChange=yes\n\n\
         [Install]\nWantedBy=timers.target\n",
        description = specifiers(&job.description()),
        jitter = job.jitter(),
    )
}

/// A command line: `%` stands for specifiers, `$` for variables.
fn command(job: &Job, words: &[String]) -> String {
    let program = super::text(&job.program);
    let all = std::iter::once(&program).chain(words);
    let all: Vec<_> = all.map(|word| quoted(word).replace('$', "$$")).collect();
    all.join(" ")
}

/// A word, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+$".contains(c);
    let word = specifiers(word);
    if word.chars().all(plain) && !word.is_empty() {
        word
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}
