//! What services and pods have written.

use std::io::Write;
use std::path::PathBuf;

use crate::machine::EffectError;

/// Where the kubelet has containerd write the logs of pods.
pub const POD_LOGS: &str = "/var/log/pods";

/// Where to look.
#[derive(Clone, Debug)]
pub struct LogPlaces {
    /// The names of services.
    pub services: Vec<String>,
    /// Where services under the supervisor write; nothing where systemd's journal has it.
    pub service_logs: Option<PathBuf>,
    /// The kubelet's directory of pods' logs.
    pub pods: PathBuf,
}

/// Writes the last `lines` lines of a component to `out`.
///
/// # Errors
/// When there is no such component, or its log cannot be read.
pub fn show(
    _places: &LogPlaces,
    component: &str,
    _lines: usize,
    _follow: bool,
    _out: &mut impl Write,
) -> Result<(), EffectError> {
    Err(EffectError {
        fact: format!("no log of {component} yet"),
        hint: None,
    })
}
