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
    for worker in ["node2", "node3"] {
        let worker = at(&format!("{worker}: has nothing of kinstall's any more"));
        assert!(worker < at("node1: kinstall reset"), "{ended}");
    }
    let changes = machines.changes();
    assert!(changes.is_empty(), "{changes:#?}");

    let ended = machines.run(&["reset", "--purge", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
}
