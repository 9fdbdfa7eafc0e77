//! What components leave at run time: what there is of it now, each by a name of its own.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::desired::Trace;
use crate::machine::error::HostError;
use crate::machine::readings::{Route, network};
use crate::machine::root::Root;
use crate::machine::{firewall, mounts};

/// Where `ip netns` and the CRI keep network namespaces.
pub(crate) const NAMESPACES: &str = "/run/netns";

/// All that matches. Of the kernel's things only on the machine itself.
pub(crate) fn matches(root: &Root, trace: &Trace) -> Result<BTreeSet<String>, HostError> {
    match trace {
        Trace::Path(path) => {
            let path = root.join(path);
            let there = path.symlink_metadata().is_ok();
            return Ok(there.then(|| name(&path)).into_iter().collect());
        }
        Trace::Sysctl(key) => return Ok(super::sysctl(root, key)?.into_iter().collect()),
        Trace::NetworkNamespaces(prefix) => {
            let names = listing(&root.join(NAMESPACES))?;
            return Ok(with_prefix(names, prefix));
        }
        _ if !root.is_machine() => return Ok(BTreeSet::new()),
        Trace::Link(pattern) => {
            let links = links()?;
            return Ok(match pattern.strip_suffix('*') {
                Some(prefix) => with_prefix(links, prefix),
                None => links.into_iter().filter(|link| link == pattern).collect(),
            });
        }
        _ => {}
    }
    match trace {
        Trace::NftTable(table) => {
            let mut tables = firewall::nft_tables()?;
            tables.retain(|one| one == table);
            Ok(tables)
        }
        Trace::IptablesChains(prefix) => firewall::iptables_chains(prefix),
        Trace::Routes(network) => Ok(routes(network)),
        Trace::Cgroup(group) => {
            let groups = cgroups(group)?;
            Ok(groups.iter().map(|path| name(path)).collect())
        }
        Trace::Mounts(path) => {
            let points = mounts::at_and_below(path);
            let points = points.map_err(|error| HostError::io(path, "mounts unknown", error))?;
            Ok(points.iter().map(|point| name(point)).collect())
        }
        _ => Ok(BTreeSet::new()),
    }
}

/// The directories of a control group, one below each hierarchy that has it.
pub(crate) fn cgroups(group: &str) -> Result<Vec<PathBuf>, HostError> {
    let file = Path::new("/proc/self/mountinfo");
    let mounts = mounts::all().map_err(|error| HostError::io(file, "cannot be read", error))?;
    let mut found: Vec<PathBuf> = mounts
        .into_iter()
        .filter(|mount| mount.kind == "cgroup" || mount.kind == "cgroup2")
        .map(|mount| mount.point.join(group.trim_start_matches('/')))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// Routes into a network that lead over another machine, as `ip route` takes them. Those of interfaces go with them.
fn routes(network: &str) -> BTreeSet<String> {
    let Ok(network) = network.parse::<IpNet>() else {
        return BTreeSet::new();
    };
    let routes = network::read().into_iter();
    let leads_there =
        |route: &Route| route.gateway.is_some() && network.contains(&route.destination);
    routes
        .filter(leads_there)
        .map(|route| route.to_string())
        .collect()
}

/// Network interfaces: of this process's network namespace, which `/sys` may not show.
pub(crate) fn links() -> Result<BTreeSet<String>, HostError> {
    let path = Path::new("/proc/self/net/dev");
    let text = std::fs::read_to_string(path)
        .map_err(|error| HostError::io(path, "cannot be read", error))?;
    let link = |line: &str| Some(line.rsplit_once(':')?.0.trim().to_owned());
    Ok(text.lines().filter_map(link).collect())
}

fn listing(path: &Path) -> Result<BTreeSet<String>, HostError> {
    let fails = |error| HostError::io(path, "cannot be read", error);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(fails(error)),
    };
    entries
        .map(|entry| {
            Ok(entry
                .map_err(fails)?
                .file_name()
                .to_string_lossy()
                .into_owned())
        })
        .collect()
}

fn with_prefix(mut names: BTreeSet<String>, prefix: &str) -> BTreeSet<String> {
    names.retain(|name| name.starts_with(prefix));
    names
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
