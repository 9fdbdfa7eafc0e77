//! `kinstall remove`: a worker leaves for good, its machine is as it was, and nobody counts it any more.

use std::fs;

use serde_json::Value;
use tests::command::{Ended, run, succeed};
use tests::kpki;
use tests::machine::Network;
use tests::node::{UNCOUNTED, answer, built};
use tests::nodes::Nodes;

pub fn of_a_worker(nodes: &Nodes<'_>, network: &Network) {
    let first = nodes.first();
    let leaving = nodes.all.last().expect("a worker");
    let name = leaving.machine.name();
    let dir = nodes.pki.dir();
    let file = dir.join("cluster.toml");
    // What an owner wrote into it stays.
    let text = fs::read_to_string(&file).expect("readable");
    fs::write(&file, format!("# The machines in the cellar.\n{text}")).expect("written");
    let before = fs::read_to_string(&file).expect("readable");
    refuses(nodes, network);

    let shown = remove(nodes, network, &[name, "--dry-run", "--json"]);
    assert_eq!(shown.code, Some(1), "{shown}");
    let plan: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let steps = plan["steps"].as_array().expect("steps").iter();
    let steps: Vec<_> = steps
        .map(|one| one["step"].as_str().expect("a word"))
        .collect();
    assert_eq!(steps, ["drain", "delete-node", "forget"], "{plan:#}");
    let asked = remove(nodes, network, &[name]);
    assert_eq!(asked.code, Some(1), "nobody said yes: {asked}");
    assert_eq!(fs::read_to_string(&file).expect("readable"), before);
    assert!(run(&mut first.kubectl(&["get", "node", name])).code == Some(0));

    let ended = remove(
        nodes,
        network,
        &[name, "--yes", "--force", "--delete-emptydir-data"],
    );
    assert_eq!(ended.code, Some(0), "{ended}");
    for wanted in [
        &format!("kinstall reset --yes --purge   on {name}"),
        "Its certificates stay valid until ",
    ] {
        assert!(ended.stdout.contains(wanted), "{wanted}: {ended}");
    }
    let gone = run(&mut first.kubectl(&["get", "node", name]));
    assert!(gone.stderr.contains("NotFound"), "{gone}");
    let after = fs::read_to_string(&file).expect("readable");
    assert!(
        after.starts_with("# The machines in the cellar.\n"),
        "{after}"
    );
    assert!(!after.contains(name), "{after}");
    is_not_counted(nodes, name);
    // Again there is nothing left of it to remove.
    let again = remove(nodes, network, &[name, "--yes"]);
    assert_eq!(again.code, Some(0), "{again}");
    let shown = remove(nodes, network, &[name, "--dry-run"]);
    assert!(
        shown.code == Some(0) && shown.stdout.contains("nothing to do"),
        "{shown}"
    );

    let ended = leaving.kinstall(&["reset", "--yes", "--purge"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    leaving.is_as_it_was(&UNCOUNTED, |_| false);
    first.wait_until("the cluster is well without it", || {
        let ended = from_afar(nodes, network, &["status", "--cluster"]);
        answer(&ended).map(drop)
    });
}

/// What the cluster cannot do without, and what it does not have.
fn refuses(nodes: &Nodes<'_>, network: &Network) {
    let ended = remove(nodes, network, &["node1", "--yes"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let wanted =
        "error: node1 is the only control plane, and nothing works without one\nhint: add another";
    assert!(ended.stderr.contains(wanted), "{ended}");
    let ended = remove(nodes, network, &["node9", "--yes"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let wanted = "error: the cluster has no node \"node9\"\nhint: there are: node1, node2, node3";
    assert!(ended.stderr.contains(wanted), "{ended}");
}

/// Its keys are still there, and nothing renews or counts what belongs to them.
fn is_not_counted(nodes: &Nodes<'_>, name: &str) {
    let dir = nodes.pki.dir();
    let path = dir.to_str().expect("plain");
    let kept = dir.join("removed").join(name);
    assert!(kept.join("pki/kubelet.key").is_file(), "{}", kept.display());
    assert!(!dir.join("nodes").join(name).exists());
    let plan = run(&mut kpki::command(&["plan", "--dir", path]));
    assert_eq!(plan.code, Some(0), "{plan}");
    let check = succeed(&mut kpki::command(&["check", path]));
    assert!(check.contains("node2") && !check.contains(name), "{check}");
    let renewal = run(&mut kpki::command(&[
        "renew",
        "--dir",
        path,
        "--all",
        "--dry-run",
    ]));
    assert!(
        renewal.stdout.contains("node2") && !renewal.stdout.contains(name),
        "{renewal}"
    );
}

fn remove(nodes: &Nodes<'_>, network: &Network, arguments: &[&str]) -> Ended {
    from_afar(nodes, network, &[&["remove"][..], arguments].concat())
}

/// By somebody who has the directory that kpki init made, where no node is.
pub fn from_afar(nodes: &Nodes<'_>, network: &Network, arguments: &[&str]) -> Ended {
    let mut command = network.outside().command(built().join("kinstall"));
    command.args(arguments).arg("--dir").arg(nodes.pki.dir());
    run(&mut command)
}
