//! What keeps `kinstall cluster` from beginning: one clear error for each machine, and nothing changed on any.

use serde_json::Value;
use tests::command::{Ended, run};

use crate::machines::{BARE, COUNT, Machines, name};

pub fn nobody_is_let_in(machines: &Machines<'_>) {
    let ended = run(&mut machines.up("config-unknown", &["--yes"]));
    for number in 0..COUNT {
        tells(&ended, &format!("error: {}: ssh ", name(number)));
    }
    tells(
        &ended,
        "192.0.2.11: its host key is not known: Host key verification failed.",
    );
    tells(&ended, "ann@192.0.2.14:2222: its host key is not known");
    tells(
        &ended,
        "hint: log in once by hand, and hold the fingerprint against the machine's own: ssh -F ",
    );
    let ended = run(&mut machines.up("config-refused", &["--yes"]));
    tells(
        &ended,
        "error: node1: ssh root@192.0.2.11: the login was refused: root@192.0.2.11: Permission denied (publickey)",
    );
    tells(&ended, "hint: log in by hand: ssh -F ");
}

pub fn one_is_off(machines: &mut Machines<'_>) {
    machines.cut_power(BARE);
    let ended = run(&mut machines.up("config", &["--yes"]));
    tells(
        &ended,
        "error: node5: ssh root@192.0.2.15: it cannot be reached: ssh: connect to host 192.0.2.15 port 22: ",
    );
    tells(
        &ended,
        "hint: is it on, and is ssh = in cluster.toml right?",
    );
    assert!(!ended.stderr.contains("error: node1"), "{ended}");
    machines.all[BARE].switch_on();
    machines.open(BARE);
}

pub fn only_shown(machines: &Machines<'_>) {
    let ended = run(&mut machines.up("config", &["--dry-run"]));
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "node1  root@192.0.2.11  control-plane, etcd, worker",
        "node4  ann@192.0.2.14:2222  worker",
        "then     kinstall node, which makes a node of it",
        "bring    cluster.toml and the node's tree",
    ] {
        assert!(ended.stdout.contains(wanted), "{wanted}: {ended}");
    }
    let ended = run(&mut machines.up("config", &["--dry-run", "--json"]));
    let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended}"));
    let nodes = said["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), COUNT, "{said:#}");
    let programs = |number: usize| nodes[number]["programs"].as_array().expect("programs");
    let brings = |number: usize| programs(number).iter().any(|name| name == "kubelet");
    assert!(brings(BARE) && !brings(0), "{said:#}");
    assert_eq!(nodes[0]["machine"]["host-name"], "node1", "{said:#}");
    // Nobody can be asked here, so nothing is done without --yes either.
    let ended = run(&mut machines.up("config", &[]));
    assert_eq!(ended.code, Some(1), "{ended}");
    let wanted = "error: kinstall cluster asks first, and standard input is no terminal";
    assert!(ended.stderr.contains(wanted), "{ended}");
    let ended = run(&mut machines.up("config", &["--only", "node9"]));
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended.stderr.contains("hint: it has node1, node2, node3"),
        "{ended}"
    );
    nothing_changed(machines);
}

fn tells(ended: &Ended, wanted: &str) {
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    let last = "error: nothing was changed on any machine";
    assert!(ended.stderr.contains(last), "{ended}");
}

/// Since the beginning.
fn nothing_changed(machines: &Machines<'_>) {
    let changes = machines.changes();
    assert!(changes.is_empty(), "{changes:#?}");
}
