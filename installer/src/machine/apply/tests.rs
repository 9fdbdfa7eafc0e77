//! Whatever is wanted, whenever a run ends: the next one finishes, and a reset brings everything back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink as make_symlink};

use proptest::prelude::*;

use super::*;
use crate::desired::layout::MANIFESTS;
use crate::desired::{DirectoryContents, Sysctl, SysctlValue};
use crate::machine::fakes::{FakeMachine, directory, file, image, resource, service, symlink};
use crate::machine::ledger::Before;
use crate::machine::reset::{ResetOptions, ResetReport, reset};

const PURGE: ResetOptions = ResetOptions { purge: true };

fn reset_with(
    machine: &FakeMachine,
    options: ResetOptions,
    fuse: Option<u32>,
) -> Result<ResetReport, HostError> {
    let mut host = Host::open(machine.root())?;
    if let Some(fuse) = fuse {
        host.burn_after(fuse);
    }
    reset(host, &machine.services, options, &mut |_| {})
}

fn forwarding() -> Resource {
    let key = "net/ipv4/ip_forward".to_owned();
    let value = SysctlValue::Exactly(1);
    resource(Stage::Host, Kind::Sysctl(Sysctl { key, value }))
}

fn node() -> Vec<Resource> {
    vec![
        forwarding(),
        directory("/etc/kubernetes", 0o755, DirectoryContents::Foreign),
        directory(MANIFESTS, 0o700, DirectoryContents::Foreign),
        directory("/var/lib/kinstall", 0o755, DirectoryContents::Ours),
        directory(
            "/var/lib/kinstall/credentials",
            0o755,
            DirectoryContents::Ours,
        ),
        file("/var/lib/kinstall/credentials/etcd/ca.crt", "ca", 0o600),
        directory("/var/lib/etcd", 0o700, DirectoryContents::Data),
        directory("/var/lib/kubelet", 0o750, DirectoryContents::Ours),
        file("/etc/kubernetes/pki/etcd/ca.crt", "ca", 0o644),
        file("/etc/kubernetes/pki/sa.key", "key", 0o600),
        symlink("/etc/kubernetes/current", "pki/sa.key"),
        file("/etc/kubernetes/manifests/etcd.yaml", "pod", 0o600),
        service("containerd", "a", "1"),
        image("pause:1"),
        service("kubelet", "a", "1"),
    ]
}

#[test]
fn a_node_is_made_and_then_nothing_is_to_be_done() {
    let machine = FakeMachine::new();
    let before = machine.tree();
    let plan = machine.run(&node(), None).unwrap();
    assert_eq!(plan.changes.len(), node().len());
    let tree = machine.tree();
    assert_eq!(tree["etc/kubernetes/pki/sa.key"], "0600 key");
    assert_eq!(tree["etc/kubernetes/pki/etcd"], "0755");
    assert_eq!(tree["etc/kubernetes/manifests"], "0700");
    assert_eq!(tree["etc/kubernetes/current"], "-> pki/sa.key");
    assert_eq!(machine.read("/proc/sys/net/ipv4/ip_forward"), "1\n");
    let written = |machine: &FakeMachine| {
        let path = machine.root().join("/var/lib/kinstall/ledger.json");
        path.metadata().unwrap().ino()
    };
    let ledger = written(&machine);
    let plan = machine.run(&node(), None).unwrap();
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(
        written(&machine),
        ledger,
        "the ledger was written for nothing"
    );
    assert_eq!(machine.tree(), tree);
    let report = reset_with(&machine, PURGE, None).unwrap();
    assert_eq!((report.kept, report.notes), (vec![], vec![]));
    assert_eq!(machine.tree(), before);
    assert!(machine.services.0.borrow().is_empty());
}

#[test]
fn modes_and_contents_are_mended() {
    let machine = FakeMachine::new();
    machine.run(&node(), None).unwrap();
    let tree = machine.tree();
    machine.write("/etc/kubernetes/pki/sa.key", "other");
    fs::remove_file(machine.root().join("/etc/kubernetes/current")).unwrap();
    let plan = machine.run(&node(), None).unwrap();
    let changes: Vec<_> = plan.changes.iter().map(|change| &change.id.0).collect();
    assert_eq!(
        changes,
        [
            "file /etc/kubernetes/pki/sa.key",
            "link /etc/kubernetes/current"
        ]
    );
    assert_eq!(machine.tree(), tree);
}

