//! Asking a gate, again and again, until it opens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pki_core::cluster::spec::{IpFamily, NodeName, Role};
use pki_core::x509::DnsName;
use tokio::sync::OnceCell;

use super::error::GateError;
use super::gate::Gate;
use super::last_words::{Counter, last_words};
use super::places::Places;
use super::{api, cause, dns, local};
use crate::addon::manager::{Folder, State};
use crate::desired::NodeSpec;

/// Between two questions. Each costs some local packets, and the sum of what is waited too long is at most this for
/// each gate.
const PAUSE: Duration = Duration::from_millis(50);
/// One question: a component that is busy starting answers late, one that is down not at all.
const QUESTION: Duration = Duration::from_secs(3);
/// So many times a component may end while it is waited for: at a first start it can miss what starts beside it.
const ENDS: u32 = 3;
/// A service is started again after a tenth of a second, and then ever later: so many ends take three seconds.
const SERVICE_ENDS: u32 = 5;
/// How often it is looked whether a container was started again.
const LOOK: Duration = Duration::from_millis(500);

/// Ports of components on loopback: pkg/cluster/ports/ports.go, etcd's metrics, flannel's as its addon says.
const ETCD: u16 = 2381;
const KUBELET: u16 = 10248;
const KUBE_PROXY: u16 = 10256;
const CONTROLLER_MANAGER: u16 = 10257;
const SCHEDULER: u16 = 10259;

/// What the gates of one node are asked with, from within one Tokio runtime: a kept connection is served by the
/// runtime in which it was made, and clones share it.
#[derive(Clone, Debug)]
pub struct Probes {
    places: Places,
    node: NodeName,
    kubeconfig: &'static str,
    several: bool,
    /// Where a node that has no API server of its own finds one.
    endpoint: String,
    family: IpFamily,
    domain: DnsName,
    service: IpAddr,
    dns: Vec<IpAddr>,
    /// The API server's client, with the credentials that were there when it was first asked.
    kept: Arc<OnceCell<api::Client>>,
}

impl Probes {
    /// Those of a node, on its machine.
    pub fn of(spec: &NodeSpec) -> Self {
        Self::at(spec, Places::of(spec))
    }

    /// Those of a node whose files are elsewhere.
    pub fn at(spec: &NodeSpec, places: Places) -> Self {
        let cluster = &spec.cluster;
        Self {
            places,
            node: spec.node.name().clone(),
            kubeconfig: if spec.has(Role::ControlPlane) {
                "super-admin.conf"
            } else {
                "kubelet.conf"
            },
            several: cluster.nodes_with(Role::ControlPlane).count() > 1,
            endpoint: cluster.endpoint().url(),
            family: cluster.family(),
            domain: cluster.domain().clone(),
            service: cluster.service_addresses()[0],
            dns: cluster.cluster_dns().to_vec(),
            kept: Arc::default(),
        }
    }

    /// Waits until the gate is open, and tells how long that took.
    ///
    /// # Errors
    /// [`GateError`] when `timeout` is over, or sooner: when the component ended again and again, or for a reason
    /// that waiting does not mend.
    pub async fn wait(&self, gate: &Gate, timeout: Duration) -> Result<Duration, GateError> {
        self.wait_beside(gate, timeout, &|_| 0).await
    }

