//! One connection to a machine, and scripts over it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pki_core::cluster::spec::SshDestination;

use super::error::Cause;
use super::ssh::{Call, Ssh};
use super::{Input, Remote, RemoteError, Said};

/// What the machine says when it is there, on a line of its own: a login shell may say other things before.
const THERE: &str = "kinstall: there";

/// As much of what a script says as anybody reads.
const LARGEST: u64 = 16 << 20;

/// How long a connection may take to end when nobody needs it any more.
const FAREWELL: Duration = Duration::from_secs(3);

/// A connection. It ends with this value, or with this process: the machine's end of it waits for nothing but its input.
#[derive(Debug)]
pub struct Connection<'a> {
    ssh: &'a Ssh,
    node: String,
    destination: SshDestination,
    socket: PathBuf,
    master: Child,
    /// What holds the connection; taken when it is no longer wanted.
    hold: Option<ChildStdin>,
}

impl<'a> Connection<'a> {
    pub(super) fn open(
        ssh: &'a Ssh,
        node: &str,
        destination: &SshDestination,
        socket: PathBuf,
    ) -> Result<Self, RemoteError> {
        let script = format!("echo '{THERE}'; exec cat >/dev/null");
        let mut command = ssh.command(Call::Connect, destination, &socket, &script);
        let spawned = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let started = spawned.and_then(|child| ssh.started(&child).map(|()| child));
        let mut master = started.map_err(|error| does_not_start(node, destination, &error))?;
        let hold = master.stdin.take();
        let stdout = master.stdout.take().expect("it was asked for");
        let mut stderr = master.stderr.take().expect("it was asked for");
        let mut lines = BufReader::new(stdout.take(LARGEST)).lines();
        let is_there = lines.any(|line| line.is_ok_and(|line| line == THERE));
        let mut connection = Self {
            ssh,
            node: node.to_owned(),
            destination: destination.clone(),
            socket,
            master,
            hold,
        };
        if is_there {
            // What it says from now on is of no use to anybody, and must not fill a pipe.
            thread::spawn(move || io::copy(&mut stderr, &mut io::sink()));
            return Ok(connection);
        }
        drop(connection.hold.take());
        let mut said = Vec::new();
        // What cannot be read was not said.
        let _ = stderr.take(LARGEST).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said).into_owned();
        Err(connection.error(&said, false))
    }

    /// Where it leads to.
    pub fn destination(&self) -> &SshDestination {
        &self.destination
    }

    fn error(&self, stderr: &str, connected: bool) -> RemoteError {
        let by_hand = self.ssh.by_hand(&self.destination);
        RemoteError::of(&self.node, &self.destination, &by_hand, stderr, connected)
    }

    fn attempt(&self, script: &str, input: Input<'_>) -> io::Result<(ExitStatus, Said)> {
        let stdin = match input {
            Input::Nothing => Stdio::null(),
            Input::File(path) => File::open(path)?.into(),
            Input::Bytes(_) | Input::Held => Stdio::piped(),
        };
        let mut child = self
            .ssh
            .command(Call::Run, &self.destination, &self.socket, script)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        self.ssh.started(&child)?;
        let held = child.stdin.take();
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let (stdout, stderr) = thread::scope(|scope| {
            let stderr = scope.spawn(|| text(stderr));
            let stdout = scope.spawn(|| text(stdout));
            let mut held = held;
            if let (Input::Bytes(bytes), Some(stdin)) = (input, &mut held) {
                // One that ends before it has read all says so by its exit code.
                let _ = stdin.write_all(bytes);
            }
            if !matches!(input, Input::Held) {
                held = None;
            }
            let said = (
                stdout.join().expect("it does not panic"),
                stderr.join().expect("it does not panic"),
            );
            drop(held);
            said
        });
        let status = child.wait();
        self.ssh.ended(&child);
        let status = status?;
        let code = status.code().unwrap_or(FAILED);
        let said = Said {
            code,
            stdout: stdout?,
            stderr: stderr?,
        };
        Ok((status, said))
    }
}

/// What ssh ends with when it, and not the script, has failed (ssh(1)).
const FAILED: i32 = 255;

impl Remote for Connection<'_> {
    fn run(&self, script: &str, input: Input<'_>) -> Result<Said, RemoteError> {
        match self.attempt(script, input) {
            Ok((_, said)) if said.code != FAILED => Ok(said),
            Ok((_, said)) => Err(self.error(&said.stderr, true)),
            Err(error) => Err(self.error(&error.to_string(), true)),
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        drop(self.hold.take());
        let began = Instant::now();
        while matches!(self.master.try_wait(), Ok(None)) {
            if began.elapsed() > FAREWELL {
                // The machine does not answer any more.
                let _ = self.master.kill();
                let _ = self.master.wait();
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.ssh.ended(&self.master);
    }
}

fn does_not_start(node: &str, destination: &SshDestination, error: &io::Error) -> RemoteError {
    RemoteError {
        node: node.to_owned(),
        destination: destination.to_string(),
        cause: Cause::NoProgram,
        said: error.to_string(),
        by_hand: String::new(),
    }
}

fn text(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