#[test]
fn nothing_is_ever_written_in_the_folder_of_manifests_but_manifests() {
    // Interrupted when the manifest is written and not yet in place.
    let wanted = [
        directory(MANIFESTS, 0o700, DirectoryContents::Foreign),
        file("/etc/kubernetes/manifests/etcd.yaml", "pod", 0o600),
    ];
    for fuse in 0.. {
        let machine = FakeMachine::new();
        let done = machine.run(&wanted, Some(fuse)).is_ok();
        let folder = machine.root().join(MANIFESTS);
        if let Ok(entries) = fs::read_dir(folder) {
            for entry in entries {
                assert_eq!(entry.unwrap().file_name(), "etcd.yaml", "{fuse}");
            }
        }
        if done {
            break;
        }
    }
}

#[test]
fn what_was_there_stays_as_it_was() {
    let machine = FakeMachine::new();
    let root = machine.root();
    fs::create_dir_all(root.join("/etc/kubernetes/pki")).unwrap();
    fs::create_dir_all(root.join("/var/lib/kubelet/mine")).unwrap();
    machine.write("/etc/kubernetes/pki/sa.pub", "theirs");
    fs::write(root.join("/etc/kubernetes/pki/sa.key"), "key").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(root.join("/etc/kubernetes/pki/sa.key"), private).unwrap();
    let before = machine.tree();
    machine.run(&node(), None).unwrap();
    let key = crate::desired::ResourceId("file /etc/kubernetes/pki/sa.key".into());
    let ledger = Ledger::read(&root).unwrap();
    assert_eq!(ledger.entry(&key).unwrap().before, Before::Same);
    machine.write("/var/lib/kubelet/state", "a component's");
    reset_with(&machine, PURGE, None).unwrap();
    assert_eq!(machine.tree(), before);
}

#[test]
fn data_stay_until_they_are_purged() {
    let machine = FakeMachine::new();
    let before = machine.tree();
    machine.run(&node(), None).unwrap();
    machine.write("/var/lib/etcd/member", "objects");
    let keep = ResetOptions::default();
    for _ in 0..2 {
        let report = reset_with(&machine, keep, None).unwrap();
        assert_eq!(report.kept, ["/var/lib/etcd: data"]);
        assert_eq!(machine.read("/var/lib/etcd/member"), "objects");
    }
    machine.run(&node(), None).unwrap();
    assert_eq!(machine.read("/var/lib/etcd/member"), "objects");
    reset_with(&machine, keep, None).unwrap();
    reset_with(&machine, PURGE, None).unwrap();
    assert_eq!(machine.tree(), before);
}

