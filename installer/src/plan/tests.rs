//! What the plan says of what was found.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::desired::{Account, Kind, Module, Sysctl, SysctlValue, Trace};
use crate::machine::fakes::{directory, file, image, owner, resource, service, symlink};
use crate::machine::{Above, ServiceState};

fn observed(found: &[(&Resource, Found)]) -> Observed {
    let mut observed = Observed::default();
    for (resource, found) in found {
        observed.found.insert(resource.id(), found.clone());
    }
    observed
}

fn ledger(entries: &[(&Resource, Before)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (resource, before) in entries {
        ledger.put(Entry {
            id: resource.id(),
            stage: resource.stage,
            state: State::Done,
            made: Made::of(resource),
            before: before.clone(),
        });
    }
    ledger
}

/// The plan in words.
fn words(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        let reasons = change.reasons.join(", ");
        let (stage, action, id) = (change.stage, change.action, &change.id);
        let _ = writeln!(text, "{stage}: {action} {id}: {reasons}");
    }
    for obstacle in &plan.obstacles {
        let _ = writeln!(
            text,
            "{}: {}; {}",
            obstacle.id, obstacle.fact, obstacle.hint
        );
    }
    text
}

fn one(resource: &Resource, found: Found, known: Option<Before>) -> String {
    let ledger = match known {
        Some(before) => ledger(&[(resource, before)]),
        None => Ledger::default(),
    };
    let observed = observed(&[(resource, found)]);
    words(&Plan::new(
        std::slice::from_ref(resource),
        &observed,
        &ledger,
    ))
}

fn found_file(mode: u32, same: bool) -> Found {
    let owner = owner();
    Found::File { mode, owner, same }
}

fn sysctl(key: &str, value: SysctlValue) -> Resource {
    let key = key.to_owned();
    resource(Stage::Host, Kind::Sysctl(Sysctl { key, value }))
}

fn state(wanted: &Resource, running: bool, process: Option<u32>) -> Found {
    let Kind::Service(definition) = wanted.kind.clone() else {
        unreachable!()
    };
    Found::Service(Box::new(ServiceState {
        definition,
        running,
        since: None,
        process,
        restarts: 0,
        last_end: None,
    }))
}

#[test]
fn files() {
    let wanted = file("/etc/a", "hunter2", 0o600);
    let ours = Some(Before::Absent);
    assert_eq!(
        one(&wanted, Found::Absent, None),
        "files: create file /etc/a: does not exist\n"
    );
    assert_eq!(one(&wanted, found_file(0o600, true), None), "");
    assert_eq!(one(&wanted, found_file(0o600, true), ours.clone()), "");
    assert_eq!(
        one(&wanted, found_file(0o644, false), ours),
        "files: update file /etc/a: mode 0644, wanted 0600, contents differ\n"
    );
}

#[test]
fn what_is_not_ours_is_never_written_over() {
    let wanted = file("/etc/a", "hunter2", 0o600);
    let blocked = "file /etc/a: /etc/a is there and not of kinstall's making: contents differ; \
                   move it away, or make it as wanted; then run again\n";
    assert_eq!(one(&wanted, found_file(0o600, false), None), blocked);
    // Adopted once, and wanted otherwise now.
    let adopted = Some(Before::Same);
    assert_eq!(one(&wanted, found_file(0o600, false), adopted), blocked);
    let found = Found::Directory {
        mode: 0o755,
        owner: owner(),
        entries: BTreeSet::new(),
    };
    assert_eq!(
        one(&wanted, found, Some(Before::Absent)),
        "file /etc/a: /etc/a is a directory, and a file is needed there; move /etc/a away, then run again\n"
    );
    let link = symlink("/etc/b", "/x");
    assert_eq!(
        one(&link, Found::Symlink("/y".into()), None),
        "link /etc/b: /etc/b is there and not of kinstall's making: leads to /y, wanted /x; \
         move it away, or make it as wanted; then run again\n"
    );
    let wanted = service("containerd", "a", "1");
    let other = service("containerd", "b", "1");
    assert!(one(&wanted, state(&other, true, Some(1)), None).contains("not of kinstall's making"));
}

#[test]
fn a_directory_of_others_is_mended_and_remembered() {
    let wanted = directory("/etc/a", 0o700, DirectoryContents::Ours);
    let found = Found::Directory {
        mode: 0o1777,
        owner: owner(),
        entries: BTreeSet::from(["mine".into()]),
    };
    let observed = observed(&[(&wanted, found)]);
    let plan = Plan::new(std::slice::from_ref(&wanted), &observed, &Ledger::default());
    assert_eq!(
        words(&plan),
        "files: update directory /etc/a: mode 1777, wanted 0700\n"
    );
    assert_eq!(
        plan.announced(Stage::Files)[0].before,
        Before::Directory {
            mode: 0o1777,
            owner: owner(),
            entries: BTreeSet::from(["mine".into()])
        }
    );
}

