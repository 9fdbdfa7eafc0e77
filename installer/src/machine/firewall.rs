//! Tables of nftables and chains of iptables, by their own programs. Where a program is missing there is
//! nothing of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::error::HostError;
use super::program::{self, ProgramError};

/// All tables of nftables, as `ip kube-proxy`.
pub(crate) fn nft_tables() -> Result<BTreeSet<String>, HostError> {
    let text = listing(program::run("nft", &["list", "tables"]))?;
    let tables = text.lines().filter_map(|line| line.strip_prefix("table "));
    Ok(tables.map(|table| table.trim().to_owned()).collect())
}

/// Removes a table of nftables with all that is in it.
pub(crate) fn delete_nft_table(table: &str) -> Result<(), HostError> {
    let mut arguments = vec!["delete", "table"];
    arguments.extend(table.split(' '));
    program::run("nft", &arguments)
        .map(drop)
        .map_err(Into::into)
}

/// All chains of nftables, as `ip filter FORWARD`.
fn nft_chains() -> Result<BTreeSet<String>, HostError> {
    let text = listing(program::run("nft", &["list", "chains"]))?;
    let mut table = "";
    let mut chains = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim().trim_end_matches(" {");
        if let Some(name) = line.strip_prefix("table ") {
            table = name;
        } else if let Some(name) = line.strip_prefix("chain ") {
            chains.insert(format!("{table} {name}"));
        }
    }
    Ok(chains)
}

/// What matches a prefix of chains: each chain as `iptables-nft filter KUBE-FORWARD`. Of what iptables has in
/// nftables also each table, as `ip filter`, and each built-in chain, as `ip filter FORWARD`: iptables makes
/// them when it needs them.
pub(crate) fn iptables_chains(prefix: &str) -> Result<BTreeSet<String>, HostError> {
    let mut found = BTreeSet::new();
    for tool in tools() {
        if tool.is_nft() {
            found.extend(nft_tables()?);
            found.extend(nft_chains()?);
        }
        for table in save(&tool)? {
            for chain in table.chains.iter().filter(|one| one.starts_with(prefix)) {
                found.insert(format!("{} {} {chain}", tool.0, table.name));
            }
        }
    }
    Ok(found)
}

/// Removes the chains whose name begins so, with the rules that lead to them, but for those that were there
/// before; then what iptables made in nftables for them and holds nothing any more.
pub(crate) fn delete_iptables_chains(
    prefix: &str,
    before: &BTreeSet<String>,
) -> Result<(), HostError> {
    for tool in tools() {
        let ours = |table: &Table, chain: &str| {
            chain.starts_with(prefix)
                && !before.contains(&format!("{} {} {chain}", tool.0, table.name))
        };
        let tables = save(&tool)?;
        let script: String = tables
            .iter()
            .filter_map(|table| table.removal(|chain| ours(table, chain)))
            .collect();
        if script.is_empty() {
            continue;
        }
        let restore = format!("{}-restore", tool.0);
        program::run_with(&restore, &["--noflush"], Some(&script))?;
        if !tool.is_nft() {
            continue;
        }
        for table in save(&tool)? {
            sweep(&table, &format!("{} {}", tool.family(), table.name), before)?;
        }
    }
    Ok(())
}

/// Removes a table that iptables made in nftables, when it holds nothing; else those of its built-in chains
/// that hold nothing.
fn sweep(table: &Table, name: &str, before: &BTreeSet<String>) -> Result<(), HostError> {
    if table.is_bare() && !before.contains(name) {
        return delete_nft_table(name);
    }
    let there = nft_chains()?;
    for chain in &table.built_in {
        let path = format!("{name} {chain}");
        let lead = format!("-A {chain} ");
        let is_bare = table.rules.iter().all(|rule| !rule.starts_with(&lead));
        if is_bare && there.contains(&path) && !before.contains(&path) {
            let mut arguments = vec!["delete", "chain"];
            arguments.extend(path.split(' '));
            program::run("nft", &arguments)?;
        }
    }
    Ok(())
}

/// One of the faces of iptables: the beginning of its programs' names.
struct Tool(String);

impl Tool {
    fn is_nft(&self) -> bool {
        self.0.ends_with("-nft")
    }

    fn family(&self) -> &'static str {
        if self.0.starts_with("ip6") {
            "ip6"
        } else {
            "ip"
        }
    }
}

