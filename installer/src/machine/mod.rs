//! Reading and changing the machine: the only room that touches it.

mod apply;
pub(crate) mod bounded;
mod cluster_directory;
pub(crate) mod each;
mod effect;
pub mod facts;
pub mod node_source;
pub mod programs;
pub mod readings;

pub use cluster_directory::ClusterDirectory;
pub use effect::{EffectError, ImageStore, ServiceManager, ServiceState};
pub use pki_core::converge::cluster_directory::ReadError;
pub use pki_core::converge::problem::Problem;
mod error;
pub mod etcd_data;
#[cfg(test)]
pub(crate) mod fakes;
mod firewall;
mod fuse;
pub mod ledger;
mod mounts;
pub(crate) mod observe;
pub(crate) mod pod_subnet;
mod processes;
mod program;
pub mod reset;
mod root;
pub use apply::{Effects, Host, Progress};
pub use error::HostError;
pub use ledger::Ledger;
pub(crate) use observe::Above;
pub use observe::{Found, Observed};
pub use processes::{Process, processes};
pub use program::ProgramError;
pub use root::Root;

/// This machine's name, in the lower case that Kubernetes wants.
pub fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().to_lowercase()
}
