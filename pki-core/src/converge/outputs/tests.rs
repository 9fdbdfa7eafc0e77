use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::io::Errno;

use super::*;

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Contents and modes of all that is in a directory.
fn listing(directory: &Path) -> BTreeMap<String, (String, u32)> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            (
                entry.file_name().to_string_lossy().into_owned(),
                (text, mode),
            )
        })
        .collect()
}

#[test]
fn all_are_written_with_their_modes() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::write(at("b.crt"), "old").unwrap();
    let mut outputs = Outputs::default();
    outputs.create(at("a.key"), bytes("1"), FileMode::PRIVATE_KEY);
    outputs.replace(at("b.crt"), bytes("2"), FileMode::PUBLIC);
    outputs.commit().unwrap();
    let found = listing(scratch.path());
    assert_eq!(found.len(), 2);
    assert_eq!(found["a.key"], ("1".into(), 0o600));
    assert_eq!(found["b.crt"], ("2".into(), 0o644));
}

#[test]
fn nothing_is_written_where_one_cannot_be() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::write(at("there"), "old").unwrap();
    fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
    let before = listing(scratch.path());
    type Case = (&'static str, bool, fn(&OutputsError) -> bool);
    let cases: [Case; 7] = [
        ("there", false, |e| matches!(e, OutputsError::Exists(_))),
        ("link", false, |e| matches!(e, OutputsError::Exists(_))),
        ("./new", true, |e| matches!(e, OutputsError::Twice(_))),
        ("folder", true, |e| matches!(e, OutputsError::NotAFile(_))),
        ("link", true, |e| matches!(e, OutputsError::NotAFile(_))),
        ("no/x", false, |e| matches!(e, OutputsError::Io { .. })),
        ("there/x", false, |e| matches!(e, OutputsError::Io { .. })),
    ];
    for (name, replace, expected) in cases {
        let mut outputs = Outputs::default();
        outputs.create(at("new"), bytes("1"), FileMode::PUBLIC);
        outputs.push(
            at(name),
            Zeroizing::new(bytes("2")),
            FileMode::PUBLIC,
            replace,
        );
        let error = outputs.prove_writable().unwrap_err();
        assert!(expected(&error), "{name}: {error}");
        let error = outputs.commit().unwrap_err();
        assert!(expected(&error), "{name}: {error}");
        assert_eq!(listing(scratch.path()), before, "{name}");
        if !replace {
            let error = prove_free(&[at("new"), at(name)]).unwrap_err();
            assert!(expected(&error), "{name}: {error}");
        }
    }
    prove_free(&[at("new"), at("other")]).unwrap();
}

/// A pair and a request that are there, a pair that is not.
struct Scene(tempfile::TempDir);

impl Scene {
    fn set() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        for (name, mode) in [("a.key", 0o600), ("a.crt", 0o644), ("c.csr", 0o644)] {
            fs::write(scene.at(name), "old").unwrap();
            fs::set_permissions(scene.at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, faults: Faults) -> Result<(), OutputsError> {
        let mut outputs = Outputs::default();
        outputs.replace(self.at("a.key"), bytes("new"), FileMode::PRIVATE_KEY);
        outputs.replace(self.at("a.crt"), bytes("new"), FileMode::PUBLIC);
        outputs.create(self.at("b.key"), bytes("new"), FileMode::PRIVATE_KEY);
        outputs.create(self.at("b.crt"), bytes("new"), FileMode::PUBLIC);
        outputs.replace(self.at("c.csr"), bytes("new"), FileMode::PUBLIC);
        outputs.commit_with_faults(faults)
    }

    fn listing(&self) -> BTreeMap<String, (String, u32)> {
        listing(self.0.path())
    }

    /// Whole files under their names, no certificate beside the key of another, and a key is nobody else's.
    fn expect_no_mismatch(&self, when: &str) {
        let found = self.listing();
        let is_leftover =
            |name: &str| name.starts_with(".kpki-new-") || name.starts_with(".kpki-old-");
        for (name, (text, mode)) in &found {
            assert!(
                is_leftover(name) || text == "old" || text == "new",
                "{when}: {name} has {text:?}"
            );
            assert!(
                !name.ends_with(".key") || *mode == 0o600,
                "{when}: {name} {mode:o}"
            );
        }
        for pair in ["a", "b"] {
            let of = |ending: &str| found.get(&format!("{pair}.{ending}"));
            if let (Some((key, _)), Some((certificate, _))) = (of("key"), of("crt")) {
                assert_eq!(key, certificate, "{when}: {pair}");
            }
        }
        assert!(
            found.contains_key("a.key"),
            "{when}: the first is replaced in one step"
        );
    }
}

#[test]
fn killed_anywhere_no_pair_is_mismatched_and_nothing_blocks_the_next_run() {
    let faults = Faults::count();
    let scene = Scene::set();
    scene.write(faults.clone()).unwrap();
    let new = scene.listing();
    assert_eq!(new.len(), 5);
    assert!(new.values().all(|(text, _)| text == "new"));
    for n in 1..=faults.taken() {
        let scene = Scene::set();
        let killed = Faults::die_at(n);
        let _ = scene.write(killed.clone());
        assert_eq!(killed.taken(), n);
        let when = format!("killed at {n} of {}", faults.taken());
        scene.expect_no_mismatch(&when);
        // The same process again, as in a container, where every process is the first one.
        for name in ["b.key", "b.crt"] {
            let _ = fs::remove_file(scene.at(name));
        }
        scene.write(Faults::none()).unwrap();
        let mut found = scene.listing();
        found.retain(|name, _| !name.starts_with(".kpki-"));
        assert_eq!(found, new, "{when}");
    }
}

#[test]
fn what_fails_is_taken_back() {
    let faults = Faults::count();
    Scene::set().write(faults.clone()).unwrap();
    let mut taken_back = 0;
    for n in 1..=faults.taken() {
        let scene = Scene::set();
        let before = scene.listing();
        let result = scene.write(Faults::fail_at(n, Errno::NOSPC.raw_os_error()));
        let found = scene.listing();
        match result {
            Err(error) => {
                assert!(matches!(error, OutputsError::Io { .. }), "{error}");
                assert_eq!(found, before, "failed at {n}: {error}");
                taken_back += 1;
            }
            Ok(()) => assert_eq!(found["a.crt"].0, "new", "{n}"),
        }
    }
    assert!(taken_back > 20, "{taken_back}");
}

#[test]
fn one_file_alone_is_never_absent() {
    let faults = Faults::count();
    for n in 0.. {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.p12");
        fs::write(&path, "old").unwrap();
        let mut outputs = Outputs::default();
        outputs.replace(&path, bytes("new"), FileMode::SECRET);
        let killed = if n == 0 {
            faults.clone()
        } else {
            Faults::die_at(n)
        };
        let _ = outputs.commit_with_faults(killed);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text == "old" || text == "new", "killed at {n}: {text:?}");
        if n == faults.taken() {
            return;
        }
    }
}
