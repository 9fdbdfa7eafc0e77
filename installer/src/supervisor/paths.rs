//! Where the supervisor keeps its things.

use std::path::{Path, PathBuf};

use crate::desired::layout;

/// Where the supervisor keeps its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorPaths {
    /// One definition a service, `<name>.json`: all that a boot needs.
    pub definitions: PathBuf,
    /// Socket, lock, records of what runs and the pipes of their output; empty after a boot.
    pub run: PathBuf,
    /// `<name>.log` and its older ones.
    pub logs: PathBuf,
}

impl SupervisorPaths {
    /// The places of a machine.
    pub fn system() -> Self {
        Self {
            definitions: Path::new(layout::KINSTALL).join("services"),
            run: layout::RUN.into(),
            logs: layout::LOGS.into(),
        }
    }

    /// The same below `root`, which is for tests.
    pub fn below(root: &Path) -> Self {
        let at = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        let system = Self::system();
        Self {
            definitions: at(&system.definitions),
            run: at(&system.run),
            logs: at(&system.logs),
        }
    }

    /// The socket on which the supervisor takes requests.
    pub fn socket(&self) -> PathBuf {
        self.run.join("supervisor.sock")
    }

    /// Locked for as long as a supervisor lives.
    pub fn lock(&self) -> PathBuf {
        self.run.join("supervisor.lock")
    }

    /// The definition of the service `name`.
    pub fn definition(&self, name: &str) -> PathBuf {
        self.definitions.join(format!("{name}.json"))
    }

    /// What is known of the process of the service `name`. Others have files in that directory too.
    pub fn record(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.process.json"))
    }

    /// The named pipe into which the service `name` writes.
    pub fn output(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.output"))
    }

    /// Where the service `name` tells that it answers.
    pub fn notify(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.notify"))
    }

    /// The newest log of the service `name`.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}
