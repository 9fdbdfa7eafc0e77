//! The cluster's API servers, each asked by itself and at its own node's address: whoever balances over them would hide
//! which one is down.

use std::path::Path;
use std::time::{Duration, Instant};

use kube::Client;
use pki_core::cluster::spec::{ClusterSpec, Node, Role};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::addon::manager::{ConnectError, connect_to, reason};
use crate::component::url;
use crate::health::api_server_ready;
use crate::machine::Problem;
use crate::machine::node_source::Vantage;

/// One question: one next door answers in milliseconds, one that starts or has no etcd may take a while.
const QUESTION: Duration = Duration::from_secs(4);

/// An election takes a second or two, and an API server asks etcd again after some more.
const SOON: Duration = Duration::from_secs(30);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(500);

/// An API server, by where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiServer {
    /// Its node.
    pub node: String,
    /// Where it is dialled.
    pub url: String,
}

/// An API server, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApiServerState {
    /// Its node.
    pub node: String,
    /// Where it is dialled.
    pub url: String,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// Why it is not.
    pub reason: Option<String>,
    /// Its version, without `v`; none where it does not say.
    pub version: Option<String>,
}

/// Those that cluster.toml says there are.
pub fn of(cluster: &ClusterSpec) -> Vec<ApiServer> {
    let server = |node: &Node| {
        let address = cluster.preferred_address(node);
        ApiServer {
            node: node.name().to_string(),
            url: url("https", address, cluster.apiserver_port(node)),
        }
    };
    cluster.nodes_with(Role::ControlPlane).map(server).collect()
}

impl ApiServer {
    /// A client with the credentials of a kubeconfig. Does not talk to the server yet.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or makes no sense.
    pub async fn client(&self, kubeconfig: &Path) -> Result<Client, ConnectError> {
        connect_to(kubeconfig, Some(&self.url)).await
    }

    async fn state(self, client: Client) -> ApiServerState {
        let ready = tokio::time::timeout(QUESTION, api_server_ready(&client));
        let version = tokio::time::timeout(QUESTION, client.apiserver_version());
        let (ready, version) = tokio::join!(ready, version);
        let late = |_| Err(format!("no answer within {} s", QUESTION.as_secs()));
        let ready = ready.unwrap_or_else(late);
        let version = version.ok().and_then(Result::ok);
        ApiServerState {
            node: self.node,
            url: self.url,
            ready: ready.is_ok(),
            reason: ready.err(),
            version: version.map(|info| info.git_version.trim_start_matches('v').to_owned()),
        }
    }
}

/// How each of `servers` is, all asked at once; in their order.
///
/// # Errors
/// When the kubeconfig cannot be read or makes no sense.
pub async fn states(
    servers: &[ApiServer],
    kubeconfig: &Path,
) -> Result<Vec<ApiServerState>, ConnectError> {
    let mut asked = JoinSet::new();
    for (index, server) in servers.iter().enumerate() {
        let client = server.client(kubeconfig).await?;
        let question = server.clone().state(client);
        asked.spawn(async move { (index, question.await) });
    }
    let mut states = asked.join_all().await;
    states.sort_by_key(|(index, _)| *index);
    Ok(states.into_iter().map(|(_, state)| state).collect())
}

/// A client of the first API server that is ready, that of `avoid` only where no other is: its node is about to go.
///
/// # Errors
/// When none is ready, with what is the matter with each.
pub async fn ready(vantage: &Vantage, avoid: Option<&str>) -> Result<Client, Problem> {
    let kubeconfig = vantage.kubeconfig();
    let mut servers = of(&vantage.source.spec);
    servers.sort_by_key(|server| Some(server.node.as_str()) == avoid);
    let fail = |error: ConnectError| {
        Problem::new(
            error.to_string(),
            "run kpki apply where the CA keys are, and bring the node's tree here again",
        )
    };
    let states = states(&servers, &kubeconfig).await.map_err(fail)?;
    match states.iter().position(|state| state.ready) {
        Some(index) => servers[index].client(&kubeconfig).await.map_err(fail),
        None => Err(nobody(&states)),
    }
}

/// The same, waiting a while: for what was just done to etcd's members, they may elect another leader.
///
/// # Errors
/// As [`ready`]'s, when none is ready in time.
pub async fn ready_soon(vantage: &Vantage, avoid: Option<&str>) -> Result<Client, Problem> {
    let deadline = Instant::now() + SOON;
    loop {
        match ready(vantage, avoid).await {
            Err(_) if Instant::now() < deadline => tokio::time::sleep(AGAIN).await,
            answer => return answer,
        }
    }
}

fn nobody(states: &[ApiServerState]) -> Problem {
    let told = states.iter().map(|state| {
        let reason = state.reason.as_deref().unwrap_or("it is not ready");
        format!("{} ({}): {reason}", state.node, state.url)
    });
    let told: Vec<_> = told.collect();
    Problem::new(
        format!("no API server is ready: {}", told.join("; ")),
        "kinstall status --cluster tells what is down",
    )
}

/// What the API server says against something.
pub(crate) fn refused(what: &str, error: &kube::Error) -> Problem {
    Problem::new(
        format!("{what}: {}", reason(error)),
        "kinstall status --cluster tells how the cluster is; then run this again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_by_its_own_address_and_the_endpoints_port_only_where_that_is_its_own() {
        let cluster = ClusterSpec::from_toml(
            "service-cidr = ['10.3.0.0/24']
             endpoint = '192.0.2.11:7443'
             [[node]]
             name = 'cp1'
             addresses = ['fd00::11', '192.0.2.11']
             roles = ['control-plane', 'etcd']
             [[node]]
             name = 'cp2'
             addresses = ['192.0.2.12']
             roles = ['control-plane', 'etcd']
             [[node]]
             name = 'w1'
             addresses = ['192.0.2.21']
             roles = ['worker']",
        );
        let servers = of(&cluster.expect("a good spec"));
        let urls: Vec<_> = servers.iter().map(|one| one.url.as_str()).collect();
        assert_eq!(urls, ["https://192.0.2.11:7443", "https://192.0.2.12:6443"]);
    }

    #[test]
    fn where_none_is_ready_each_says_why() {
        let state = |node: &str, reason: &str| ApiServerState {
            node: node.into(),
            url: format!("https://{node}:6443"),
            ready: false,
            reason: Some(reason.into()),
            version: None,
        };
        let problem = nobody(&[state("cp1", "etcd failed"), state("cp2", "no answer")]);
        assert_eq!(
            problem.fact,
            "no API server is ready: cp1 (https://cp1:6443): etcd failed; cp2 (https://cp2:6443): no answer"
        );
    }
}
