//! What happens when nothing goes wrong.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::super::{Effect, Store};
use super::{Authorities, FileMode, Scene, open, scratch, snapshot, tree};

#[test]
fn writes_files_with_their_modes_and_directories_for_the_owner() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    let mut store = open(&dir);
    let mut transaction = store.transaction();
    Scene::fill_fresh(&mut transaction);
    let committed = transaction.commit().expect("commits");
    assert_eq!(committed.written().count(), 4);
    assert_eq!(committed.changes[0].location, super::authorities("ca.key"));
    let wanted = Effect::Written(FileMode::PRIVATE_KEY);
    assert_eq!(committed.changes[0].effect, wanted);
    drop(store);
    let mode = |path: &str| {
        let metadata = fs::metadata(dir.join(path)).expect(path);
        metadata.permissions().mode() & 0o7777
    };
    for (path, expected) in [
        ("", 0o700),
        ("ca", 0o700),
        ("ca/ca.crt", 0o644),
        ("ca/ca.key", 0o600),
        ("nodes", 0o700),
        ("nodes/a/pki", 0o700),
        ("nodes/a/pki/apiserver.crt", 0o644),
        ("nodes/a/pki/apiserver.key", 0o600),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
    assert_eq!(snapshot(&dir).len(), 9, "{:#?}", snapshot(&dir));
}

#[test]
fn opening_alone_leaves_no_trace() {
    let scratch = scratch();
    let dir = scratch.path().join("not/there");
    let store = open(&dir);
    assert!(dir.join(".kpki/lock").exists());
    assert_eq!(store.recovered(), None);
    drop(store);
    assert_eq!(snapshot(scratch.path()).len(), 1);
}

#[test]
fn a_transaction_without_commit_or_changes_does_nothing() {
    let scene = Scene::set(Authorities::Within);
    let before = scene.look();
    let mut store = Store::open(&scene.dir(), &scene.authorities).expect("opens");
    let mut transaction = store.transaction();
    Scene::fill(&mut transaction);
    assert!(!transaction.is_empty());
    drop(transaction);
    assert!(store.transaction().commit().expect("commits").is_empty());
    let mut transaction = store.transaction();
    transaction.remove(tree("never/there"));
    assert!(transaction.commit().expect("commits").is_empty());
    drop(store);
    assert_eq!(scene.look(), before);
}

#[test]
fn replaces_a_file_rather_than_writing_into_it() {
    let scratch = scratch();
    let path = scratch.path().join("admin.conf");
    super::write_file(&path, "old", 0o666);
    let old = fs::File::open(&path).expect("opens");
    let backup = scratch.path().join("backup");
    fs::hard_link(&path, &backup).expect("links");
    let mut store = open(scratch.path());
    let mut transaction = store.transaction();
    transaction.write(tree("admin.conf"), b"new".to_vec(), FileMode::SECRET);
    transaction.commit().expect("commits");
    assert_eq!(fs::read_to_string(&backup).expect("reads"), "old");
    let new = fs::metadata(&path).expect("exists");
    assert_ne!(new.ino(), old.metadata().expect("open").ino());
    assert_eq!(new.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn debug_output_has_no_contents() {
    let scratch = scratch();
    let mut store = open(scratch.path());
    let mut transaction = store.transaction();
    transaction.write(tree("key"), b"SECRET".to_vec(), FileMode::PRIVATE_KEY);
    let shown = format!("{transaction:?}");
    assert!(shown.contains("6 bytes, 0600"), "{shown}");
    // "83, 69" is how `{:?}` of bytes begins to spell SECRET. A lone "83" may stand in the scratch directory's random name.
    assert!(
        !shown.contains("SECRET") && !shown.contains("83, 69"),
        "{shown}"
    );
}

impl Scene {
    /// Two pairs, one below each root.
    pub(super) fn fill_fresh(transaction: &mut super::Transaction<'_>) {
        transaction
            .group()
            .write(
                super::authorities("ca.crt"),
                b"new".to_vec(),
                FileMode::PUBLIC,
            )
            .write(
                super::authorities("ca.key"),
                b"new".to_vec(),
                FileMode::PRIVATE_KEY,
            );
        transaction
            .group()
            .write(
                tree("nodes/a/pki/apiserver.crt"),
                b"new".to_vec(),
                FileMode::PUBLIC,
            )
            .write(
                tree("nodes/a/pki/apiserver.key"),
                b"new".to_vec(),
                FileMode::PRIVATE_KEY,
            );
    }
}
