//! containerd's own client.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::time::Duration;

use crate::machine::EffectError;
use crate::machine::bounded::{self, Ended};

/// Where the CRI, and so the kubelet, has its images.
const NAMESPACE: &str = "k8s.io";
/// A question's time limit. containerd answers in milliseconds, unless its disk is busy with an import.
const ANSWER: Duration = Duration::from_secs(60);

/// The client, and the containerd that it is to ask.
pub(super) struct Client<'a> {
    pub(super) ctr: &'a Path,
    pub(super) socket: &'a Path,
}

/// Why the client did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// It cannot be run.
    #[error("{} does not run: {cause}", ctr.display())]
    Program { ctr: PathBuf, cause: io::Error },
    /// containerd gives no answer.
    #[error("containerd at {} gave no answer in {limit:?}", socket.display())]
    Silent { socket: PathBuf, limit: Duration },
    /// containerd refuses, or is not there.
    #[error("containerd's client says: {0}")]
    Refused(String),
}

impl Client<'_> {
    /// What it says to a question about images.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<String, ClientError> {
        self.run(arguments, ANSWER, drop)
    }

    /// Has it do something with images. `feed` gives it its input.
    pub(super) fn run(
        &self,
        arguments: &[&str],
        limit: Duration,
        feed: impl FnOnce(ChildStdin),
    ) -> Result<String, ClientError> {
        let mut command = Command::new(self.ctr);
        command.env_clear().arg("--address").arg(self.socket);
        command.args(["--connect-timeout", "5s", "--namespace", NAMESPACE]);
        command.arg("images").args(arguments);
        match bounded::run(&mut command, limit, feed) {
            Err(cause) => Err(ClientError::Program {
                ctr: self.ctr.to_owned(),
                cause,
            }),
            Ok(ended) if ended.late => Err(ClientError::Silent {
                socket: self.socket.to_owned(),
                limit,
            }),
            Ok(ended) if !ended.status.success() => Err(ClientError::Refused(refusal(&ended))),
            Ok(ended) => Ok(ended.stdout),
        }
    }
}

/// What it says when it fails, without the warnings before that.
fn refusal(ended: &Ended) -> String {
    let mut lines = ended.stderr.lines().rev();
    match lines.find_map(|line| line.strip_prefix("ctr: ")) {
        Some(said) => said.to_owned(),
        None if ended.stderr.trim().is_empty() => ended.status.to_string(),
        None => ended.stderr.trim().to_owned(),
    }
}

impl ClientError {
    pub(super) fn hint(&self) -> Option<String> {
        let down = "containerd does not run as it should; see kinstall logs containerd";
        match self {
            Self::Refused(said) if said.contains("no space left") => {
                Some("make room on the file system of containerd's data".into())
            }
            Self::Refused(said) if said.contains("socket") || said.contains("dial") => {
                Some(down.into())
            }
            Self::Silent { .. } => Some(down.into()),
            Self::Refused(_) | Self::Program { .. } => None,
        }
    }
}

impl From<ClientError> for EffectError {
    fn from(error: ClientError) -> Self {
        Self {
            fact: error.to_string(),
            hint: error.hint(),
        }
    }
}