#[test]
fn a_link_above_is_told_once() {
    let wanted = [file("/a/b/c", "", 0o644), file("/a/b/d", "", 0o644)];
    let mut observed = Observed::default();
    observed.above.insert("/a".into(), Above::Directory);
    observed.above.insert("/a/b".into(), Above::Symlink);
    let plan = Plan::new(&wanted, &observed, &Ledger::default());
    assert_eq!(
        words(&plan),
        "file /a/b/c: /a/b is a symbolic link, and a directory is needed there; \
         make /a/b a directory; to have it on another disk, mount that there\n"
    );
}

#[test]
fn missing_directories_above_are_announced_from_the_top() {
    let wanted = [
        file("/a/b/c", "", 0o644),
        directory("/a/b", 0o700, DirectoryContents::Ours),
    ];
    let mut observed = Observed::default();
    for path in ["/a", "/a/b"] {
        observed.above.insert(path.into(), Above::Missing);
    }
    let plan = Plan::new(&wanted, &observed, &Ledger::default());
    let announced = plan.announced(Stage::Files).iter();
    let announced: Vec<_> = announced
        .map(|entry| (entry.id.0.as_str(), entry.made.clone()))
        .collect();
    let made = |path: &str, contents| Made::Directory {
        path: path.into(),
        contents,
    };
    assert_eq!(
        announced,
        [
            ("directory /a", made("/a", DirectoryContents::Foreign)),
            ("directory /a/b", made("/a/b", DirectoryContents::Ours)),
            (
                "file /a/b/c",
                Made::File {
                    path: "/a/b/c".into()
                }
            ),
        ]
    );
}

#[test]
fn a_wanted_directory_is_not_announced_again_for_what_is_in_it() {
    let wanted = [
        directory("/a", 0o700, DirectoryContents::Ours),
        file("/a/b", "", 0o644),
    ];
    let mut observed = Observed::default();
    observed.above.insert("/a".into(), Above::Missing);
    let plan = Plan::new(&wanted, &observed, &Ledger::default());
    let announced = plan.announced(Stage::Files);
    assert_eq!(announced.len(), 2);
    assert_eq!(announced[0].made, Made::of(&wanted[0]));
}

#[test]
fn sysctls() {
    let wanted = sysctl("net/ipv4/ip_forward", SysctlValue::Exactly(1));
    assert_eq!(
        one(&wanted, Found::Sysctl("0".into()), None),
        "host: update sysctl net/ipv4/ip_forward: net/ipv4/ip_forward is 0, wanted 1\n"
    );
    assert_eq!(one(&wanted, Found::Sysctl("1".into()), None), "");
    let wanted = sysctl("fs/x", SysctlValue::AtLeast(1024));
    assert_eq!(one(&wanted, Found::Sysctl("8192".into()), None), "");
    assert_eq!(
        one(&wanted, Found::Sysctl("128".into()), None),
        "host: update sysctl fs/x: fs/x is 128, wanted at least 1024\n"
    );
    assert_eq!(
        one(&wanted, Found::Absent, None),
        "host: create sysctl fs/x: fs/x is not there yet, wanted at least 1024\n"
    );
}

#[test]
fn modules_images_and_traces() {
    let module = resource(
        Stage::Host,
        Kind::Module(Module {
            name: "m".into(),
            proof: "/proc/m".into(),
        }),
    );
    assert_eq!(
        one(&module, Found::Absent, None),
        "host: create module m: is not loaded\n"
    );
    assert_eq!(one(&module, Found::Present, None), "");
    let wanted = image("i:1");
    let missing = "images: create image i:1: is not imported\n";
    assert_eq!(one(&wanted, Found::Unknown, None), missing);
    assert_eq!(one(&wanted, Found::Unknown, Some(Before::Absent)), "");
    assert_eq!(one(&wanted, Found::Absent, Some(Before::Absent)), missing);
    let trace = resource(Stage::Host, Kind::Trace(Trace::Link("cni0".into())));
    assert_eq!(one(&trace, Found::Matches(BTreeSet::new()), None), "");
}

