//! Every command of docs/guide.md, run from its first line to its last in one directory, and answered as it is written there.
//!
//! A `console` block holds commands (`$ kpki plan`), exit codes other than 0 (`? 1`) and what was answered on both streams.
//! A line `...` stands for any lines. The guide shows real dates and serial numbers: those differ, the rest may not.
//! `SNAPSHOTS=overwrite` writes the answers anew. The commands work in a /srv, write to a /etc and listen in a network of
//! their own, so `cp` into /etc/kubernetes is safe, and absolute paths and ports are the same in every run.
#![allow(missing_docs)]

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use snapbox::{Assert, Data};

mod transcript;

#[test]
fn every_command_of_the_guide_answers_as_written() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide.md");
    let text = fs::read_to_string(&file).unwrap();
    let place = Place::new();
    let overwrite = std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite");
    let (mut written, mut failed, mut commands) = (String::new(), String::new(), 0);
    for part in parts(&text) {
        let (line, block) = match part {
            Part::Words(words) => {
                written.push_str(words);
                continue;
            }
            Part::Console(line, block) => (line, block),
        };
        for exchange in exchanges(block) {
            let answer = place.answer(&exchange.command);
            commands += 1;
            match exchange.compare(&answer) {
                Ok(()) => written.push_str(exchange.text),
                Err(_) if overwrite => written.push_str(&answer),
                Err(error) => write!(failed, "docs/guide.md:{line}:\n{error}\n").unwrap(),
            }
        }
    }
    if overwrite {
        fs::write(&file, written).unwrap();
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(commands > 20, "only {commands} commands: were they found?");
}

/// Nothing is shown as a command that is not run.
#[test]
fn the_guide_has_no_block_that_is_not_run() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide.md");
    let text = fs::read_to_string(&file).unwrap();
    for part in parts(&text) {
        if let Part::Words(words) = part {
            let closed = words.strip_prefix("```\n").unwrap_or(words);
            let rest = closed.strip_suffix("```console\n").unwrap_or(closed);
            assert!(!rest.contains("```"), "a block of another kind in: {rest}");
            assert!(!rest.contains("\n    "), "an indented block in: {rest}");
        }
    }
}

#[test]
fn a_wrong_answer_is_seen() {
    let place = Place::new();
    let answer = place.answer("echo 2026-11-27T10:00:00Z; false");
    let said = |text: &str| {
        let block = format!("$ echo 2026-11-27T10:00:00Z; false\n{text}");
        exchanges(&block)[0].compare(&answer)
    };
    assert!(said("? 1\n2020-01-01T00:00:00Z\n").is_ok());
    assert!(said("? 1\n...\n").is_ok());
    assert!(said("2026-11-27T10:00:00Z\n").is_err());
    assert!(said("...\n").is_err());
    assert!(said("? 1\nx\n").is_err());
}

enum Part<'a> {
    Words(&'a str),
    /// The line it begins in, and what is between the fences.
    Console(usize, &'a str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("```console\n") {
        let (words, block) = rest.split_at(begin + "```console\n".len());
        let end = block.find("```\n").expect("every block is closed");
        let line = text[..text.len() - block.len()].lines().count() + 1;
        parts.push(Part::Words(words));
        parts.push(Part::Console(line, &block[..end]));
        rest = &block[end..];
    }
    parts.push(Part::Words(rest));
    parts
}

/// A command of the guide and its answer there.
struct Exchange<'a> {
    command: String,
    /// As it stands in the guide: prompt, command, exit code, answer.
    text: &'a str,
}

/// The commands of a block, with the lines that continue them: after a `\`, or up to the word of a `<<WORD`.
fn exchanges(block: &str) -> Vec<Exchange<'_>> {
    let mut exchanges = Vec::new();
    let mut rest = block;
    while let Some(after) = rest.strip_prefix("$ ") {
        let mut lines = after.split_inclusive('\n');
        let mut command = lines.next().unwrap_or_default().to_owned();
        let mut more =
            |command: &mut String| command.push_str(lines.next().expect("a command goes on"));
        while command.ends_with("\\\n") {
            more(&mut command);
        }
        if let Some((_, word)) = command.clone().split_once("<<") {
            let word = word.split_whitespace().next().unwrap_or_default();
            let end = format!("\n{}\n", word.trim_matches('\''));
            while !command.ends_with(&end) {
                more(&mut command);
            }
        }
        let begin = 2 + command.len();
        let length = rest[begin - 1..]
            .find("\n$ ")
            .map_or(rest.len(), |end| begin + end);
        let (text, others) = rest.split_at(length);
        exchanges.push(Exchange {
            command: command.trim_end_matches('\n').to_owned(),
            text,
        });
        rest = others;
    }
    assert!(
        rest.is_empty(),
        "a block begins with a command, not with: {rest}"
    );
    exchanges
}

impl Exchange<'_> {
    /// Both sides without what differs from run to run. The exit code has no `...`.
    fn compare(&self, answer: &str) -> Result<(), String> {
        let prompt = format!("$ {}\n", self.command);
        let code = |text: &str| {
            let said = text.strip_prefix(&prompt).unwrap_or(text);
            said.strip_prefix("? ")
                .and_then(|said| said.lines().next().map(str::to_owned))
        };
        if code(self.text) != code(answer) {
            return Err(format!("another exit code:\n{answer}"));
        }
        let redactions = transcript::redactions();
        // A blank line before the next command is for the reader.
        let said =
            |text: &str| Data::text(redactions.redact(text).trim_end_matches('\n').to_owned());
        Assert::new()
            .normalize_paths(false)
            .try_eq(None, said(answer), said(self.text))
            .map_err(|error| error.to_string())
    }
}

/// Where the commands run: an empty /srv, a /etc and a loopback device of their own, and kpki on the path.
struct Place {
    /// Makes it so, and goes there.
    enter: String,
    path: String,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let below = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (work, bin, upper, scratch) =
            (below("work"), below("bin"), below("etc"), below("scratch"));
        symlink(env!("CARGO_BIN_EXE_kpki"), bin.join("kpki")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Self {
            enter: format!(
                "mount -t overlay overlay -o lowerdir=/etc,upperdir={},workdir={} /etc && \
                 mount --bind {} /srv && ip link set lo up && cd /srv",
                upper.display(),
                scratch.display(),
                work.display()
            ),
            path: format!("{}:{path}", bin.display()),
            _directory: directory,
        }
    }

    /// A command and its answer, as they stand in the guide.
    fn answer(&self, command: &str) -> String {
        let (reader, writer) = std::io::pipe().unwrap();
        // What waits for something that never comes is a failure too.
        let script = format!(
            "{} || exit 126\nexec timeout 300 bash -c \"$1\"",
            self.enter
        );
        let mut program = Command::new("unshare");
        // Who is not root may still have a namespace in which everybody is.
        program.args(["--mount", "--net", "--map-root-user"]);
        program
            .args(["bash", "-c", &script, "guide", command])
            .env("PATH", &self.path)
            .env("HOME", "/srv")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        let mut child = program.spawn().unwrap();
        drop(program);
        let text = std::io::read_to_string(reader).unwrap();
        let code = child.wait().unwrap().code();
        let status = match code {
            Some(0) => String::new(),
            Some(code) => format!("? {code}\n"),
            None => "? killed\n".into(),
        };
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        format!("$ {command}\n{status}{text}{end}")
    }
}
