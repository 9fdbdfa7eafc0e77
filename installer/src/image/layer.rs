//! The files of an image as one tar, the same bits every time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use tar::{EntryType, Header};

use super::ImageError;
use crate::desired::digest::Digest;
use crate::desired::{Image, ImageFile};

/// tar's unit, for headers and for what files are padded to (POSIX.1-2001 pax, "ustar Interchange Format").
const BLOCK: u64 = 512;
/// What is read at once: as much as a pipe to containerd's client takes (see `containerd`).
const CHUNK: usize = 1 << 20;

/// An image's files, opened: a program that is replaced from now on changes nothing.
pub(super) struct Layer<'a> {
    /// By path without the leading slash: parents come before what is in them.
    entries: BTreeMap<&'a str, Entry<'a>>,
}

enum Entry<'a> {
    Directory,
    File {
        file: &'a ImageFile,
        open: File,
        size: u64,
    },
    Link(&'a str),
}

impl<'a> Layer<'a> {
    pub(super) fn open(image: &'a Image) -> Result<Self, ImageError> {
        let mut layer = Self {
            entries: BTreeMap::new(),
        };
        for (path, file) in &image.files {
            let open = File::open(&file.source).map_err(ImageError::read(&file.source))?;
            let size = open
                .metadata()
                .map_err(ImageError::read(&file.source))?
                .len();
            layer.add(path, Entry::File { file, open, size })?;
        }
        for (path, target) in &image.links {
            layer.add(path, Entry::Link(target))?;
        }
        Ok(layer)
    }

    fn add(&mut self, path: &'a str, entry: Entry<'a>) -> Result<(), ImageError> {
        let wrong = |reason| ImageError::Path {
            path: path.to_owned(),
            reason,
        };
        let below = path
            .strip_prefix('/')
            .ok_or_else(|| wrong("it is not absolute"))?;
        let mut parts = below.split('/');
        if parts.any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("it is not in its simplest form"));
        }
        for (end, _) in below.match_indices('/') {
            let parent = self.entries.entry(&below[..end]);
            if !matches!(parent.or_insert(Entry::Directory), Entry::Directory) {
                return Err(wrong("something that is no directory is above it"));
            }
        }
        match self.entries.insert(below, entry) {
            None => Ok(()),
            Some(_) => Err(wrong("something else has the same path")),
        }
    }

    /// How long the tar is, in bytes.
    pub(super) fn size(&self) -> u64 {
        let of = |entry: &Entry| match entry {
            Entry::File { size, .. } => BLOCK + size.next_multiple_of(BLOCK),
            Entry::Directory | Entry::Link(_) => BLOCK,
        };
        // Two empty blocks are the end.
        self.entries.values().map(of).sum::<u64>() + 2 * BLOCK
    }

    /// SHA-256 of the tar, in hexadecimal.
    pub(super) fn digest(&self) -> Result<String, ImageError> {
        let mut digest = Digest::new();
        self.each_piece(|piece, _| {
            digest.update(piece);
            Ok(())
        })?;
        Ok(digest.finish())
    }

    /// Writes the tar, and looks whether each file is still the one whose digest is known.
    pub(super) fn write(&self, out: &mut impl Write) -> Result<(), ImageError> {
        let mut digest = Digest::new();
        self.each_piece(|piece, of| {
            out.write_all(piece).map_err(ImageError::Write)?;
            match of {
                Piece::Tar => {}
                Piece::File => digest.update(piece),
                Piece::EndOf(file) => {
                    if std::mem::take(&mut digest).finish() != file.digest {
                        return Err(ImageError::Changed(file.source.clone()));
                    }
                }
            }
            Ok(())
        })
    }

    fn each_piece(
        &self,
        mut take: impl FnMut(&[u8], Piece) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        let mut buffer = vec![0; CHUNK];
        for (path, entry) in &self.entries {
            take(header(path, entry)?.as_bytes(), Piece::Tar)?;
            let Entry::File { file, open, size } = entry else {
                continue;
            };
            each_chunk(open, *size, &file.source, &mut buffer, |chunk| {
                take(chunk, Piece::File)
            })?;
            let padding = size.next_multiple_of(BLOCK) - size;
            let empty = [0; BLOCK as usize];
            take(&empty[..padding as usize], Piece::EndOf(file))?;
        }
        take(&[0; 2 * BLOCK as usize], Piece::Tar)
    }
}

/// What a piece of the tar is part of.
enum Piece<'a> {
    /// A header or the end.
    Tar,
    /// A file.
    File,
    /// What follows a file that is all there now.
    EndOf(&'a ImageFile),
}

/// Just `size` bytes of a file from its beginning: fewer or more mean that it changes.
fn each_chunk(
    mut file: &File,
    size: u64,
    path: &Path,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> Result<(), ImageError>,
) -> Result<(), ImageError> {
    file.rewind().map_err(ImageError::read(path))?;
    let mut left = size;
    loop {
        match file.read(buffer) {
            Ok(0) if left == 0 => return Ok(()),
            Ok(count) if count > 0 && count as u64 <= left => {
                left -= count as u64;
                take(&buffer[..count])?;
            }
            Ok(_) => return Err(ImageError::Changed(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ImageError::read(path)(error)),
        }
    }
}

/// Owner, time and every other field that could differ from machine to machine are zero.
fn header(path: &str, entry: &Entry<'_>) -> Result<Header, ImageError> {
    // 100 bytes, and 155 more for what is before a slash.
    let long = |_| ImageError::Path {
        path: path.to_owned(),
        reason: "it is too long for a tar",
    };
    let mut header = Header::new_ustar();
    header.set_size(0);
    match entry {
        Entry::Directory => {
            header.set_entry_type(EntryType::Directory);
            header.set_path(format!("{path}/")).map_err(long)?;
            header.set_mode(0o755);
        }
        Entry::File { file, size, .. } => {
            header.set_entry_type(EntryType::Regular);
            header.set_path(path).map_err(long)?;
            header.set_mode(file.mode.bits().into());
            header.set_size(*size);
        }
        Entry::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            header.set_path(path).map_err(long)?;
            header.set_link_name_literal(target).map_err(long)?;
            header.set_mode(0o777);
        }
    }
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}