#[test]
fn with_something_in_the_way_nothing_is_done() {
    let machine = FakeMachine::new();
    let root = machine.root();
    fs::create_dir(root.join("/elsewhere")).unwrap();
    make_symlink("../elsewhere", root.join("/etc/kubernetes")).unwrap();
    let before = machine.tree();
    let error = machine.run(&node(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is one thing in the way that kinstall did not make"
    );
    assert_eq!(machine.tree(), before);
    assert!(Ledger::read(&root).unwrap().is_empty());
}

#[test]
fn a_link_that_comes_between_is_not_followed() {
    let machine = FakeMachine::new();
    let wanted = [file("/etc/kubernetes/a", "secret", 0o600)];
    let plan = machine.plan(&wanted);
    let root = machine.root();
    fs::create_dir(root.join("/elsewhere")).unwrap();
    make_symlink("../elsewhere", root.join("/etc/kubernetes")).unwrap();
    let mut host = Host::open(root.clone()).unwrap();
    let effects = Effects {
        services: &machine.services,
        images: None,
    };
    let stage = Stage::Files;
    let done = host.apply_stage(&plan, stage, &wanted, effects, &mut |_| {});
    assert!(matches!(done.unwrap_err(), HostError::Io { .. }));
    assert_eq!(fs::read_dir(root.join("/elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_file_that_comes_between_is_not_written_over() {
    let machine = FakeMachine::new();
    let wanted = [file("/etc/a", "ours", 0o644)];
    let plan = machine.plan(&wanted);
    machine.write("/etc/a", "theirs");
    let mut host = Host::open(machine.root()).unwrap();
    let effects = Effects {
        services: &machine.services,
        images: None,
    };
    let done = host.apply_stage(&plan, Stage::Files, &wanted, effects, &mut |_| {});
    done.unwrap_err();
    assert_eq!(machine.read("/etc/a"), "theirs");
}

/// Some of a fixed set, so that two lists have things in common.
fn some_resources() -> impl Strategy<Value = Vec<Resource>> {
    let directories = [
        "/etc/kubernetes",
        "/etc/kubernetes/manifests",
        "/var/lib/kubelet",
        "/var/lib/kubelet/a",
    ];
    let files = [
        "/etc/kubernetes/manifests/a.yaml",
        "/etc/kubernetes/pki/a.key",
        "/etc/kubernetes/pki/b.key",
        "/etc/sysctl.d/90-kinstall.conf",
        "/opt/cni/bin/deep/x",
    ];
    let contents = prop_oneof![
        Just(DirectoryContents::Foreign),
        Just(DirectoryContents::Ours),
    ];
    let modes = prop_oneof![Just(0o700), Just(0o755)];
    let make_directory = (0..directories.len(), modes, contents)
        .prop_map(move |(index, mode, contents)| directory(directories[index], mode, contents));
    let modes = prop_oneof![Just(0o600), Just(0o644)];
    let make_file = (0..files.len(), "[ab]", modes)
        .prop_map(move |(index, text, mode)| file(files[index], &text, mode));
    let make_link =
        ("[ab]", "[cd]").prop_map(|(name, target)| symlink(&format!("/etc/l/{name}"), &target));
    let make_service = ("[ab]", "[12]", "[12]")
        .prop_map(|(name, argument, inputs)| service(&name, &argument, &inputs));
    let make_image = "[ab]".prop_map(|name| image(&name));
    let any = prop_oneof![
        3 => make_directory,
        5 => make_file,
        2 => make_link,
        1 => make_service,
        1 => make_image,
        1 => Just(()).prop_map(|()| forwarding()),
    ];
    prop::collection::vec(any, 0..8).prop_map(|mut resources| {
        let mut seen = std::collections::BTreeSet::new();
        resources.retain(|resource| seen.insert(resource.id()));
        resources
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interrupted_anywhere_it_finishes(first in some_resources(), second in some_resources()) {
        for fuse in 0.. {
            let machine = FakeMachine::new();
            let bare = machine.tree();
            machine.run(&first, None).unwrap();
            prop_assert!(machine.plan(&first).is_empty());
            let done = machine.run(&second, Some(fuse)).is_ok();
            // Back to the first: what the second had begun is known and goes.
            machine.run(&second, None).unwrap();
            let plan = machine.plan(&second);
            prop_assert!(plan.is_empty(), "{fuse}: {plan:?}");
            reset_with(&machine, PURGE, None).unwrap();
            prop_assert_eq!(machine.tree(), bare);
            if done {
                break;
            }
        }
    }

    #[test]
    fn interrupted_and_wanted_otherwise_nothing_is_left(first in some_resources(), second in some_resources()) {
        for fuse in 0.. {
            let machine = FakeMachine::new();
            let bare = machine.tree();
            let done = machine.run(&first, Some(fuse)).is_ok();
            machine.run(&second, None).unwrap();
            let plan = machine.plan(&second);
            prop_assert!(plan.is_empty(), "{fuse}: {plan:?}");
            let other = FakeMachine::new();
            other.run(&second, None).unwrap();
            let mut trees = [machine.tree(), other.tree()];
            for tree in &mut trees {
                tree.remove("var/lib/kinstall/ledger.json");
                tree.remove("var/lib/kinstall");
                // A directory that was wanted once and is only passed through now keeps its mode.
                for once in &first {
                    if second.iter().all(|now| now.id() != once.id())
                        && let Kind::Directory(directory) = &once.kind
                        && let Ok(path) = directory.path.strip_prefix("/")
                    {
                        tree.remove(path.to_str().unwrap());
                    }
                }
            }
            prop_assert_eq!(&trees[0], &trees[1], "{}", fuse);
            reset_with(&machine, PURGE, None).unwrap();
            prop_assert_eq!(machine.tree(), bare);
            if done {
                break;
            }
        }
    }

    #[test]
    fn a_reset_interrupted_anywhere_finishes(wanted in some_resources()) {
        for fuse in 0.. {
            let machine = FakeMachine::new();
            let bare = machine.tree();
            machine.run(&wanted, None).unwrap();
            let done = reset_with(&machine, PURGE, Some(fuse)).is_ok();
            reset_with(&machine, PURGE, None).unwrap();
            prop_assert_eq!(machine.tree(), bare);
            if done {
                break;
            }
        }
    }
}
