//! Which processes run.

use std::path::{Path, PathBuf};

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its name: the kernel keeps fifteen bytes of it.
    pub name: String,
    /// Its program; nothing for the kernel's own threads, and where it may not be seen.
    pub program: Option<PathBuf>,
}

impl Process {
    /// Whether it is a process of the program `name`.
    pub fn is(&self, name: &str) -> bool {
        let by_program = self.program.as_deref().and_then(Path::file_name);
        match by_program {
            // A program that was replaced on disk goes on running under its old name.
            Some(file) => file.to_string_lossy().trim_end_matches(" (deleted)") == name,
            // TASK_COMM_LEN of linux/sched.h, without the final zero.
            None => !self.name.is_empty() && self.name == name[..name.len().min(15)],
        }
    }
}

pub(super) fn read() -> Vec<Process> {
    let entries = Path::new("/proc")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let process = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        // One that has just ended is none.
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        Some(Process {
            id,
            name: name.trim_end().to_owned(),
            program: std::fs::read_link(entry.path().join("exe")).ok(),
        })
    };
    entries.filter_map(process).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let process = |name: &str, program: Option<&str>| Process {
            id: 1,
            name: name.into(),
            program: program.map(PathBuf::from),
        };
        assert!(process("kube-controller", None).is("kube-controller-manager"));
        assert!(process("etcd", Some("/usr/local/bin/etcd (deleted)")).is("etcd"));
        assert!(!process("kubelet", Some("/usr/bin/python3")).is("kubelet"));
        assert!(!process("", None).is("kubelet"));
    }
}
