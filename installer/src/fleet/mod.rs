//! The fleet: all machines of cluster.toml, from one place. `kinstall cluster`.
//!
//! ```text
//! cluster.toml, programs -> load     what each machine has to have
//! a machine's own words  -> survey   what it has
//! both                   -> errand   what has to be brought there
//! ```
//!
//! Then each machine's own `kinstall node` does the rest, in the [`order`] that is safe.

mod bring;
mod course;
mod errand;
#[cfg(test)]
mod fakes;
mod load;
pub mod order;
mod places;
mod plan;
mod reset;
mod script;
mod status;
mod survey;
mod told;

use std::time::Duration;

pub use bring::bring;
pub use course::{Course, Ended, Outcome};
pub use errand::Errand;
pub use load::{Load, LoadError, Program, programs};
pub use places::Places;
pub use plan::{Change, MachinePlan, plan};
pub use reset::{Found, Reset, Undone, look, reset};
pub use script::NodeOptions;
pub use status::{Certificate, Component, MachineStatus, status};
pub use survey::{Survey, survey};
pub use told::told;

use pki_core::cluster::spec::Node;

use crate::machine::each::each;
use crate::remote::{Remote, RemoteError, Ssh};

/// One machine of the fleet, reached.
pub struct Machine<'a> {
    /// Its node in cluster.toml.
    pub node: Node,
    /// The way to it.
    pub remote: Box<dyn Remote + 'a>,
}

impl Machine<'_> {
    /// Its node's name.
    pub fn name(&self) -> &str {
        self.node.name().as_str()
    }
}

/// Connects to the machine of each node.
pub fn reach<'a>(
    ssh: &'a Ssh,
    nodes: &[&Node],
    at_once: usize,
    watcher: &dyn Watcher,
) -> Vec<Result<Machine<'a>, RemoteError>> {
    each(nodes, at_once, |node| {
        let (name, destination) = (node.name().as_str(), node.ssh_destination());
        watcher.now(name, &format!("ssh {destination}"));
        let connection = ssh.connect(name, &destination)?;
        Ok(Machine {
            node: Node::clone(node),
            remote: Box::new(connection),
        })
    })
}

/// What `work` gives for each machine, in their order; so many are worked on at once.
pub fn on_each<T: Sync, R: Send>(
    machines: &[T],
    at_once: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    each(machines, at_once, work)
}

/// Who is told what happens, from several threads at once.
pub trait Watcher: Sync {
    /// A machine does this now.
    fn now(&self, node: &str, what: &str);
    /// A machine has done this, and how long it took.
    fn done(&self, node: &str, what: &str, took: Duration);
}
