//! Packet filters, as their own programs print them.

use std::process::{Command, Stdio};

use super::{Kernel, text};
use crate::machine::facts::system_program;

/// What filters packets here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// What `nft list ruleset` prints; also tables of iptables-nft are in it.
    pub nft: Option<String>,
    /// What the `save` programs of iptables' older kind print, where the kernel has tables of that kind.
    pub legacy: Vec<Ruleset>,
}

/// What one program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// The program's name.
    pub program: String,
    /// What it printed.
    pub text: String,
}

pub(super) fn read(kernel: &Kernel) -> Firewall {
    // Asking nft loads nf_tables where it is a module. One that is not loaded has no rules.
    let nft = (kernel.loaded.contains("nf_tables") || kernel.loadable.is_none())
        .then(|| output("nft", &["--numeric", "list", "ruleset"]))
        .flatten();
    let legacy = [
        ("/proc/net/ip_tables_names", "iptables-legacy-save"),
        ("/proc/net/ip6_tables_names", "ip6tables-legacy-save"),
    ];
    let legacy = legacy
        .iter()
        // The list is there and empty until a table of the older kind is made.
        .filter(|(tables, _)| !text(tables).trim().is_empty())
        .filter_map(|(_, program)| {
            let text = output(program, &[])?;
            let program = (*program).to_owned();
            Some(Ruleset { program, text })
        })
        .collect();
    Firewall { nft, legacy }
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(system_program(program)?);
    command.args(arguments).env("LC_ALL", "C");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}
