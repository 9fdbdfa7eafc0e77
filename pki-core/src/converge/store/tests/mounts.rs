//! Real file systems that are full, read-only or in the way, in a mount namespace of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::super::{Store, StoreError, Transaction};
use super::{FileMode, Scene, again, authorities, open, run_again, snapshot, tree};

/// How to get a mount namespace: as root, or as anybody where user namespaces are allowed.
const NAMESPACES: [&[&str]; 2] = [
    &["unshare", "--mount"],
    &["unshare", "--mount", "--map-root-user"],
];

#[test]
fn full_and_read_only_file_systems() {
    if let Some(top) = again() {
        no_space(&top.join("space"), "size=64k");
        no_space(&top.join("inodes"), "nr_inodes=12");
        read_only_tree(&top.join("read-only"));
        read_only_authorities(&top.join("safe"));
        return a_mount_below_the_root(&top.join("below"));
    }
    let allowed = |wrapper: &&&[&str]| {
        let output = Command::new(wrapper[0])
            .args(&wrapper[1..])
            .arg("true")
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    let wrapper = NAMESPACES.iter().find(allowed).expect(
        "this test needs a mount namespace: run it as root, or allow user namespaces (sysctl user.max_user_namespaces)",
    );
    let scratch = tempfile::tempdir().expect("a scratch directory");
    run_again(
        wrapper,
        "mounts::full_and_read_only_file_systems",
        scratch.path(),
    );
}

fn mount(arguments: &[&str], at: &Path) {
    fs::create_dir_all(at).expect("a mount point");
    let status = Command::new("mount").args(arguments).arg(at).status();
    assert!(status.expect("runs").success(), "{arguments:?}");
}

fn memory(options: &str, at: &Path) {
    let options = format!("mode=700,{options}");
    mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], at);
}

fn attempt(dir: &Path, fill: impl FnOnce(&mut Transaction<'_>)) -> Result<(), StoreError> {
    let mut store = Store::open(dir, &dir.join("ca"))?;
    let mut transaction = store.transaction();
    fill(&mut transaction);
    transaction.commit().map(drop)
}

fn no_space(dir: &Path, options: &str) {
    memory(options, dir);
    attempt(dir, |transaction| {
        transaction.write(tree("cluster.toml"), b"small".to_vec(), FileMode::PUBLIC);
    })
    .expect("one small file fits");
    let before = snapshot(dir);
    let error = attempt(dir, |transaction| {
        for number in 0..40 {
            let path = format!("nodes/{number}/key");
            transaction.write(tree(&path), vec![b'x'; 4000], FileMode::PRIVATE_KEY);
        }
    })
    .expect_err("no space");
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
    assert_eq!(snapshot(dir), before);
}

fn read_only_tree(dir: &Path) {
    memory("size=1m", dir);
    fs::write(dir.join("cluster.toml"), "").expect("writes");
    mount(&["-o", "remount,bind,ro"], dir);
    let before = snapshot(dir);
    let error = attempt(dir, Scene::fill_fresh).expect_err("read-only");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    assert_eq!(snapshot(dir), before);
}

/// CA certificates on a read-only medium do not keep anybody from issuing to the tree.
fn read_only_authorities(dir: &Path) {
    fs::create_dir(dir).expect("a directory");
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).expect("chmod");
    memory("size=1m", &dir.join("ca"));
    fs::write(dir.join("ca/ca.crt"), "").expect("writes");
    mount(&["-o", "remount,bind,ro"], &dir.join("ca"));
    attempt(dir, |transaction| {
        transaction.write(tree("nodes/a/key"), b"key".to_vec(), FileMode::PRIVATE_KEY);
    })
    .expect("the tree is not read-only");
    let before = snapshot(dir);
    let error = attempt(dir, |transaction| {
        transaction.write(tree("nodes/b/key"), b"key".to_vec(), FileMode::PRIVATE_KEY);
        transaction.write(authorities("new"), b"key".to_vec(), FileMode::PRIVATE_KEY);
    })
    .expect_err("the authorities are");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    assert_eq!(snapshot(dir), before);
}

/// Neither another file system nor the same one mounted again can be renamed into.
fn a_mount_below_the_root(dir: &Path) {
    fs::create_dir_all(dir.join("other")).expect("directories");
    fs::write(dir.join("file"), "").expect("writes");
    memory("size=1m", &dir.join("nodes/a"));
    let bound = dir.join("other").to_string_lossy().into_owned();
    mount(&["--bind", &bound], &dir.join("nodes/b"));
    let file = dir.join("nodes/c");
    fs::write(&file, "").expect("writes");
    let own = dir.join("file").to_string_lossy().into_owned();
    let status = Command::new("mount")
        .args(["--bind", &own])
        .arg(&file)
        .status();
    assert!(status.expect("runs").success());
    let before = snapshot(dir);
    for path in ["nodes/a/key", "nodes/b/key", "nodes/a/pki/key", "nodes/c"] {
        let mut store = open(dir);
        let mut transaction = store.transaction();
        transaction.write(tree("first"), b"first".to_vec(), FileMode::PUBLIC);
        transaction.write(tree(path), b"key".to_vec(), FileMode::PRIVATE_KEY);
        let error = transaction.commit().expect_err(path);
        assert!(
            matches!(error, StoreError::MountPoint { .. }),
            "{path}: {error}"
        );
        drop(store);
        assert_eq!(snapshot(dir), before, "{path}");
    }
}
