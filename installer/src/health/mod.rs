//! Conditions that an installation waits for, and how each component is.
//!
//! | file | for |
//! |---|---|
//! | `gate` | what is waited for, by name |
//! | `probes` | asking it, again and again |
//! | `api`, `local`, `dns` | how each is asked |
//! | `last_words` | what a component wrote before it ended |
//! | `cause` | what that probably means, and what would mend it |
//! | `api_servers` | those of other nodes, before this machine joins them |
//! | `snapshot` | all at once, for `kinstall status` |

mod api;
mod api_servers;
mod cause;
mod dns;
mod error;
mod gate;
mod last_words;
mod local;
mod places;
mod probes;
mod snapshot;

pub(crate) use api::ready as api_server_ready;
pub use api_servers::api_servers;
pub use cause::{Cause, likely_cause};
pub use dns::{DnsError, ask};
pub use error::GateError;
pub use gate::Gate;
pub use places::Places;
pub use probes::Probes;
pub use snapshot::{Health, Snapshot, of, snapshot};

#[cfg(test)]
mod tests;
