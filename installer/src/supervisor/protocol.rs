//! What is said on the supervisor's socket: one request a line, one answer a line, in JSON.

use serde::{Deserialize, Serialize};

use crate::desired::Service;

/// What can be asked of the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub(super) enum Request {
    /// What runs.
    State,
    /// Read the definitions again: start what is new, stop what is gone, restart what changed.
    Reload,
    /// Start these, or all when it is empty, and keep them running.
    Start {
        /// Which.
        names: Vec<String>,
    },
    /// Stop these, or all when it is empty, and leave them down until the next boot or start.
    Stop {
        /// Which.
        names: Vec<String>,
    },
    /// Stop all and end.
    Shutdown,
    /// End, and leave the services to the next supervisor.
    Leave,
}

/// What it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Answer {
    /// Why it was not done, each a fact of its own; it was done when there is none.
    pub errors: Vec<String>,
    /// Definitions that make no sense, whatever was asked.
    pub problems: Vec<String>,
    /// The services, in the order of their names.
    pub services: Vec<Status>,
}

/// One service, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Status {
    /// What it is kept running with.
    pub definition: Service,
    /// What it is doing.
    pub phase: Phase,
    /// Its main process.
    pub process: Option<u32>,
    /// Since when that runs, in seconds since 1970.
    pub since: Option<i64>,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// How it ended last.
    pub last_end: Option<String>,
}

/// What a service is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// It runs.
    Up,
    /// It ended and is started again soon.
    Waiting,
    /// It was told to end.
    Stopping,
    /// Its owner stopped it.
    Down,
}
