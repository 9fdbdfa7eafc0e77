//! Reading every certificate below some paths, on all cores.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::FoundAt;
use super::content::{Content, KeyBeside, Reference, beside, key_file};
use crate::cluster::{CONTROL_DIRECTORY, FileMode};
use crate::converge::cluster_directory::{REMOVED, SPEC};
use crate::converge::problem::Problem;
use crate::x509::{Certificate, PrivateKey};

/// No certificate, key or kubeconfig comes near this size.
const LARGEST: u64 = 1 << 20;
/// Whoever names a file means it: the largest bundle of roots in use has a quarter of a megabyte.
const LARGEST_NAMED: u64 = 16 << 20;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub sightings: Vec<Sighting>,
    pub unknown: Vec<Problem>,
}

/// One certificate in one place.
#[derive(Debug)]
pub(super) struct Sighting {
    pub at: FoundAt,
    pub certificate: Certificate,
    /// The key beside it, and its file.
    pub key: Option<(PathBuf, KeyBeside)>,
    /// The file with its key, and its mode, when everybody can read it.
    pub exposed: Option<(PathBuf, FileMode)>,
}

/// Reads files and directories.
pub(super) fn gather(paths: &[PathBuf]) -> Gathered {
    let mut walk = Walk::default();
    for path in paths {
        walk.argument(path);
    }
    let files: Vec<_> = walk.files.iter().collect();
    let read = |(path, named): (&PathBuf, &bool)| read_file(path, *named);
    let found: Vec<_> = files.into_par_iter().map(read).collect();
    let mut gathered = Gathered {
        unknown: walk.unknown,
        ..Gathered::default()
    };
    for one in found {
        gathered.sightings.extend(one.sightings);
        gathered.unknown.extend(one.unknown);
    }
    gathered
}

/// The files to read; whether each was named by itself.
#[derive(Default)]
struct Walk {
    files: BTreeMap<PathBuf, bool>,
    unknown: Vec<Problem>,
}

impl Walk {
    fn argument(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(_) => {
                self.files.insert(path.to_owned(), true);
            }
            Err(error) => self.unknown.push(Problem::io(path, &error)),
        }
    }

    /// Links to files are followed, the kubelet has one to its current certificate. Links to directories are
    /// not, since they may lead in circles.
    fn directory(&mut self, dir: &Path) {
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unknown.push(Problem::io(dir, &error)),
        };
        let names: BTreeSet<_> = entries.iter().map(fs::DirEntry::file_name).collect();
        let current = names
            .iter()
            .filter_map(|name| name.to_str()?.strip_suffix("-current.pem"));
        let current: Vec<_> = current.collect();
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            // Of a cluster's own directory only: elsewhere that may be anybody's.
            let is_removed = name == REMOVED && names.contains(OsStr::new(SPEC));
            if name == CONTROL_DIRECTORY || is_removed || superseded(&name, &current) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.directory(&path),
                Ok(kind) if kind.is_file() || (kind.is_symlink() && path.is_file()) => {
                    self.files.entry(path).or_insert(false);
                }
                Ok(_) => {}
                Err(error) => self.unknown.push(Problem::io(&path, &error)),
            }
        }
    }
}

