//! What one supervisor leaves for the next about a service's process, below `/run`, which is empty after a boot.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::desired::Service;

/// What is known of a service's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Record {
    /// What the process was started with.
    pub definition: Service,
    /// The process, unless it ended.
    pub process: Option<Process>,
    /// Whether its owner stopped it.
    pub stopped: bool,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// How it ended last.
    pub last_end: Option<String>,
}

/// A process, told from a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Process {
    /// Its number.
    pub id: u32,
    /// When it started, in clock ticks since the boot (field 22 of proc_pid_stat(5)).
    pub start_ticks: u64,
    /// Which boot that was.
    pub boot: String,
    /// When it started, in seconds since 1970.
    pub since: i64,
}

impl Record {
    /// Nothing known.
    pub fn new(definition: Service) -> Self {
        Self {
            definition,
            process: None,
            stopped: false,
            restarts: 0,
            last_end: None,
        }
    }

    /// The record in the file `path`. One that is missing or makes no sense says nothing.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Writes it in one step. No need to reach a disk: it does not outlive the boot.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let dir = path.parent().expect("a file in a directory");
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
        file.write_all(&serde_json::to_vec(self).expect("texts and numbers"))?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Process {
    /// The process `id` as it is now, unless it has ended.
    pub fn now(id: u32, since: i64) -> Option<Self> {
        let (state, start_ticks) = stat(id)?;
        (!is_dead(state)).then(|| Self {
            id,
            start_ticks,
            boot: boot_id(),
            since,
        })
    }

    /// Whether it still lives, and is not another with its number.
    pub fn lives(&self) -> bool {
        self.boot == boot_id()
            && stat(self.id)
                .is_some_and(|(state, ticks)| !is_dead(state) && ticks == self.start_ticks)
    }
}

/// Zombies have ended, whether their parent noticed or not.
fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

/// The state and the start of a process (proc_pid_stat(5)).
fn stat(id: u32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// Its second field is the program's name in parentheses, which may itself hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<(char, u64)> {
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state is field 3, the start field 22.
    Some((state, fields.nth(22 - 3 - 1)?.parse().ok()?))
}

/// Which boot this is.
fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::definition::tests::service;

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let text = "7 (a) R 1 (x)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(parse_stat(text), Some(('S', 4711)));
    }

    #[test]
    fn another_process_with_the_same_number_is_not_it() {
        let own = Process::now(std::process::id(), 0).expect("this process");
        assert!(own.lives());
        let reused = Process {
            start_ticks: own.start_ticks + 1,
            ..own.clone()
        };
        assert!(!reused.lives());
        let boot = "another".into();
        assert!(!Process { boot, ..own }.lives());
    }

    #[test]
    fn a_record_is_read_back_and_rubbish_says_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.json");
        let record = Record {
            process: Process::now(std::process::id(), 5),
            restarts: 3,
            ..Record::new(service("a", "/bin/true", &[]))
        };
        record.write(&path).expect("written");
        assert_eq!(Record::read(&path), Some(record));
        fs::write(&path, "{").expect("written");
        assert_eq!(Record::read(&path), None);
    }
}
