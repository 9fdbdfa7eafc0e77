//! CA certificates and keys that live somewhere else.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::super::{Faults, Recovery, Store, StoreError};
use super::{Authorities, FileMode, Scene, scratch, tree};

/// Else the scenarios on two file systems would be on one.
#[test]
fn the_other_file_system_is_another() {
    let scene = Scene::set(Authorities::OtherFileSystem);
    let device = |path: &std::path::Path| fs::metadata(path).expect("exists").dev();
    if super::in_memory() {
        assert_ne!(device(&scene.dir()), device(&scene.authorities));
    }
}

#[test]
fn an_interrupted_transaction_waits_for_the_right_authorities() {
    let counted = Faults::count();
    let scene = Scene::set(Authorities::Elsewhere);
    scene.change(counted.clone()).expect("nothing fails");
    let new = scene.look();
    let mut refused = 0;
    for n in 1..=counted.taken() {
        let scene = Scene::set(Authorities::Elsewhere);
        let _ = scene.change(Faults::die_at(n));
        if !scene.dir().join(".kpki/journal").exists() {
            continue;
        }
        for wrong in ["absent", "nodes"] {
            let wrong = scene.dir().join(wrong);
            let error = Store::open(&scene.dir(), &wrong).expect_err("the wrong authorities");
            let StoreError::AuthoritiesElsewhere { recorded, given } = &error else {
                panic!("{error}");
            };
            assert_eq!(*recorded, scene.authorities.to_string_lossy());
            assert_eq!(*given, wrong);
            assert!(error.hint().expect("a hint").contains("--ca-dir"));
        }
        refused += 1;
        let store = Store::open(&scene.dir(), &scene.authorities).expect("recovers");
        assert!(matches!(store.recovered(), Some(Recovery::Finished { .. })));
        drop(store);
        assert_eq!(scene.look(), new);
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_transaction_that_needs_no_authorities_does_not_create_them() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    let authorities = scratch.path().join("authorities");
    let mut store = Store::open(&dir, &authorities).expect("opens");
    let mut transaction = store.transaction();
    transaction.write(tree("cluster.toml"), b"".to_vec(), FileMode::PUBLIC);
    transaction.commit().expect("commits");
    drop(store);
    assert!(dir.join("cluster.toml").exists());
    assert!(!authorities.exists());
}

#[test]
fn both_roots_may_be_one_directory() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    let mut store = Store::open(&dir, &dir).expect("opens");
    let mut transaction = store.transaction();
    Scene::fill_fresh(&mut transaction);
    transaction.commit().expect("commits");
    drop(store);
    assert!(dir.join("ca.crt").exists());
    assert!(!dir.join(".kpki").exists());
}
