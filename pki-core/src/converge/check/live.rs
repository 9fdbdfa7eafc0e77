//! The servers of a cluster, from its spec: API servers, etcd members, kubelets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;

use super::endpoint::Target;
use super::identity::identity_of_file;
use super::{CheckedCertificate, CheckedFiles};
use crate::cluster::blueprint::{ArtifactId, Content, Part};
use crate::cluster::spec::{Endpoint, Host, Node, NodeName};
use crate::converge::cluster_directory::ClusterDirectory;
use crate::converge::dial::ServerAddress;
use crate::x509::{DialedName, Identity, SubjectAltName};

/// The ports of etcd for clients and for members, and the kubelet's (`--listen-client-urls`, `--listen-peer-urls`,
/// KubeletConfiguration `port`); kubeadm's and kinstall's alike.
const ETCD: u16 = 2379;
const ETCD_PEER: u16 = 2380;
const KUBELET: u16 = 10_250;

/// Each server of each node at the address by which others dial it; the API server at the cluster's endpoint as
/// well. Where the files of a client that the server lets in are here, it is shown their certificate.
pub fn live_endpoints(cluster: &ClusterDirectory) -> Vec<Target> {
    let spec = &cluster.spec;
    let mut clients = Clients {
        cluster,
        read: HashMap::new(),
    };
    let mut targets = Vec::new();
    for node in spec.nodes() {
        let here = spec.preferred_address(node);
        for (name, port, client) in [
            ("apiserver", spec.apiserver_port(node), "admin"),
            ("etcd-server", ETCD, "etcd-healthcheck-client"),
            ("etcd-peer", ETCD_PEER, "etcd-peer"),
            ("kubelet", KUBELET, "apiserver-kubelet-client"),
        ] {
            let artifact = ArtifactId::node(node.name(), name);
            if cluster.blueprint.artifact(&artifact).is_some() {
                targets.push(Target {
                    address: ServerAddress {
                        host: DialedName::Ip(here),
                        port,
                    },
                    artifact: Some(artifact),
                    client: clients.of(node.name(), client),
                });
            }
        }
    }
    let endpoint = ServerAddress {
        host: match spec.endpoint().host() {
            Host::Dns(name) => DialedName::Dns(name.clone()),
            Host::Ip(address) => DialedName::Ip(*address),
        },
        port: spec.endpoint().port(),
    };
    // A loopback address is each node's own way to the same API servers, and a stranger's on any other machine.
    let known =
        spec.endpoint().is_loopback() || targets.iter().any(|target| target.address == endpoint);
    let is_api_server = |target: &&Target| {
        let artifact = target.artifact.as_ref();
        artifact.is_some_and(|artifact| artifact.name == "apiserver")
    };
    if let (false, Some(one)) = (known, targets.iter().find(is_api_server)) {
        let balanced = Target {
            address: endpoint,
            // Behind a balancer any of them answers.
            artifact: None,
            client: one.client.clone(),
        };
        targets.insert(0, balanced);
    }
    targets
}

/// The servers on this host whose certificates are among `files`, at that of the host's `addresses` for which each
/// is valid: for a node's own tree, which has no spec.
pub fn live_endpoints_here(files: &CheckedFiles, addresses: &[IpAddr]) -> Vec<Target> {
    let target = |checked: &CheckedCertificate| {
        let (name, port) = (
            checked.artifact.as_ref()?.name.as_str(),
            Endpoint::DEFAULT_PORT,
        );
        let (port, client) = match name {
            "apiserver" => (port, "apiserver-kubelet-client.crt"),
            "etcd-server" => (ETCD, "healthcheck-client.crt"),
            "etcd-peer" => (ETCD_PEER, "peer.crt"),
            "kubelet" => (KUBELET, "apiserver-kubelet-client.crt"),
            _ => return None,
        };
        let mut sans = checked.certificate.sans.iter();
        let address = sans.find_map(|san| match san {
            SubjectAltName::Ip(address) => addresses.contains(address).then_some(*address),
            _ => None,
        })?;
        Some(Target {
            address: ServerAddress {
                host: DialedName::Ip(address),
                port,
            },
            artifact: checked.artifact.clone(),
            client: identity_of_file(&checked.places.first()?.path.with_file_name(client)).ok(),
        })
    };
    files.certificates.iter().filter_map(target).collect()
}

/// Certificates to show, each read once. One that cannot be read is not shown: what is wrong with it is told where
/// it is on disk.
struct Clients<'a> {
    cluster: &'a ClusterDirectory,
    read: HashMap<ArtifactId, Option<Identity>>,
}

impl Clients<'_> {
    /// The node's own, else any node's.
    fn of(&mut self, node: &NodeName, name: &str) -> Option<Identity> {
        let nodes = self.cluster.spec.nodes().iter().map(Node::name);
        let ids = std::iter::once(node)
            .chain(nodes)
            .map(|node| ArtifactId::node(node, name));
        let id = ids
            .into_iter()
            .find(|id| self.cluster.blueprint.artifact(id).is_some())?;
        let cluster = self.cluster;
        let read = || {
            let artifact = cluster.blueprint.artifact(&id)?;
            let wanted = match artifact.content {
                Content::Kubeconfig(_) => Part::Whole,
                _ => Part::Certificate,
            };
            let mut placements = artifact.placements.iter();
            let placement = placements.find(|placement| placement.part == wanted)?;
            let path = cluster.path(&placement.location);
            identity_of_file(Path::new(&path)).ok()
        };
        if !self.read.contains_key(&id) {
            let found = read();
            self.read.insert(id.clone(), found);
        }
        self.read.get(&id).cloned().flatten()
    }
}
