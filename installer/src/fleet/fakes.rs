//! Machines that are none, for tests.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::Watcher;
use crate::remote::{Input, Remote, RemoteError, Said};

/// This machine's own `sh`.
pub struct Shell;

impl Remote for Shell {
    fn run(&self, script: &str, input: Input<'_>) -> Result<Said, RemoteError> {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if let Input::Bytes(bytes) = input {
            let _ = stdin.write_all(bytes);
        }
        let held = matches!(input, Input::Held).then_some(stdin);
        let output = child.wait_with_output().unwrap();
        drop(held);
        Ok(Said {
            code: output.status.code().unwrap_or(255),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }
}

/// Answers by what a script has in it, and remembers the scripts of all machines in one list.
pub struct Scripted<'a> {
    pub node: &'static str,
    pub answers: BTreeMap<&'static str, Said>,
    pub heard: &'a Mutex<Vec<String>>,
}

impl Remote for Scripted<'_> {
    fn run(&self, script: &str, _: Input<'_>) -> Result<Said, RemoteError> {
        let mut answers = self.answers.iter();
        let answer = answers.find(|(part, _)| script.contains(*part));
        let (part, said) = answer.unwrap_or_else(|| panic!("{}: {script}", self.node));
        self.heard
            .lock()
            .unwrap()
            .push(format!("{} {part}", self.node));
        Ok(said.clone())
    }
}

/// Somebody who does not look.
pub struct Nobody;

impl Watcher for Nobody {
    fn now(&self, _: &str, _: &str) {}
    fn done(&self, _: &str, _: &str, _: Duration) {}
}
