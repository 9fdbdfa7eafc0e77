//! A log that never grows beyond a few files, and never loses a byte while it moves from one to the next.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How much a file may hold before the next is begun: 10 MB, as the kubelet's containerLogMaxSize.
pub const LIMIT: u64 = 10_000_000;
/// How many files are kept beside the newest.
pub const OLD: usize = 3;
/// A line longer than that is cut by a rotation, so that no service can make a file without end.
const LONGEST_LINE: u64 = 1 << 20;

/// A log and its older files: `a.log`, `a.log.1` (newer), `a.log.2`, `a.log.3`.
pub struct RotatingLog {
    path: PathBuf,
    limit: u64,
    file: File,
    size: u64,
    /// Whether the last line is whole.
    ended: bool,
}

impl RotatingLog {
    /// Goes on with the log at `path`. Files hold `limit` bytes and the line that crosses it.
    pub fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open(path)?;
        let size = file.metadata()?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1)?;
        }
        Ok(Self {
            path: path.to_owned(),
            limit,
            file,
            size,
            ended: last == [b'\n'],
        })
    }

    /// Appends `bytes`.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let is_full = self.size >= self.limit && self.ended;
            if is_full || self.size >= self.limit + LONGEST_LINE {
                self.rotate()?;
            }
            let (now, later) = bytes.split_at(self.fitting(bytes));
            self.append(now)?;
            bytes = later;
        }
        Ok(())
    }

    /// How many of them belong into this file: up to the end of the line that reaches the limit.
    fn fitting(&self, bytes: &[u8]) -> usize {
        let room =
            |limit: u64| usize::try_from(limit.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let (most, least) = (
            room(self.limit + LONGEST_LINE),
            room(self.limit).saturating_sub(1),
        );
        let beyond = bytes.get(least..).unwrap_or_default();
        let end = beyond.iter().position(|&byte| byte == b'\n');
        end.map_or(bytes.len(), |end| least + end + 1).min(most)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        self.ended = bytes.last().is_none_or(|&byte| byte == b'\n');
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..OLD).rev() {
            rename(&old(&self.path, number), &old(&self.path, number + 1))?;
        }
        rename(&self.path, &old(&self.path, 1))?;
        self.file = open(&self.path)?;
        self.size = 0;
        self.ended = true;
        Ok(())
    }
}

/// The older file of a log, `number` rotations ago.
pub fn old(path: &Path, number: usize) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{number}"));
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(path: &Path) -> Vec<String> {
        let mut paths: Vec<_> = (1..=OLD).rev().map(|number| old(path, number)).collect();
        paths.push(path.to_owned());
        paths.retain(|path| path.exists());
        let read = |path: &PathBuf| fs::read_to_string(path).expect("a text");
        paths.iter().map(read).collect()
    }

    #[test]
    fn lines_stay_whole_and_the_oldest_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        let mut log = RotatingLog::open(&path, 10).expect("a log");
        for number in 0..12 {
            log.write(format!("line {number}\n").as_bytes())
                .expect("room");
        }
        let wanted = [(4, 5), (6, 7), (8, 9), (10, 11)];
        let wanted = wanted.map(|(one, two)| format!("line {one}\nline {two}\n"));
        assert_eq!(files(&path), wanted);
    }

    #[test]
    fn goes_on_where_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        for text in ["one\n", "two"] {
            let mut log = RotatingLog::open(&path, 5).expect("a log");
            log.write(text.as_bytes()).expect("room");
        }
        let mut log = RotatingLog::open(&path, 5).expect("a log");
        log.write(b" and a half\nthree\n").expect("room");
        assert_eq!(files(&path), ["one\ntwo and a half\n", "three\n"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        let mut log = RotatingLog::open(&path, 10).expect("a log");
        for _ in 0..40 {
            log.write(&[b'x'; 1 << 16]).expect("room");
        }
        let longest = files(&path).iter().map(String::len).max();
        assert!(longest <= Some(LONGEST_LINE as usize + (2 << 16)));
    }

    proptest! {
        /// In whatever pieces bytes come, none is lost, none comes twice, and rotation is between lines.
        #[test]
        fn nothing_is_lost(pieces in prop::collection::vec("[ab\n]{0,9}", 0..20), limit in 20_u64..200) {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("a.log");
            let mut log = RotatingLog::open(&path, limit).expect("a log");
            for piece in &pieces {
                log.write(piece.as_bytes()).expect("room");
            }
            let whole = pieces.concat();
            let found = files(&path);
            prop_assert!(whole.ends_with(&found.concat()));
            // Few enough bytes that all four files hold them.
            if whole.len() as u64 <= 4 * limit {
                prop_assert_eq!(found.concat(), whole);
            }
            for file in &found[..found.len() - 1] {
                prop_assert!(file.ends_with('\n'));
            }
        }
    }
}
