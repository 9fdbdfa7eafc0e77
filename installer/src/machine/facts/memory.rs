//! How much memory there is.

use super::text;
use crate::machine::EffectError;

/// The machine's memory, or what the control group at the root of what is mounted leaves of it.
pub(super) fn bytes() -> Result<u64, EffectError> {
    let total = total(&text("/proc/meminfo")?).ok_or_else(|| EffectError {
        fact: "/proc/meminfo does not say MemTotal".into(),
        hint: None,
    })?;
    let limits = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    // Where there is no limit, version 2 says `max` and version 1 a number that no machine has.
    let limits = limits.iter().filter_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        text.trim().parse().ok()
    });
    Ok(limits.fold(total, u64::min))
}

/// proc_meminfo(5): in units of 1024 bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_bytes() {
        let text = "MemTotal:       24583936 kB\nMemFree:         1000 kB\n";
        assert_eq!(total(text), Some(24_583_936 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert_eq!(total("MemTotal: 99999999999999999999 kB\n"), None);
    }
}
