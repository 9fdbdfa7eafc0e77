//! Bundles: a machine that has nothing but its base system and one file becomes a node; with a file that is not its own it stays
//! as it was.
//!
//! One control plane and one worker's machine have to show all of it, in this order.
#![allow(missing_docs)]

mod joins;
mod judges;
mod place;
mod refused;
mod user_data;

use tests::machine::{Families, Network};
use tests::node::turn;
use tests::phases::Phases;

use place::Place;

#[test]
fn a_bundle_is_all_that_a_worker_needs() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let place = Place::new(&network);
    let mut phases = Phases::new();
    phases.show("age, tar and zstd open a bundle", || {
        judges::open_it(&place);
    });
    phases.show("what is not this machine's own changes nothing", || {
        refused::leaves_no_trace(&place);
    });
    phases.show("an encrypted bundle makes the machine a node", || {
        joins::with_one_file(&place);
    });
    phases.show("run again it changes nothing", || {
        joins::again_changes_nothing(&place);
    });
    phases.show("a newer bundle brings what was renewed", || {
        joins::a_renewed_tree(&place);
    });
    phases.show("a reset leaves nothing", || {
        joins::and_leaves(&place);
    });
    phases.show("cloud-init's user-data makes it a node again", || {
        user_data::makes_a_node(&place, &network);
    });
    phases.finish();
}
