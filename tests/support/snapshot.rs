//! A directory as it is: to prove that something was left exactly as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

/// Every entry below a directory, and the directory itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Its modification time is left out: what comes and goes in it (the lock) changes that.
    Directory {
        mode: u32,
        owner: u32,
    },
    File {
        mode: u32,
        owner: u32,
        inode: u64,
        modified: (i64, i64),
        sha256: Vec<u8>,
    },
    Link(PathBuf),
    Other {
        mode: u32,
    },
}

impl Snapshot {
    /// Of what is there now; of nothing, if nothing is.
    pub fn of(directory: &Path) -> Self {
        let mut entries = BTreeMap::new();
        collect(directory, &mut entries);
        Self(entries)
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Panics with every difference when something is not as it was.
    pub fn assert_unchanged(&self, directory: &Path) {
        let now = Self::of(directory);
        let mut differences = Vec::new();
        for (path, was) in &self.0 {
            match now.0.get(path) {
                None => differences.push(format!("{} is gone", path.display())),
                Some(is) if is != was => {
                    differences.push(format!("{}: {was:?} became {is:?}", path.display()));
                }
                Some(_) => {}
            }
        }
        let new = now.0.keys().filter(|path| !self.0.contains_key(*path));
        differences.extend(new.map(|path| format!("{} is new", path.display())));
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}

fn collect(path: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    let mode = meta.permissions().mode() & 0o7777;
    let kind = meta.file_type();
    let entry = if kind.is_dir() {
        for child in fs::read_dir(path).expect("a readable directory") {
            collect(&child.expect("an entry").path(), entries);
        }
        Entry::Directory {
            mode,
            owner: meta.uid(),
        }
    } else if kind.is_symlink() {
        Entry::Link(fs::read_link(path).expect("a link"))
    } else if kind.is_file() {
        Entry::File {
            mode,
            owner: meta.uid(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            sha256: digest(&SHA256, &fs::read(path).expect("readable"))
                .as_ref()
                .to_vec(),
        }
    } else {
        Entry::Other { mode }
    };
    entries.insert(path.to_owned(), entry);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::panic::catch_unwind;

    type Change = (&'static str, fn(&Path));

    #[test]
    fn sees_every_kind_of_change() {
        let changes: [Change; 6] = [
            ("content", |dir| fs::write(dir.join("file"), "b").unwrap()),
            ("mode", |dir| {
                fs::set_permissions(dir.join("file"), fs::Permissions::from_mode(0o600)).unwrap();
            }),
            ("same content, other file", |dir| {
                fs::write(dir.join("new"), "a").unwrap();
                fs::rename(dir.join("new"), dir.join("file")).unwrap();
            }),
            ("a new directory", |dir| {
                fs::create_dir(dir.join("new")).unwrap()
            }),
            ("link", |dir| {
                fs::remove_file(dir.join("link")).unwrap();
                symlink("elsewhere", dir.join("link")).unwrap();
            }),
            ("gone", |dir| fs::remove_file(dir.join("link")).unwrap()),
        ];
        for (what, change) in changes {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("file"), "a").unwrap();
            symlink("file", dir.path().join("link")).unwrap();
            let before = Snapshot::of(dir.path());
            before.assert_unchanged(dir.path());
            change(dir.path());
            let seen = catch_unwind(|| before.assert_unchanged(dir.path())).is_err();
            assert!(seen, "{what} was not seen");
        }
    }
}
