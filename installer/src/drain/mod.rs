//! Moving the pods of a node elsewhere before something is done to it, as `kubectl drain` does: no new ones come, and those
//! that are there are evicted (policy/v1), which a PodDisruptionBudget may delay.
//!
//! | file | for |
//! |---|---|
//! | `choose` | which pods go, which stay, and which only with leave; pure |
//! | `nodes` | the API's nodes: finding one, and whether it takes new pods |
//! | `evict` | evicting, until all have gone or time is over |

mod choose;
mod evict;
mod nodes;

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

pub use choose::{Choice, Leave, Left, Refused, choose};
pub use evict::{Drained, NotGone, evict, pods};
pub use nodes::{cordon, delete, find, find_or_name, uncordon};

/// What a drain may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainOptions {
    /// Pods that nobody makes anew may go.
    pub force: bool,
    /// What pods keep in emptyDir volumes may be lost.
    pub delete_emptydir_data: bool,
    /// How long a pod has to end, in seconds; as each says, otherwise.
    pub grace_period: Option<u32>,
    /// How long to wait until all have gone.
    pub timeout: Duration,
}

/// A pod, by what it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name in there.
    pub name: String,
    /// Which one of that name.
    pub uid: String,
}

impl PodName {
    fn of(pod: &Pod) -> Self {
        let metadata = &pod.metadata;
        Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
        }
    }
}

/// As `default/web-0`.
impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Serialize for PodName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
