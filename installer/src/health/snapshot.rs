//! How each component is, all asked at once.

use std::collections::BTreeMap;
use std::time::Duration;

use pki_core::cluster::spec::Role;
use tokio::task::JoinSet;

use super::gate::Gate;
use super::probes::Probes;
use crate::component::BALANCER;
use crate::desired::NodeSpec;
use crate::install::ADDON_MANAGER;

/// Who has not answered by then is not known to be anything.
const LIMIT: Duration = Duration::from_secs(1);

/// How a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does what it should.
    Up,
    /// It does not, and why.
    Down(String),
    /// It gave no answer in time.
    Unknown,
}

/// Components by their names.
pub type Snapshot = BTreeMap<String, Health>;

/// How each component of a node is now, within a second.
pub async fn snapshot(spec: &NodeSpec) -> Snapshot {
    of(spec, Probes::of(spec)).await
}

/// The same, asked with other probes than the machine's.
pub async fn of(spec: &NodeSpec, probes: Probes) -> Snapshot {
    let mut asked = JoinSet::new();
    for (name, question) in questions(spec) {
        let probes = probes.clone();
        asked.spawn(async move {
            let answer = tokio::time::timeout(LIMIT, question.ask(&probes)).await;
            let health = match answer {
                Ok(Ok(())) => Health::Up,
                Ok(Err(reason)) => Health::Down(reason),
                Err(_) => Health::Unknown,
            };
            (name.to_owned(), health)
        });
    }
    asked.join_all().await.into_iter().collect()
}

#[derive(Clone, Copy)]
enum Question {
    Gate(Gate),
    Balancer,
    Kubelet,
    KubeProxy,
}

impl Question {
    async fn ask(self, probes: &Probes) -> Result<(), String> {
        match self {
            Self::Gate(gate) => probes.ask(gate).await,
            Self::Balancer => probes.balancer().await,
            Self::Kubelet => probes.kubelet().await,
            Self::KubeProxy => probes.kube_proxy().await,
        }
    }
}

fn questions(spec: &NodeSpec) -> Vec<(&'static str, Question)> {
    let gate = |gate: Gate| (gate.component(), Question::Gate(gate));
    let mut questions = vec![gate(Gate::Containerd), ("kubelet", Question::Kubelet)];
    if spec.cluster.has_local_balancer() {
        questions.push((BALANCER, Question::Balancer));
    }
    if spec.has(Role::Etcd) {
        questions.push(gate(Gate::Etcd));
    }
    if spec.has(Role::ControlPlane) {
        questions.extend([
            gate(Gate::ApiServer),
            gate(Gate::ControllerManager),
            gate(Gate::Scheduler),
            (ADDON_MANAGER, Question::Gate(Gate::Addons)),
            gate(Gate::ClusterDns),
        ]);
    }
    questions.push(("kube-proxy", Question::KubeProxy));
    if spec.options.network.is_flannel() {
        questions.push(("flannel", Question::Gate(Gate::PodNetwork)));
    }
    questions
}
