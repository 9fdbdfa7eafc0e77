//! How each machine of the fleet is, in its own words.

use pki_core::converge::problem::Problem;
use serde::{Deserialize, Serialize};

use super::{Machine, Places, script, told};
use crate::remote::Input;

/// How a machine is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineStatus {
    /// Its node's name, as it says.
    pub node: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Whether all of it is as it should be.
    pub healthy: bool,
    /// What runs or should run there.
    pub components: Vec<Component>,
    /// Its certificates, the first to end first.
    pub certificates: Vec<Certificate>,
}

/// A component of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version, without `v`.
    pub version: Option<String>,
    /// Whether it runs.
    pub running: bool,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why it is not up, in words.
    pub reason: Option<String>,
}

/// A certificate of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Certificate {
    /// Its file below `/etc/kubernetes`.
    pub file: String,
    /// Whole days that it still lasts; negative when it has ended.
    pub days_left: i64,
}

/// Asks a machine how it is.
///
/// # Errors
/// Every problem of this machine: it is no node, or does not say.
pub fn status(machine: &Machine<'_>, places: &Places) -> Result<MachineStatus, Vec<Problem>> {
    let script = script::kinstall(
        std::slice::from_ref(&places.programs),
        &["status", "--json"],
    );
    let said = machine.remote.run(&script, Input::Held);
    let said = said.map_err(|error| vec![error.into()])?;
    serde_json::from_str(&said.stdout).map_err(|_| told(machine.name(), &said))
}
