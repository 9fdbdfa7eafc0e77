//! What preflight has to know of a machine and nobody else asks for: read once, as plain values.

mod api_servers;
mod firewall;
mod kernel;
pub(crate) mod network;
mod processes;
mod sockets;
mod space;
mod sysctls;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::desired::{Facts, layout};

pub use api_servers::{ApiServer, Asked};
pub use firewall::{Firewall, Ruleset};
pub use kernel::Kernel;
pub use network::Route;
pub use processes::Process;
pub use sockets::{Listener, Protocol};
pub use space::Space;
pub use sysctls::Reading;

/// What was read. What could not be is absent, and the checks say what they make of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// The effective user.
    pub user: u32,
    /// Sysctls by their path below `/proc/sys`, as `net/ipv4/ip_forward`. Those that the kernel does not have are absent.
    pub sysctls: BTreeMap<String, Reading>,
    /// TCP ports that are listened on, and bound UDP ports.
    pub listeners: Vec<Listener>,
    /// Unix sockets that are listened on, by path.
    pub unix_sockets: BTreeSet<PathBuf>,
    /// Routes of the main tables, also the default ones.
    pub routes: Vec<Route>,
    /// Swap areas: file or device.
    pub swaps: Vec<String>,
    /// Packet filters.
    pub firewall: Firewall,
    /// Every process that is to be seen.
    pub processes: Vec<Process>,
    /// What the kernel has.
    pub kernel: Kernel,
    /// The text of the resolv.conf that pods get.
    pub resolv_conf: Option<String>,
    /// The names in the kubelet's manifest folder; nothing when it is not there.
    pub manifests: BTreeSet<String>,
    /// Whether etcd's directory holds a member's data.
    pub has_etcd_data: bool,
    /// Free space where data goes.
    pub space: Vec<Space>,
    /// What the API servers of other nodes said. Whoever reads the machine asks them or does not: it takes a network.
    pub api_servers: Vec<Asked>,
    /// Whether SELinux enforces.
    pub selinux_enforces: bool,
}

impl Readings {
    /// Reads the machine that `facts` are of. Changes nothing.
    pub fn read(facts: &Facts) -> Self {
        let processes = processes::read();
        let kernel = kernel::read();
        Self {
            user: rustix::process::geteuid().as_raw(),
            sysctls: sysctls::read(&facts.router_advertisements),
            listeners: sockets::read(&processes),
            unix_sockets: sockets::unix(&text("/proc/net/unix")),
            routes: network::read(),
            swaps: swaps(&text("/proc/swaps")),
            firewall: firewall::read(&kernel),
            processes,
            resolv_conf: std::fs::read_to_string(&facts.resolv_conf).ok(),
            manifests: names(Path::new(layout::MANIFESTS)),
            has_etcd_data: Path::new(layout::ETCD_DATA).join("member").exists(),
            space: space::read(),
            api_servers: Vec::new(),
            selinux_enforces: text("/sys/fs/selinux/enforce").trim() == "1",
            kernel,
        }
    }

    /// The value of a sysctl.
    pub fn sysctl(&self, key: &str) -> Option<&str> {
        self.sysctls.get(key).map(|reading| reading.value.as_str())
    }
}

/// A file of the kernel's; empty where it is not there.
fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// proc_swaps(5): a line of headings, then one area a line, its name first.
fn swaps(text: &str) -> Vec<String> {
    let area = |line: &str| line.split_whitespace().next().map(str::to_owned);
    text.lines().skip(1).filter_map(area).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_this_machine() {
        let facts = crate::machine::facts::read().unwrap();
        let readings = Readings::read(&facts);
        assert!(readings.sysctls.contains_key("net/ipv4/ip_forward"));
        let own = std::process::id();
        assert!(readings.processes.iter().any(|process| process.id == own));
        assert!(!readings.kernel.namespaces.is_empty());
        assert!(!readings.space.is_empty());
    }

    #[test]
    fn swap_areas() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/sda2                               partition\t1000\t0\t-2\n";
        assert_eq!(swaps(text), ["/dev/sda2"]);
        assert_eq!(swaps(""), [""; 0]);
    }
}
