//! The processes of this machine, as /proc tells them.

use std::fs;
use std::path::{Path, PathBuf};

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// The last part of what it was called as: `kube-apiserver`.
    pub name: String,
    /// When it was started, in seconds since 1970.
    pub since: i64,
    /// Memory that is its own or shared with others and resident, in bytes.
    pub resident_bytes: u64,
    /// Whether it is in a pod: its control group is below one of the kubelet's.
    pub in_pod: bool,
}

/// All processes with a command line. One that ends meanwhile is left out.
pub fn processes() -> Vec<Process> {
    let proc = Path::new("/proc");
    let booted = fs::read_to_string(proc.join("stat"))
        .ok()
        .and_then(|stat| boot_time(&stat))
        .unwrap_or(0);
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            read(id, &entry.path(), booted)
        })
        .collect()
}

fn read(id: u32, path: &Path, booted: i64) -> Option<Process> {
    let arguments = fs::read(path.join("cmdline")).ok()?;
    let first = arguments.split(|byte| *byte == 0).next()?;
    let name = PathBuf::from(String::from_utf8_lossy(first).into_owned());
    let name = name.file_name()?.to_string_lossy().into_owned();
    let stat = fs::read_to_string(path.join("stat")).ok()?;
    let cgroups = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
    Some(Process {
        id,
        name,
        since: booted + start_ticks(&stat)? / ticks_per_second(),
        resident_bytes: resident_pages(&stat)? * rustix::param::page_size() as u64,
        in_pod: cgroups.contains("kubepods"),
    })
}

fn ticks_per_second() -> i64 {
    i64::try_from(rustix::param::clock_ticks_per_second())
        .unwrap_or(100)
        .max(1)
}

/// `btime` of /proc/stat.
fn boot_time(stat: &str) -> Option<i64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// Field 22 of /proc/PID/stat (proc_pid_stat(5)). The second field may hold blanks and parentheses.
fn start_ticks(stat: &str) -> Option<i64> {
    field(stat, 22)?.parse().ok()
}

/// Field 24.
fn resident_pages(stat: &str) -> Option<u64> {
    field(stat, 24)?.parse().ok()
}

fn field(stat: &str, number: usize) -> Option<&str> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(number - 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_this_test() {
        let id = std::process::id();
        let all = processes();
        let this = all.iter().find(|process| process.id == id).unwrap();
        assert!(this.resident_bytes > 100_000, "{this:?}");
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        // The two clocks may disagree by a second; it was built long before.
        assert!((now - 3600..=now + 2).contains(&this.since), "{this:?}");
    }

    #[test]
    fn a_name_with_parentheses_shifts_no_field() {
        let mut stat = String::from("7 (a) b (c) S 1");
        for number in 5..=24 {
            stat.push_str(&format!(" {number}"));
        }
        assert_eq!(start_ticks(&stat), Some(22));
        assert_eq!(resident_pages(&stat), Some(24));
    }
}
