//! Values below `/proc/sys`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::Path;

/// A sysctl as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its value, without the end of the line.
    pub value: String,
    /// Whether this process could set it.
    pub writable: bool,
}

/// Those that are there on every machine, perhaps after a module is loaded.
const KEYS: [&str; 17] = [
    "fs/inotify/max_user_instances",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/bridge/bridge-nf-call-iptables",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/all/forwarding",
    "net/ipv6/conf/default/disable_ipv6",
    "net/ipv6/conf/default/forwarding",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
];

pub(super) fn read(learning: &[String]) -> BTreeMap<String, Reading> {
    let learning = learning.iter();
    let learning = learning.map(|interface| format!("net/ipv6/conf/{interface}/accept_ra"));
    let keys = KEYS.iter().map(ToString::to_string).chain(learning);
    keys.filter_map(|key| {
        let reading = one(&Path::new("/proc/sys").join(&key))?;
        Some((key, reading))
    })
    .collect()
}

fn one(path: &Path) -> Option<Reading> {
    let value = std::fs::read_to_string(path).ok()?.trim().to_owned();
    // Opening writes nothing.
    let writable = OpenOptions::new().write(true).open(path).is_ok();
    Some(Reading { value, writable })
}
