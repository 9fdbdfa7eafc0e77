//! `kinstall reset` on a worker: its machine is as it was, and the others do not miss it. Then it joins again.

use tests::command::{run, succeed};
use tests::machine::Network;
use tests::node::{Node, UNCOUNTED, answer};
use tests::nodes::Nodes;
use tests::web;

use crate::workload;

pub fn leaves_the_others_whole(nodes: &Nodes<'_>, network: &Network) {
    let first = nodes.first();
    let leaving = nodes.all.last().expect("a worker");
    let name = leaving.machine.name();
    leaves_nothing(leaving);
    // The API knows before long that nobody is there; who wants to know at once, says so.
    succeed(&mut first.kubectl(&["delete", "node", name]));
    first.wait_until("the pods of the node that left are gone", || {
        let left = workload::pods(nodes);
        let gone = left.iter().all(|pod| pod.node != name);
        gone.then_some(()).ok_or_else(|| format!("{left:?}"))
    });
    let pods = workload::pods(nodes);
    assert_eq!(pods.len(), nodes.all.len() - 1, "{pods:?}");
    for node in nodes.all.iter().filter(|node| node.machine.name() != name) {
        let ended = node.kinstall(&["status"]);
        answer(&ended).unwrap_or_else(|why| panic!("{why}"));
        // What led to it does no more.
        first.wait_until("the way to the node that left is gone", || {
            let routes = node
                .machine
                .shell("ip -o -4 route show | grep -c '^10[.]244[.].* via '");
            (routes.trim() == (pods.len() - 1).to_string())
                .then_some(())
                .ok_or(routes)
        });
    }
    workload::pod_to_pod(nodes, &pods);

    leaving.finish();
    web::bring_image(leaving);
    first.wait_until("the node that is back has its pod", || {
        let mut command = first.kubectl(&["rollout", "status", "daemonset/web", "--timeout=10s"]);
        answer(&run(&mut command)).map(drop)?;
        let pods = workload::pods(nodes);
        let back = pods.iter().any(|pod| pod.node == name);
        back.then_some(()).ok_or_else(|| format!("{pods:?}"))
    });
    nodes.are_well();
    let pods = workload::pods(nodes);
    workload::pod_to_pod(nodes, &pods);
    workload::by_node_port(nodes, &pods, network);
}

fn leaves_nothing(node: &Node<'_>) {
    let ended = node.kinstall(&["reset", "--yes"]);
    assert!(ended.code == Some(0), "{ended}");
    node.is_as_it_was(&UNCOUNTED, |_| false);
}
