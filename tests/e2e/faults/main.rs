//! `kinstall node` where something is in its way, or where it is killed: it says why, and a later run finishes.
#![allow(missing_docs)]

mod apiserver;
mod authority;
mod containerd;
mod disk;
mod interruption;
mod networks;
mod place;
mod programs;
mod refused;

use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::{Node, turn};
use tests::phases::Phases;

/// Each is found before anything is changed; a last phase shows that nothing of them stayed.
#[test]
fn what_preflight_finds() {
    let _turn = turn();
    let network = Network::new(Families::Both);
    let place = place::Place::new(&network);
    let mut phases = Phases::new();
    phases.show("no root", || refused::without_root(&place));
    phases.show("all programs missing", || programs::all_missing(&place));
    phases.show("one program missing", || programs::one_missing(&place));
    phases.show("a program of another release", || {
        programs::of_another_release(&place);
    });
    phases.show("a program that is none", || programs::that_is_none(&place));
    phases.show("a port taken", || refused::ports_taken(&place));
    phases.show("no address of the node", || networks::address_gone(&place));
    phases.show("a certificate without the node's address", || {
        authority::certificate_without_address(&place);
    });
    phases.show("an expired authority", || authority::expired(&place));
    phases.show("a full disk", || disk::full(&place));
    phases.show("nothing is left of all that", || place.is_untouched());
    phases.finish();
}

/// Each is found on the way; then it is mended, and the next run goes on from there.
#[test]
fn what_fails_on_the_way() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let place = place::Place::new(&network);
    let mut phases = Phases::new();
    phases.show("containerd does not start", || containerd::ends(&place));
    phases.show("the disk fills", || disk::fills(&place));
    phases.show("the API server crashes", || apiserver::crashes(&place));
    phases.show("everything mended", || place.finishes());
    phases.finish();
}

#[test]
fn killed_at_twenty_points() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let machine = Machine::boot(&network, MachineOptions::default());
    let node = Node::prepare(machine, &["--service-cidr", "10.3.0.0/24"]);
    interruption::show(&node);
}
