//! Who listens where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::{Process, text};

/// A port that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The address it is bound to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The process that holds it; nothing when it is not to be seen, or the kernel itself holds it.
    pub process: Option<Process>,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Listening.
    Tcp,
    /// Bound.
    Udp,
}

pub(super) fn read(processes: &[Process]) -> Vec<Listener> {
    let mut sockets = Vec::new();
    for (protocol, file) in [
        (Protocol::Tcp, "/proc/net/tcp"),
        (Protocol::Tcp, "/proc/net/tcp6"),
        (Protocol::Udp, "/proc/net/udp"),
        (Protocol::Udp, "/proc/net/udp6"),
    ] {
        let text = text(file);
        let found = text.lines().filter_map(|line| socket(protocol, line));
        sockets.extend(found);
    }
    if sockets.is_empty() {
        return Vec::new();
    }
    let holders = holders(processes);
    sockets
        .into_iter()
        .map(|(inode, mut listener)| {
            listener.process = holders.get(&inode).map(|process| (*process).clone());
            listener
        })
        .collect()
}

/// proc_net_tcp(5): number, local address, remote address, state, queues, timers, retransmits, user, timeout, inode.
fn socket(protocol: Protocol, line: &str) -> Option<(u64, Listener)> {
    /// TCP_LISTEN of net/tcp_states.h.
    const LISTEN: &str = "0A";
    /// TCP_CLOSE: what a UDP socket without a peer is in.
    const UNCONNECTED: &str = "07";
    let words: Vec<_> = line.split_whitespace().collect();
    let wanted = match protocol {
        Protocol::Tcp => LISTEN,
        Protocol::Udp => UNCONNECTED,
    };
    if *words.get(3)? != wanted {
        return None;
    }
    let (address, port) = words[1].split_once(':')?;
    let listener = Listener {
        protocol,
        address: parse(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        process: None,
    };
    Some((words.get(9)?.parse().ok()?, listener))
}

/// An address as words of four bytes, each in the machine's own order.
fn parse(hex: &str) -> Option<IpAddr> {
    let word = |from: usize| {
        let word = u32::from_str_radix(hex.get(from..from + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// Which process has which socket open.
fn holders(processes: &[Process]) -> BTreeMap<u64, &Process> {
    let mut holders = BTreeMap::new();
    for process in processes {
        let open = PathBuf::from(format!("/proc/{}/fd", process.id));
        for entry in open.read_dir().into_iter().flatten().flatten() {
            let Ok(target) = std::fs::read_link(entry.path()) else {
                continue;
            };
            let inode = target
                .to_str()
                .and_then(|target| target.strip_prefix("socket:["))
                .and_then(|target| target.strip_suffix(']'))
                .and_then(|inode| inode.parse().ok());
            if let Some(inode) = inode {
                holders.entry(inode).or_insert(process);
            }
        }
    }
    holders
}

/// /proc/net/unix: address, references, protocol, flags, type, state, inode, path. The flag is __SO_ACCEPTCON of
/// linux/net.h: somebody listens.
pub(super) fn unix(text: &str) -> BTreeSet<PathBuf> {
    let listening = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let flags = u32::from_str_radix(words.get(3)?, 16).ok()?;
        (flags & 0x1_0000 != 0).then_some(())?;
        words.get(7).map(PathBuf::from)
    };
    text.lines().filter_map(listening).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_shows() {
        // On a machine of the other byte order the words are the other way round.
        if cfg!(target_endian = "big") {
            return;
        }
        let line = "   0: 0100007F:280A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1";
        let (inode, listener) = socket(Protocol::Tcp, line).unwrap();
        assert_eq!((inode, listener.port), (4711, 10250));
        assert_eq!(listener.address.to_string(), "127.0.0.1");
        let line = "   1: B80D0120000000000000000001000000:192B 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 12";
        let (_, listener) = socket(Protocol::Tcp, line).unwrap();
        assert_eq!(
            (listener.address.to_string().as_str(), listener.port),
            ("2001:db8::1", 6443)
        );
        let connected = line.replace(" 0A ", " 01 ");
        assert!(socket(Protocol::Tcp, &connected).is_none());
        assert!(socket(Protocol::Tcp, "  sl  local_address rem_address   st").is_none());
    }

    #[test]
    fn unix_sockets_that_are_listened_on() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 1 /run/containerd/containerd.sock\n\
                    0000000000000000: 00000003 00000000 00000000 0001 03 2 /run/other.sock\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 3\n";
        assert_eq!(
            unix(text),
            BTreeSet::from([PathBuf::from("/run/containerd/containerd.sock")])
        );
    }

    #[test]
    fn a_listener_of_this_process_is_found_with_its_name() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let listeners = read(&super::super::processes::read());
        let own = listeners.iter().find(|one| one.port == port).unwrap();
        assert_eq!(own.process.as_ref().unwrap().id, std::process::id());
    }
}
