use time::macros::datetime;

use super::*;
use crate::cluster::profile::Profile;
use crate::cluster::spec::NodeDocument;
use crate::converge::plan::Plan;

const NOW: OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

fn spec(workers: usize) -> ClusterSpec {
    let worker = |number: usize| {
        NodeDocument::new(format!("w{number}"))
            .addresses([format!("192.0.2.{}", 20 + number)])
            .roles(["worker"])
    };
    let mut builder = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .user_flag("alice:dev")
        .node(
            NodeDocument::new("cp1")
                .addresses(["192.0.2.11"])
                .roles(["control-plane", "etcd"]),
        );
    for number in 1..=workers {
        builder = builder.node(worker(number));
    }
    builder.build().unwrap()
}

/// The cluster as it was made `NOW`, looked at later.
fn graph(workers: usize, later: time::Duration) -> Graph {
    let spec = spec(workers);
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
    let nothing = Inventory::empty();
    let plan = Plan::new(&blueprint, &nothing, NOW);
    let changes = plan.execute(&ring::rand::SystemRandom::new()).unwrap();
    let mut inventory = Inventory::empty();
    for (location, mode, contents) in changes.secret_files() {
        inventory.add(location.clone(), mode, contents);
    }
    Graph::new(&spec, &blueprint, &inventory, NOW + later)
}

#[test]
fn nodes_of_the_same_roles_are_one_column() {
    for workers in [1, 49] {
        let graph = graph(workers, time::Duration::ZERO);
        assert_eq!(graph.nodes, workers + 1);
        assert_eq!(graph.columns.len(), 3, "control plane, workers, people");
        let kubelets: Vec<_> = graph
            .cards
            .iter()
            .filter(|card| card.name == "kubelet")
            .map(|card| (card.column, card.members.len()))
            .collect();
        assert_eq!(kubelets, [(0, 1), (1, workers)]);
        assert_eq!(graph.connections.len(), 16, "{:#?}", graph.connections);
    }
}

#[test]
fn each_connection_tells_both_programs_and_whom_they_trust() {
    let graph = graph(2, time::Duration::ZERO);
    let named = |name: &str| {
        let found = graph.connections.iter().find(|one| one.name == name);
        let one = found.unwrap();
        let ids = |ids: &[ArtifactId]| {
            let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        format!(
            "{} {:?} {:?} trusts {} -> {} {:?} trusts {} ({})",
            one.client.program,
            one.client.presents,
            one.client.columns,
            ids(&one.client_trusts),
            one.server.program,
            one.server.columns,
            ids(&one.server_trusts),
            one.pairs,
        )
    };
    assert_eq!(
        named("API server to kubelet"),
        "kube-apiserver Some(\"apiserver-kubelet-client\") [0] trusts ca -> kubelet [0, 1] trusts ca (3)"
    );
    assert_eq!(
        named("aggregator to API server"),
        "kube-apiserver Some(\"front-proxy-client\") [0] trusts ca -> kube-apiserver [0] trusts front-proxy-ca (1)"
    );
    assert_eq!(
        named("user to API server"),
        "people Some(\"user\") [2] trusts ca -> kube-apiserver [0] trusts ca (1)"
    );
    assert_eq!(
        named("pod to API server"),
        "pods None [] trusts ca -> kube-apiserver [0] trusts  (1)"
    );
}

#[test]
fn authorities_tell_where_they_are_and_who_trusts_them() {
    let graph = graph(1, time::Duration::ZERO);
    let ca = &graph.authorities[0];
    assert_eq!((ca.id.name.as_str(), ca.has_key), ("ca", true));
    assert_eq!((ca.certificate_on.len(), ca.key_on.len()), (2, 1));
    assert!(ca.trusted_by.contains(&"kubelet".to_owned()), "{ca:?}");
    assert_eq!(graph.secrets.len(), 2);
    assert!(graph.secrets.iter().all(|secret| secret.is_there));
}

#[test]
fn time_is_a_state() {
    let days = time::Duration::days;
    for (later, state) in [
        (days(0), State::Fine),
        (days(300), State::Due),
        (days(340), State::Late),
        (days(365), State::Expired),
        (days(-1), State::NotYetValid),
    ] {
        let graph = graph(1, later);
        let apiserver = graph.cards.iter().find(|card| card.name == "apiserver");
        assert_eq!(apiserver.unwrap().worst().state, state, "{later}");
    }
    let spec = spec(1);
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm()).unwrap();
    let graph = Graph::new(&spec, &blueprint, &Inventory::empty(), NOW);
    assert!(
        graph
            .expiries()
            .all(|expiry| expiry.state == State::Missing)
    );
    assert_eq!(
        graph.cards[0].members[0].path,
        "nodes/cp1/pki/apiserver.crt"
    );
}

#[test]
fn a_cluster_of_every_profile_can_be_drawn() {
    for name in ["kubeadm", "hardened", "external-etcd", "makecerts"] {
        let spec = spec(1);
        let profile = Profile::shipped(name).unwrap();
        let blueprint = Blueprint::new(&spec, &profile).unwrap();
        let graph = Graph::new(&spec, &blueprint, &Inventory::empty(), NOW);
        let leaves = blueprint.artifacts().iter();
        let leaves = leaves.filter(|artifact| artifact.content.leaf().is_some());
        let members = graph.cards.iter().map(|card| card.members.len());
        assert_eq!(members.sum::<usize>(), leaves.count(), "{name}");
    }
}
