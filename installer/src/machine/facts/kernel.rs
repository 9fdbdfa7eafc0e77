//! What this process may ask of the kernel, and what the kernel has.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{system_program, text};
use crate::machine::EffectError;

/// CAP_SYS_RESOURCE of linux/capability.h.
const SYS_RESOURCE: u32 = 24;

/// Whether limits may be raised and OOM scores lowered.
pub(super) fn has_sys_resource() -> Result<bool, EffectError> {
    let status = text("/proc/self/status")?;
    // The kernel asks for the capability of the machine itself (has_capability_noaudit in fs/proc/base.c): one that a
    // user namespace gives does not count.
    let users = text("/proc/self/uid_map").unwrap_or_default();
    Ok(has_capability(&status, SYS_RESOURCE) && is_first_user_namespace(&users))
}

fn has_capability(status: &str, number: u32) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << number) != 0)
}

/// The machine's own user namespace maps every number to itself (user_namespaces(7)).
fn is_first_user_namespace(uid_map: &str) -> bool {
    let words: Vec<_> = uid_map.split_whitespace().collect();
    uid_map.is_empty() || words == ["0", "0", "4294967295"]
}

/// Whether kube-proxy could set conntrack's limits. In a network namespace of its own they are read-only, and where
/// the module is not loaded yet there are none: then `dev_weight` tells, which only the machine's first network
/// namespace has (net/core/sysctl_net_core.c).
pub(super) fn conntrack_writable() -> bool {
    let limit = Path::new("/proc/sys/net/netfilter/nf_conntrack_max");
    let stand_in = Path::new("/proc/sys/net/core/dev_weight");
    let path = if limit.exists() { limit } else { stand_in };
    OpenOptions::new().write(true).open(path).is_ok()
}

/// Whether the kernel has nf_tables: loaded, built in, to be loaded, or simply working.
pub(super) fn has_nf_tables() -> bool {
    if Path::new("/sys/module/nf_tables").exists() {
        return true;
    }
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let of_kernel = Path::new("/lib/modules").join(release);
    let listed = ["modules.builtin", "modules.dep"].iter().any(|list| {
        let text = std::fs::read_to_string(of_kernel.join(list)).unwrap_or_default();
        lists_module(&text, "nf_tables")
    });
    listed || nft_answers()
}

/// modules.dep(5): one path a line, before a colon.
fn lists_module(list: &str, name: &str) -> bool {
    list.lines().any(|line| {
        let path = line.split(':').next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        file.split_once(".ko").is_some_and(|(stem, _)| stem == name)
    })
}

fn nft_answers() -> bool {
    let Some(nft) = system_program("nft") else {
        return false;
    };
    let mut command = Command::new(nft);
    command
        .args(["list", "tables"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities() {
        let all = "Name:\tsh\nCapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n";
        let container = "CapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n";
        assert!(has_capability(all, SYS_RESOURCE));
        assert!(!has_capability(container, SYS_RESOURCE));
        assert!(!has_capability("", SYS_RESOURCE));
        assert!(is_first_user_namespace(
            "         0          0 4294967295\n"
        ));
        assert!(!is_first_user_namespace(
            "         0     100000      65536\n"
        ));
    }

    #[test]
    fn modules() {
        let list = "kernel/net/netfilter/nf_tables.ko.xz: kernel/net/netfilter/nfnetlink.ko.xz\n";
        assert!(lists_module(list, "nf_tables"));
        assert!(lists_module(
            "kernel/net/netfilter/nf_tables.ko\n",
            "nf_tables"
        ));
        assert!(!lists_module(list, "nfnetlink"));
        assert!(!lists_module("kernel/net/nf_tables_set.ko\n", "nf_tables"));
    }
}
