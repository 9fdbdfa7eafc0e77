//! The resolv.conf that pods can use.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The host's own.
pub(crate) const HOST: &str = "/etc/resolv.conf";
/// The one behind systemd-resolved's stub (systemd-resolved.service(8)).
pub(crate) const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";

/// The host's, or the one behind a stub on loopback: in a pod, loopback is the pod's, and CoreDNS would ask itself
/// (coredns#2087). Where there is only the loop it is the host's all the same, and preflight says so.
///
/// Told with it: whether it names a server that pods can ask.
pub(super) fn read() -> (PathBuf, bool) {
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (host, behind_stub) = (text(HOST), text(BEHIND_STUB));
    let path = choose(&host, &behind_stub);
    let chosen = if path == HOST { host } else { behind_stub };
    (Path::new(path).to_owned(), has_server(&chosen))
}

fn choose(host: &str, behind_stub: &str) -> &'static str {
    if is_loop(host) && !nameservers(behind_stub).is_empty() && !is_loop(behind_stub) {
        BEHIND_STUB
    } else {
        HOST
    }
}

/// Whether it has nameservers, and all of them are on loopback.
pub(crate) fn is_loop(text: &str) -> bool {
    let servers = nameservers(text);
    !servers.is_empty() && servers.iter().all(|server| is_loopback(*server))
}

/// Whether it names a server that is not on loopback.
pub(crate) fn has_server(text: &str) -> bool {
    nameservers(text)
        .into_iter()
        .any(|server| !is_loopback(server))
}

/// Also as IPv4 in IPv6 clothes.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// resolv.conf(5): the addresses after `nameserver`; a link-local one may have a zone.
pub(crate) fn nameservers(text: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words
            .next()
            .filter(|word| *word == "nameserver")
            .and(words.next())?;
        address.split('%').next()?.parse().ok()
    };
    text.lines().filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = "# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\n";
    const REAL: &str = "nameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch corp.example\n";

    #[test]
    fn behind_a_stub() {
        assert_eq!(choose(STUB, REAL), BEHIND_STUB);
        assert_eq!(choose(REAL, REAL), HOST);
        assert_eq!(choose(STUB, ""), HOST);
        assert_eq!(choose(STUB, STUB), HOST);
        assert_eq!(choose("", REAL), HOST);
        // One of several on loopback is the owner's choice: the others answer.
        assert_eq!(
            choose("nameserver ::1\nnameserver 192.0.2.53\n", REAL),
            HOST
        );
    }

    #[test]
    fn what_nameservers_are() {
        assert_eq!(nameservers(REAL).len(), 2);
        assert_eq!(
            nameservers("nameserver\nnameservers 192.0.2.1\n;nameserver 192.0.2.1\n"),
            [] as [IpAddr; 0]
        );
        assert!(is_loop("nameserver ::1\nnameserver 127.0.0.1"));
        assert!(is_loop("nameserver ::ffff:127.0.0.1"));
        assert!(!is_loop(""));
    }
}
