//! What is so on a machine, and is not kinstall's to choose.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;

/// What the desired state has to fit to. Read by `machine::facts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The machine's name, in lower case.
    pub host_name: String,
    /// What starts and keeps services.
    pub init: InitSystem,
    /// Which control groups the kernel has mounted.
    pub cgroups: CgroupVersion,
    /// Whether this process may raise limits and lower OOM scores (CAP_SYS_RESOURCE).
    pub has_sys_resource: bool,
    /// The resolv.conf for pods: the host's, or the one behind a loopback stub (coredns#2087).
    pub resolv_conf: PathBuf,
    /// Whether that names a server which pods can ask: CoreDNS does not start when it is to forward to none.
    pub has_nameserver: bool,
    /// Whether conntrack's sysctls can be written here.
    pub conntrack_writable: bool,
    /// Whether the kernel has nf_tables.
    pub has_nf_tables: bool,
    /// Processors.
    pub cores: usize,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Addresses by interface, without loopback.
    pub addresses: Vec<(String, IpNet)>,
    /// Accounts that kinstall would make and that are there already, with their number.
    pub accounts: BTreeMap<String, u32>,
    /// Interfaces whose default route routers told, by their advertisements: with forwarding on, the kernel goes on
    /// listening only where `accept_ra` is 2 (k3s#5019).
    pub router_advertisements: Vec<String>,
}

/// What starts and keeps services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitSystem {
    /// systemd is process 1.
    Systemd,
    /// Anything else: kinstall's own supervisor.
    Supervisor,
}

/// Which control groups are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One hierarchy a controller, perhaps a unified one without controllers beside them ("hybrid").
    V1,
    /// The unified hierarchy.
    V2,
}
