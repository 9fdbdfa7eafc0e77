//! What a transcript cannot hold: standard input, a reader that goes away, colours, files of their own.
#![allow(missing_docs)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn kpki(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .env_remove("NO_COLOR");
    command
}

fn run(arguments: &[&str]) -> Output {
    kpki(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let mut child = kpki(&["inspect", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pem = include_bytes!("fixtures/leaf.crt");
    child.stdin.take().unwrap().write_all(pem).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, run(&["inspect", "leaf.crt"]).stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = kpki(&["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = kpki(&["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "error: standard output: No space left on device\n"
    );
}

#[test]
fn colours_only_where_they_are_wanted() {
    let has_colours = |output: &Output| text(&output.stderr).contains('\u{1b}');
    assert!(!has_colours(&run(&["plan"])));
    assert!(has_colours(&run(&["plan", "--color", "always"])));
    assert!(!has_colours(&run(&["--color", "never", "plan"])));
}

#[test]
fn help_is_a_command_too() {
    for (command, flag) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "init"], &["init", "--help"]),
        (&["help", "profile", "show"], &["profile", "show", "--help"]),
    ] {
        let output = run(command);
        assert!(output.status.success());
        assert!(text(&output.stdout).starts_with("Example"));
        assert_eq!(text(&output.stdout), text(&run(flag).stdout));
    }
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let definition = run(&["--help"]);
    let commands: Vec<&str> = text(&definition.stdout)
        .lines()
        .skip_while(|line| !line.starts_with("Usage:"))
        .take_while(|line| *line != "Options:")
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty())
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).stdout;
        for command in &commands {
            assert!(text(&script).contains(command), "{shell}: {command}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["man", "--dir", dir.path().to_str().unwrap()]);
    assert!(output.status.success());
    for command in commands.iter().filter(|command| **command != "help") {
        let page = std::fs::read_to_string(dir.path().join(format!("kpki-{command}.1"))).unwrap();
        assert!(page.contains(".SH EXAMPLES"), "{command}:\n{page}");
    }
    assert!(text(&run(&["man"]).stdout).contains("kpki"));
}

/// The keys in its memory must not reach a disk, and nobody else's debugger.
#[test]
fn no_memory_is_ever_written_down() {
    let mut child = kpki(&["inspect", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let core = || {
        let text = std::fs::read_to_string(&limits).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        line.unwrap().split_whitespace().nth(4).unwrap().to_owned()
    };
    // It waits for its input, having set the limit before anything else; it may not have started yet.
    let wait = std::time::Instant::now();
    while core() != "0" && wait.elapsed().as_secs() < 10 {
        std::thread::yield_now();
    }
    assert_eq!(core(), "0");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