#[test]
fn accounts() {
    let wanted = resource(
        Stage::Host,
        Kind::Account(Account {
            name: "etcd".into(),
            id: 7,
        }),
    );
    let there = |user, group, other: [Option<&str>; 2]| Found::Account {
        user,
        group,
        user_with_number: other[0].map(str::to_owned),
        group_with_number: other[1].map(str::to_owned),
    };
    let none = [None, None];
    assert_eq!(one(&wanted, there(Some((7, 9)), None, none), None), "");
    assert_eq!(
        one(&wanted, there(None, Some(7), none), None),
        "host: create account etcd: its group exists, the user does not\n"
    );
    let hint = "; remove that user, or give it another number; then run again\n";
    assert_eq!(
        one(&wanted, there(Some((8, 8)), Some(8), none), None),
        format!("account etcd: the user etcd has number 8, wanted 7{hint}")
    );
    assert_eq!(
        one(&wanted, there(None, None, [Some("mail"), None]), None),
        format!("account etcd: the user mail has number 7, wanted for etcd{hint}")
    );
    let hint = hint.replace("user", "group");
    assert_eq!(
        one(&wanted, there(None, Some(8), none), None),
        format!("account etcd: the group etcd has number 8, wanted 7{hint}")
    );
    assert_eq!(
        one(&wanted, there(None, None, [None, Some("mail")]), None),
        format!("account etcd: the group mail has number 7, wanted for etcd{hint}")
    );
}

#[test]
fn services() {
    let wanted = service("kubelet", "a", "1");
    let ours = Some(Before::Absent);
    let id = "service kubelet";
    assert_eq!(
        one(&wanted, Found::Absent, None),
        format!("runtime: create {id}: is not installed\n")
    );
    let found = |argument, inputs, running, process| {
        let is = service("kubelet", argument, inputs);
        one(&wanted, state(&is, running, process), ours.clone())
    };
    assert_eq!(found("a", "1", true, Some(1)), "");
    assert_eq!(
        found("a", "1", false, None),
        format!("runtime: restart {id}: is not running\n")
    );
    assert_eq!(
        found("a", "1", false, Some(1)),
        format!("runtime: restart {id}: runs with an older definition: restart\n")
    );
    assert_eq!(
        found("a", "2", true, Some(1)),
        format!("runtime: restart {id}: its inputs changed: restart\n")
    );
    assert_eq!(
        found("b", "1", true, Some(1)),
        format!("runtime: update {id}: arguments changed\n")
    );
}

#[test]
fn only_what_the_ledger_holds_as_ours_is_removed_and_last() {
    let dir = directory("/d", 0o755, DirectoryContents::Foreign);
    let full = directory("/full", 0o755, DirectoryContents::Foreign);
    let ours = directory("/ours", 0o755, DirectoryContents::Ours);
    let data = directory("/data", 0o755, DirectoryContents::Data);
    let (in_dir, adopted) = (file("/d/a", "", 0o644), file("/b", "", 0o644));
    let (absent, forward) = (
        file("/gone", "", 0o644),
        sysctl("net/f", SysctlValue::Exactly(1)),
    );
    let (old, new) = (image("i:1"), image("i:2"));
    let mut pod = file("/m/pod", "", 0o600);
    pod.stage = Stage::ControlPlane;
    let is_dir = |entries: &[&str]| Found::Directory {
        mode: 0o755,
        owner: owner(),
        entries: entries.iter().map(|name| (*name).to_owned()).collect(),
    };
    let ledger = ledger(&[
        (&dir, Before::Absent),
        (&full, Before::Absent),
        (&ours, Before::Absent),
        (&data, Before::Absent),
        (&in_dir, Before::Absent),
        (&adopted, Before::Same),
        (&absent, Before::Absent),
        (&forward, Before::Value("0".into())),
        (&old, Before::Absent),
        (&pod, Before::Absent),
    ]);
    let observed = observed(&[
        (&dir, is_dir(&["a"])),
        (&full, is_dir(&["mine"])),
        (&ours, is_dir(&["anything"])),
        (&data, is_dir(&[])),
        (&in_dir, found_file(0o644, false)),
        (&adopted, found_file(0o644, false)),
        (&forward, Found::Sysctl("1".into())),
        (&old, Found::Present),
        (&pod, found_file(0o600, false)),
    ]);
    let plan = Plan::new(&[new], &observed, &ledger);
    assert_eq!(
        words(&plan),
        "images: create image i:2: is not imported\n\
         control-plane: remove file /m/pod: no longer wanted\n\
         addons: remove image i:1: no longer wanted\n\
         addons: remove sysctl net/f: no longer wanted: is 1, was 0 before\n\
         addons: remove file /d/a: no longer wanted\n\
         addons: remove directory /ours: no longer wanted\n\
         addons: remove directory /d: no longer wanted\n"
    );
    let forgotten = plan.forgotten(Stage::Addons);
    assert_eq!(forgotten, [absent.id(), adopted.id()]);
}
