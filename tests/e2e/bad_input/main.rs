//! Bad input: one clear error with its place and a hint, exit 1, and everything on disk exactly as it was.
#![allow(missing_docs)]

mod files;
mod specs;

use std::path::Path;
use std::process::Command;

use tests::command::{Ended, run};
use tests::kpki;
use tests::snapshot::Snapshot;

/// A command that must refuse: exactly one error, at this place, with these words and a hint with those.
#[track_caller]
fn refused(command: &mut Command, place: &str, fact: &str, hint: &str) -> Ended {
    let ended = run(command);
    assert_eq!(ended.code, Some(1), "{ended}");
    let errors: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let [error] = errors[..] else {
        panic!("one error was expected: {ended}");
    };
    assert!(error.contains(place), "no {place:?}: {ended}");
    assert!(error.contains(fact), "no {fact:?}: {ended}");
    let mut hints = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("hint: "));
    let told = hints.next().unwrap_or_else(|| panic!("no hint: {ended}"));
    assert!(told.contains(hint), "no {hint:?}: {ended}");
    assert_eq!(hints.next(), None, "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
    ended
}

/// A tree as `kpki init` makes it, in a new directory.
fn tree(top: &Path) -> std::path::PathBuf {
    let dir = top.join("kubernetes");
    let mut command = kpki::command(&INIT);
    tests::command::succeed(command.arg("--dir").arg(&dir));
    dir
}

const INIT: [&str; 5] = [
    "init",
    "--service-cidr",
    "10.3.0.0/24",
    "--node",
    "n1=192.0.2.10",
];

/// Runs a command on a tree that has to stay as it is.
#[track_caller]
fn refused_without_a_trace(
    directory: &Path,
    command: &mut Command,
    place: &str,
    fact: &str,
    hint: &str,
) {
    let before = Snapshot::of(directory);
    refused(command, place, fact, hint);
    before.assert_unchanged(directory);
}
