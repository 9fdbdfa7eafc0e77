//! A cluster of two control planes and a worker that nothing is the matter with, for tests.

use pki_core::cluster::spec::{ClusterSpec, Role};

use super::{ApiNode, ClusterCertificate, Seen, Server};
use crate::api_servers::{self, ApiServerState};
use crate::etcd::{MemberId, MemberLine, Quorum, Report};

/// Now, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

const CLUSTER: &str = "\
name = 'prod'
service-cidr = ['10.3.0.0/24']
[[node]]
name = 'cp1'
addresses = ['192.0.2.11']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp2'
addresses = ['192.0.2.12']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp3'
addresses = ['192.0.2.13']
roles = ['control-plane', 'etcd']
[[node]]
name = 'w1'
addresses = ['192.0.2.21']
roles = ['worker']
";

/// All of it well.
pub fn whole() -> Seen {
    let spec = ClusterSpec::from_toml(CLUSTER).expect("a good spec");
    let state = |server: api_servers::ApiServer| ApiServerState {
        node: server.node,
        url: server.url,
        ready: true,
        reason: None,
        version: Some("1.37.2".into()),
    };
    let node = |node: &pki_core::cluster::spec::Node| ApiNode {
        name: node.name().to_string(),
        ready: true,
        reason: None,
        since: Some(NOW - 3600),
        cordoned: false,
        version: Some("1.37.2".into()),
        addresses: node.addresses().to_vec(),
        created: Some(NOW - 86_400 * 3),
    };
    let mut servers = Vec::new();
    let mut certificates = Vec::new();
    for node in spec.nodes() {
        let mut add = |name: &str, port: u16| {
            let address = format!("{}:{port}", node.addresses()[0]);
            certificates.push(ClusterCertificate {
                name: format!("{}/{name}", node.name()),
                node: Some(node.name().to_string()),
                file: None,
                server: Some(address.clone()),
                days_left: 364,
                not_after: NOW + 364 * 86_400,
                findings: vec![],
            });
            servers.push(Server {
                node: Some(node.name().to_string()),
                name: name.into(),
                address,
                silent: None,
            });
        };
        if node.has(Role::ControlPlane) {
            add("apiserver", 6443);
            add("etcd-server", 2379);
        }
        add("kubelet", 10_250);
    }
    Seen {
        api_servers: api_servers::of(&spec).into_iter().map(state).collect(),
        nodes: Ok(spec.nodes().iter().map(node).collect()),
        nodes_are_old: false,
        members: Ok(Report {
            healthy: true,
            quorum: Quorum {
                voters: 3,
                healthy: 3,
                needed: 2,
                held: true,
            },
            members: (1..=3).map(member).collect(),
            absent: vec![],
        }),
        servers,
        certificates,
        unreadable: vec![],
        spec,
    }
}

fn member(number: u64) -> MemberLine {
    MemberLine {
        name: format!("cp{number}"),
        id: MemberId(number),
        learner: false,
        leader: number == 1,
        healthy: true,
        reason: None,
        version: Some("3.7.3".into()),
        db_size: Some(4096),
        behind: Some(0),
        client_urls: vec![],
        peer_urls: vec![],
        expected: true,
    }
}
