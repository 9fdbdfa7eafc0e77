//! containerd's images, by way of its own client.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{ChildStdin, Command};
use std::thread;
use std::time::Duration;

use rustix::pipe::fcntl_setpipe_size;

use super::{ImageError, PREFIX, write};
use crate::desired::Image;
use crate::machine::bounded::{self, Ended};
use crate::machine::each::each;
use crate::machine::{EffectError, ImageStore};

/// Where the CRI, and so the kubelet, has its images.
const NAMESPACE: &str = "k8s.io";
/// Keeps the kubelet from removing an image when the disk gets full. It must be there at the import: the CRI looks only
/// when an image comes (containerd#9328).
const PINNED: (&str, &str) = ("io.cri-containerd.pinned", "pinned");
/// A pipe's size, when an unprivileged process may ask for that (`fs.pipe-max-size` is 1 MiB if nobody changed it).
const PIPE: usize = 1 << 20;
/// A question's time limit. containerd answers in milliseconds, unless its disk is busy with an import.
const ANSWER: Duration = Duration::from_secs(60);
/// An import's: a hundred megabytes at a megabyte a second, on a very bad disk.
const IMPORT: Duration = Duration::from_secs(180);

/// The images that containerd has, reached through its client `ctr`.
#[derive(Clone, Debug)]
pub struct ContainerdImages {
    /// The client.
    pub ctr: PathBuf,
    /// containerd's socket.
    pub socket: PathBuf,
    /// When the files of an image are laid out for containers.
    pub unpack: Unpack,
}

/// When the files of an image are laid out for containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unpack {
    /// When it is imported.
    #[default]
    AtImport,
    /// When the first container of it is made: the CRI does it then (containerd, internal/cri/opts, `WithNewSnapshot`).
    AtStart,
}

impl ImageStore for ContainerdImages {
    fn present(&self) -> Result<BTreeSet<String>, EffectError> {
        // `check` and not `ls`: an image of which a part is missing is none.
        let filter = format!("name~=^{PREFIX},labels.\"{}\"=={}", PINNED.0, PINNED.1);
        let listed = self.ask(&["check", &filter])?;
        Ok(rows(&listed)
            .filter(|row| row.get(3) == Some(&"complete"))
            .map(|row| row[0].to_owned())
            .collect())
    }

    fn import(&self, image: &Image) -> Result<(), EffectError> {
        // Once more when containerd refused: what an import that was killed in the middle left under the same name is
        // found by the next, which may fail of it and takes it away.
        let imported = match self.import_once(image) {
            Err(ImportError::Containerd(_)) => self.import_once(image),
            other => other,
        };
        imported.map_err(|error| EffectError {
            fact: format!("{} cannot be imported: {error}", image.reference),
            hint: error.hint(),
        })
    }

    fn import_all(
        &self,
        images: &[&Image],
        done: &(dyn Fn(&Image, &Result<(), EffectError>) + Sync),
    ) -> Vec<Result<(), EffectError>> {
        // Half of an import is waiting for the disk, so one more than there are processors keeps them busy. More would
        // only keep the first images, which a node waits for, from being there first.
        let threads = thread::available_parallelism().map_or(1, usize::from) + 1;
        each(images, threads, |image| {
            let result = self.import(image);
            done(image, &result);
            result
        })
    }

    fn remove(&self, reference: &str) -> Result<(), EffectError> {
        let listed = self.ask(&["list", &format!("name=={reference}")])?;
        let Some(digest) = rows(&listed).find_map(|row| row.get(2).copied()) else {
            return Ok(());
        };
        // The CRI names every image a second time, after its configuration's digest. That name would hold the contents.
        let same = self.ask(&["list", "--quiet", &format!("target.digest=={digest}")])?;
        let (ids, names): (Vec<_>, Vec<_>) =
            same.lines().partition(|name| name.starts_with("sha256:"));
        let mut remove = vec!["remove", reference];
        if names == [reference] {
            remove.extend(ids);
        }
        self.ask(&remove).map(drop)
    }
}

/// Why an image was not imported.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    /// It cannot be made.
    #[error(transparent)]
    Image(ImageError),
    /// containerd or its client refused it, or does not answer.
    #[error(transparent)]
    Containerd(EffectError),
}

impl ImportError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Image(error) => error.hint(),
            Self::Containerd(error) => error.hint.clone(),
        }
    }
}

impl ContainerdImages {
    fn import_once(&self, image: &Image) -> Result<(), ImportError> {
        let label = format!("{}={}", PINNED.0, PINNED.1);
        // Without --local, containerd's transfer service gets the tar in small pieces: that takes three times as long.
        let mut arguments = vec!["import", "--local", "--label", &label];
        if self.unpack == Unpack::AtStart {
            arguments.push("--no-unpack");
        }
        arguments.push("-");
        let mut written = Ok(());
        let answer = self.run(&arguments, IMPORT, |stdin| {
            // A smaller pipe works too.
            let _ = fcntl_setpipe_size(&stdin, PIPE);
            written = write(image, stdin).map(drop);
        });
        match written {
            // A client that has ended takes no more: its own answer says why.
            Ok(()) | Err(ImageError::Write(_)) => answer.map(drop).map_err(ImportError::Containerd),
            Err(error) => Err(ImportError::Image(error)),
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, EffectError> {
        self.run(arguments, ANSWER, drop)
    }

    /// Runs the client. What it says on success.
    fn run(
        &self,
        arguments: &[&str],
        limit: Duration,
        feed: impl FnOnce(ChildStdin),
    ) -> Result<String, EffectError> {
        let mut command = Command::new(&self.ctr);
        command.env_clear().arg("--address").arg(&self.socket);
        command.args(["--connect-timeout", "5s", "--namespace", NAMESPACE]);
        command.arg("images").args(arguments);
        let ended = bounded::run(&mut command, limit, feed).map_err(|error| EffectError {
            fact: format!("{} does not run: {error}", self.ctr.display()),
            hint: None,
        })?;
        if ended.late {
            let socket = self.socket.display();
            return Err(EffectError {
                fact: format!("containerd at {socket} gave no answer in {limit:?}"),
                hint: Some("kinstall logs containerd".into()),
            });
        }
        if !ended.status.success() {
            return Err(refusal(&ended));
        }
        Ok(ended.stdout)
    }
}

/// What the client says when it fails, without the warnings before that.
fn refusal(ended: &Ended) -> EffectError {
    let mut lines = ended.stderr.lines().rev();
    let fact = lines
        .find_map(|line| line.strip_prefix("ctr: "))
        .unwrap_or(ended.stderr.trim());
    let fact = match fact {
        "" => format!("containerd's client ended with {}", ended.status),
        fact => format!("containerd says: {fact}"),
    };
    let hint = if fact.contains("no space left") {
        Some("make room on the file system of containerd's data".to_owned())
    } else if fact.contains("cannot access socket") || fact.contains("dial") {
        Some("containerd does not run; see kinstall logs containerd".to_owned())
    } else {
        None
    };
    EffectError { fact, hint }
}

/// The rows of a table, without its heading.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().skip(1);
    lines.map(|line| line.split_whitespace().collect())
}
