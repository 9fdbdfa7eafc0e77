//! `kinstall remove --over-ssh` and `kinstall cluster reset`.

use serde_json::Value;
use tests::command::{run, succeed};

use crate::machines::{COUNT, Machines, WITH_SUDO, name};

/// A worker goes for good, and its machine is as it was found; the others do not miss it.
pub fn one_is_removed(machines: &Machines<'_>) {
    let node = name(WITH_SUDO);
    let remove = |config: &str, more: &[&str]| {
        let arguments = ["remove", &node, "--over-ssh", "--delete-emptydir-data"];
        run(&mut machines.kinstall(config, &[&arguments, more].concat()))
    };
    let ended = remove("config-refused", &["--yes"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "the login was refused",
        "nothing was changed on any machine",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
    let ended = remove("config", &["--dry-run"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let wanted = "reset its machine at ann@192.0.2.14:2222, with etcd's data: ";
    assert!(ended.stdout.contains(wanted), "{ended}");

    let ended = remove("config", &["--yes", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(said["machine-reset"], true, "{said:#}");
    let done = said["done"].as_array().expect("steps").iter();
    let done: Vec<_> = done
        .map(|one| one["step"].as_str().expect("a word"))
        .collect();
    assert_eq!(
        done,
        ["drain", "delete-node", "reset-elsewhere", "forget"],
        "{said:#}"
    );
    let changes = machines.changes_of(WITH_SUDO);
    assert!(changes.is_empty(), "{changes:#?}");

    succeed(&mut machines.pki.kpki(&["plan"]));
    let ended = machines.run(&["status"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended.stdout.contains("healthy: 4 of 4 machines are well"),
        "{ended}"
    );
    let again = remove("config", &["--yes"]);
    assert_eq!(again.code, Some(1), "{again}");
    let wanted = format!("cluster.toml has no node {node}, so nobody knows where its machine is");
    assert!(again.stderr.contains(&wanted), "{again}");
}

pub fn leaves_nothing(machines: &Machines<'_>) {
    let ended = machines.run(&["reset", "--purge", "--dry-run"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(
        ended.stdout.matches("things that kinstall made").count(),
        COUNT - 1,
        "{ended}"
    );
    let ended = machines.run(&["reset", "--purge"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended.stderr.contains("kinstall cluster reset asks first"),
        "{ended}"
    );

    let ended = machines.run(&["reset", "--purge", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let at = |what: &str| {
        ended
            .stderr
            .find(what)
            .unwrap_or_else(|| panic!("{what}: {ended}"))
    };
    // Workers first, then the members of etcd, and the one that began it last.
    for (earlier, later) in [
        ("node5", "node2"),
        ("node5", "node3"),
        ("node2", "node1"),
        ("node3", "node1"),
    ] {
        let earlier = at(&format!("{earlier}: has nothing of kinstall's any more"));
        let later = at(&format!("{later}: kinstall reset"));
        assert!(earlier < later, "{ended}");
    }
    let changes = machines.changes();
    assert!(changes.is_empty(), "{changes:#?}");

    let ended = machines.run(&["reset", "--purge", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
}
