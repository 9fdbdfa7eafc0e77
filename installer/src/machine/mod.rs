//! Reading and changing the machine: the only room that touches it.

mod cluster_directory;
mod effect;
pub mod facts;
pub mod node_source;
pub mod readings;

pub use cluster_directory::ClusterDirectory;
pub use effect::{EffectError, ImageStore, ServiceManager, ServiceState};
pub use pki_core::converge::cluster_directory::ReadError;
pub use pki_core::converge::problem::Problem;

/// This machine's name, in the lower case that Kubernetes wants.
pub fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().to_lowercase()
}
