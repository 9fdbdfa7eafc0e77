//! `kinstall etcd`.

use std::fmt::Write as _;

use installer::etcd::{self, MemberLine, Quorum, Removal, Report};
use rustix::process::geteuid;

use super::machine;
use crate::cli::arguments::{Etcd, EtcdCommand, EtcdMembers, EtcdRemove};
use crate::cli::consent;
use crate::cli::output::{self, ERROR, Failure, GOOD, Outcome, WARNING, WEAK};

/// Looks at members, or takes one out.
pub fn run(arguments: &Etcd) -> Result<Outcome, Failure> {
    if !geteuid().is_root() {
        return Err(Failure::new(
            "kinstall etcd asks with the node's own key, and this is not root",
            "run it with sudo",
        ));
    }
    match &arguments.command {
        EtcdCommand::Members(arguments) => members(arguments),
        EtcdCommand::Remove(arguments) => remove(arguments),
    }
}

fn members(arguments: &EtcdMembers) -> Result<Outcome, Failure> {
    let spec = machine::node()?;
    let report = machine::runtime()?.block_on(etcd::report(&spec.cluster, &spec.tree))?;
    let text = if arguments.json {
        output::json(&report)
    } else {
        words(&report)
    };
    Ok(Outcome::with_attention(text, !report.healthy))
}

fn words(report: &Report) -> String {
    let mut text = String::new();
    let widest = report.members.iter().map(|one| one.name.len()).max();
    let widest = widest.unwrap_or(0).max("MEMBER".len());
    let _ = writeln!(
        text,
        "{WEAK}{:widest$}  {:16}  {:8} {:9} {:8} {:>9}  REACHED AT{WEAK:#}",
        "MEMBER", "NUMBER", "ROLE", "HEALTH", "VERSION", "DATA"
    );
    for member in &report.members {
        line(&mut text, member, widest);
    }
    for name in &report.absent {
        let _ = writeln!(
            text,
            "{name}: has the role etcd in cluster.toml, and is no member yet"
        );
    }
    let Quorum {
        voters,
        healthy,
        needed,
        held,
    } = report.quorum;
    let (style, word) = if held {
        (GOOD, "quorum held")
    } else {
        (ERROR, "quorum lost")
    };
    let noun = if voters == 1 { "vote" } else { "votes" };
    let _ = writeln!(
        text,
        "{style}{word}{style:#}: {healthy} of {voters} {noun} healthy, {needed} needed"
    );
    text
}

fn line(text: &mut String, member: &MemberLine, widest: usize) {
    let role = match (member.learner, member.leader) {
        (true, _) => "learner",
        (_, true) => "leader",
        _ => "voter",
    };
    let (style, health) = if member.healthy {
        (GOOD, "healthy")
    } else {
        (ERROR, "down")
    };
    let dash = || "-".to_owned();
    let _ = writeln!(
        text,
        "{:widest$}  {:16}  {role:8} {style}{health:9}{style:#} {:8} {:>9}  {}",
        output::printable(&member.name),
        member.id.to_string(),
        member.version.clone().unwrap_or_else(dash),
        member
            .db_size
            .map_or_else(dash, |bytes| format!("{} KiB", bytes >> 10)),
        output::printable(&member.client_urls.join(", ")),
    );
    if let Some(reason) = &member.reason {
        let _ = writeln!(text, "    {}", output::printable(reason));
    }
    if !member.expected {
        let _ = writeln!(
            text,
            "    {WARNING}cluster.toml has no such node with the role etcd{WARNING:#}"
        );
    }
}

fn remove(arguments: &EtcdRemove) -> Result<Outcome, Failure> {
    let spec = machine::node()?;
    let runtime = machine::runtime()?;
    let removal = runtime.block_on(etcd::removal(&spec.cluster, &spec.tree, &arguments.name))?;
    if !arguments.yes {
        ask(&removal)?;
    }
    runtime.block_on(etcd::remove(&spec.tree, &removal))?;
    let name = output::printable(&removal.name);
    Ok(Outcome::fine(format!(
        "{GOOD}{name} ({}) is no member any more{GOOD:#}; {} left. Next:\n\n  \
         kinstall reset --purge   on {name}, where its machine is still there\n  \
         cluster.toml             take the role etcd from {name}, or name another node in its place\n",
        removal.id, removal.left
    )))
}

fn ask(removal: &Removal) -> Result<(), Failure> {
    let health = if removal.is_healthy {
        "healthy"
    } else {
        "not healthy"
    };
    let what = format!(
        "{} ({}), which is {health}, goes from etcd's cluster for good; {} members with a vote are left.",
        output::printable(&removal.name),
        removal.id,
        removal.left
    );
    consent::ask("kinstall etcd remove", what)
}
