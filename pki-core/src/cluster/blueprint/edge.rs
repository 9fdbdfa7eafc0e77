//! Trust edges: every client -> server TLS relation of the cluster.

use super::artifact::ArtifactId;
use crate::cluster::profile::{EdgeRule, Profile, USER};
use crate::cluster::spec::{ClusterSpec, Node, NodeName};
use crate::x509::{DialedName, SubjectAltName};

/// One client dialling one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustEdge {
    /// What it is, in words.
    pub name: String,
    /// What the client presents; `None` for a client that presents nothing, such as a pod.
    pub client: Option<ArtifactId>,
    /// The node the client runs on, whose files it trusts; `None` for people and pods.
    pub client_node: Option<NodeName>,
    /// What the server presents.
    pub server: ArtifactId,
    /// The node the server runs on; `None` for a server that may run on any.
    pub server_node: Option<NodeName>,
    /// Whom the client trusts; empty for a kubeconfig, which says so itself.
    pub client_trusts: Vec<ArtifactId>,
    /// Whom the server trusts; empty where it asks for no certificate.
    pub server_trusts: Vec<ArtifactId>,
    /// Under which names and addresses the client dials; each has to work.
    pub dials: Vec<DialedName>,
}

/// One end of an edge: an artifact, and the node it is used on.
type End<'a> = (ArtifactId, Option<&'a Node>);

/// The edges of a rule between the nodes of a spec.
pub(super) fn expand(rule: &EdgeRule, spec: &ClusterSpec, profile: &Profile) -> Vec<TrustEdge> {
    let ids = |names: &[String]| names.iter().map(ArtifactId::cluster).collect();
    let servers = ends(&rule.server, spec, profile);
    let clients: Vec<Option<End<'_>>> = match &rule.client {
        Some(name) => ends(name, spec, profile).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let mut edges = Vec::new();
    for client in &clients {
        for (server, server_node) in &servers {
            let client_node = client.as_ref().and_then(|(_, node)| *node);
            let same = client_node.map(Node::name) == server_node.map(Node::name);
            if rule.same_node && !same {
                continue;
            }
            let mut dials: Vec<_> = rule
                .dials
                .iter()
                .flat_map(|source| source.names(spec, *server_node))
                .collect();
            dedup(&mut dials);
            edges.push(TrustEdge {
                name: rule.name.clone(),
                client: client.as_ref().map(|(id, _)| id.clone()),
                client_node: client_node.map(|node| node.name().clone()),
                server: server.clone(),
                server_node: server_node.map(|node| node.name().clone()),
                client_trusts: ids(&rule.client_trusts),
                server_trusts: ids(&rule.server_trusts),
                dials: dials.iter().filter_map(dialed).collect(),
            });
        }
    }
    edges
}

/// Every artifact of that identifier, with the node it is on.
fn ends<'a>(name: &str, spec: &'a ClusterSpec, profile: &Profile) -> Vec<End<'a>> {
    if name == USER {
        let id = |user: &crate::cluster::spec::User| ArtifactId {
            owner: super::Owner::User(user.name().clone()),
            name: user.name().to_string(),
        };
        return spec.users().iter().map(|user| (id(user), None)).collect();
    }
    let certificate = profile.certificates.iter().find(|rule| rule.id == name);
    let kubeconfig = profile.kubeconfigs.iter().find(|rule| rule.id == name);
    let (on, per_node) = match (certificate, kubeconfig) {
        (Some(rule), _) => (&rule.on, rule.per_node),
        (None, Some(rule)) => (&rule.on, true),
        (None, None) => return Vec::new(),
    };
    let nodes = spec
        .nodes()
        .iter()
        .filter(|node| on.iter().any(|role| node.has(*role)));
    if per_node {
        nodes
            .map(|node| (ArtifactId::node(node.name(), name), Some(node)))
            .collect()
    } else {
        nodes
            .take(1)
            .map(|_| (ArtifactId::cluster(name), None))
            .collect()
    }
}

/// What a client can dial: a name without a wildcard, or an address.
fn dialed(name: &SubjectAltName) -> Option<DialedName> {
    match name {
        SubjectAltName::Dns(name) if !name.is_wildcard() => Some(name.clone().into()),
        SubjectAltName::Ip(address) => Some((*address).into()),
        _ => None,
    }
}

/// Takes out repetitions and keeps the order.
pub(super) fn dedup(names: &mut Vec<SubjectAltName>) {
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
}
