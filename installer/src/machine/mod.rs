//! Reading and changing the machine: the only room that touches it.

pub(crate) mod bounded;
mod cluster_directory;
pub(crate) mod each;
mod effect;
pub mod programs;

pub use cluster_directory::{ClusterDirectory, Problem, ReadError};
pub use effect::{EffectError, ImageStore, ServiceManager, ServiceState};

/// This machine's name, in the lower case that Kubernetes wants.
pub fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().to_lowercase()
}
