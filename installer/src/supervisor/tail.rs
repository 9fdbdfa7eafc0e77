//! The end of a log, and what comes after it, across rotation.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::machine::EffectError;

use super::systemd::at;

/// How much is read at once.
const CHUNK: usize = 1 << 16;
/// How often a log is looked at for more.
const PACE: Duration = Duration::from_millis(100);

/// What the lines of a log look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As they were written.
    Plain,
    /// As the CRI wants them: time, stream, `F` for full or `P` for a part of a line, then the text
    /// (`kuberuntime/logs.parseCRILog`).
    Cri,
}

/// Writes the last `lines` lines of some files, of which the newest is last.
pub(super) fn last_lines(
    paths: &[PathBuf],
    style: Style,
    lines: usize,
    out: &mut impl Write,
) -> Result<(), EffectError> {
    let mut wanted = lines;
    let mut from = Vec::new();
    for path in paths.iter().rev() {
        if wanted == 0 {
            break;
        }
        let mut file = File::open(path).map_err(|error| at(path, &error))?;
        let (start, found) = start_of_last(&mut file, wanted).map_err(|error| at(path, &error))?;
        wanted -= found;
        from.push((path, file, start));
    }
    let mut writer = LineWriter::new(style);
    for (path, mut file, start) in from.into_iter().rev() {
        let whole = file.seek(SeekFrom::Start(start));
        whole.map_err(|error| at(path, &error))?;
        copy(&mut file, path, &mut writer, out)?;
    }
    writer.finish(out).map_err(|error| said(&error))
}

/// Where the last `wanted` lines of a file begin, and how many there are of them.
fn start_of_last(file: &mut File, wanted: usize) -> io::Result<(u64, usize)> {
    let size = file.seek(SeekFrom::End(0))?;
    let (mut start, mut found) = (size, 0);
    let mut chunk = vec![0; CHUNK];
    while start > 0 {
        let count = CHUNK.min(usize::try_from(start).unwrap_or(CHUNK));
        start -= count as u64;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk[..count])?;
        for (index, _) in chunk[..count]
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n')
        {
            let after = start + index as u64 + 1;
            // A line ends with the file, with or without a line feed.
            if after == size {
                continue;
            }
            found += 1;
            if found == wanted {
                return Ok((after, found));
            }
        }
    }
    Ok((0, found + usize::from(size > 0)))
}

/// Follows a log until SIGINT.
pub(super) struct Follower<N> {
    newest: N,
    writer: LineWriter,
    open: Option<(PathBuf, File)>,
}

impl<N: Fn() -> Option<PathBuf>> Follower<N> {
    /// Of the file that `newest` names, which may be another one each time. `shown` has been written to its end.
    pub fn new(style: Style, newest: N, shown: &Path) -> Self {
        let open = File::open(shown).and_then(|mut file| {
            file.seek(SeekFrom::End(0))?;
            Ok((shown.to_owned(), file))
        });
        Self {
            newest,
            writer: LineWriter::new(style),
            open: open.ok(),
        }
    }

    pub fn run(mut self, out: &mut impl Write) -> Result<(), EffectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| said(&error))?;
        runtime.block_on(async {
            let mut interrupt =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
                    .map_err(|error| said(&error))?;
            loop {
                self.step(out)?;
                tokio::select! {
                    _ = interrupt.recv() => return Ok(()),
                    () = tokio::time::sleep(PACE) => {}
                }
            }
        })
    }

    /// Writes what is new.
    pub fn step(&mut self, out: &mut impl Write) -> Result<(), EffectError> {
        loop {
            // Asked before the rest is read: what was written before the change is then read for sure.
            let newest = (self.newest)();
            let moved = match (&self.open, &newest) {
                (Some((path, file)), Some(newest)) => path != newest || !is_same(file, newest),
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if let Some((path, file)) = &mut self.open {
                copy(file, path, &mut self.writer, out)?;
            }
            let Some(path) = newest.filter(|_| moved) else {
                return out.flush().map_err(|error| said(&error));
            };
            match File::open(&path) {
                Ok(file) => self.open = Some((path, file)),
                // Between two files, for a moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(at(&path, &error)),
            }
        }
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        // Nothing is there for a moment: not another one yet.
        _ => true,
    }
}

fn copy(
    file: &mut File,
    path: &Path,
    writer: &mut LineWriter,
    out: &mut impl Write,
) -> Result<(), EffectError> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => writer
                .write(&chunk[..count], out)
                .map_err(|error| said(&error))?,
            Err(error) => return Err(at(path, &error)),
        }
    }
}

fn said(error: &io::Error) -> EffectError {
    EffectError {
        fact: format!("standard output: {error}"),
        hint: None,
    }
}

