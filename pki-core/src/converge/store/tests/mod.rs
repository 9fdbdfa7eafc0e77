//! Scenarios that need a disk: what is common to them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Committed, FileMode, Location, Store, StoreError, Transaction};

mod authorities;
mod everyday;
mod failure;
mod interruption;
mod lock;
mod mounts;
mod obstacles;
mod umask;

const MEMORY: &str = "/dev/shm";

fn in_memory() -> bool {
    Path::new(MEMORY).is_dir()
}

/// A directory that vanishes after the test; in memory where there is such a file system, for the
/// thousands of syncs.
fn scratch() -> tempfile::TempDir {
    let made = if in_memory() {
        tempfile::tempdir_in(MEMORY)
    } else {
        tempfile::tempdir()
    };
    made.expect("a scratch directory")
}

fn tree(path: &str) -> Location {
    Location::tree(path).expect("a good path")
}

fn authorities(path: &str) -> Location {
    Location::authorities(path).expect("a good path")
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &dir.join("ca")).expect("opens")
}

/// Names the directory for a test that runs itself again, see [`run_again`].
const AGAIN: &str = "PKI_CORE_TEST_DIRECTORY";

/// The directory to work in, in a test that runs because of [`run_again`].
fn again() -> Option<PathBuf> {
    std::env::var_os(AGAIN).map(PathBuf::from)
}

/// Runs a test of this module in a process of its own, started through `wrapper`.
fn run_again(wrapper: &[&str], test: &str, dir: &Path) {
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("converge::store::tests::{test}")])
        .env(AGAIN, dir)
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{wrapper:?}: {output:?}");
    // A name that no test has would succeed as well.
    assert!(said.contains(" 1 passed"), "{wrapper:?}: {said}");
}

/// Everything about a tree that a user could notice: names, kinds, modes, contents, targets.
fn snapshot(top: &Path) -> BTreeMap<PathBuf, (u32, String)> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        let contents = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&path).expect("a link").display())
        } else if metadata.is_dir() {
            // Under a bad umask these may be unreadable for a moment.
            for entry in fs::read_dir(&path).into_iter().flatten() {
                waiting.push(entry.expect("an entry").path());
            }
            "directory".into()
        } else if metadata.is_file() {
            let contents = fs::read(&path).unwrap_or_else(|_| b"unreadable".to_vec());
            String::from_utf8_lossy(&contents).into_owned()
        } else {
            "special".into()
        };
        found.insert(path, (metadata.permissions().mode(), contents));
    }
    found
}

fn write_file(path: &Path, contents: &str, mode: u32) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, contents).expect("writes");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// A tree and its authorities, before a transaction that does everything a transaction can.
struct Scene {
    scratch: tempfile::TempDir,
    authorities: PathBuf,
    _elsewhere: Option<tempfile::TempDir>,
}

/// Where the authorities of a [`Scene`] are.
#[derive(Clone, Copy, Debug)]
enum Authorities {
    Within,
    Elsewhere,
    OtherFileSystem,
    Absent,
}

const EVERYWHERE: [Authorities; 4] = [
    Authorities::Within,
    Authorities::Elsewhere,
    Authorities::OtherFileSystem,
    Authorities::Absent,
];

/// Pairs of the scene that must never be mismatched: root-relative names without extension.
const TREE_PAIRS: [&str; 4] = [
    "nodes/a/pki/apiserver",
    "nodes/a/pki/kubelet",
    "nodes/b/pki/apiserver",
    "nodes/b/pki/etcd/server",
];
const AUTHORITY_PAIRS: [&str; 3] = ["ca", "etcd/ca", "front/proxy/ca"];

