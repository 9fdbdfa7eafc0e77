//! One member after the other.

use std::time::Instant;

use tests::attacker;
use tests::node::Node;

use crate::place::{Place, name};

/// The second machine before the first: it says so, and is as it was.
pub fn waits_for_the_first(place: &Place<'_>) {
    let node = &place.nodes[1];
    let began = Instant::now();
    let ended = place.install_within(1, 5);
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "error: node2 cannot join etcd: no other member of cluster.toml answers",
        "node1: https://[2001:db8:2::11]:2379: ",
        "hint: install node1 first",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    let changes = node.files_before.changes_to(&node.machine.files());
    // What it knows about programs may be remembered, and nothing else.
    let changes: Vec<_> = changes
        .iter()
        .filter(|line| !line.contains("/var/lib/kinstall"))
        .collect();
    assert!(changes.is_empty(), "{changes:#?}");
}

/// Each of them is a control plane, Ready, and a member with a vote.
pub fn one_by_one(place: &Place<'_>) {
    for number in 0..3 {
        place.install(number);
        place.is_whole(number, number as u64 + 1);
        let (_, report) = place.members(number);
        let absent = report["absent"].as_array().map(Vec::len);
        assert_eq!(absent, Some(2 - number), "{report:#}");
    }
    for number in 0..3 {
        place.api_is_ready(number);
        let arguments = ["get", "nodes", "--output=json"];
        let said = tests::command::succeed(&mut place.kubectl(number, &arguments));
        let nodes: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        let nodes = nodes["items"].as_array().expect("nodes").clone();
        assert_eq!(nodes.len(), 3);
        for node in nodes {
            let conditions = node["status"]["conditions"].as_array().expect("conditions");
            let ready = conditions.iter().find(|one| one["type"] == "Ready");
            assert_eq!(ready.expect("it tells")["status"], "True", "{node:#}");
            let labels = &node["metadata"]["labels"];
            assert!(labels["node-role.kubernetes.io/control-plane"].is_string());
        }
    }
    // All members are said to be well, and kinstall says so in words too.
    let told = place.nodes[0].kinstall(&["etcd", "members"]);
    assert_eq!(told.code, Some(0), "{told}");
    let wanted = "quorum held: 3 of 3 votes healthy, 2 needed";
    assert!(told.stdout.contains(wanted), "{told}");
}

/// Both at once, as every other machine would: each is Ready, and its way to the API is its own.
pub fn two_workers(place: &Place<'_>) {
    std::thread::scope(|scope| {
        let threads: Vec<_> = place
            .workers
            .iter()
            .map(|node| scope.spawn(|| node.kinstall_node()))
            .collect();
        for thread in threads {
            let ended = thread.join().expect("it ends");
            assert_eq!(ended.code, Some(0), "{ended}");
        }
    });
    for node in &place.workers {
        let status = node.kinstall(&["status"]);
        assert_eq!(status.code, Some(0), "{status}");
        assert!(status.stdout.contains("api-balancer"), "{status}");
        let server = node
            .machine
            .shell("grep server: /etc/kubernetes/kubelet.conf");
        assert_eq!(server.trim(), "server: https://[::1]:7443");
        // And nobody else's.
        let own = node
            .machine
            .shell("ip -o -6 address show dev eth0 scope global");
        let own = own.split_whitespace().find_map(|word| word.split_once('/'));
        let own = own.expect("an address").0.parse().expect("an address");
        let open = attacker::no_port_answers(place.network, &[own]);
        assert_eq!(open.into_iter().collect::<Vec<_>>(), [10250]);
    }
}

pub fn again_changes_nothing(place: &Place<'_>) {
    for number in 0..3 {
        let node = &place.nodes[number];
        let before = etcd(node);
        let ended = place.install(number);
        assert!(ended.stdout.contains("nothing to do"), "{ended}");
        assert_eq!(etcd(node), before, "{} was started again", name(number));
    }
}

/// The process that etcd is, with when it was started.
fn etcd(node: &Node<'_>) -> String {
    node.machine.shell("ps -o pid=,lstart= -C etcd")
}
