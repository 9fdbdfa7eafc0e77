//! What is the matter, told once and with its likely cause.

use super::testing::{NOW, whole};
use super::*;
use crate::etcd::Quorum;
use crate::machine::Problem;

fn told(seen: Seen) -> String {
    let status = ClusterStatus::of(seen, NOW);
    assert_eq!(status.healthy, status.problems.is_empty());
    let lines = status.problems.iter();
    let lines: Vec<_> = lines
        .map(|one| format!("{}\nhint: {}", one.fact, one.hint))
        .collect();
    lines.join("\n")
}

/// Nothing of `name` answers.
fn kill(seen: &mut Seen, name: &str, silent: &Silent) {
    for server in &mut seen.servers {
        if server.node.as_deref() == Some(name) {
            server.silent = Some(silent.clone());
        }
    }
    for server in &mut seen.api_servers {
        if server.node == name {
            server.ready = false;
            server.version = None;
            server.reason = Some("Connection refused (os error 111)".into());
        }
    }
    if let Ok(report) = &mut seen.members {
        for member in &mut report.members {
            if member.name == name {
                member.healthy = false;
                member.version = None;
                member.behind = None;
                member.reason = Some("no answer".into());
            }
        }
        let healthy = report.members.iter().filter(|one| one.healthy).count();
        report.quorum = Quorum {
            healthy,
            held: healthy >= 2,
            ..report.quorum
        };
    }
    if let Ok(nodes) = &mut seen.nodes {
        for node in nodes.iter_mut().filter(|node| node.name == name) {
            node.ready = false;
            node.since = Some(NOW - 300);
            node.reason = Some("Kubelet stopped posting node status.".into());
        }
    }
}

#[test]
fn where_all_is_well_nothing_is_told() {
    assert_eq!(told(whole()), "");
    let mut seen = whole();
    // Somebody wanted that.
    seen.nodes.as_mut().unwrap()[3].cordoned = true;
    assert_eq!(told(seen), "");
}

