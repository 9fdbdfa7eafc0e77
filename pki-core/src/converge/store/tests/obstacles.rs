//! Things in the way: each is one error that names it, and nothing is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::super::{Store, StoreError};
use super::{FileMode, open, scratch, snapshot, tree, write_file};

/// Writes `a/b/key` and another file where `prepare` put something in the way.
fn refused(prepare: impl FnOnce(&Path)) -> (tempfile::TempDir, StoreError) {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    fs::create_dir_all(dir.join("a/b")).expect("directories");
    write_file(&scratch.path().join("outside/key"), "not ours", 0o600);
    prepare(&dir);
    let before = snapshot(scratch.path());
    let mut store = open(&dir);
    let mut transaction = store.transaction();
    transaction.write(tree("first"), b"first".to_vec(), FileMode::PUBLIC);
    transaction.write(tree("a/b/key"), b"secret".to_vec(), FileMode::PRIVATE_KEY);
    let error = transaction.commit().expect_err("something is in the way");
    drop(store);
    assert_eq!(snapshot(scratch.path()), before);
    (scratch, error)
}

#[test]
fn a_link_instead_of_the_file() {
    let (_scratch, error) = refused(|dir| {
        symlink("../../../outside/key", dir.join("a/b/key")).expect("links");
    });
    let StoreError::Symlink { path, target } = &error else {
        panic!("{error}");
    };
    assert!(path.ends_with("a/b/key"));
    assert_eq!(target, Path::new("../../../outside/key"));
    assert!(error.hint().expect("a hint").contains("outside/key"));
}

#[test]
fn a_link_to_nowhere() {
    let (_scratch, error) = refused(|dir| {
        symlink("nowhere", dir.join("a/b/key")).expect("links");
    });
    assert!(matches!(error, StoreError::Symlink { .. }), "{error}");
}

#[test]
fn a_link_instead_of_a_directory() {
    let (_scratch, error) = refused(|dir| {
        fs::remove_dir_all(dir.join("a")).expect("removes");
        fs::create_dir(dir.join("../outside/b")).expect("a directory");
        symlink("../outside", dir.join("a")).expect("links");
    });
    assert!(
        matches!(&error, StoreError::Symlink { path, .. } if path.ends_with("a")),
        "{error}"
    );
}

