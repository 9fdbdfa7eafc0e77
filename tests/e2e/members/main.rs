//! Three control planes, each with a member of etcd: how they come together, what they survive, how one is replaced.
//!
//! Three machines take a while to make, so one cluster has to show all of it, in this order.
#![allow(missing_docs)]

mod death;
mod joining;
mod load;
mod loss;
mod place;
mod removal;
mod status;
mod writes;

use tests::machine::{Families, Network};
use tests::node::turn;
use tests::phases::Phases;

use place::Place;
use writes::Writes;

#[test]
fn three_members() {
    let _turn = turn();
    let network = Network::new(Families::V6);
    let mut place = Place::new(&network);
    let mut phases = Phases::new();
    phases.show("no member begins before the first", || {
        joining::waits_for_the_first(&place);
    });
    phases.show("three members, one after the other", || {
        joining::one_by_one(&place);
    });
    phases.show("two workers", || {
        joining::two_workers(&place);
    });
    phases.show("a second run changes nothing", || {
        joining::again_changes_nothing(&place);
    });
    phases.show(
        "the cluster tells how it is, from each of them and from afar",
        || {
            status::of_three(&place);
        },
    );
    let mut writes = Writes::new();
    phases.show(
        "one that dies is not missed, and comes back by itself",
        || {
            death::of_one(&mut place, &mut writes);
        },
    );
    phases.show(
        "a network that is cut is not missed, and what was behind it comes back by itself",
        || {
            load::while_a_network_is_cut(&mut place, &mut writes);
        },
    );
    phases.show(
        "two that die are told as lost quorum, and nothing is lost",
        || {
            death::of_two(&mut place, &mut writes);
        },
    );
    phases.show(
        "one whose data are gone begins nothing, and is replaced",
        || {
            loss::of_data(&place, &mut writes);
        },
    );
    phases.show(
        "one is removed for good, and another takes its place",
        || {
            removal::for_good(&place, &mut writes);
        },
    );
    phases.show("one whose machine is reset leaves the others whole", || {
        removal::by_reset(&place, &mut writes);
    });
    phases.show("all that was acknowledged is there", || {
        writes.are_all_there(&place);
    });
    phases.finish();
}