/// A kubelet keeps what it had before: beside `kubelet-client-current.pem`, a link, are all that this ever led to
/// (k8s.io/client-go util/certificate/certificate_store.go). The one that it leads to now is read by that name.
fn superseded(name: &OsStr, current: &[&str]) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    current.iter().any(|prefix| {
        let dated = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".pem"));
        dated.is_some_and(|date| date.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn read_file(path: &Path, named: bool) -> Gathered {
    let mut gathered = Gathered::default();
    let (bytes, mode) = match read(path, named) {
        Ok(Some(read)) => read,
        Ok(None) => return gathered,
        // Keys are for few eyes, and no certificate is in them.
        Err(error) if !named && error.kind() == io::ErrorKind::PermissionDenied && is_key(path) => {
            return gathered;
        }
        Err(error) => {
            gathered.unknown.push(Problem::io(path, &error));
            return gathered;
        }
    };
    match Content::of(&bytes) {
        Ok(content) if named && content.is_empty() => gathered.unknown.push(Problem::new(
            format!("{}: no certificate in it", path.display()),
            "name certificates (PEM or DER), kubeconfigs, or directories of them",
        )),
        Ok(content) => gathered.take(path, content, mode),
        Err(reason) => gathered.unknown.push(Problem {
            fact: format!("{}: {reason}", path.display()),
            hint: None,
        }),
    }
    gathered
}

impl Gathered {
    fn take(&mut self, path: &Path, content: Content, mode: FileMode) {
        let exposed = (content.holds_key && is_public(mode)).then(|| (path.to_owned(), mode));
        let first = self.sightings.len();
        for (part, certificate, key) in content.certificates {
            self.sightings.push(Sighting {
                at: FoundAt {
                    path: path.to_owned(),
                    part,
                },
                certificate,
                key: key.map(|key| (path.to_owned(), key)),
                exposed: None,
            });
        }
        if let Some(leaf) = self.sightings.get_mut(first) {
            leaf.exposed = exposed;
            if leaf.key.is_none() && !content.holds_key {
                leaf.with_key_of(key_file(path));
            }
        }
        for reference in content.refers {
            self.refer(path, reference);
        }
    }

    /// What a kubeconfig refers to is relative to it (k8s.io/client-go tools/clientcmd).
    fn refer(&mut self, from: &Path, reference: Reference) {
        let base = from.parent().unwrap_or(Path::new(""));
        let path = base.join(&reference.certificate);
        let found = match read(&path, true) {
            Ok(Some((bytes, mode))) => Content::of(&bytes).map(|content| (content, mode)),
            Ok(None) => Err("not a regular file".into()),
            Err(error) => Err(Problem::io(&path, &error).fact),
        };
        match found {
            Ok((content, mode)) if content.refers.is_empty() && !content.is_empty() => {
                let first = self.sightings.len();
                self.take(&path, content, mode);
                if let (Some(leaf), Some(key)) = (self.sightings.get_mut(first), reference.key)
                    && leaf.key.is_none()
                {
                    leaf.with_key_of(Some(base.join(key)));
                }
            }
            Ok(_) => self.dangling(from, &format!("{}: no certificate in it", path.display())),
            Err(reason) => self.dangling(from, &reason),
        }
    }

    fn dangling(&mut self, from: &Path, reason: &str) {
        self.unknown.push(Problem::new(
            format!("{}, which {} refers to", reason, from.display()),
            "the kubeconfig does not work as long as that file is not there",
        ));
    }
}

impl Sighting {
    /// Looks at the key in a file of its own. One that is not there or not for us says nothing.
    fn with_key_of(&mut self, path: Option<PathBuf>) {
        let Some(path) = path else { return };
        let Ok(Some((bytes, mode))) = read(&path, false) else {
            return;
        };
        if is_public(mode) {
            self.exposed = Some((path.clone(), mode));
        }
        self.key = beside(PrivateKey::from_pem(&bytes)).map(|key| (path, key));
    }
}

impl Content {
    fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.refers.is_empty()
    }
}

fn is_key(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "key")
        || path.to_string_lossy().ends_with("-key.pem")
}

fn is_public(mode: FileMode) -> bool {
    mode.bits() & 0o004 != 0
}

/// A regular file of sensible size, wiped when dropped. `None` for anything else, unless it was named.
fn read(path: &Path, named: bool) -> io::Result<Option<(Zeroizing<Vec<u8>>, FileMode)>> {
    // Whoever opens a pipe waits for its other end.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    let limit = if named { LARGEST_NAMED } else { LARGEST };
    if !metadata.is_file() || metadata.len() > limit {
        return match named {
            true => Err(io::Error::other("no file of certificates")),
            false => Ok(None),
        };
    }
    // One byte over, so that the buffer never grows and leaves a piece of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.take(limit).read_to_end(&mut bytes)?;
    let mode = FileMode::new((metadata.mode() & 0o777) as u16).unwrap_or(FileMode::SECRET);
    Ok(Some((bytes, mode)))
}
