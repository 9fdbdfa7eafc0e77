//! The most memory that a program in a machine had resident at once.

use std::fs;
use std::path::Path;

use crate::machine::Machine;

/// What looks, as a script: the only process that can see another's memory all the time is one beside it.
const PEAK: &str = include_str!("../bench/peak");
/// Where it writes in the machine: not on its disk.
const FILE: &str = "/run/peak-kib";

/// A program in a machine, watched. Its arguments follow.
pub fn watched(machine: &Machine<'_>, program: &str) -> std::process::Command {
    let mut command = machine.command("bash");
    command.args(["-c", PEAK, "peak", FILE, program]);
    command
}

/// The peak of the last [`watched`] program, in bytes.
pub fn peak(machine: &Machine<'_>) -> u64 {
    let text = fs::read_to_string(machine.path(Path::new(FILE))).expect("it was watched");
    let kib: u64 = text.trim().parse().expect("a number");
    kib * 1024
}