#[test]
fn a_dead_node_is_told_once_and_the_risk_to_the_quorum() {
    let mut seen = whole();
    kill(&mut seen, "cp3", &Silent::Refused);
    insta::assert_snapshot!(told(seen), @"
    the quorum is at risk: 2 of 3 members of etcd healthy, and 2 are needed
    hint: bring back cp3, or take out what will not come: kinstall remove NAME --no-drain
    cp3 is down, not ready for 5 min: its machine is there, and nothing of the node runs on it
    hint: on cp3: kinstall start; kinstall status tells what does not come
    ");
}

#[test]
fn lost_quorum_is_told_with_who_is_alive() {
    let mut seen = whole();
    kill(
        &mut seen,
        "cp2",
        &Silent::Nothing("no connection: timed out".into()),
    );
    kill(&mut seen, "cp3", &Silent::Refused);
    if let Ok(report) = &mut seen.members {
        report.members[0].healthy = false;
        report.members[0].reason = Some("it knows no leader".into());
        report.quorum.healthy = 0;
    }
    seen.api_servers[0].ready = false;
    seen.api_servers[0].reason = Some("etcd failed: reason withheld".into());
    seen.nodes_are_old = true;
    let status = ClusterStatus::of(seen.clone(), NOW);
    assert!(
        status
            .nodes_unknown
            .is_some_and(|told| told.contains("still knew"))
    );
    insta::assert_snapshot!(told(seen), @"
    quorum lost: 1 of 3 members of etcd alive, and 2 are needed: nothing can be changed
    hint: bring back cp2, cp3: kinstall start, on it; what was acknowledged is not lost as long as a majority comes back with its data
    kube-apiserver of cp1 is not ready: etcd failed: reason withheld
    hint: it waits for etcd's quorum
    cp2 is down, not ready for 5 min: none of its servers answers
    hint: switch the machine on, or see why 192.0.2.12 is not reached; if it will not come: kinstall remove cp2 --no-drain
    cp3 is down, not ready for 5 min: its machine is there, and nothing of the node runs on it
    hint: on cp3: kinstall start; kinstall status tells what does not come
    ");
}

#[test]
fn with_nobody_at_all_there_is_an_answer() {
    let mut seen = whole();
    for name in ["cp1", "cp2", "cp3"] {
        kill(&mut seen, name, &Silent::Refused);
    }
    seen.members = Err("no member of etcd answers: cp1: refused".into());
    seen.nodes = Err("no API server answers".into());
    let status = ClusterStatus::of(seen, NOW);
    assert!(!status.healthy);
    assert_eq!(status.nodes.len(), 4);
    let states: Vec<_> = status.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states, [NodeState::Unknown; 4]);
    assert!(status.etcd_unknown.is_some() && status.nodes_unknown.is_some());
}

#[test]
fn nodes_that_only_one_side_knows() {
    let mut seen = whole();
    let mut nodes = seen.nodes.clone().unwrap();
    nodes[3].name = "old1".into();
    seen.nodes = Ok(nodes);
    for server in &mut seen.servers {
        if server.node.as_deref() == Some("w1") {
            server.silent = Some(Silent::Refused);
        }
    }
    insta::assert_snapshot!(told(seen), @"
    w1 is in cluster.toml, and has not joined
    hint: run kinstall node on it; or, where it is not to be: kinstall remove w1
    old1 is a node of the API, and not in cluster.toml
    hint: add it there and run kpki apply; or, where it is not to be: kinstall remove old1
    ");
}

#[test]
fn parts_of_a_node_that_do_not_work() {
    let mut seen = whole();
    for server in &mut seen.servers {
        if server.address == "192.0.2.12:10250" {
            let reason = "192.0.2.12:10250: no connection: timed out";
            server.silent = Some(Silent::Nothing(reason.into()));
        }
    }
    let nodes = seen.nodes.as_mut().unwrap();
    nodes[3].ready = false;
    nodes[3].reason =
        Some("container runtime network not ready: cni plugin not initialized".into());
    let report = seen.members.as_mut().unwrap();
    report.members[1].learner = true;
    report.members[2].behind = Some(9000);
    insta::assert_snapshot!(told(seen), @"
    kubelet of cp2 (192.0.2.12:10250) does not answer: no connection: timed out
    hint: on cp2: kinstall status and kinstall logs kubelet
    w1 is not ready for 60 min: container runtime network not ready: cni plugin not initialized
    hint: its pod network is not up: on w1, kinstall logs flannel and kinstall logs kubelet
    etcd's member cp2 has no vote yet
    hint: run kinstall node on it again: it goes on from there
    etcd's member cp3 is 9000 changes behind the others
    hint: see whether the disk or the network of cp3 is slow: kinstall logs etcd, on it
    ");
}

#[test]
fn versions_too_far_apart() {
    let mut seen = whole();
    let nodes = seen.nodes.as_mut().unwrap();
    nodes[2].version = Some("1.38.0".into());
    nodes[3].version = Some("1.33.9".into());
    seen.api_servers[1].version = Some("1.39.0".into());
    insta::assert_snapshot!(told(seen), @"
    the API servers of cp1 (1.37.2) and cp2 (1.39.0) are too far apart
    hint: bring cp1 to 1.39.0: one minor version apart at most
    the kubelet of cp3 (1.38.0) is newer than the API server of cp1 (1.37.2)
    hint: update the control plane first: a kubelet may not be newer
    the kubelet of w1 (1.33.9) is too old for the API server of cp1 (1.37.2)
    hint: update w1: a kubelet may be 3 minor versions older
    ");
}

#[test]
fn certificates_near_their_end_a_missing_family_and_what_cannot_be_read() {
    let mut seen = whole();
    seen.spec = ClusterSpec::from_toml(
        "service-cidr = ['10.3.0.0/24', 'fd00:3::/112']
         pod-cidr = ['10.244.0.0/16', 'fd00:4::/56']
         [[node]]
         name = 'cp1'
         addresses = ['192.0.2.11']
         roles = ['control-plane', 'etcd']",
    )
    .expect("a good spec");
    seen.nodes.as_mut().unwrap().truncate(1);
    seen.certificates[2].findings = vec!["expires in 3 days".into()];
    seen.unreadable = vec![Problem::new(
        "kubernetes/ca: permission denied",
        "run as root",
    )];
    insta::assert_snapshot!(told(seen), @"
    cp1 has no IPv6 address, and the cluster's Services do
    hint: give cp1 one, name it in cluster.toml, run kpki apply, and kinstall node on it
    cp1/kubelet (served at 192.0.2.11:10250): expires in 3 days
    hint: run kpki renew where the CA keys are, bring its tree to cp1, and run kinstall node on it
    kubernetes/ca: permission denied
    hint: run as root
    ");
}

#[test]
fn a_node_tells_the_first_end_of_its_certificates() {
    let mut seen = whole();
    seen.certificates[1].days_left = 12;
    let status = ClusterStatus::of(seen, NOW);
    let days: Vec<_> = status.nodes.iter().map(|node| node.days_left).collect();
    assert_eq!(days, [Some(12), Some(364), Some(364), Some(364)]);
    let members: Vec<_> = status.nodes.iter().map(|node| node.member).collect();
    assert_eq!(
        members,
        [Some("leader"), Some("voter"), Some("voter"), None]
    );
}
