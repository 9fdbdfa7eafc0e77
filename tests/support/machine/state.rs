//! What a machine is besides its files, as text that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::Machine;

/// Lines by what they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(BTreeMap<String, Vec<String>>);

/// Each part and the shell line that shows it. What counts or changes by itself is left out: lifetimes, indexes,
/// counters, process ids.
const PARTS: [(&str, &str); 13] = [
    (
        "mounts",
        "cut -d' ' -f2-4 /proc/self/mounts | sed 's/,uuid=on$//'",
    ),
    (
        "links",
        r"ip -o link | sed -E 's/^[0-9]+: ([^:@]+)[^:]*: <([^>]*)> mtu ([0-9]+).* (master [^ ]+)?.*/\1 \2 \3 \4/'",
    ),
    ("addresses", r"ip -o addr | awk '{ print $2, $3, $4 }'"),
    ("routes", "ip -4 route show table all | sed -E 's/ +$//'"),
    (
        "routes of IPv6",
        "ip -6 route show table all | sed -E 's/ expires [0-9]+sec//; s/ +$//'",
    ),
    ("rules", "ip -4 rule; ip -6 rule"),
    ("nftables", "nft --stateless list ruleset"),
    (
        "iptables",
        "iptables-save | sed -E '/^#/d; s/\\[[0-9:]+\\]//'; ip6tables-save | sed -E '/^#/d; s/\\[[0-9:]+\\]//; s/^/6 /'",
    ),
    (
        "legacy iptables",
        "cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || true",
    ),
    (
        "settings",
        "sysctl -a 2>/dev/null | grep -vE '^(fs\\.(inode|dentry|file-nr|aio-nr|quota)|kernel\\.(random|ns_last_pid|pty\\.nr|sched|core_modes)|net\\.netfilter\\.nf_conntrack_(count|buckets)|vm\\.(stat|nr_))'",
    ),
    ("sockets", r"ss -Hlntu | awk '{ print $1, $5 }'"),
    ("cgroups", "find /sys/fs/cgroup -mindepth 2 -type d"),
    ("host name", "hostname"),
];

impl State {
    pub(super) fn of(machine: &Machine<'_>) -> Self {
        let mut parts = BTreeMap::new();
        for (name, line) in PARTS {
            let said = machine.shell(line);
            let mut lines: Vec<_> = said.lines().map(|l| l.trim_end().to_owned()).collect();
            // Rules are read in their order; everything else is a set.
            if !name.contains("tables") {
                lines.sort_unstable();
                lines.dedup();
            }
            parts.insert(name.to_owned(), lines);
        }
        let mut processes = machine.processes();
        processes.sort_unstable();
        parts.insert("processes".to_owned(), processes);
        Self(parts)
    }

    /// Without a part: what a test knows to differ.
    pub fn without(mut self, part: &str) -> Self {
        self.0.remove(part).expect("one of its parts");
        self
    }

    /// The lines of a part.
    pub fn part(&self, name: &str) -> &[String] {
        self.0.get(name).expect("one of its parts")
    }

    /// One line for every line that is only in one of them; nothing when they are the same.
    pub fn changes_to(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, was) in &self.0 {
            let is = later.0.get(name).map_or(&[][..], Vec::as_slice);
            let (before, after): (BTreeSet<_>, BTreeSet<_>) =
                (was.iter().collect(), is.iter().collect());
            let here = changes.len();
            changes.extend(before.difference(&after).map(|l| format!("- {name}: {l}")));
            changes.extend(after.difference(&before).map(|l| format!("+ {name}: {l}")));
            if changes.len() == here && was != is {
                changes.push(format!(
                    "~ {name}: the same lines, in another order or number"
                ));
            }
        }
        changes
    }
}
