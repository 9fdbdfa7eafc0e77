//! Asking all of a cluster, each within a limit, side by side.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};
use pki_core::converge::cluster_directory::ClusterDirectory;
use time::OffsetDateTime;

use super::certificates::{self, Certificates};
use super::{ApiNode, Seen};
use crate::addon::manager::reason;
use crate::api_servers::{self, ApiServer, ApiServerState};
use crate::etcd;
use crate::machine::Problem;
use crate::machine::node_source::Vantage;

/// For all of etcd: a member whose machine is off costs two seconds, one that hangs ten.
const MEMBERS: Duration = Duration::from_secs(25);
/// For a list of Nodes.
const NODES: Duration = Duration::from_secs(5);

/// What there is to see of the cluster from a vantage. Takes half a minute at most, and less than a second where all is
/// well.
///
/// # Errors
/// When the directory cannot be read any more.
pub async fn look(vantage: &Vantage, now: OffsetDateTime) -> Result<Seen, Vec<Problem>> {
    let directory = ClusterDirectory::read(&vantage.dir, vantage.ca_dir.as_deref());
    let directory = directory.map_err(|error| error.problems())?;
    let dialled = tokio::task::spawn_blocking(move || certificates::see(&directory, now));
    let source = &vantage.source;
    let members = tokio::time::timeout(MEMBERS, etcd::report(&source.spec, &source.tree));
    let (dialled, members, api) = tokio::join!(dialled, members, api(vantage));
    let Certificates {
        certificates,
        servers,
        unreadable,
    } = dialled.expect("it does not panic");
    let (api_servers, nodes, nodes_are_old) = api;
    Ok(Seen {
        spec: source.spec.clone(),
        api_servers,
        nodes,
        nodes_are_old,
        members: match members {
            Ok(report) => report.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "etcd gave no answer within {} s",
                MEMBERS.as_secs()
            )),
        },
        servers,
        certificates,
        unreadable,
    })
}

type Told = (Vec<ApiServerState>, Result<Vec<ApiNode>, String>, bool);

async fn api(vantage: &Vantage) -> Told {
    let servers = api_servers::of(&vantage.source.spec);
    let kubeconfig = vantage.kubeconfig();
    let states = match api_servers::states(&servers, &kubeconfig).await {
        Ok(states) => states,
        Err(error) => return (Vec::new(), Err(error.to_string()), false),
    };
    let mut asked: Vec<_> = servers.iter().zip(&states).collect();
    asked.retain(|(_, state)| state.ready || state.version.is_some());
    asked.sort_by_key(|(_, state)| !state.ready);
    let mut nodes = Err("no API server answers".to_owned());
    let mut old = false;
    for (server, state) in asked {
        old = !state.ready;
        let answer = list(server, &kubeconfig, old);
        nodes = match tokio::time::timeout(NODES, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(format!(
                "{}: no answer within {} s",
                server.url,
                NODES.as_secs()
            )),
        };
        if nodes.is_ok() {
            break;
        }
    }
    (states, nodes, old)
}

/// The API's nodes. Where `old` ones do too, the server need not ask etcd (a resourceVersion of 0).
async fn list(
    server: &ApiServer,
    kubeconfig: &std::path::Path,
    old: bool,
) -> Result<Vec<ApiNode>, String> {
    let client = server.client(kubeconfig).await;
    let nodes: Api<Node> = Api::all(client.map_err(|error| error.to_string())?);
    let mut parameters = ListParams::default();
    if old {
        parameters = parameters.match_any();
    }
    let nodes = nodes.list(&parameters).await;
    let nodes = nodes.map_err(|error| format!("{}: {}", server.url, reason(&error)))?;
    Ok(nodes.items.iter().map(ApiNode::of).collect())
}

impl ApiNode {
    /// What is told of a Node.
    pub fn of(node: &Node) -> Self {
        let status = node.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_deref());
        let mut conditions = conditions.unwrap_or_default().iter();
        let condition = conditions.find(|condition| condition.type_ == "Ready");
        let ready = condition.is_some_and(|condition| condition.status == "True");
        let reason = match condition {
            None => Some("it has not told how it is".to_owned()),
            Some(_) if ready => None,
            Some(condition) => {
                let reason = condition.message.clone().or(condition.reason.clone());
                reason.or_else(|| Some(format!("Ready is {}", condition.status)))
            }
        };
        let addresses = status.and_then(|status| status.addresses.as_deref());
        let addresses = addresses.unwrap_or_default().iter();
        let info = status.and_then(|status| status.node_info.as_ref());
        let version = info.map(|info| info.kubelet_version.trim_start_matches('v').to_owned());
        let since = condition.and_then(|condition| condition.last_transition_time.as_ref());
        let created = node.metadata.creation_timestamp.as_ref();
        let spec = node.spec.as_ref();
        Self {
            name: node.metadata.name.clone().unwrap_or_default(),
            ready,
            reason,
            since: since.map(|time| time.0.as_second()),
            cordoned: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
            version,
            addresses: addresses
                .filter(|address| address.type_ == "InternalIP")
                .filter_map(|address| address.address.parse().ok())
                .collect(),
            created: created.map(|time| time.0.as_second()),
        }
    }
}
