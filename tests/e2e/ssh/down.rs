//! `kinstall cluster reset`.

use crate::machines::{COUNT, Machines};

pub fn leaves_nothing(machines: &Machines<'_>) {
    let ended = machines.run(&["reset", "--purge", "--dry-run"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(
        ended.stdout.matches("things that kinstall made").count(),
        COUNT,
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
        ("node4", "node2"),
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
