//! Members that die, and come back.

use tests::record::note;

use crate::load;
use crate::place::Place;
use crate::removal;
use crate::status;
use crate::writes::Writes;

/// One machine loses its power under load.
pub fn of_one(place: &mut Place<'_>, writes: &mut Writes) {
    load::while_processes_die(place, writes);
    // One more gone, and the rest could not decide anything.
    let refused = place.nodes[1].kinstall(&["etcd", "remove", "node1", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    let wanted = "the quorum would be lost without it: 1 of 2 members healthy, and 2 are needed";
    assert!(refused.stderr.contains(wanted), "{refused}");
    status::with_one_dead(place);
    place.nodes[2].machine.switch_on();
    let took = place.is_whole(1, 3);
    place.api_is_ready(2);
    let seconds = took.as_secs_f64();
    note(&format!(
        "members: one is back by itself after {seconds:.1} s"
    ));
}

/// Two machines lose their power: nothing is decided any more, and nothing that was is lost.
pub fn of_two(place: &mut Place<'_>, writes: &mut Writes) {
    for _ in 0..5 {
        assert!(writes.one(place, 0), "it is whole");
    }
    for number in [1, 2] {
        place.nodes[number].machine.cut_power();
    }
    // The one that is left needs a moment to notice, if it led.
    place.until("the quorum is told as lost", || {
        let (code, report) = place.members(0);
        let lost = code == Some(1) && report["quorum"]["held"] == false;
        if lost {
            Ok(())
        } else {
            Err(format!("{report:#}"))
        }
    });
    let told = place.nodes[0].kinstall(&["etcd", "members"]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("quorum lost: "), "{told}");
    assert!(
        told.stdout.contains("of 3 votes healthy, 2 needed"),
        "{told}"
    );
    assert!(!writes.one(place, 0), "nobody could have agreed");
    let refused = place.nodes[0].kinstall(&["etcd", "remove", "node3", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    status::with_two_dead(place);
    removal::by_reset_is_refused(place);
    for number in [1, 2] {
        place.nodes[number].machine.switch_on();
    }
    let took = place.is_whole(0, 3);
    for number in 0..3 {
        place.api_is_ready(number);
    }
    let seconds = took.as_secs_f64();
    note(&format!(
        "members: two are back by themselves after {seconds:.1} s"
    ));
    writes.are_all_there(place);
}
