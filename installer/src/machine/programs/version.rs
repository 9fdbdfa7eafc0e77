//! Versions, as programs say them.

use std::fmt;

/// A version's three numbers. What comes after them (`-rc.1`, `+ds1`) does not count here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    patch: u32,
}

impl Version {
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// `1.37.2`, `1.1.5+ds1`, `1.38`. Nothing when there are not at least two numbers.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?;
        let patch = parts.next();
        let minor = match patch {
            Some(_) => minor.parse().ok()?,
            None => leading(minor)?,
        };
        let patch = match patch {
            Some(patch) => leading(patch)?,
            None => 0,
        };
        Some(Self::new(major, minor, patch))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn leading(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// The first word of what a program says that is a version, without a leading `v`.
pub(super) fn said(text: &str) -> Option<&str> {
    text.split([' ', '\t', '\n', '\r', ','])
        .map(|word| word.strip_prefix("CoreDNS-").unwrap_or(word))
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| Version::parse(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_heard_from_every_program() {
        for (text, version) in [
            ("Kubernetes v1.37.2\n", "1.37.2"),
            (
                "Client Version: v1.37.2\nKustomize Version: v5.8.1\n",
                "1.37.2",
            ),
            ("etcd Version: 3.7.3\nGit SHA: Not provided\n", "3.7.3"),
            (
                "containerd github.com/containerd/containerd/v2 v2.4.2 \n",
                "2.4.2",
            ),
            (
                "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1\n",
                "1.6.20~ds1",
            ),
            (
                "containerd-shim-runc-v2:\n  Version:  v2.4.2\n  Revision: \n",
                "2.4.2",
            ),
            (
                "runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\n",
                "1.1.5+ds1",
            ),
            ("CoreDNS-1.14.7\nlinux/amd64, go1.26.8, \n", "1.14.7"),
            ("v0.28.10\n", "0.28.10"),
            ("nftables v1.0.6 (Lester Gooch #5)\n", "1.0.6"),
            (
                "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n",
                "2.6.12-1+deb12u4",
            ),
            (
                "CNI bridge plugin v1.9.1\nCNI protocol versions supported: 0.1.0\n",
                "1.9.1",
            ),
            ("Kubernetes v1.38.0-alpha.1+dirty", "1.38.0-alpha.1+dirty"),
        ] {
            assert_eq!(said(text), Some(version), "{text}");
        }
        for text in [
            "",
            "dev",
            "usage: bridge",
            "1",
            "v1",
            "a.b.c",
            "1.x",
            ".1.2",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn is_compared_by_numbers() {
        let of = |text| Version::parse(text).expect("a version");
        assert_eq!(of("1.1.5+ds1"), Version::new(1, 1, 5));
        assert_eq!(of("1.38-rc"), Version::new(1, 38, 0));
        assert!(of("1.9.0") < of("1.10.0"));
        assert!(of("1.37.2") < of("2.0.0"));
        assert_eq!(of("2.4.2").to_string(), "2.4.2");
    }
}
