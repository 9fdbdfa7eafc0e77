//! A member's data are gone. It is the one that began the cluster, whose flags would begin another.

use std::path::Path;

use crate::load;
use crate::place::Place;
use crate::writes::Writes;

pub fn of_data(place: &Place<'_>, writes: &mut Writes) {
    let first = &place.nodes[0];
    let before = place.id_of(1, 0);
    // The directory stays, as an empty disk would be: etcd could begin there.
    first.machine.shell("rm -rf /var/lib/etcd/member");
    assert!(first.machine.kill_all_of("etcd") > 0, "it did not run");
    place.until("it says that its data are gone", || {
        let told = first.kinstall(&["logs", "etcd", "--lines", "5"]);
        if told.stdout.contains("has no data of etcd") {
            Ok(())
        } else {
            Err(told.to_string())
        }
    });
    assert!(
        !Path::new(&first.machine.path("/var/lib/etcd/member")).exists(),
        "it began anew"
    );
    // It may have led: then the others choose first.
    place.until("two of three are healthy", || {
        let (code, report) = place.members(1);
        match (code, report["quorum"]["healthy"].as_u64()) {
            (Some(1), Some(2)) => Ok(()),
            _ => Err(format!("{report:#}")),
        }
    });
    assert!(writes.one(place, 1), "two of three are enough");
    load::through_who_is_ready(place);

    place.install(0);
    place.is_whole(1, 3);
    assert_ne!(
        place.id_of(1, 0),
        before,
        "it may have promised something under that number"
    );
    place.api_is_ready(0);
    writes.are_all_there(place);
    let ended = place.install(0);
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
}
