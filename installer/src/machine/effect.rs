//! The two effects that are large enough for rooms of their own, as the plan's executor sees them.

use std::collections::BTreeSet;

use crate::desired::{Image, Service};

/// Why the machine did not do what it was asked: a fact, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fact}")]
pub struct EffectError {
    /// What is wrong, with the value and the place.
    pub fact: String,
    /// What would mend it, where that is known.
    pub hint: Option<String>,
}

/// What keeps services running: systemd or the supervisor.
pub trait ServiceManager {
    /// What is known of the service `name`; nothing when it is not installed.
    ///
    /// # Errors
    /// When the manager does not answer.
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError>;

    /// Writes the service's definition, has it started now and at every boot, and restarts it when it runs with another
    /// definition or other inputs. Does not wait until it is healthy, only until it was started.
    ///
    /// # Errors
    /// When it cannot be written or started.
    fn install(&self, service: &Service) -> Result<(), EffectError>;

    /// Stops the service and takes its definition away. One that is not there is no error.
    ///
    /// # Errors
    /// When it does not stop or its definition stays.
    fn remove(&self, name: &str) -> Result<(), EffectError>;
}

/// What is known of an installed service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The definition that is installed.
    pub definition: Service,
    /// Whether it runs, and with that definition's program, arguments and inputs.
    pub running: bool,
    /// Since when, in seconds since 1970.
    pub since: Option<i64>,
    /// Its main process.
    pub process: Option<u32>,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// How it ended last, in words, when it is down or was restarted.
    pub last_end: Option<String>,
}

/// The images that containerd holds for the kubelet.
pub trait ImageStore {
    /// The full names of all that kinstall imported.
    ///
    /// # Errors
    /// When containerd does not answer.
    fn present(&self) -> Result<BTreeSet<String>, EffectError>;

    /// Makes the image and imports it, pinned.
    ///
    /// # Errors
    /// When a file of it has changed since its digest was taken, or containerd refuses it.
    fn import(&self, image: &Image) -> Result<(), EffectError>;

    /// [Imports](Self::import) every one of `images`, the first ones first, and tells `done` about each as soon as it is
    /// there or has failed. One that fails stops no other.
    fn import_all(
        &self,
        images: &[&Image],
        done: &(dyn Fn(&Image, &Result<(), EffectError>) + Sync),
    ) -> Vec<Result<(), EffectError>> {
        let import = |image: &&Image| {
            let result = self.import(image);
            done(image, &result);
            result
        };
        images.iter().map(import).collect()
    }

    /// Removes the image. One that is not there is no error.
    ///
    /// # Errors
    /// When containerd refuses.
    fn remove(&self, reference: &str) -> Result<(), EffectError>;
}
