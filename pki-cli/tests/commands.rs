//! Every command as it is typed and answered: one file in `cmd/` for each story, each error.
//!
//! A file holds commands (`$ kpki plan`, `$ kpki makecerts < FILE`), exit codes other than 0 (`? 1`) and what was
//! answered on both streams. It runs in a copy of `fixtures/`; those named `error-*` and `dry-run-*` must leave that copy as it was.
//! What differs from run to run is `[TIME]` and the like; `SNAPSHOTS=overwrite cargo test -p pki-cli`
//! writes the answers anew.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use snapbox::{Assert, Data};

mod transcript;

#[test]
fn every_command_answers_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut cases: Vec<PathBuf> = fs::read_dir(root.join("cmd"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let wanted = std::env::var("CASE").unwrap_or_default();
    cases.retain(|case| case.to_string_lossy().contains(&wanted));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = run(case, &root.join("fixtures")) {
                failed.push(format!("{}:\n{error}", case.display()));
            }
        }
        failed
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        let results = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        results.collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Runs the commands of a file in a directory of their own and compares the transcript.
fn run(case: &Path, fixtures: &Path) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = directory.path().join("work");
    copy(fixtures, &sandbox);
    let before = contents(&sandbox);
    let text = fs::read_to_string(case).unwrap();
    let (comment, _) = text.split_once("$ ").unwrap();
    let mut transcript = comment.to_owned();
    for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
        transcript.push_str(&answer(command, &sandbox));
    }
    let name = case.file_name().unwrap().to_string_lossy();
    let changes_nothing = ["error-", "dry-run-"]
        .iter()
        .any(|kind| name.starts_with(kind));
    if changes_nothing && contents(&sandbox) != before {
        return Err("the directory changed".into());
    }
    let mut redactions = transcript::redactions();
    let here = sandbox.to_string_lossy().into_owned();
    redactions.insert("[HERE]", here).unwrap();
    Assert::new()
        .action_env("SNAPSHOTS")
        .redact_with(redactions)
        .normalize_paths(false)
        .try_eq(
            Some(&name.as_ref()),
            Data::text(transcript),
            Data::read_from(case, None),
        )
        .map_err(|error| error.to_string())
}

/// A command and its answer, as they stand in the file.
fn answer(command: &str, sandbox: &Path) -> String {
    let (typed, input) = match command.split_once(" < ") {
        Some((typed, file)) => (
            typed,
            Stdio::from(fs::File::open(sandbox.join(file)).unwrap()),
        ),
        None => (command, Stdio::null()),
    };
    let words: Vec<&str> = typed.split(' ').collect();
    let program = match words[0] {
        "kpki" => env!("CARGO_BIN_EXE_kpki"),
        other => other,
    };
    let (reader, writer) = std::io::pipe().unwrap();
    // Away from the terminal of whoever runs the tests, where a passphrase would be asked for.
    let mut child = Command::new("setsid")
        .args(["--wait", program])
        .args(&words[1..])
        .current_dir(sandbox)
        .env("NO_COLOR", "1")
        .stdin(input)
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
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
    format!("$ {command}\n{status}{text}{end}\n")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every file and directory, with what is in it.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
            all.insert(path, None);
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, Some(bytes));
        }
    }
    all
}