/// Both back ends where they can be told apart: rules may be in either (kubernetes#71305).
fn tools() -> Vec<Tool> {
    let mut tools = Vec::new();
    for family in ["iptables", "ip6tables"] {
        let there = |tool: &String| program::find(&format!("{tool}-save")).is_some();
        let both = ["legacy", "nft"].map(|end| format!("{family}-{end}"));
        let mut found: Vec<_> = both.into_iter().filter(there).collect();
        if found.is_empty() {
            found.extend(Some(family.to_owned()).filter(there));
        }
        tools.extend(found.into_iter().map(Tool));
    }
    tools
}

/// One table, as `iptables-save` writes it.
#[derive(Debug, Default)]
struct Table {
    name: String,
    /// Chains that somebody made.
    chains: Vec<String>,
    /// Rules, as `-A FORWARD -j KUBE-FORWARD`.
    rules: Vec<String>,
    /// Built-in chains that do nothing but accept.
    built_in: Vec<String>,
    /// Whether a built-in chain does anything else.
    has_policy: bool,
}

fn save(tool: &Tool) -> Result<Vec<Table>, HostError> {
    let none: [&str; 0] = [];
    let text = listing(program::run(&format!("{}-save", tool.0), &none))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            let name = name.to_owned();
            let table = Table::default();
            tables.push(Table { name, ..table });
            continue;
        }
        let Some(table) = tables.last_mut() else {
            continue;
        };
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split(' ');
            match (words.next(), words.next()) {
                (Some(name), Some("-")) => table.chains.push(name.to_owned()),
                (Some(name), Some("ACCEPT")) => table.built_in.push(name.to_owned()),
                _ => table.has_policy = true,
            }
        } else if line.starts_with("-A ") {
            table.rules.push(line.to_owned());
        }
    }
    tables
}

impl Table {
    fn is_bare(&self) -> bool {
        self.chains.is_empty() && self.rules.is_empty() && !self.has_policy
    }

    /// What `iptables-restore --noflush` has to read for these chains to be gone.
    fn removal(&self, goes: impl Fn(&str) -> bool) -> Option<String> {
        let chains: Vec<_> = self.chains.iter().filter(|chain| goes(chain)).collect();
        if chains.is_empty() {
            return None;
        }
        let mut script = format!("*{}\n", self.name);
        for rule in &self.rules {
            let words: Vec<_> = rule.split(' ').collect();
            let leads = words
                .windows(2)
                .any(|pair| matches!(pair[0], "-j" | "-g") && goes(pair[1]));
            if leads && !words.get(1).is_some_and(|chain| goes(chain)) {
                let _ = writeln!(script, "-D{}", &rule[2..]);
            }
        }
        for chain in &chains {
            let _ = writeln!(script, "-F {chain}");
        }
        for chain in &chains {
            let _ = writeln!(script, "-X {chain}");
        }
        script.push_str("COMMIT\n");
        Some(script)
    }
}

/// What a program listed; nothing where it is missing, or the kernel lacks what it lists.
fn listing(result: Result<String, ProgramError>) -> Result<String, HostError> {
    match result {
        Err(ProgramError::Missing(_)) => Ok(String::new()),
        Err(ProgramError::Failed { output, .. })
            if output.contains("Protocol not supported")
                || output.contains("Address family not supported") =>
        {
            Ok(String::new())
        }
        other => other.map_err(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = "\
# Generated
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
:MINE - [0:0]
-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD
-A FORWARD -j MINE
-A KUBE-FORWARD -j ACCEPT
-A MINE -g KUBE-FORWARD
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
COMMIT
";

    #[test]
    fn only_our_chains_and_what_leads_to_them_go() {
        let tables = parse(SAVED);
        assert_eq!(
            tables[0]
                .removal(|chain| chain.starts_with("KUBE-"))
                .unwrap(),
            "*filter\n\
             -D FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD\n\
             -D MINE -g KUBE-FORWARD\n\
             -F KUBE-FORWARD\n-X KUBE-FORWARD\nCOMMIT\n"
        );
        assert_eq!(tables[1].removal(|chain| chain.starts_with("KUBE-")), None);
        assert!(tables[1].is_bare());
        assert!(!tables[0].is_bare());
    }
}
