//! The images that containerd has for the kubelet.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::pipe::fcntl_setpipe_size;

use super::client::{Client, ClientError};
use super::{ImageError, PREFIX, write};
use crate::desired::Image;
use crate::machine::each::each;
use crate::machine::{EffectError, ImageStore};

/// Keeps the kubelet from removing an image when the disk gets full. It must be there at the import: the CRI looks only
/// when an image comes (containerd#9328).
const PINNED: (&str, &str) = ("io.cri-containerd.pinned", "pinned");
/// A pipe's size, when an unprivileged process may ask for that (`fs.pipe-max-size` is 1 MiB if nobody changed it).
const PIPE: usize = 1 << 20;
/// An import's, before the time that its size takes. One that is stopped by this is not tried again: the client waits
/// for a containerd that is gone (containerd, core/content/helpers.go, `OpenWriter`).
const IMPORT: Duration = Duration::from_secs(30);
/// What the worst disk takes a second: three imports at once, on one that is busy with other things.
const BYTES_A_SECOND: u64 = 2 << 20;

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
        let listed = self.client().ask(&["check", &filter])?;
        Ok(rows(&listed)
            .filter(|row| row.get(3) == Some(&"complete"))
            .map(|row| row[0].to_owned())
            .collect())
    }

    fn import(&self, image: &Image) -> Result<(), EffectError> {
        // Once more when containerd refused: what an import that was killed in the middle left under the same name is
        // found by the next, which may fail of it and takes it away.
        let imported = match self.import_once(image) {
            Err(ImportError::Client(ClientError::Refused(_))) => self.import_once(image),
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
        let listed = self
            .client()
            .ask(&["list", &format!("name=={reference}")])?;
        let Some(digest) = rows(&listed).find_map(|row| row.get(2).copied()) else {
            return Ok(());
        };
        // The CRI names every image a second time, after its configuration's digest. That name would hold the contents.
        let same = self
            .client()
            .ask(&["list", "--quiet", &format!("target.digest=={digest}")])?;
        let (ids, names): (Vec<_>, Vec<_>) =
            same.lines().partition(|name| name.starts_with("sha256:"));
        let mut remove = vec!["remove", reference];
        if names == [reference] {
            remove.extend(ids);
        }
        self.client().ask(&remove)?;
        Ok(())
    }
}

impl ContainerdImages {
    fn import_once(&self, image: &Image) -> Result<(), ImportError> {
        let label = format!("{}={}", PINNED.0, PINNED.1);
        // Without --local, containerd's transfer service gets the tar in small pieces: that takes twice as long.
        let mut arguments = vec!["import", "--local", "--label", &label];
        if self.unpack == Unpack::AtStart {
            arguments.push("--no-unpack");
        }
        arguments.push("-");
        let sources = image.files.values().map(|file| &file.source);
        let sizes = sources.filter_map(|source| Some(source.metadata().ok()?.len()));
        let limit = IMPORT + Duration::from_secs(sizes.sum::<u64>() / BYTES_A_SECOND);
        let mut written = Ok(());
        let answer = self.client().run(&arguments, limit, |stdin| {
            // A smaller pipe works too.
            let _ = fcntl_setpipe_size(&stdin, PIPE);
            written = write(image, stdin).map(drop);
        });
        match written {
            // A client that has ended takes no more: its own answer says why.
            Ok(()) | Err(ImageError::Write(_)) => answer.map(drop).map_err(ImportError::Client),
            Err(error) => Err(ImportError::Image(error)),
        }
    }

    fn client(&self) -> Client<'_> {
        Client {
            ctr: &self.ctr,
            socket: &self.socket,
        }
    }
}

/// Why an image was not imported.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    /// It cannot be made.
    #[error(transparent)]
    Image(ImageError),
    /// containerd did not take it.
    #[error(transparent)]
    Client(ClientError),
}

impl ImportError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Image(error) => error.hint(),
            Self::Client(error) => error.hint(),
        }
    }
}

/// The rows of a table, without its heading.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().skip(1);
    lines.map(|line| line.split_whitespace().collect())
}
