//! Keeps services running where systemd is not process 1, and systemd units where it is.
//!
//! | file | for |
//! |---|---|
//! | `manager` | the two behind one value: install, state, start, stop |
//! | `unit`, `systemd` | a service as a systemd unit |
//! | `definition`, `record`, `protocol` | what the supervisor and its clients share |
//! | [`daemon`] | the supervisor itself |
//! | `supervised` | its client |
//! | [`boot`] | what starts it with the machine |
//! | `pods` | ends what the kubelet leaves running |
//! | [`logs`], `tail` | what services and pods have written |

pub mod boot;
pub mod daemon;
mod definition;
pub mod logs;
mod manager;
mod order;
mod paths;
mod pods;
mod protocol;
mod record;
mod supervised;
mod systemd;
mod tail;
mod unit;

pub use boot::boot_resources;
pub use manager::Manager;
pub use paths::SupervisorPaths;
pub use pods::Pods;
pub use supervised::{Launcher, Supervised};
pub use systemd::Systemd;
pub use unit::{definition_in_unit, unit_text};