impl Scene {
    fn set(place: Authorities) -> Self {
        let scratch = scratch();
        let dir = scratch.path().join("kubernetes");
        let (authorities, elsewhere) = match place {
            Authorities::Within => (dir.join("ca"), None),
            Authorities::Elsewhere => (scratch.path().join("elsewhere"), None),
            Authorities::Absent => (scratch.path().join("some/where/else"), None),
            Authorities::OtherFileSystem => {
                let other = tempfile::tempdir().expect("on a disk");
                (other.path().join("ca"), Some(other))
            }
        };
        for pair in &TREE_PAIRS[..2] {
            write_file(&dir.join(format!("{pair}.crt")), "old", 0o644);
            write_file(&dir.join(format!("{pair}.key")), "old", 0o600);
        }
        write_file(&dir.join("nodes/a/admin.conf"), "old", 0o600);
        write_file(&dir.join("nodes/a/pki/sa.key"), "kept", 0o644);
        write_file(&dir.join("users/gone.conf"), "old", 0o600);
        write_file(&dir.join("users/untouched.conf"), "kept", 0o640);
        if !matches!(place, Authorities::Absent) {
            write_file(&authorities.join("ca.crt"), "old", 0o644);
            write_file(&authorities.join("ca.key"), "old", 0o600);
        }
        Self {
            scratch,
            authorities,
            _elsewhere: elsewhere,
        }
    }

    fn dir(&self) -> PathBuf {
        self.scratch.path().join("kubernetes")
    }

    /// What both roots look like, with paths relative to each.
    fn look(&self) -> Vec<(PathBuf, (u32, String))> {
        let relative = |top: &Path, found: BTreeMap<PathBuf, (u32, String)>| {
            let top = top.to_owned();
            found
                .into_iter()
                .map(move |(path, what)| {
                    (path.strip_prefix(&top).unwrap_or(&path).to_owned(), what)
                })
                .collect::<Vec<_>>()
        };
        let mut found = relative(self.scratch.path(), snapshot(self.scratch.path()));
        if !self.authorities.starts_with(self.scratch.path()) {
            found.extend(relative(&self.authorities, snapshot(&self.authorities)));
        }
        found
    }

    /// [`Self::look`] but for a lock file that nobody holds.
    fn look_past_the_lock(&self) -> Vec<(PathBuf, (u32, String))> {
        let _ = fs::remove_file(self.dir().join(".kpki/lock"));
        let _ = fs::remove_dir(self.dir().join(".kpki"));
        self.look()
    }

    fn fill(transaction: &mut Transaction<'_>) {
        for pair in TREE_PAIRS {
            transaction
                .group()
                .write(
                    tree(&format!("{pair}.crt")),
                    b"new".to_vec(),
                    FileMode::PUBLIC,
                )
                .write(
                    tree(&format!("{pair}.key")),
                    b"new".to_vec(),
                    FileMode::PRIVATE_KEY,
                );
        }
        for pair in AUTHORITY_PAIRS {
            transaction
                .group()
                .write(
                    authorities(&format!("{pair}.crt")),
                    b"new".to_vec(),
                    FileMode::PUBLIC,
                )
                .write(
                    authorities(&format!("{pair}.key")),
                    b"new".to_vec(),
                    FileMode::PRIVATE_KEY,
                );
        }
        transaction.write(
            tree("nodes/a/admin.conf"),
            b"new".to_vec(),
            FileMode::SECRET,
        );
        transaction.set_mode(tree("nodes/a/pki/sa.key"), FileMode::PRIVATE_KEY);
        transaction.remove(tree("users/gone.conf"));
        transaction.remove(tree("users/never.conf"));
    }

    fn change(&self, faults: super::Faults) -> Result<Committed, StoreError> {
        let mut store = Store::open_with_faults(&self.dir(), &self.authorities, faults)?;
        let mut transaction = store.transaction();
        Self::fill(&mut transaction);
        transaction.commit()
    }

    /// Whole and old, whole and new, or visibly incomplete: never half of each.
    fn expect_no_mismatch(&self, when: &str) {
        let dir = self.dir();
        let pairs = TREE_PAIRS.iter().map(|pair| dir.join(pair)).chain(
            AUTHORITY_PAIRS
                .iter()
                .map(|pair| self.authorities.join(pair)),
        );
        for pair in pairs {
            let certificate = fs::read(pair.with_extension("crt"));
            let key = fs::read(pair.with_extension("key"));
            if let (Ok(certificate), Ok(key)) = (certificate, key) {
                assert_eq!(certificate, key, "{} is mismatched {when}", pair.display());
            }
        }
    }
}
