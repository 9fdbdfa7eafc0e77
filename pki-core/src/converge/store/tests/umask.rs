//! Modes do not depend on the umask. It belongs to the whole process, so the test runs itself again in
//! a process of its own under each.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::{Faults, Store};
use super::{Scene, again, open, run_again, scratch};

#[test]
fn modes_are_final_under_any_umask() {
    if let Some(dir) = again() {
        return under_this_umask(&dir);
    }
    for umask in ["0000", "0022", "0077", "0477", "0777"] {
        let scratch = scratch();
        let dir = scratch.path().join("kubernetes");
        let wrapper = [
            "sh",
            "-c",
            "umask \"$1\" && shift && exec \"$@\"",
            "sh",
            umask,
        ];
        run_again(&wrapper, "umask::modes_are_final_under_any_umask", &dir);
        let mode = |path: &str| {
            let metadata = fs::metadata(dir.join(path)).expect(path);
            metadata.permissions().mode() & 0o7777
        };
        for (path, expected) in [
            ("", 0o700),
            ("ca", 0o700),
            ("ca/ca.crt", 0o644),
            ("ca/ca.key", 0o600),
            ("nodes/a/pki", 0o700),
            ("nodes/a/pki/apiserver.crt", 0o644),
            ("nodes/a/pki/apiserver.key", 0o600),
        ] {
            assert_eq!(mode(path), expected, "{path} under umask {umask}");
        }
    }
}

/// Leaves a tree for the process that began this one, after proving that no step of making it shows
/// anything wider.
fn under_this_umask(dir: &Path) {
    let counted = Faults::count();
    {
        let mut store =
            Store::open_with_faults(dir, &dir.join("ca"), counted.clone()).expect("opens");
        let mut transaction = store.transaction();
        Scene::fill_fresh(&mut transaction);
        transaction.commit().expect("commits");
    }
    fs::remove_dir_all(dir).expect("removes");
    for n in 1..=counted.taken() {
        let result = Store::open_with_faults(dir, &dir.join("ca"), Faults::die_at(n));
        if let Ok(mut store) = result {
            let mut transaction = store.transaction();
            Scene::fill_fresh(&mut transaction);
            let _ = transaction.commit();
        }
        for (path, (mode, contents)) in super::snapshot(dir) {
            let widest = match contents.as_str() {
                "directory" => 0o700,
                _ if path.extension().is_some_and(|name| name == "crt") => 0o644,
                // A staged certificate is "new" as well, and may be 0644; its key is never.
                "new" | "" if mode & 0o777 == 0o644 => 0o644,
                _ => 0o600,
            };
            assert_eq!(mode & 0o777 & !widest, 0, "{n}: {path:?} has {mode:o}");
        }
        for (path, (_, contents)) in super::snapshot(dir) {
            if contents == "directory" {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("chmod");
            }
        }
        if dir.exists() {
            fs::remove_dir_all(dir).expect("removes");
        }
    }
    let mut store = open(dir);
    let mut transaction = store.transaction();
    Scene::fill_fresh(&mut transaction);
    transaction.commit().expect("commits");
}
