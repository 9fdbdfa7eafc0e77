//! Reading [`Facts`] off this machine.

mod accounts;
mod cgroup;
mod kernel;
mod memory;
pub(crate) mod resolver;
mod router_advertisement;

use std::io;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::{EffectError, host_name};
use crate::desired::{Facts, InitSystem};

/// Reads what is so on this machine. Changes nothing, loads no module.
///
/// # Errors
/// When the kernel does not show what it shows everywhere, as where `/proc` is not mounted.
pub fn read() -> Result<Facts, EffectError> {
    let (resolv_conf, has_nameserver) = resolver::read();
    Ok(Facts {
        host_name: host_name(),
        init: init(),
        cgroups: cgroup::version()?,
        has_sys_resource: kernel::has_sys_resource()?,
        resolv_conf,
        has_nameserver,
        conntrack_writable: kernel::conntrack_writable(),
        has_nf_tables: kernel::has_nf_tables(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: memory::bytes()?,
        addresses: addresses()?,
        accounts: accounts::present()?,
        router_advertisements: router_advertisement::interfaces(),
    })
}

/// sd_booted(3): the directory is there exactly when systemd is the system's manager. A namespace sees the host's
/// without being able to talk to it, so process 1 has to agree.
fn init() -> InitSystem {
    let first = std::fs::read_to_string("/proc/1/comm").unwrap_or_default();
    if first.trim_end() == "systemd" && Path::new("/run/systemd/system").is_dir() {
        InitSystem::Systemd
    } else {
        InitSystem::Supervisor
    }
}

/// Every address of every interface but loopback's, by the interface's name and then by address.
fn addresses() -> Result<Vec<(String, IpNet)>, EffectError> {
    let interfaces = if_addrs::get_if_addrs().map_err(|error| EffectError {
        fact: format!("this machine's addresses: {error}"),
        hint: None,
    })?;
    let mut addresses: Vec<_> = interfaces
        .into_iter()
        .filter(|interface| !interface.is_loopback())
        .filter_map(|interface| {
            let length = match &interface.addr {
                if_addrs::IfAddr::V4(address) => address.prefixlen,
                if_addrs::IfAddr::V6(address) => address.prefixlen,
            };
            let network = IpNet::new(interface.ip(), length).ok()?;
            Some((interface.name, network))
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// The text of a file below `/proc` or `/etc` that every machine has.
fn text(path: &str) -> Result<String, EffectError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(Path::new(path), &error))
}

fn unreadable(path: &Path, error: &io::Error) -> EffectError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => Some("run as root"),
        io::ErrorKind::NotFound if path.starts_with("/proc") => {
            Some("mount it: mount -t proc proc /proc")
        }
        _ => None,
    };
    EffectError {
        fact: format!("{}: {error}", path.display()),
        hint: hint.map(str::to_owned),
    }
}

/// A program of the system: by PATH, and where root's programs are when PATH is a plain user's.
pub(crate) fn system_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    std::env::split_paths(&path)
        .chain(usual.iter().map(PathBuf::from))
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_this_machine() {
        let facts = read().unwrap();
        assert_eq!(facts.host_name, facts.host_name.to_lowercase());
        assert!(facts.cores >= 1);
        assert!(facts.memory_bytes > 1 << 20);
        assert!(facts.addresses.iter().all(|(name, _)| name != "lo"));
        assert_eq!(
            facts,
            read().unwrap(),
            "what is so does not change by reading"
        );
    }

    #[test]
    fn programs_of_the_system_are_found_without_path() {
        assert_eq!(system_program("no-such-program-of-anybody"), None);
        assert!(system_program("sh").is_some());
    }
}
