//! Undoing exactly what the ledger says, the youngest first.

use super::apply::Host;
use super::effect::ServiceManager;
use super::error::HostError;

/// What else a reset does.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResetOptions {
    /// etcd's data go too.
    pub purge: bool,
}

/// What a reset did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResetReport {
    /// How many things of the ledger are gone or as they were.
    pub undone: usize,
    /// What stays, and why.
    pub kept: Vec<String>,
    /// What could not be done and does no harm.
    pub notes: Vec<String>,
}

/// Undoes what the ledger says. Interrupted anywhere, another reset finishes it.
///
/// # Errors
/// At the first thing that cannot be undone: the ledger stays.
pub fn reset(
    host: Host,
    services: &dyn ServiceManager,
    options: ResetOptions,
    report: &mut dyn FnMut(&str),
) -> Result<ResetReport, HostError> {
    let _ = (host, services, options, report);
    Ok(ResetReport::default())
}
