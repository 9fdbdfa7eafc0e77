//! Who runs in a machine: by its cgroup, which nobody leaves.

use std::fs;
use std::path::Path;

/// Command lines of those in a cgroup and below it that are in a machine, without the machine's first.
pub(super) fn below(cgroup: &Path) -> Vec<String> {
    let ids = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let mut found: Vec<_> = ids.lines().filter_map(command_line).collect();
    for child in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if child.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&child.path()));
        }
    }
    found
}

fn command_line(id: &str) -> Option<String> {
    let process = Path::new("/proc").join(id);
    let status = fs::read_to_string(process.join("status")).ok()?;
    let numbers = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    let numbers: Vec<_> = numbers.split_whitespace().collect();
    // This machine's number, the network's, the machine's, and perhaps a container's. With fewer it is only on its
    // way in; the machine's own first process has nobody's attention.
    if numbers.len() < 3 || (numbers.len() == 3 && numbers[2] == "1") {
        return None;
    }
    let line = fs::read(process.join("cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    // A process that ended and was not waited for has none.
    (!line.is_empty()).then(|| line.trim_end().to_owned())
}
