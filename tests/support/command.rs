//! Running programs: what they said is part of every failure.

use std::fmt;
use std::process::{Command, Output};

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What was run.
    pub command: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Runs a program to its end, whatever that is. Panics when it cannot be started.
pub fn run(command: &mut Command) -> Ended {
    let output = command.output();
    let command = format!("{command:?}");
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap_or_else(|error| {
        panic!("{command} does not start: {error}\nhint: tests/run installs what the tests need")
    });
    Ended {
        command,
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Runs a program that has to succeed and returns its stdout.
pub fn succeed(command: &mut Command) -> String {
    let ended = run(command);
    assert!(ended.code == Some(0), "{ended}");
    ended.stdout
}

/// Runs a program that has to refuse, saying `why` somewhere.
pub fn refuse(command: &mut Command, why: &str) -> Ended {
    let ended = run(command);
    assert!(ended.code != Some(0), "should have been refused: {ended}");
    assert!(
        ended.stdout.contains(why) || ended.stderr.contains(why),
        "does not say {why:?}: {ended}"
    );
    ended
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\nexit code {code:?}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}
