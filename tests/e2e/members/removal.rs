//! A member goes for good, and another takes its place.

use crate::place::Place;
use crate::writes::Writes;

pub fn for_good(place: &Place<'_>, writes: &mut Writes) {
    let before = place.id_of(0, 2);
    let unknown = place.nodes[0].kinstall(&["etcd", "remove", "node9", "--yes"]);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    assert!(unknown.stderr.contains("hint: there are: "), "{unknown}");
    let asked = place.nodes[0].kinstall(&["etcd", "remove", "node3"]);
    assert_eq!(asked.code, Some(1), "nobody said yes: {asked}");
    let gone = place.nodes[0].kinstall(&["etcd", "remove", "node3", "--yes"]);
    assert_eq!(gone.code, Some(0), "{gone}");
    place.is_whole(0, 2);
    assert!(writes.one(place, 0), "two of two");
    let (_, report) = place.members(0);
    assert_eq!(report["absent"], serde_json::json!(["node3"]), "{report:#}");

    // What is left of it is of no use, and says so.
    let ended = place.install_within(2, 30);
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "error: node3 was removed from etcd's members, and its data are of no more use",
        "hint: kinstall reset --purge, and kinstall node makes it a new member",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
    let ended = place.nodes[2].kinstall(&["reset", "--yes", "--purge"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    place.is_whole(0, 2);
    place.install(2);
    place.is_whole(0, 3);
    assert_ne!(place.id_of(0, 2), before, "it is another");
    place.api_is_ready(2);
}

/// A member whose machine is reset leaves the others first: they are whole without it, and it may come back.
pub fn by_reset(place: &Place<'_>, writes: &mut Writes) {
    let before = place.id_of(0, 2);
    let node = &place.nodes[2];
    let ended = node.kinstall(&["reset", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let wanted =
        "it is no member of etcd any more, and its data are of no use: kinstall reset --purge";
    assert!(ended.stdout.contains(wanted), "{ended}");
    place.is_whole(0, 2);
    let (_, report) = place.members(0);
    assert_eq!(report["absent"], serde_json::json!(["node3"]), "{report:#}");
    assert!(writes.one(place, 1), "two of two");
    let ended = node.kinstall(&["reset", "--yes", "--purge"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    place.install(2);
    place.is_whole(0, 3);
    assert_ne!(place.id_of(0, 2), before, "it is another");
    place.api_is_ready(2);
}

/// Without a quorum nobody can let it go: that is told, and nothing is done without leave.
pub fn by_reset_is_refused(place: &Place<'_>) {
    let node = &place.nodes[0];
    let ended = node.kinstall(&["reset", "--yes"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "error: node1 cannot leave etcd's members before its machine is reset: ",
        "or go on with --keep-member, and later, on another member: kinstall etcd remove node1",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
    assert!(
        node.machine.path("/etc/kinstall/node.toml").exists(),
        "nothing was to be done"
    );
}
