//! What runs on a node, since when, how it is, in which version, and how long its certificates last.

mod certificates;
pub mod cluster;
mod components;
mod span;

use serde::Serialize;
use time::OffsetDateTime;

use crate::desired::NodeSpec;
use crate::health::Health;
use crate::machine::{EffectError, ServiceManager, processes};

pub use certificates::certificates;
pub use components::{Keeper, Wanted, wanted};
pub use span::span;

/// A node, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Its name.
    pub node: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Whether all of it is as it should be.
    pub healthy: bool,
    /// What runs or should run.
    pub components: Vec<ComponentStatus>,
    /// Its certificates, the first to end first.
    pub certificates: Vec<CertificateStatus>,
}

/// A component, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// What keeps it running.
    pub keeper: Keeper,
    /// Its version, without `v`; none where it says none.
    pub version: Option<String>,
    /// Whether it runs.
    pub running: bool,
    /// Its main process.
    pub process: Option<u32>,
    /// Since when, in seconds since 1970.
    pub since: Option<i64>,
    /// Its resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// How often it was started again; known of services only.
    pub restarts: Option<u32>,
    /// How it is.
    pub health: HealthStatus,
    /// Why it is not up, in words.
    pub reason: Option<String>,
}

/// How a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthStatus {
    /// It does what it should.
    Up,
    /// It does not.
    Down,
    /// Nobody could say.
    Unknown,
}

/// A certificate on the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateStatus {
    /// Its file below `/etc/kubernetes`.
    pub file: String,
    /// Whole days that it still lasts; negative when it has ended.
    pub days_left: i64,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
}

impl ComponentStatus {
    /// Whether nothing is the matter. Of what runs and does not say, that is taken for granted.
    fn is_well(&self) -> bool {
        match self.health {
            HealthStatus::Up => true,
            HealthStatus::Down => false,
            HealthStatus::Unknown => self.running,
        }
    }
}

impl Status {
    /// Looks at the node `spec`. `health` tells how a component is.
    ///
    /// # Errors
    /// When what keeps services does not answer.
    pub fn read(
        spec: &NodeSpec,
        services: &dyn ServiceManager,
        health: &dyn Fn(&str) -> Option<Health>,
        now: OffsetDateTime,
    ) -> Result<Self, EffectError> {
        let processes = processes();
        let mut all = Vec::new();
        for one in wanted(spec) {
            all.push(one.status(services, &processes, health)?);
        }
        let certificates = certificates(&spec.tree, now);
        let healthy = all.iter().all(|one| one.is_well())
            && certificates
                .iter()
                .all(|one| one.not_after > now.unix_timestamp());
        Ok(Self {
            node: spec.node.name().to_string(),
            cluster: spec.cluster.name().to_owned(),
            healthy,
            components: all,
            certificates,
        })
    }
}