/// Writes lines without what the CRI puts before them.
struct LineWriter {
    style: Style,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
}

impl LineWriter {
    fn new(style: Style) -> Self {
        let rest = Vec::new();
        Self { style, rest }
    }

    fn write(&mut self, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        if self.style == Style::Plain {
            return out.write_all(bytes);
        }
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                out.write_all(text_of_cri_line(&self.rest))?;
                self.rest.clear();
            }
        }
        Ok(())
    }

    /// A line without end is one too.
    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(text_of_cri_line(&self.rest))?;
        self.rest.clear();
        out.flush()
    }
}

/// The text of a line of the CRI with its line feed, or without it where the line goes on. Another line as it is.
fn text_of_cri_line(line: &[u8]) -> &[u8] {
    let mut fields = line.splitn(4, |&byte| byte == b' ');
    let head = (fields.next(), fields.next(), fields.next(), fields.next());
    match head {
        (Some(_), Some(b"stdout" | b"stderr"), Some(b"F"), Some(text)) => text,
        (Some(_), Some(b"stdout" | b"stderr"), Some(b"P"), Some(text)) => {
            text.strip_suffix(b"\n").unwrap_or(text)
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn shown(paths: &[PathBuf], style: Style, lines: usize) -> String {
        let mut out = Vec::new();
        last_lines(paths, style, lines, &mut out).expect("readable");
        String::from_utf8(out).expect("a text")
    }

    #[test]
    fn parts_become_lines_and_prefixes_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("0.log");
        let text = "2026-11-24T12:00:00.1Z stderr F one\n2026-11-24T12:00:00.2Z stdout P half a\n\
                    2026-11-24T12:00:00.3Z stdout F  line\n2026-11-24T12:00:00.4Z stdout F \nfailed to open log\n";
        fs::write(&path, text).expect("written");
        let all = shown(std::slice::from_ref(&path), Style::Cri, 99);
        assert_eq!(all, "one\nhalf a line\n\nfailed to open log\n");
        assert_eq!(shown(&[path], Style::Cri, 2), "\nfailed to open log\n");
    }

    proptest! {
        /// As `tail -n` of all files together.
        #[test]
        fn the_last_lines(files in prop::collection::vec("([ab]{0,3}\n){0,5}", 1..4), rest in "[ab]{0,3}", lines in 0_usize..9) {
            let dir = tempfile::tempdir().expect("a directory");
            let mut files = files;
            files.last_mut().expect("one").push_str(&rest);
            let paths: Vec<_> = (0..files.len()).map(|n| dir.path().join(n.to_string())).collect();
            for (path, text) in paths.iter().zip(&files) {
                fs::write(path, text).expect("written");
            }
            let whole = files.concat();
            let all: Vec<_> = whole.split_inclusive('\n').collect();
            let wanted = all[all.len().saturating_sub(lines)..].concat();
            prop_assert_eq!(shown(&paths, Style::Plain, lines), wanted);
        }
    }

    #[test]
    fn following_crosses_rotation_and_loses_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        let mut log =
            crate::supervisor::daemon::rotate::RotatingLog::open(&path, 500).expect("a log");
        let newest = path.clone();
        let mut follower = Follower::new(Style::Plain, move || Some(newest.clone()), &path);
        let (mut out, mut wanted) = (Vec::new(), String::new());
        for number in 0..300 {
            let line = format!("line {number}\n");
            log.write(line.as_bytes()).expect("room");
            wanted.push_str(&line);
            // More than a file's worth would be two rotations, of which one is not seen.
            if number % 20 == 0 {
                follower.step(&mut out).expect("readable");
            }
        }
        follower.step(&mut out).expect("readable");
        assert_eq!(String::from_utf8(out).expect("a text"), wanted);
    }

    #[test]
    fn following_goes_to_the_next_instance() {
        let dir = tempfile::tempdir().expect("a directory");
        let (first, second) = (dir.path().join("0.log"), dir.path().join("1.log"));
        fs::write(&first, "t stdout F seen\n").expect("written");
        let newest = |first: PathBuf, second: PathBuf| {
            move || {
                Some(if second.exists() {
                    second.clone()
                } else {
                    first.clone()
                })
            }
        };
        let newest = newest(first.clone(), second.clone());
        let mut follower = Follower::new(Style::Cri, newest, &first);
        fs::write(&first, "t stdout F seen\nt stdout F last words\n").expect("written");
        fs::write(&second, "t stdout F hello\n").expect("written");
        let mut out = Vec::new();
        follower.step(&mut out).expect("readable");
        assert_eq!(
            String::from_utf8(out).expect("a text"),
            "last words\nhello\n"
        );
    }
}
