//! A network namespace: a machine of its own, as far as addresses and ports go.

use std::fs;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::command::{run, succeed};

const PREFIX: &str = "kpki-test-";

/// A network namespace that goes when it is dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// One with loopback and one interface that has these addresses and every route.
    pub fn new(addresses: &[IpAddr]) -> Self {
        sweep();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self {
            name: format!("{PREFIX}{}-{count}", process::id()),
        };
        let name = namespace.name.as_str();
        let made = run(Command::new("ip").args(["netns", "add", name]));
        assert!(
            made.code == Some(0),
            "{made}\nhint: a network namespace needs root and iproute2; tests/run installs it"
        );
        // A bridge without ports: not every kernel has `dummy`, and this one is always up too.
        namespace.ip(&["link", "add", "d0", "type", "bridge"]);
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace.ip(&["link", "set", "d0", "up"]);
        for address in addresses {
            namespace.add_address(*address);
        }
        namespace.ip(&["-4", "route", "add", "default", "dev", "d0"]);
        namespace.ip(&["-6", "route", "add", "default", "dev", "d0"]);
        namespace
    }

    /// One more address of the machine.
    pub fn add_address(&self, address: IpAddr) {
        let text = address.to_string();
        match address {
            IpAddr::V4(_) => self.ip(&["addr", "add", &text, "dev", "d0"]),
            // Without duplicate address detection it can be used at once.
            IpAddr::V6(_) => self.ip(&["addr", "add", &text, "dev", "d0", "nodad"]),
        }
    }

    /// A program in here. It keeps its process id: `ip` and `setpriv` are replaced by it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// A program in here that is killed when the thread that starts it ends, however that ends.
    pub fn bound_command(&self, program: &Path) -> Command {
        let mut command = self.command(Path::new("setpriv"));
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command
    }

    /// Does some work in here, on a thread of its own: sockets that it opens are the namespace's.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = fs::File::open(Path::new("/run/netns").join(&self.name)).expect("it is there");
        let inside = || {
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(file.as_fd(), network).expect("root may");
            work()
        };
        std::thread::scope(|scope| match scope.spawn(inside).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    fn ip(&self, arguments: &[&str]) {
        succeed(Command::new("ip").args(["-n", &self.name]).args(arguments));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        run(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

/// Takes away namespaces of test runs that were killed: their names tell their process.
fn sweep() {
    let listed = run(Command::new("ip").args(["netns", "list"])).stdout;
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let id = rest.split('-').next().unwrap_or_default();
        if fs::symlink_metadata(Path::new("/proc").join(id)).is_err() {
            run(Command::new("ip").args(["netns", "del", name]));
        }
    }
}
