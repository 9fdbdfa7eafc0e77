//! What the kernel has, and what it could load.

use std::collections::BTreeSet;
use std::path::Path;

use super::{names, text};

/// What the kernel has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Modules that are loaded, and built-in ones as far as they show.
    pub loaded: BTreeSet<String>,
    /// Modules that could be loaded or are built in; nothing where the kernel's own list is not on this machine.
    pub loadable: Option<BTreeSet<String>>,
    /// File systems.
    pub file_systems: BTreeSet<String>,
    /// Kinds of namespaces: `net`, `pid`.
    pub namespaces: BTreeSet<String>,
    /// Controllers of control groups that can be used: mounted ones, or those of the unified hierarchy.
    pub controllers: BTreeSet<String>,
}

impl Kernel {
    /// Whether a module is there or can be had. Nothing when that is not to be told.
    pub fn has(&self, module: &str) -> Option<bool> {
        if self.loaded.contains(module) {
            return Some(true);
        }
        self.loadable
            .as_ref()
            .map(|modules| modules.contains(module))
    }
}

pub(super) fn read() -> Kernel {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut loaded = names(Path::new("/sys/module"));
    // A kernel with br_netfilter built in shows it only so.
    if Path::new("/proc/sys/net/bridge").exists() {
        loaded.insert("br_netfilter".into());
    }
    Kernel {
        loaded,
        loadable: loadable(&Path::new("/lib/modules").join(release)),
        file_systems: file_systems(&text("/proc/filesystems")),
        namespaces: names(Path::new("/proc/self/ns")),
        controllers: controllers(
            &text("/sys/fs/cgroup/cgroup.controllers"),
            &text("/proc/self/mounts"),
        ),
    }
}

/// modules.dep(5) and modules.builtin: one path a line, before a colon. Files write `-` for `_` as they like.
fn loadable(directory: &Path) -> Option<BTreeSet<String>> {
    let mut modules = None;
    for list in ["modules.dep", "modules.builtin"] {
        let Ok(text) = std::fs::read_to_string(directory.join(list)) else {
            continue;
        };
        let name = |line: &str| {
            let path = line.split(':').next()?;
            let (name, _) = path.rsplit('/').next()?.split_once(".ko")?;
            Some(name.replace('-', "_"))
        };
        let modules = modules.get_or_insert_with(BTreeSet::new);
        modules.extend(text.lines().filter_map(name));
    }
    modules
}

/// proc_filesystems(5): the name comes last.
fn file_systems(text: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split_whitespace().next_back().map(str::to_owned);
    text.lines().filter_map(name).collect()
}

/// Of the unified hierarchy's root, else those that are mounted one by one: version 1 has them among the mount's
/// options.
fn controllers(unified: &str, mounts: &str) -> BTreeSet<String> {
    if !unified.trim().is_empty() {
        return unified.split_whitespace().map(str::to_owned).collect();
    }
    let mut found = BTreeSet::new();
    for line in mounts.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        if words.get(2) == Some(&"cgroup") {
            let options = words.get(3).copied().unwrap_or_default();
            found.extend(options.split(',').map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_of_both_versions() {
        let v2 = controllers("cpuset cpu io memory pids\n", "");
        assert!(v2.contains("cpuset") && !v2.contains("cpuacct"));
        let v1 = controllers(
            "",
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
             cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n\
             cgroup2 /sys/fs/cgroup/unified cgroup2 rw,memory 0 0\n",
        );
        assert!(v1.contains("cpu") && v1.contains("cpuacct") && !v1.contains("memory"));
    }

    #[test]
    fn modules_of_a_list() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(loadable(directory.path()), None);
        let list = "kernel/drivers/net/vxlan/vxlan.ko.zst: kernel/net/ipv4/udp_tunnel.ko.zst\nkernel/net/nf-tables.ko:\n";
        std::fs::write(directory.path().join("modules.dep"), list).unwrap();
        let kernel = Kernel {
            loadable: loadable(directory.path()),
            ..Kernel::default()
        };
        assert_eq!(kernel.has("vxlan"), Some(true));
        assert_eq!(kernel.has("nf_tables"), Some(true));
        assert_eq!(kernel.has("overlay"), Some(false));
        assert_eq!(Kernel::default().has("overlay"), None);
    }
}
