//! Killed anywhere: in a transaction, and again in its recovery.

use super::super::{Faults, Recovery, Store};
use super::{EVERYWHERE, Scene};

#[test]
fn killed_at_any_point_it_is_all_old_or_all_new() {
    for place in EVERYWHERE {
        let scene = Scene::set(place);
        let old = scene.look();
        let faults = Faults::count();
        let committed = scene.change(faults.clone()).expect("nothing fails");
        assert_eq!(committed.changes.len(), 17);
        let new = scene.look();
        assert_ne!(old, new);

        let mut discarded = 0;
        let mut finished = 0;
        for n in 1..=faults.taken() {
            let scene = Scene::set(place);
            let died = scene.change(Faults::die_at(n));
            let when = format!("killed at {n} of {}, {place:?}", faults.taken());
            scene.expect_no_mismatch(&when);
            // Recovery is killed at its first step, then at its second, ... until it gets through.
            let mut recovery = None;
            for m in 1.. {
                let again = Faults::die_at(m);
                let opened =
                    Store::open_with_faults(&scene.dir(), &scene.authorities, again.clone());
                if let Ok(store) = &opened {
                    recovery = recovery.or_else(|| store.recovered().cloned());
                }
                assert!(opened.is_ok() || again.taken() == m, "{when}: {opened:?}");
                drop(opened);
                scene.expect_no_mismatch(&when);
                if again.taken() < m {
                    break;
                }
            }
            let found = scene.look();
            assert!(found == old || found == new, "{when}: {found:#?}");
            if found == old {
                assert!(died.is_err(), "{when}");
                assert_eq!(finished, 0, "{when}: old after it was new");
                discarded += 1;
            } else {
                finished += 1;
            }
            if let Some(recovery) = recovery {
                let whole = matches!(recovery, Recovery::Finished { .. });
                assert_eq!(whole, found == new, "{when}: {recovery}");
            }
        }
        assert!(discarded > 40 && finished > 20, "{discarded} {finished}");
    }
}

#[test]
fn says_what_it_finished() {
    let scene = Scene::set(super::Authorities::Within);
    let faults = Faults::count();
    let committed = scene.change(faults.clone()).expect("nothing fails");
    let mut seen = (false, false);
    for n in 1..=faults.taken() {
        let scene = Scene::set(super::Authorities::Within);
        let _ = scene.change(Faults::die_at(n));
        let waiting = Store::peek(&scene.dir());
        let store = Store::open(&scene.dir(), &scene.authorities).expect("recovers");
        assert_eq!(waiting, store.recovered().is_some(), "{n}");
        assert!(!Store::peek(&scene.dir()), "{n}");
        match store.recovered() {
            None => {}
            Some(Recovery::Discarded) => seen.0 = true,
            Some(Recovery::Finished { changes, missing }) => {
                seen.1 = true;
                assert_eq!(changes, &committed);
                assert!(missing.is_empty());
            }
        }
    }
    assert_eq!(seen, (true, true));
}

#[test]
fn a_torn_journal_of_staging_is_discarded() {
    for kept in [0, 1, 40, 400] {
        let scene = Scene::set(super::Authorities::Within);
        let old = scene.look();
        let journal = scene.dir().join(".kpki/journal.staging");
        // Somewhere after the journal and some staged files.
        let _ = scene.change(Faults::die_at(24));
        let text = std::fs::read(&journal).expect("a journal");
        std::fs::write(&journal, &text[..kept]).expect("tears it");
        let store = Store::open(&scene.dir(), &scene.authorities).expect("recovers");
        assert_eq!(store.recovered(), Some(&Recovery::Discarded));
        drop(store);
        assert_eq!(scene.look(), old);
    }
}

#[test]
fn a_file_removed_since_is_told_not_fatal() {
    let faults = Faults::count();
    let scene = Scene::set(super::Authorities::Within);
    scene.change(faults.clone()).expect("nothing fails");
    for n in (1..=faults.taken()).rev() {
        let scene = Scene::set(super::Authorities::Within);
        let _ = scene.change(Faults::die_at(n));
        if !Store::peek(&scene.dir()) {
            continue;
        }
        std::fs::remove_dir_all(scene.dir().join("nodes")).expect("removes");
        let store = Store::open(&scene.dir(), &scene.authorities).expect("recovers");
        let Some(Recovery::Finished { missing, .. }) = store.recovered() else {
            panic!("{:?}", store.recovered());
        };
        assert_eq!(missing.len(), 10);
        return;
    }
    panic!("nothing was left to finish");
}
