//! Ten machines that join one control plane at once, with real kubelets, containerds, kube-proxies and flannelds.
//!
//! All of them share two processors here, so this target runs alone.
#![allow(missing_docs)]

use std::time::Instant;

use tests::machine::{Families, Network};
use tests::node::turn;
use tests::nodes::Nodes;
use tests::phases::Phases;
use tests::record::note;

#[test]
fn ten_workers_at_once() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let mut roles = vec!["control-plane,etcd,worker"];
    roles.extend(["worker"; 10]);
    let init = ["--service-cidr", "10.3.0.0/24"];
    let nodes = Nodes::prepare(&network, &roles, &init, &[]);
    nodes.first().finish();
    let began = Instant::now();
    nodes.at_once(&nodes.all[1..], tests::node::Node::finish);
    note(&format!(
        "crowd: ten workers joined at once in {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    let mut phases = Phases::new();
    phases.show("each of eleven nodes is Ready and well", || {
        nodes.are_well();
    });
    phases.finish();
}
