//! Opening a bundle: all of it is read and held against its manifest before anybody may use any of it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{ClusterSpec, Node};
use pki_core::x509::Passphrase;
use rustix::fs::OFlags;
use tar::{Entry, EntryType};

use super::age::{self, FileKey, HeaderError};
use super::manifest::{LARGEST_TEXT, MANIFEST, Manifest, ManifestError, PackedFile, SPEC};
use super::pack::Digested;
use super::{BundleError, sealed};
use crate::desired::digest::Digest;

/// What every zstd frame begins with (RFC 8878, 3.1.1).
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// tar's unit (POSIX.1-2001 pax, "ustar Interchange Format").
const BLOCK: usize = 512;
/// What is read at once.
const CHUNK: usize = 1 << 18;

/// A bundle that is whole, and what it says.
pub struct Bundle {
    /// Its file.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// Its cluster.
    pub cluster: ClusterSpec,
    /// Whose it is.
    pub node: Node,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    file: File,
    key: Option<FileKey>,
}

impl Bundle {
    /// Opens and reads all of a bundle. It is written nowhere. If `digest` (SHA-256 in hexadecimal) is given, it must be the
    /// file's.
    ///
    /// # Errors
    /// When it is not whole, not the one that is meant, or not under this passphrase: [`BundleError`].
    pub fn open(
        path: &Path,
        passphrase: Option<&Passphrase>,
        digest: Option<&str>,
    ) -> Result<Self, BundleError> {
        let failed = |error: io::Error| BundleError::io(path, error);
        let mut options = File::options();
        // One that nobody writes to would be waited for.
        options
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32);
        let mut file = options.open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(BundleError::NoBundle(path.to_owned()));
        }
        let is = digest_of(&mut file).map_err(failed)?;
        if let Some(wanted) = digest.filter(|wanted| **wanted != is) {
            return Err(BundleError::Digest {
                path: path.to_owned(),
                wanted: wanted.to_owned(),
                is,
            });
        }
        let key = key(path, &mut file, passphrase)?;
        let mut spec = Vec::new();
        let manifest = walk(path, &file, key.as_ref(), &mut |packed, contents| {
            match packed.path.as_str() {
                SPEC => contents.read_to_end(&mut spec),
                _ => Ok(0),
            }
            .map(drop)
        })?;
        let spec = std::str::from_utf8(&spec).map_err(|error| BundleError::damaged(path, error))?;
        let cluster = ClusterSpec::from_toml(spec).map_err(|source| BundleError::Spec {
            path: path.to_owned(),
            source,
        })?;
        let node = cluster.node(&manifest.node).cloned();
        let node = node.filter(|_| cluster.name() == manifest.cluster);
        let node = node.ok_or_else(|| BundleError::Manifest {
            path: path.to_owned(),
            source: ManifestError::Odd {
                what: "a node that its cluster.toml has not",
                place: format!("{} of {}", manifest.node, manifest.cluster),
            },
        })?;
        Ok(Self {
            path: path.to_owned(),
            manifest,
            cluster,
            node,
            digest: is,
            file,
            key,
        })
    }

    /// Whether it is under a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.key.is_some()
    }

    /// Reads all of it once more, and gives each file to `take`. What changed in the meantime is noticed.
    pub(super) fn each(
        &self,
        take: &mut dyn FnMut(&PackedFile, &mut dyn Read) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        let mut error = None;
        let manifest = walk(
            &self.path,
            &self.file,
            self.key.as_ref(),
            &mut |file, contents| {
                take(file, contents).map_err(|failed| {
                    error = Some(failed);
                    io::ErrorKind::Other.into()
                })
            },
        );
        match (error, manifest) {
            (Some(error), _) | (None, Err(error)) => Err(error),
            (None, Ok(manifest)) if manifest == self.manifest => Ok(()),
            (None, Ok(_)) => Err(BundleError::damaged(
                &self.path,
                "it changed while it was read",
            )),
        }
    }
}

/// SHA-256 of all of a file.
fn digest_of(file: &mut File) -> io::Result<String> {
    let mut digest = Digest::new();
    let mut buffer = vec![0; CHUNK];
    file.rewind()?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finish()),
            count => digest.update(&buffer[..count]),
        }
    }
}

