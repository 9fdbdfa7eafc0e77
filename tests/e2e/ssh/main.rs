//! `kinstall cluster` over a real sshd in each machine: from `kpki init` to all Ready, and back to how they were found.
//!
//! Machines take a while to make, so one cluster has to show all of it, in this order.
#![allow(missing_docs)]

mod down;
mod machines;
mod refused;
mod secure_shell;
mod up;

use tests::machine::{Families, Network};
use tests::node::turn;
use tests::phases::Phases;

use machines::Machines;

#[test]
fn from_one_place() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let mut machines = Machines::new(&network);
    let mut phases = Phases::new();
    phases.show(
        "unknown host keys and refused logins change nothing",
        || {
            refused::nobody_is_let_in(&machines);
        },
    );
    phases.show("a machine that is off keeps the others as they are", || {
        refused::one_is_off(&mut machines);
    });
    phases.show("what would be done is shown, and nothing is done", || {
        refused::only_shown(&machines);
    });
    phases.show("interrupted twice and resumed: all are Ready", || {
        up::interrupted_and_resumed(&machines);
    });
    phases.show(
        "each machine has its own node's files and no others",
        || {
            up::trees_are_apart(&machines);
        },
    );
    phases.show("a second run changes nothing and asks nothing", || {
        up::again_changes_nothing(&machines);
    });
    phases.show("cluster status tells who is well and who is not", || {
        up::status(&machines);
    });
    phases.show("a worker is removed, and its machine is as found", || {
        down::one_is_removed(&machines);
    });
    phases.show("cluster reset leaves the machines as found", || {
        down::leaves_nothing(&machines);
    });
    phases.finish();
}
