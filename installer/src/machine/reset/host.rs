//! One trace, sysctls and modules, as they were.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::mount::{UnmountFlags, unmount};

use super::{cgroups, network};
use crate::desired::Trace;
use crate::machine::apply::{remove_tree, write_sysctl};
use crate::machine::error::HostError;
use crate::machine::observe::{self, traces};
use crate::machine::program::{self, ProgramError};
use crate::machine::root::Root;
use crate::machine::{firewall, mounts};

/// How often sysctls are looked at again: setting one may change another, as `net/ipv6/conf/all/forwarding`
/// does `net/ipv6/conf/default/forwarding` (addrconf_fixup_forwarding in net/ipv6/addrconf.c).
const PASSES: usize = 3;

/// Removes what matches a trace, but for what was there before.
pub(super) fn undo_trace(
    root: &Root,
    trace: &Trace,
    before: &BTreeSet<String>,
) -> Result<(), HostError> {
    let ours = || -> Result<Vec<String>, HostError> {
        let now = traces::matches(root, trace)?;
        Ok(now.difference(before).cloned().collect())
    };
    match trace {
        Trace::Mounts(path) => unmount_below(root, path, before),
        Trace::NetworkNamespaces(_) => ours()?
            .iter()
            .try_for_each(|name| network::remove_namespace(root, name)),
        Trace::Link(_) => ours()?
            .iter()
            .try_for_each(|name| network::remove_link(name)),
        Trace::Routes(_) => ours()?
            .iter()
            .try_for_each(|route| network::remove_route(root, trace, route)),
        Trace::NftTable(table) => {
            if !ours()?.is_empty() {
                firewall::delete_nft_table(table)?;
            }
            Ok(())
        }
        Trace::IptablesChains(prefix) if root.is_machine() => {
            firewall::delete_iptables_chains(prefix, before)
        }
        Trace::Cgroup(_) => ours()?
            .iter()
            .try_for_each(|group| cgroups::remove(Path::new(group))),
        Trace::Path(_) => ours()?
            .iter()
            .try_for_each(|path| remove_tree(Path::new(path))),
        Trace::IptablesChains(_) | Trace::Sysctl(_) => Ok(()),
    }
}

/// Unmounts what is mounted at a path and below it (the kubelet mounts its directory on itself), the latest first; mounts of the same place one after the other.
fn unmount_below(root: &Root, path: &Path, before: &BTreeSet<String>) -> Result<(), HostError> {
    if !root.is_machine() {
        return Ok(());
    }
    let points = mounts::at_and_below(path)
        .map_err(|error| HostError::io(path, "its mounts are unknown", error))?;
    for point in points {
        if before.contains(&point.display().to_string()) {
            continue;
        }
        // Detached: what still uses it, as a process that is about to end, does not hinder.
        match unmount(&point, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            // It went with another.
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(HostError::io(&point, "cannot be unmounted", errno)),
        }
    }
    Ok(())
}

/// Sets sysctls to what they were.
pub(super) fn set_sysctls(
    root: &Root,
    all: &[(&str, &str)],
    notes: &mut Vec<String>,
) -> Result<(), HostError> {
    for pass in 1..=PASSES {
        let mut different = Vec::new();
        for (key, value) in all {
            match observe::sysctl(root, key)? {
                Some(now) if now != *value => different.push((key, value)),
                _ => {}
            }
        }
        for (key, value) in different {
            if let Err(error) = write_sysctl(root, key, value) {
                // Some cannot be set any more, as those of conntrack outside of the first network namespace.
                if pass == PASSES {
                    notes.push(format!("{key} stays as it is: {error}"));
                }
            }
        }
    }
    Ok(())
}

/// Unloads a module, with those that only it needed.
pub(super) fn unload(name: &str) -> Result<(), ProgramError> {
    program::run("modprobe", &["-r", name]).map(drop)
}
