//! A disk as it is, to be held against what it was.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

/// Every file on a machine's disk, by its path in the machine. Times are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, Entry>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its permissions, with set-id and sticky bits.
    pub mode: u32,
    /// Whose it is: user, then group.
    pub owner: (u32, u32),
}

/// What something on a disk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file with content, as SHA-256 in hex.
    File(String),
    /// A symbolic link to there.
    Link(PathBuf),
    /// A socket, pipe or device. In /usr, a device 0:0 says that what the machine was made from is gone.
    Other,
}

impl Files {
    /// `disk` holds `root` and, for /usr, what is new there. `system` is what it was made from.
    pub(super) fn of(disk: &Path, system: &Path) -> Self {
        let mut found = BTreeMap::new();
        collect(&disk.join("root"), Path::new("/"), &mut found);
        let mut programs = BTreeMap::new();
        collect(&disk.join("usr"), Path::new("/usr"), &mut programs);
        // A directory is copied when something in it changes: that says nothing.
        programs.retain(|path, entry| {
            let below = path.strip_prefix("/").expect("collected below it");
            entry.kind != Kind::Directory || entry_of(&system.join(below)).as_ref() != Some(entry)
        });
        found.extend(programs);
        Self(found)
    }

    /// What is at a path.
    pub fn at(&self, path: impl AsRef<Path>) -> Option<&Entry> {
        self.0.get(path.as_ref())
    }

    /// All of them, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_path(), entry))
    }

    /// Without what is below these, and without these.
    pub fn without(mut self, paths: &[&str]) -> Self {
        self.0
            .retain(|path, _| !paths.iter().any(|left| path.starts_with(left)));
        self
    }

    /// One line for every file that differs; nothing when they are the same.
    pub fn changes_to(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, was) in &self.0 {
            match later.0.get(path) {
                None => changes.push(format!("- {}: {was}", path.display())),
                Some(is) if is != was => {
                    changes.push(format!("~ {}: {was} became {is}", path.display()));
                }
                Some(_) => {}
            }
        }
        let new = later
            .0
            .iter()
            .filter(|(path, _)| !self.0.contains_key(*path));
        changes.extend(new.map(|(path, is)| format!("+ {}: {is}", path.display())));
        changes
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, group) = self.owner;
        let mode = self.mode;
        match &self.kind {
            Kind::Directory => write!(f, "directory {mode:04o} {user}:{group}"),
            Kind::File(digest) => write!(f, "file {mode:04o} {user}:{group} {:.12}", digest),
            Kind::Link(target) => write!(f, "link to {}", target.display()),
            Kind::Other => write!(f, "special file {mode:04o} {user}:{group}"),
        }
    }
}

fn collect(here: &Path, there: &Path, found: &mut BTreeMap<PathBuf, Entry>) {
    // What goes away while the machine runs is not there.
    let Some(entry) = entry_of(here) else {
        return;
    };
    if entry.kind == Kind::Directory {
        for child in fs::read_dir(here).into_iter().flatten().flatten() {
            collect(&child.path(), &there.join(child.file_name()), found);
        }
    }
    found.insert(there.to_owned(), entry);
}

fn entry_of(path: &Path) -> Option<Entry> {
    let meta = fs::symlink_metadata(path).ok()?;
    let kind = meta.file_type();
    let kind = if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::File(digest(path).ok()?)
    } else if kind.is_symlink() {
        Kind::Link(fs::read_link(path).ok()?)
    } else {
        Kind::Other
    };
    Some(Entry {
        kind,
        mode: meta.permissions().mode() & 0o7777,
        owner: (meta.uid(), meta.gid()),
    })
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => context.update(&buffer[..read]),
        }
    }
    let digest = context.finish();
    Ok(digest.as_ref().iter().map(|b| format!("{b:02x}")).collect())
}
