//! Another machine, over the user's own OpenSSH: one connection each, nothing left behind there.
//!
//! The `ssh` program does it all, with the user's configuration, keys and known hosts. It never asks for anything
//! (`BatchMode`), and its connections end with this process, however that ends.

mod connection;
mod error;
mod quote;
mod ssh;

pub use connection::Connection;
pub use error::RemoteError;
pub use quote::{as_root, bound, quote};
pub use ssh::{Ssh, SshOptions};

use std::path::Path;

/// A machine that runs scripts of `sh`, as root.
pub trait Remote: Send + Sync {
    /// Runs `script` to its end, whatever that is.
    ///
    /// # Errors
    /// [`RemoteError`], when it was not run to its end.
    fn run(&self, script: &str, input: Input<'_>) -> Result<Said, RemoteError>;
}

/// What a script reads.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Nothing.
    Nothing,
    /// This. Secrets travel so, and in no argument.
    Bytes(&'a [u8]),
    /// What is in a file.
    File(&'a Path),
    /// Nothing, until this process ends: see [`bound`].
    Held,
}

/// What a script said, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}
