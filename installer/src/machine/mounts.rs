//! What is mounted: `/proc/self/mountinfo`, see proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where.
    pub(crate) point: PathBuf,
    /// The kind of its file system.
    pub(crate) kind: String,
}

/// All mounts, in the order in which they were made.
pub(crate) fn all() -> io::Result<Vec<Mount>> {
    Ok(parse(&std::fs::read_to_string("/proc/self/mountinfo")?))
}

/// Mount points at `path` and below it, the latest first.
pub(crate) fn at_and_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut points: Vec<_> = all()?.into_iter().map(|mount| mount.point).collect();
    points.retain(|point| point.starts_with(path));
    points.reverse();
    Ok(points)
}

/// Mount points strictly below `path`, the latest first.
pub(crate) fn below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut points: Vec<_> = all()?.into_iter().map(|mount| mount.point).collect();
    points.retain(|point| point != path && point.starts_with(path));
    points.reverse();
    Ok(points)
}

fn parse(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (first, second) = line.split_once(" - ")?;
        Some(Mount {
            point: unescape(first.split(' ').nth(4)?),
            kind: second.split(' ').next()?.to_owned(),
        })
    };
    text.lines().filter_map(mount).collect()
}

/// Blanks, tabs, line ends and backslashes are written as `\040` and so on.
fn unescape(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal = bytes.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        let number = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match number {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let text = "36 35 98:0 /mnt1 /var/lib/kube\\040let rw,noatime shared:1 - ext4 /dev/root rw\n\
                    37 35 0:3 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        let mount = |point: &str, kind: &str| Mount {
            point: point.into(),
            kind: kind.into(),
        };
        assert_eq!(
            parse(text),
            [
                mount("/var/lib/kube let", "ext4"),
                mount("/sys/fs/cgroup/cpu", "cgroup")
            ]
        );
    }
}