/// The key of an encrypted one.
fn key(
    path: &Path,
    file: &mut File,
    passphrase: Option<&Passphrase>,
) -> Result<Option<FileKey>, BundleError> {
    let failed = |error: io::Error| BundleError::io(path, error);
    let mut head = Vec::new();
    file.rewind().map_err(failed)?;
    file.take(age::MAGIC.len() as u64)
        .read_to_end(&mut head)
        .map_err(failed)?;
    if head.starts_with(ZSTD) {
        return match passphrase {
            None => Ok(None),
            Some(_) => Err(BundleError::NotEncrypted(path.to_owned())),
        };
    }
    if head != age::MAGIC {
        return Err(BundleError::NoBundle(path.to_owned()));
    }
    let Some(passphrase) = passphrase else {
        return Err(BundleError::Encrypted(path.to_owned()));
    };
    file.rewind().map_err(failed)?;
    let header = age::Header::read(&mut BufReader::new(file)).map_err(failed)?;
    let key = header.and_then(|header| header.unlock(passphrase));
    key.map(Some).map_err(|error| match error {
        HeaderError::WrongPassphrase => BundleError::WrongPassphrase(path.to_owned()),
        HeaderError::Malformed(reason) => BundleError::damaged(path, reason),
    })
}

/// Reads a bundle from its first byte to its last, and gives each file after the manifest to `take`.
fn walk(
    path: &Path,
    file: &File,
    key: Option<&FileKey>,
    take: &mut dyn FnMut(&PackedFile, &mut dyn Read) -> io::Result<()>,
) -> Result<Manifest, BundleError> {
    let damaged = |error: io::Error| BundleError::damaged(path, innermost(&error));
    let wrong = |reason: &str| BundleError::damaged(path, reason);
    let mut file = BufReader::with_capacity(CHUNK, file);
    file.rewind().map_err(damaged)?;
    let plain: Box<dyn Read + '_> = match key {
        None => Box::new(file),
        Some(key) => {
            // Proven already: the key came of it.
            let header = age::Header::read(&mut file).map_err(damaged)?;
            header.map_err(|error| BundleError::damaged(path, error))?;
            Box::new(age::Reader::new(file, key).map_err(damaged)?)
        }
    };
    let decoder = zstd::Decoder::new(sealed::Reader::new(plain));
    let mut decoder = decoder.map_err(damaged)?.single_frame();
    let mut archive = tar::Archive::new(&mut decoder);
    // As they are: no entry that says something of the next one.
    let mut entries = archive.entries().map_err(damaged)?.raw(true);
    let mut next = || entries.next().transpose().map_err(damaged);

    let mut first = next()?.ok_or_else(|| wrong("it is empty"))?;
    let size = first.size();
    if !is_file(&first, MANIFEST, 0o600, size) || size > LARGEST_TEXT {
        return Err(wrong("it does not begin with its manifest"));
    }
    let mut manifest = Vec::new();
    first.read_to_end(&mut manifest).map_err(damaged)?;
    let manifest = Manifest::read(&manifest).map_err(|source| BundleError::Manifest {
        path: path.to_owned(),
        source,
    })?;
    for wanted in &manifest.files {
        let missing = || wrong(&format!("{} is missing", wanted.path));
        let mut entry = next()?.ok_or_else(missing)?;
        if !is_file(&entry, &wanted.path, wanted.mode.bits().into(), wanted.size) {
            let reason = format!("there is something else in the place of {}", wanted.path);
            return Err(wrong(&reason));
        }
        let mut contents = Digested::new(&mut entry);
        take(wanted, &mut contents).map_err(damaged)?;
        io::copy(&mut contents, &mut io::sink()).map_err(damaged)?;
        if !contents.is(wanted) {
            return Err(wrong(&format!(
                "{} is not what its manifest says",
                wanted.path
            )));
        }
    }
    if next()?.is_some() {
        return Err(wrong("it has more in it than its manifest says"));
    }
    // tar ends with two empty blocks, of which the reader takes one.
    let mut end = Vec::new();
    let most = 2 * BLOCK as u64;
    let read = (&mut decoder).take(most).read_to_end(&mut end);
    read.map_err(damaged)?;
    // And then the frame ends, and the file.
    let rest = io::copy(&mut decoder.finish(), &mut io::sink());
    if end == [0; BLOCK] && rest.map_err(damaged)? == 0 {
        Ok(manifest)
    } else {
        Err(wrong("there is something after its end"))
    }
}

/// Whether this is a plain file of that path, mode and size: no link, no device, no directory.
fn is_file(entry: &Entry<'_, impl Read>, path: &str, mode: u32, size: u64) -> bool {
    let header = entry.header();
    header.entry_type() == EntryType::Regular
        && *entry.path_bytes() == *path.as_bytes()
        && header.mode().is_ok_and(|is| is == mode)
        && entry.size() == size
}

/// What an error came of. Those who pass it on say less.
fn innermost(error: &io::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
