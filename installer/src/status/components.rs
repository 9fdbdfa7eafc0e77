//! Which components a node should run, and how each is.

use pki_core::cluster::spec::Role;
use serde::Serialize;

use super::{ComponentStatus, HealthStatus};
use crate::component::BALANCER;
use crate::desired::NodeSpec;
use crate::health::Health;
use crate::install::ADDON_MANAGER;
use crate::machine::{EffectError, Process, ServiceManager};

/// What keeps a component running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// systemd, or kinstall's supervisor.
    Service,
    /// The kubelet, from its folder of manifests.
    StaticPod,
    /// The cluster, because of the addon manager.
    Addon,
}

/// A component that a node should run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: &'static str,
    /// What keeps it.
    pub keeper: Keeper,
    /// What its process is called.
    pub program: &'static str,
    /// Its version, as its program says.
    pub version: Option<String>,
}

/// The components of a node, in the order in which they are started.
pub fn wanted(spec: &NodeSpec) -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut add = |name, keeper, program| {
        let found = spec.programs.0.get(program);
        let version = found.map(|program| program.version.clone());
        all.push(Wanted {
            name,
            keeper,
            program,
            version: version.filter(|version| !version.is_empty()),
        });
    };
    let control_plane = spec.has(Role::ControlPlane);
    add("containerd", Keeper::Service, "containerd");
    if spec.cluster.has_local_balancer() {
        add(BALANCER, Keeper::Service, "haproxy");
    }
    add("kubelet", Keeper::Service, "kubelet");
    if spec.has(Role::Etcd) {
        add("etcd", Keeper::StaticPod, "etcd");
    }
    if control_plane {
        for name in [
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
        ] {
            add(name, Keeper::StaticPod, name);
        }
        add(ADDON_MANAGER, Keeper::Service, "kinstall");
    }
    add("kube-proxy", Keeper::Addon, "kube-proxy");
    if spec.options.network.is_flannel() {
        add("flannel", Keeper::Addon, "flanneld");
    }
    if control_plane {
        add("coredns", Keeper::Addon, "coredns");
    }
    all
}

impl Wanted {
    pub(super) fn status(
        &self,
        services: &dyn ServiceManager,
        processes: &[Process],
        health: &dyn Fn(&str) -> Option<Health>,
    ) -> Result<ComponentStatus, EffectError> {
        let mut status = ComponentStatus {
            name: self.name.to_owned(),
            keeper: self.keeper,
            version: self.version.clone(),
            running: false,
            process: None,
            since: None,
            resident_bytes: None,
            restarts: None,
            health: HealthStatus::Unknown,
            reason: None,
        };
        if self.keeper == Keeper::Service {
            match services.state(self.name)? {
                Some(state) => {
                    status.running = state.process.is_some();
                    status.process = state.process;
                    status.since = state.since;
                    status.restarts = Some(state.restarts);
                    status.reason = state.last_end.filter(|_| !status.running);
                }
                None => status.reason = Some("is not installed".into()),
            }
        } else {
            let of_pod = processes
                .iter()
                .filter(|one| one.in_pod && one.name == self.program);
            if let Some(process) = of_pod.min_by_key(|one| one.id) {
                status.running = true;
                status.process = Some(process.id);
                status.since = Some(process.since);
            }
        }
        status.resident_bytes = status.process.and_then(|id| {
            let process = processes.iter().find(|process| process.id == id)?;
            Some(process.resident_bytes)
        });
        if status.running {
            match health(self.name) {
                Some(Health::Up) => status.health = HealthStatus::Up,
                Some(Health::Down(reason)) => {
                    status.health = HealthStatus::Down;
                    status.reason = Some(reason);
                }
                _ => {}
            }
        } else if self.keeper == Keeper::Addon && health(self.name) == Some(Health::Up) {
            // CoreDNS: two pods, for however many nodes.
            status.health = HealthStatus::Up;
            status.reason = Some("runs on other nodes".into());
        } else {
            status.health = HealthStatus::Down;
            status.reason.get_or_insert_with(|| "does not run".into());
        }
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fakes::FakeServices;

    /// What is said of an addon without a process here, by what its health is.
    fn elsewhere(name: &'static str, health: Health) -> (HealthStatus, Option<String>) {
        let wanted = Wanted {
            name,
            keeper: Keeper::Addon,
            program: "no such program",
            version: None,
        };
        let health = |asked: &str| (asked == name).then(|| health.clone());
        let status = wanted.status(&FakeServices::default(), &[], &health);
        let status = status.expect("services answer");
        assert!(!status.running);
        (status.health, status.reason)
    }

    /// With more nodes than pods of CoreDNS, most nodes have none.
    #[test]
    fn an_addon_that_answers_from_another_node_is_up() {
        let (health, reason) = elsewhere("coredns", Health::Up);
        assert_eq!(health, HealthStatus::Up);
        assert_eq!(reason.as_deref(), Some("runs on other nodes"));
        for not_up in [Health::Down("no answer".into()), Health::Unknown] {
            let (health, reason) = elsewhere("coredns", not_up);
            assert_eq!(health, HealthStatus::Down);
            assert_eq!(reason.as_deref(), Some("does not run"));
        }
    }
}
