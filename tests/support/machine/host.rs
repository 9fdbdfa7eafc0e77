//! A host that is nothing but an address: a client, or an attacker.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::Network;
use super::network::script;

/// A network namespace on the switch or beyond the router; files and processes are this machine's.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    network: &'a Network,
    name: &'static str,
}

impl<'a> Host<'a> {
    pub(super) fn new(network: &'a Network, name: &'static str) -> Self {
        Self { network, name }
    }

    /// A program that uses the network from there.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = script("enter");
        command
            .arg(self.network.directory())
            .arg(self.name)
            .arg(program.as_ref());
        command
    }

    /// Code of this process that uses the network from there: sockets that it opens are that host's.
    pub fn within<T: Send>(&self, code: impl FnOnce() -> T + Send) -> T {
        let file = self.network.path(&Path::new("/run/netns").join(self.name));
        let namespace = File::open(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        // A thread of its own: the namespace is the thread's.
        let scope = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let kind = LinkNameSpaceType::Network;
                move_into_link_name_space(namespace.as_fd(), Some(kind)).expect("we are root");
                code()
            });
            thread.join()
        });
        scope.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