    /// [Waits](Self::wait), and asks `restarts` how often a service was started again after it had ended by itself.
    ///
    /// # Errors
    /// [`GateError`], as there.
    pub async fn wait_beside(
        &self,
        gate: &Gate,
        timeout: Duration,
        restarts: &dyn Fn(&str) -> u32,
    ) -> Result<Duration, GateError> {
        let began = Instant::now();
        let mut counter = Counter::new(&self.places.logs.pods, gate.component());
        let (mut restarts_before, mut ended) = (None, 0);
        let mut looked = began;
        loop {
            let reason = match self.ask(*gate).await {
                Ok(()) => return Ok(began.elapsed()),
                Err(reason) => reason,
            };
            if !gate.is_pod() && restarts_before.is_none() {
                restarts_before = Some(restarts(gate.component()));
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                ended = match restarts_before {
                    None => counter.ended(),
                    Some(before) => restarts(gate.component()).saturating_sub(before),
                };
                let most = if gate.is_pod() { ENDS } else { SERVICE_ENDS };
                let hopeless = ended > 0 && {
                    let words = last_words(&self.places.logs, *gate);
                    cause::likely_cause(&words).is_some_and(|cause| cause.is_final)
                };
                if ended >= most || hopeless {
                    return Err(self.error(*gate, began.elapsed(), ended, reason));
                }
            }
            if began.elapsed() >= timeout {
                return Err(self.error(*gate, began.elapsed(), ended, reason));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn error(&self, gate: Gate, waited: Duration, ended: u32, reason: String) -> GateError {
        let words = last_words(&self.places.logs, gate);
        GateError::new(gate, waited, ended, reason, words)
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why the gate is not open, in words.
    pub async fn ask(&self, gate: Gate) -> Result<(), String> {
        match tokio::time::timeout(QUESTION, self.ask_once(gate)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", QUESTION.as_secs())),
        }
    }

    async fn ask_once(&self, gate: Gate) -> Result<(), String> {
        match gate {
            Gate::Containerd => local::speaks_http2(&self.places.containerd).await,
            // Without a quorum etcd answers this with false.
            Gate::Etcd => local::http(self.loopback(), ETCD, "/health").await,
            Gate::ApiServer => self.client().await?.ready().await,
            Gate::Endpoint => {
                let answer = self.client().await?.ready().await;
                answer.map_err(|reason| format!("{}: {reason}", self.endpoint))
            }
            Gate::ControllerManager => {
                self.works(CONTROLLER_MANAGER, "kube-controller-manager")
                    .await
            }
            Gate::Scheduler => self.works(SCHEDULER, "kube-scheduler").await,
            Gate::Node => {
                self.kubelet().await?;
                self.client().await?.node_ready(self.node.as_str()).await
            }
            Gate::Addons => self.addons(),
            Gate::PodNetwork => self.flannel().await,
            Gate::Services => {
                let address = SocketAddr::new(self.service, 443);
                local::connects(address).await
            }
            Gate::ClusterDns => {
                let name = format!("kubernetes.default.svc.{}", self.domain);
                for server in &self.dns {
                    let answer = dns::ask(*server, &name, self.family).await;
                    let addresses = answer.map_err(|error| format!("{server}: {error}"))?;
                    if !addresses.contains(&self.service) {
                        return Err(format!(
                            "{server}: {name} is {addresses:?}, not {}",
                            self.service
                        ));
                    }
                }
                Ok(())
            }
        }
    }

    /// Healthy by its own word, and with several that could be at work, one that says it is.
    async fn works(&self, port: u16, lease: &str) -> Result<(), String> {
        local::https(Ipv4Addr::LOCALHOST.into(), port, "/healthz").await?;
        if self.several {
            self.client().await?.lease_held(lease).await?;
        }
        Ok(())
    }

    /// Any API server, through the cluster's endpoint, also where there is one on this node.
    pub(super) async fn balancer(&self) -> Result<(), String> {
        let client = api::Client::through_endpoint(&self.places.tree, self.kubeconfig).await?;
        let answer = client.ready().await;
        answer.map_err(|reason| format!("{}: {reason}", self.endpoint))
    }

    /// The kubelet by its own word.
    pub(super) async fn kubelet(&self) -> Result<(), String> {
        local::http(Ipv4Addr::LOCALHOST.into(), KUBELET, "/healthz").await
    }

    /// kube-proxy by its own word: its rules are no older than they may be.
    pub(super) async fn kube_proxy(&self) -> Result<(), String> {
        local::http(self.loopback(), KUBE_PROXY, "/healthz").await
    }

    /// flanneld by its own word.
    async fn flannel(&self) -> Result<(), String> {
        let port = crate::addon::FLANNEL_HEALTH_PORT;
        local::http(self.loopback(), port, "/readyz").await
    }

    fn addons(&self) -> Result<(), String> {
        let Places {
            addons,
            addons_state,
            ..
        } = &self.places;
        let state = State::read(addons_state).map_err(|error| error.to_string())?;
        let state = state.ok_or("the addon manager has made no pass yet")?;
        let now = Folder::fingerprint(addons).map_err(|error| error.to_string())?;
        state.is_fine_for(&now)
    }

    /// One client for all questions: a handshake for each of many keeps a starting API server from its work.
    async fn client(&self) -> Result<&api::Client, String> {
        let make = || api::Client::new(&self.places.tree, self.kubeconfig);
        self.kept.get_or_try_init(make).await
    }

    fn loopback(&self) -> IpAddr {
        match self.family {
            IpFamily::V4 => Ipv4Addr::LOCALHOST.into(),
            IpFamily::V6 => std::net::Ipv6Addr::LOCALHOST.into(),
        }
    }
}
