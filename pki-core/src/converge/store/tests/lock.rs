//! One at a time.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::{Store, StoreError};
use super::{FileMode, open, scratch, snapshot, tree, write_file};

#[test]
fn the_second_is_told_who_is_first() {
    let scratch = scratch();
    let first = open(scratch.path());
    let error = Store::open(scratch.path(), &scratch.path().join("ca")).expect_err("busy");
    let StoreError::Busy { path, holder } = &error else {
        panic!("{error}");
    };
    assert_eq!(*path, scratch.path().join(".kpki/lock"));
    assert_eq!(*holder, Some(std::process::id()));
    assert!(error.hint().is_some());
    drop(first);
    drop(open(scratch.path()));
}

#[test]
fn two_trees_share_authorities_one_at_a_time() {
    let scratch = scratch();
    let shared = scratch.path().join("ca");
    fs::create_dir(&shared).expect("a directory");
    let first = Store::open(&scratch.path().join("one"), &shared).expect("opens");
    let two = scratch.path().join("two");
    let error = Store::open(&two, &shared).expect_err("busy");
    assert!(matches!(error, StoreError::Busy { path, .. } if path == shared));
    assert!(!two.exists());
    drop(first);
    drop(Store::open(&two, &shared).expect("opens"));
}

#[test]
fn a_stale_lock_file_hinders_nobody() {
    let scratch = scratch();
    write_file(&scratch.path().join(".kpki/lock"), "4194304", 0o666);
    drop(open(scratch.path()));
    assert!(!scratch.path().join(".kpki").exists());
}

/// A child has our descriptors from its birth until it executes its program, and with them a lock
/// that is let go of by closing alone.
#[test]
fn a_program_that_another_thread_starts_keeps_no_lock() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    fs::create_dir_all(dir.join("ca")).expect("directories");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::process::Command::new("true").status().expect("runs");
            }
        });
        let turns: Vec<_> = (0..3000)
            .map(|_| Store::open(&dir, &dir.join("ca")).map(drop))
            .collect();
        done.store(true, Ordering::Relaxed);
        assert!(turns.iter().all(Result::is_ok), "{turns:?}");
    });
}

/// Lock files come and go; still no two hold it at once.
#[test]
fn many_at_once_take_turns() {
    const THREADS: usize = 8;
    const TURNS: usize = 40;
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    let inside = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut turns = 0;
                while turns < TURNS {
                    let mut store = match Store::open(&dir, &dir.join("ca")) {
                        Ok(store) => store,
                        Err(StoreError::Busy { .. }) => {
                            std::thread::yield_now();
                            continue;
                        }
                        Err(error) => panic!("{error}"),
                    };
                    assert_eq!(
                        inside.fetch_add(1, Ordering::SeqCst),
                        0,
                        "two hold the lock"
                    );
                    let count = fs::read_to_string(dir.join("count")).unwrap_or_default();
                    let count = count.parse().unwrap_or(0) + 1;
                    let mut transaction = store.transaction();
                    let text = format!("{count}").into_bytes();
                    transaction.write(tree("count"), text, FileMode::PUBLIC);
                    transaction.commit().expect("commits");
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(store);
                    turns += 1;
                }
            });
        }
    });
    let count = fs::read_to_string(dir.join("count")).expect("reads");
    assert_eq!(count, (THREADS * TURNS).to_string());
}

/// As above, with nothing written, so that the directory vanishes after every turn.
#[test]
fn a_directory_that_comes_and_goes_is_never_an_error() {
    let scratch = scratch();
    let dir = scratch.path().join("kubernetes");
    let inside = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    match Store::open(&dir, &dir.join("ca")) {
                        Ok(store) => {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(store);
                        }
                        Err(StoreError::Busy { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    // Who made the directory may find another at work in it and leave it, but nothing else stays.
    assert!(snapshot(&dir).len() <= 1, "{:#?}", snapshot(&dir));
}
