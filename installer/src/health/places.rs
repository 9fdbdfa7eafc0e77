//! Where on the machine the probes look.

use std::path::PathBuf;

use crate::component::BALANCER;
use crate::desired::{InitSystem, NodeSpec, layout};
use crate::install::ADDON_MANAGER;
use crate::supervisor::logs::{LogPlaces, POD_LOGS};

/// Where on the machine the probes look.
#[derive(Clone, Debug)]
pub struct Places {
    /// The node's tree, with kubeconfigs.
    pub tree: PathBuf,
    /// containerd's socket.
    pub containerd: PathBuf,
    /// The addon manager's folder.
    pub addons: PathBuf,
    /// What it tells of its last pass.
    pub addons_state: PathBuf,
    /// What components write.
    pub logs: LogPlaces,
}

impl Places {
    /// Those of a real node.
    pub fn of(spec: &NodeSpec) -> Self {
        let service_logs = match spec.facts.init {
            InitSystem::Supervisor => Some(PathBuf::from(layout::LOGS)),
            InitSystem::Systemd => None,
        };
        Self {
            tree: layout::KUBERNETES.into(),
            containerd: layout::CONTAINERD_SOCKET.into(),
            addons: layout::ADDONS.into(),
            addons_state: crate::addon::manager::state_file(),
            logs: LogPlaces {
                services: ["containerd", BALANCER, "kubelet", ADDON_MANAGER]
                    .map(str::to_owned)
                    .into(),
                service_logs,
                pods: POD_LOGS.into(),
            },
        }
    }
}
