//! Links, routes and network namespaces.

use std::path::Path;

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::desired::Trace;
use crate::machine::error::HostError;
use crate::machine::observe::traces;
use crate::machine::program;
use crate::machine::root::Root;

/// Removes a link. One that went with its peer is no error.
pub(super) fn remove_link(name: &str) -> Result<(), HostError> {
    if !traces::links()?.contains(name) {
        return Ok(());
    }
    match program::run("ip", &["link", "delete", "dev", name]) {
        Err(_) if !traces::links()?.contains(name) => Ok(()),
        other => other.map(drop).map_err(Into::into),
    }
}

/// Removes a route, as a trace's match names it. One that went with its interface is no error.
pub(super) fn remove_route(root: &Root, trace: &Trace, route: &str) -> Result<(), HostError> {
    let is_gone = || traces::matches(root, trace).map(|now| !now.contains(route));
    let family = if route.contains(':') { "-6" } else { "-4" };
    let mut arguments = vec![family, "route", "delete"];
    arguments.extend(route.split(' '));
    match program::run("ip", &arguments) {
        Err(_) if is_gone()? => Ok(()),
        other => other.map(drop).map_err(Into::into),
    }
}

/// Removes the name of a network namespace: it ends with its last process.
pub(super) fn remove_namespace(root: &Root, name: &str) -> Result<(), HostError> {
    let path = root.join(Path::new(traces::NAMESPACES).join(name));
    // As often as something is mounted on it.
    loop {
        match unmount(&path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => break,
            // Without the right to, nothing can be mounted there by us.
            Err(Errno::PERM) if !root.is_machine() => break,
            Err(errno) => return Err(HostError::io(&path, "cannot be unmounted", errno)),
        }
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HostError::io(&path, "cannot be removed", error))
        }
        _ => Ok(()),
    }
}
