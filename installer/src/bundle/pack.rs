//! Writing a bundle: whole or not at all, and nobody's but the owner's from the first byte.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pki_core::x509::Passphrase;
use ring::rand::SystemRandom;
use tar::{EntryType, Header};
use tempfile::NamedTempFile;

use super::gather::{Gathered, Origin};
use super::manifest::{MANIFEST, PackedFile};
use super::{BundleError, age, sealed};
use crate::desired::digest::Digest;

/// zstd's level. Its default: twice this takes three times as long and saves a twentieth.
const LEVEL: i32 = 3;
/// What is read at once.
const CHUNK: usize = 1 << 18;

/// A bundle that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// How many bytes it has.
    pub size: u64,
}

/// Writes a bundle to `out`, mode 0600; over what is there only if it may `replace` that. Under a passphrase, all of it is
/// encrypted.
///
/// # Errors
/// When it cannot be written or a program has changed meanwhile; then what was there is there still.
pub fn pack(
    gathered: &Gathered,
    out: &Path,
    replace: bool,
    passphrase: Option<&Passphrase>,
) -> Result<Packed, BundleError> {
    let failed = |error: io::Error| BundleError::io(out, error);
    let staged = Staged::new(out, replace)?;
    let mut to = Counted::new(staged.file.as_file());
    let random = SystemRandom::new();
    match passphrase {
        None => write(gathered, &mut to)?,
        Some(passphrase) => {
            let (header, key) = age::Header::create(passphrase, &random);
            to.write_all(&header).map_err(failed)?;
            let mut writer = age::Writer::new(&mut to, &key, &random).map_err(failed)?;
            write(gathered, &mut writer)?;
            writer.finish().map_err(failed)?;
        }
    }
    let packed = to.finish().map_err(failed)?;
    staged.finish(replace)?;
    Ok(packed)
}

/// Writes a file that holds secrets, mode 0600, whole or not at all; over what is there only if it may `replace` that.
///
/// # Errors
/// When it cannot be written; then what was there is there still.
pub fn write_secret(out: &Path, bytes: &[u8], replace: bool) -> Result<(), BundleError> {
    let staged = Staged::new(out, replace)?;
    let written = staged.file.as_file().write_all(bytes);
    written.map_err(|error| BundleError::io(out, error))?;
    staged.finish(replace)
}

/// A file beside the one that it becomes.
struct Staged<'a> {
    file: NamedTempFile,
    out: &'a Path,
    parent: &'a Path,
}

impl<'a> Staged<'a> {
    fn new(out: &'a Path, replace: bool) -> Result<Self, BundleError> {
        // Said before the work, and held to after it.
        if !replace && out.symlink_metadata().is_ok() {
            return Err(BundleError::Exists(out.to_owned()));
        }
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if out.file_name().is_none() || out.is_dir() {
            return Err(BundleError::io(out, io::ErrorKind::IsADirectory));
        }
        let file = tempfile::Builder::new()
            .prefix(".kinstall-new-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(parent)
            .map_err(|error| BundleError::io(parent, error))?;
        Ok(Self { file, out, parent })
    }

    fn finish(self, replace: bool) -> Result<(), BundleError> {
        let Self { file, out, parent } = self;
        let failed = |error: io::Error| BundleError::io(out, error);
        file.as_file().sync_all().map_err(failed)?;
        let persisted = if replace {
            file.persist(out)
        } else {
            file.persist_noclobber(out)
        };
        persisted.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BundleError::Exists(out.to_owned()),
            _ => failed(error.error),
        })?;
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        synced.map_err(|error| BundleError::io(parent, error))
    }
}

/// Writes the archive of what was gathered, not encrypted.
///
/// # Errors
/// As [`pack`].
pub(super) fn write(gathered: &Gathered, to: impl Write) -> Result<(), BundleError> {
    let archive = Path::new("the archive");
    let failed = |error: io::Error| BundleError::io(archive, error);
    let mut encoder = zstd::Encoder::new(sealed::Writer::new(to), LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    let mut tar = tar::Builder::new(encoder);
    let manifest = gathered.manifest.to_bytes();
    append(
        &mut tar,
        MANIFEST,
        0o600,
        manifest.len() as u64,
        manifest.as_slice(),
    )
    .map_err(failed)?;
    for (file, origin) in gathered.manifest.files.iter().zip(&gathered.origins) {
        let mode = file.mode.bits().into();
        match origin {
            Origin::Memory(contents) => {
                append(
                    &mut tar,
                    &file.path,
                    mode,
                    file.size,
                    contents.secret_bytes(),
                )
                .map_err(failed)?;
            }
            Origin::Disk(path) => {
                let source = File::open(path).map_err(|error| BundleError::io(path, error))?;
                let mut source = Digested::new(source.take(file.size));
                // What is shorter than it was is padded by nobody, so that it shows here.
                let whole = append(&mut tar, &file.path, mode, file.size, &mut source);
                whole.map_err(failed)?;
                if !source.is(file) {
                    return Err(BundleError::Changed(path.clone()));
                }
            }
        }
    }
    let encoder = tar.into_inner().map_err(failed)?;
    encoder
        .finish()
        .and_then(sealed::Writer::finish)
        .map_err(failed)?;
    Ok(())
}

/// One file, with nothing in its header that differs from one machine or day to another.
fn append(
    tar: &mut tar::Builder<impl Write>,
    path: &str,
    mode: u32,
    size: u64,
    contents: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(path)?;
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    tar.append(&header, contents)
}

/// A file, and what was in it.
pub(super) struct Digested<R> {
    from: R,
    digest: Digest,
    size: u64,
}

impl<R: Read> Digested<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            digest: Digest::new(),
            size: 0,
        }
    }

    /// Whether all that was read is this file.
    pub(super) fn is(self, file: &PackedFile) -> bool {
        self.size == file.size && self.digest.finish() == file.sha256
    }
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        self.digest.update(&to[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

/// A file that is being written, and what went into it.
struct Counted<'a> {
    to: BufWriter<&'a File>,
    digest: Digest,
    size: u64,
}

impl<'a> Counted<'a> {
    fn new(to: &'a File) -> Self {
        Self {
            to: BufWriter::with_capacity(CHUNK, to),
            digest: Digest::new(),
            size: 0,
        }
    }

    fn finish(mut self) -> io::Result<Packed> {
        self.to.flush()?;
        Ok(Packed {
            digest: self.digest.finish(),
            size: self.size,
        })
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.digest.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
