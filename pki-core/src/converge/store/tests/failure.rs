//! Refused anywhere by the system: no space, read-only, broken disk.

use rustix::io::Errno;

use super::super::{Faults, Store, StoreError};
use super::{Authorities, EVERYWHERE, FileMode, Scene, scratch, snapshot, tree};

#[test]
fn a_failure_before_the_commit_leaves_no_trace() {
    for place in EVERYWHERE {
        let scene = Scene::set(place);
        let old = scene.look();
        let faults = Faults::count();
        scene.change(faults.clone()).expect("nothing fails");
        let new = scene.look();
        let mut outcomes = [0; 3];
        for errno in [Errno::NOSPC, Errno::ROFS, Errno::IO] {
            for n in 1..=faults.taken() {
                let scene = Scene::set(place);
                let result = scene.change(Faults::fail_at(n, errno.raw_os_error()));
                let when = format!("{errno} at {n}, {place:?}: {result:?}");
                match result {
                    Ok(_) => {
                        outcomes[0] += 1;
                        drop(Store::open(&scene.dir(), &scene.authorities).expect("opens"));
                        assert_eq!(scene.look(), new, "{when}");
                    }
                    Err(StoreError::Unfinished { .. }) => {
                        outcomes[1] += 1;
                        scene.expect_no_mismatch(&when);
                        drop(Store::open(&scene.dir(), &scene.authorities).expect("opens"));
                        assert_eq!(scene.look(), new, "{when}");
                    }
                    Err(error) => {
                        outcomes[2] += 1;
                        assert_eq!(scene.look_past_the_lock(), old, "{when}");
                        assert!(is_of(&error, errno), "{when}");
                    }
                }
            }
        }
        assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
    }
}

fn is_of(error: &StoreError, errno: Errno) -> bool {
    match error {
        StoreError::NoSpace { .. } => errno == Errno::NOSPC,
        StoreError::ReadOnly { .. } => errno == Errno::ROFS,
        StoreError::Io { .. } => errno == Errno::IO,
        _ => false,
    }
}

#[test]
fn an_absent_directory_is_absent_again() {
    let counted = Faults::count();
    let fresh = |faults: Faults| {
        let scratch = scratch();
        let dir = scratch.path().join("a/b/kubernetes");
        let result =
            Store::open_with_faults(&dir, &dir.join("ca"), faults).and_then(|mut store| {
                let mut transaction = store.transaction();
                Scene::fill_fresh(&mut transaction);
                transaction.commit()
            });
        (scratch, result)
    };
    fresh(counted.clone()).1.expect("nothing fails");
    for n in 1..=counted.taken() {
        let (scratch, result) = fresh(Faults::fail_at(n, Errno::NOSPC.raw_os_error()));
        if !matches!(result, Ok(_) | Err(StoreError::Unfinished { .. })) {
            // A lock that could not be locked is left where it is: it may be somebody else's.
            let _ = std::fs::remove_file(scratch.path().join("a/b/kubernetes/.kpki/lock"));
            let left = snapshot(scratch.path());
            let directories = left.values().filter(|(_, what)| what == "directory");
            assert_eq!(directories.count(), left.len(), "{n}: {left:#?}");
            if n > 10 {
                assert_eq!(left.len(), 1, "{n}: {left:#?}");
            }
        }
    }
}

#[test]
fn the_same_store_finishes_what_it_began() {
    let counted = Faults::count();
    Scene::set(Authorities::Within)
        .change(counted.clone())
        .expect("nothing fails");
    let mut tried = 0;
    for n in 1..=counted.taken() {
        let scene = Scene::set(Authorities::Within);
        let faults = Faults::fail_at(n, Errno::IO.raw_os_error());
        let Ok(mut store) = Store::open_with_faults(&scene.dir(), &scene.authorities, faults)
        else {
            continue;
        };
        let mut transaction = store.transaction();
        Scene::fill(&mut transaction);
        let Err(StoreError::Unfinished { .. }) = transaction.commit() else {
            continue;
        };
        tried += 1;
        let mut transaction = store.transaction();
        transaction.write(tree("after"), b"after".to_vec(), FileMode::PUBLIC);
        assert_eq!(transaction.commit().expect("commits").changes.len(), 1);
        drop(store);
        assert!(!scene.dir().join("users/gone.conf").exists());
        assert!(scene.dir().join("after").exists());
        assert!(!scene.dir().join(".kpki").exists());
        scene.expect_no_mismatch("after it was finished");
    }
    assert!(tried > 15, "{tried}");
}
