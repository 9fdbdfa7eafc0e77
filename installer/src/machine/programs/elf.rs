//! What a program's first bytes say: ELF's header (System V ABI, chapter 4).

/// What this machine is, in the words of `uname -m`.
pub(super) const MACHINE: &str = std::env::consts::ARCH;

/// What a program is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// This machine.
    Native,
    /// A script, for the program that its first line names.
    Script,
    /// Another machine, in words.
    Foreign(String),
    /// Something else.
    Unknown,
}

/// Reads the first 20 bytes.
pub(super) fn kind(head: &[u8]) -> Kind {
    if head.starts_with(b"#!") {
        return Kind::Script;
    }
    let Some(&[0x7f, b'E', b'L', b'F', class, order, ..]) = head.first_chunk::<20>() else {
        return Kind::Unknown;
    };
    let machine = [head[18], head[19]];
    let machine = match order {
        1 => u16::from_le_bytes(machine),
        _ => u16::from_be_bytes(machine),
    };
    let name = match (machine, class, order) {
        (3, ..) => "x86",
        (21, 2, 1) => "powerpc64le",
        (22, 2, 2) => "s390x",
        (40, ..) => "arm",
        (62, 2, 1) => "x86_64",
        (183, 2, 1) => "aarch64",
        (243, 2, 1) => "riscv64",
        (258, 2, 1) => "loongarch64",
        _ => return Kind::Foreign(format!("another machine (ELF number {machine})")),
    };
    if name == MACHINE {
        Kind::Native
    } else {
        Kind::Foreign(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(class: u8, order: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, order];
        head.resize(18, 0);
        head.extend(machine);
        head
    }

    #[test]
    fn tells_machines_apart() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(kind(&own), Kind::Native);
        assert_eq!(kind(&head(1, 1, [40, 0])), Kind::Foreign("arm".into()));
        assert_eq!(kind(&head(2, 2, [0, 22])), Kind::Foreign("s390x".into()));
        assert!(matches!(kind(&head(2, 1, [9, 9])), Kind::Foreign(_)));
        assert_eq!(kind(b"#!/bin/sh"), Kind::Script);
        assert_eq!(kind(b"\x7fELF"), Kind::Unknown);
        assert_eq!(kind(b""), Kind::Unknown);
    }
}