#[test]
fn a_directory_instead_of_the_file() {
    let (_scratch, error) = refused(|dir| {
        fs::create_dir(dir.join("a/b/key")).expect("a directory");
    });
    assert!(
        matches!(
            error,
            StoreError::NotAFile {
                found: "a directory",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_named_pipe_instead_of_the_file() {
    let (_scratch, error) = refused(|dir| {
        let pipe = dir.join("a/b/key");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .expect("a pipe");
    });
    assert!(
        matches!(
            error,
            StoreError::NotAFile {
                found: "a named pipe",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_instead_of_a_directory() {
    let (_scratch, error) = refused(|dir| {
        fs::remove_dir_all(dir.join("a")).expect("removes");
        fs::write(dir.join("a"), "").expect("writes");
    });
    assert!(
        matches!(&error, StoreError::NotADirectory { path } if path.ends_with("a")),
        "{error}"
    );
}

#[test]
fn others_may_write_into_a_root() {
    for root in ["", "ca"] {
        let scratch = scratch();
        let dir = scratch.path().join("kubernetes");
        fs::create_dir_all(dir.join("ca")).expect("directories");
        fs::set_permissions(dir.join(root), fs::Permissions::from_mode(0o770)).expect("chmod");
        let error = Store::open(&dir, &dir.join("ca")).expect_err("others may write");
        let StoreError::DirectoryWritableByOthers { mode: 0o770, .. } = &error else {
            panic!("{error}");
        };
        assert!(error.hint().expect("a hint").starts_with("chmod go-w "));
        assert!(!dir.join(".kpki").exists());
    }
}

#[test]
fn a_root_that_is_a_file() {
    let scratch = scratch();
    let file = scratch.path().join("file");
    fs::write(&file, "").expect("writes");
    let error = Store::open(&file, &file.join("ca")).expect_err("a file");
    assert!(matches!(error, StoreError::NotADirectory { .. }), "{error}");
}

#[test]
fn the_way_to_a_root_may_be_a_link_but_not_the_one_below_it() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    fs::create_dir(&dir).expect("a directory");
    let link = scratch.path().join("link");
    symlink(&dir, &link).expect("links");
    drop(open(&link));
    symlink("/etc", dir.join("ca")).expect("links");
    let error = Store::open(&dir, &dir.join("ca")).expect_err("a link below the root");
    assert!(matches!(error, StoreError::Symlink { .. }), "{error}");
    assert!(!dir.join(".kpki").exists());
}

#[test]
fn a_link_in_place_of_the_control_directory_or_the_lock() {
    for name in [".kpki", ".kpki/lock"] {
        let scratch = scratch();
        let dir = scratch.path().join("kubernetes");
        let outside = scratch.path().join("outside");
        fs::create_dir(&outside).expect("a directory");
        fs::create_dir_all(dir.join(name).parent().expect("a parent")).expect("directories");
        symlink(&outside, dir.join(name)).expect("links");
        let error = Store::open(&dir, &dir.join("ca")).expect_err("a link");
        assert!(matches!(error, StoreError::Symlink { .. }), "{error}");
        assert_eq!(fs::read_dir(&outside).expect("lists").count(), 0);
    }
}

#[test]
fn the_same_file_twice() {
    let scratch = scratch();
    let mut store = open(scratch.path());
    for (one, other) in [("a", "a"), ("a", "a/b"), ("a/b/c", "a")] {
        let mut transaction = store.transaction();
        transaction.write(tree(one), b"1".to_vec(), FileMode::PUBLIC);
        transaction.write(tree(other), b"2".to_vec(), FileMode::PUBLIC);
        let error = transaction.commit().expect_err("a conflict");
        assert!(
            matches!(&error, StoreError::Conflict { path } if path.ends_with("a")),
            "{error}"
        );
    }
}

#[test]
fn modes_only_of_files_that_are_there_and_nowhere_else() {
    let scratch = scratch();
    write_file(&scratch.path().join("twin"), "", 0o644);
    fs::hard_link(scratch.path().join("twin"), scratch.path().join("brother")).expect("links");
    let mut store = open(scratch.path());
    let mut set = |path: &str| {
        let mut transaction = store.transaction();
        transaction.set_mode(tree(path), FileMode::PRIVATE_KEY);
        transaction.commit().expect_err(path)
    };
    assert!(matches!(set("absent"), StoreError::Missing { .. }));
    assert!(matches!(set("absent/too"), StoreError::Missing { .. }));
    assert!(matches!(
        set("twin"),
        StoreError::HardLinked { links: 2, .. }
    ));
}

/// rename(2) would refuse it, but only after the commit: it is seen before.
#[test]
fn a_file_that_may_not_be_replaced() {
    let scratch = tempfile::tempdir().expect("a directory on a disk");
    write_file(&scratch.path().join("key"), "old", 0o600);
    let chattr = |change: &str| {
        let command = std::process::Command::new("chattr")
            .arg(change)
            .arg(scratch.path().join("key"))
            .output();
        command.is_ok_and(|output| output.status.success())
    };
    if !chattr("+i") {
        return;
    }
    let before = snapshot(scratch.path());
    let mut store = open(scratch.path());
    let mut transaction = store.transaction();
    transaction.write(tree("first"), b"first".to_vec(), FileMode::PUBLIC);
    transaction.write(tree("key"), b"new".to_vec(), FileMode::PRIVATE_KEY);
    let result = transaction.commit();
    drop(store);
    let after = snapshot(scratch.path());
    assert!(chattr("-i"));
    assert!(
        matches!(result, Err(StoreError::NotPermitted { .. })),
        "{result:?}"
    );
    assert_eq!(after, before);
}
