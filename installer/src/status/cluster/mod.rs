//! The whole cluster, now: its nodes, etcd's members, its API servers, its certificates, and what is the matter.
//!
//! | file | for |
//! |---|---|
//! | `look` | asking all of them, each within a limit, side by side |
//! | `certificates` | what is on disk here, and what servers serve |
//! | `nodes` | cluster.toml and the API as one list; pure |
//! | `problems` | what is wrong, with its likely cause; pure |

mod certificates;
mod look;
mod nodes;
mod problems;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use pki_core::cluster::spec::{ClusterSpec, Role};
use serde::Serialize;

use crate::api_servers::ApiServerState;
use crate::etcd;

pub use certificates::ClusterCertificate;
pub use look::look;
pub use nodes::{ClusterNode, NodeState};
pub use problems::ClusterProblem;

/// A cluster, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterStatus {
    /// Its name.
    pub cluster: String,
    /// Whether nothing is the matter.
    pub healthy: bool,
    /// All nodes of cluster.toml and of the API.
    pub nodes: Vec<ClusterNode>,
    /// Why nothing is known of the API's nodes; or that what is known may be old, since no API server is ready.
    pub nodes_unknown: Option<String>,
    /// The API servers of cluster.toml.
    pub api_servers: Vec<ApiServerState>,
    /// etcd's members. None where cluster.toml has no node with that role, or none answers.
    pub etcd: Option<etcd::Report>,
    /// Why nothing is known of etcd's members.
    pub etcd_unknown: Option<String>,
    /// Certificates, the first to end first.
    pub certificates: Vec<ClusterCertificate>,
    /// What is the matter.
    pub problems: Vec<ClusterProblem>,
}

/// All that was seen of a cluster.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What its owner wants.
    pub spec: ClusterSpec,
    /// The API servers.
    pub api_servers: Vec<ApiServerState>,
    /// The API's nodes; why there are none, otherwise.
    pub nodes: Result<Vec<ApiNode>, String>,
    /// Whether what an API server that is not ready still knew is all there is.
    pub nodes_are_old: bool,
    /// etcd's members; why they are not known, otherwise.
    pub members: Result<etcd::Report, String>,
    /// What servers were seen to do.
    pub servers: Vec<Server>,
    /// Certificates on disk and as served.
    pub certificates: Vec<ClusterCertificate>,
    /// What could not be told of certificates.
    pub unreadable: Vec<crate::machine::Problem>,
}

/// A Node of the API, as far as it is told of here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiNode {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not, in words.
    pub reason: Option<String>,
    /// Since when it is ready or not, in seconds since 1970.
    pub since: Option<i64>,
    /// Whether it takes no new pods.
    pub cordoned: bool,
    /// Its kubelet's version, without `v`.
    pub version: Option<String>,
    /// Its addresses in the cluster.
    pub addresses: Vec<std::net::IpAddr>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
}

/// A server that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its node; none for the cluster's endpoint.
    pub node: Option<String>,
    /// What it is in the profile, as `kubelet`; `endpoint` for the cluster's.
    pub name: String,
    /// Where it was dialled.
    pub address: String,
    /// Why it does not answer.
    pub silent: Option<Silent>,
}

/// Why a server does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silent {
    /// The machine says that nobody listens.
    Refused,
    /// Nothing comes back.
    Nothing(String),
}

impl ClusterStatus {
    /// What was seen, judged at `now` (seconds since 1970).
    pub fn of(seen: Seen, now: i64) -> Self {
        let nodes = nodes::nodes(&seen);
        let problems = problems::problems(&seen, &nodes, now);
        let has_etcd = seen.spec.nodes_with(Role::Etcd).next().is_some();
        let (etcd, etcd_unknown) = match seen.members {
            Ok(report) => (Some(report), None),
            Err(reason) => (None, has_etcd.then_some(reason)),
        };
        let nodes_unknown = match seen.nodes {
            Err(reason) => Some(reason),
            Ok(_) if seen.nodes_are_old => {
                Some("no API server is ready: of Nodes this is what one still knew".into())
            }
            Ok(_) => None,
        };
        Self {
            cluster: seen.spec.name().to_owned(),
            healthy: problems.is_empty(),
            nodes,
            nodes_unknown,
            api_servers: seen.api_servers,
            etcd,
            etcd_unknown,
            certificates: seen.certificates,
            problems,
        }
    }
}
