//! The one writer: several files of a PKI tree changed together, or none of them.
//!
//! ```no_run
//! use std::path::Path;
//! use pki_core::converge::store::{FileMode, Location, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (certificate, key): (Vec<u8>, Vec<u8>) = Default::default();
//! let dir = Path::new("kubernetes");
//! let mut store = Store::open(dir, &dir.join("ca"))?;
//! let mut transaction = store.transaction();
//! transaction
//!     .group()
//!     .write(Location::authorities("ca.crt")?, certificate, FileMode::PUBLIC)
//!     .write(Location::authorities("ca.key")?, key, FileMode::PRIVATE_KEY);
//! let committed = transaction.commit()?;
//! println!("{} files written", committed.written().count());
//! # Ok(())
//! # }
//! ```
//!
//! # How a transaction goes
//!
//! 1. Look (`survey`): every target is a file or absent, no link is in the way. Nothing is written.
//! 2. Stage (`commit`): the journal `.kpki/journal.staging`, then every file below `.kpki/` of its
//!    own root, with its final mode from birth. One syncfs(2) per file system, then the new
//!    directories. Any failure up to here is taken back, and the tree is as it was.
//! 3. Seal: `journal.staging` is renamed to `journal` and made durable. That is the commit.
//! 4. Finish (`replay`): the staged files are renamed into place, synced, the journal removed. Any
//!    failure from here on is finished by the next open: everything needed is on disk.
//!
//! # What an interruption leaves
//!
//! Before the seal the old files, untouched; after it, until recovery, old and new files, but never
//! a certificate beside a key that is not its own ([`Group`]). Readers without the lock may see the
//! same for the microseconds that step 4 takes.
//!
//! # What is trusted
//!
//! The way to a root is the user's and links on it are followed; below a root none is. A root that
//! others may write to is refused. Its owner is trusted, whoever that is: root may well work in a
//! user's directory.
//!
//! The lock and `.kpki` itself are removed when a [`Store`] is dropped.

mod attempt;
mod commit;
mod committed;
mod directory;
mod discard;
mod effects;
mod error;
mod faults;
mod journal;
mod lock;
mod mode_change;
mod open;
mod program;
mod recovery;
mod replay;
mod roots;
mod staging;
mod survey;
#[cfg(test)]
mod tests;
mod tidy;
mod transaction;

pub use crate::cluster::{FileMode, Location, PathError, RelativePath, Root};
pub use attempt::Attempt;
pub use committed::{Changed, Committed, Effect};
pub use error::StoreError;
#[doc(hidden)]
pub use faults::Faults;
pub use open::Store;
pub use recovery::Recovery;
pub use transaction::{Group, Transaction};
