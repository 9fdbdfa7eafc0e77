//! Passphrases as they are typed: on a terminal of their own, which shows nothing of them.
#![allow(missing_docs)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// kpki on a new terminal; and the other end of that terminal.
fn kpki(arguments: &[&str], dir: &Path) -> (Child, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let theirs = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
    let child = Command::new("setsid")
        .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_kpki")])
        .args(arguments)
        .current_dir(dir)
        .stdin(theirs)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (child, File::from(ours))
}

/// What the terminal shows until `end`; by then it must have stopped to show what is typed.
fn read_until(terminal: &mut File, end: &str) -> String {
    let mut shown = Vec::new();
    while !shown.ends_with(end.as_bytes()) {
        let mut byte = [0];
        terminal.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    String::from_utf8(shown).unwrap()
}

fn shows_what_is_typed(terminal: &File) -> bool {
    let modes = tcgetattr(terminal).unwrap().local_modes;
    modes.contains(LocalModes::ECHO)
}

const INIT: [&str; 7] = [
    "init",
    "--service-cidr",
    "10.3.0.0/24",
    "--node",
    "n1=192.0.2.1",
    "--authority",
    "ca=corp-ca.crt,encrypted.key",
];

fn sandbox() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for name in [
        "corp-ca.crt",
        "encrypted.key",
        "request.csr",
        "external-policy.toml",
    ] {
        std::fs::copy(fixtures.join(name), dir.path().join(name)).unwrap();
    }
    dir
}

#[test]
fn a_typed_passphrase_is_not_shown() {
    let dir = sandbox();
    let (child, mut terminal) = kpki(&INIT, dir.path());
    assert_eq!(
        read_until(&mut terminal, ": "),
        "passphrase of encrypted.key: "
    );
    assert!(!shows_what_is_typed(&terminal));
    terminal.write_all(b"correct horse\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(shows_what_is_typed(&terminal), "as it was before");
    assert_eq!(
        read_until(&mut terminal, "\n"),
        "\r\n",
        "no more than Enter"
    );
    assert!(dir.path().join("kubernetes/ca/ca.key").exists());
}

#[test]
fn a_wrong_one_is_told_and_nothing_is_written() {
    for (typed, error) in [
        (
            &b"battery staple\n"[..],
            "error: encrypted.key: the passphrase does not open the private key\n",
        ),
        (b"\n", "error: an empty passphrase\n"),
        (b"\x04", "error: an empty passphrase\n"),
    ] {
        let dir = sandbox();
        let (child, mut terminal) = kpki(&INIT, dir.path());
        read_until(&mut terminal, ": ");
        terminal.write_all(typed).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(error), "{said}");
        assert!(!dir.path().join("kubernetes").exists());
        assert!(shows_what_is_typed(&terminal));
    }
}

/// Requests are signed, and batches made, with a CA's key that a typed passphrase opens, or not at all.
#[test]
fn one_that_opens_a_key_is_typed_once() {
    let sign = "sign request.csr --policy ./external-policy.toml --ca corp-ca.crt,encrypted.key";
    let make = "makecerts --ca-cert-name corp-ca.crt --ca-key-name encrypted.key certificate a?cert=request.crt";
    for command in [sign, make] {
        for (typed, fine) in [("correct horse\n", true), ("battery staple\n", false)] {
            let dir = sandbox();
            let words: Vec<&str> = command.split(' ').collect();
            let (child, mut terminal) = kpki(&words, dir.path());
            let asked = read_until(&mut terminal, ": ");
            assert_eq!(asked, "passphrase of encrypted.key: ");
            assert!(!shows_what_is_typed(&terminal));
            terminal.write_all(typed.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), fine, "{command}: {said}");
            assert_eq!(dir.path().join("request.crt").exists(), fine);
            let error = "error: encrypted.key: the passphrase does not open the private key\n";
            assert_eq!(said.starts_with(error), !fine, "{said}");
        }
    }
}

#[test]
fn a_new_one_is_typed_twice() {
    for (second, fine) in [("hunter2 and more\n", true), ("hunter2\n", false)] {
        let dir = tempfile::tempdir().unwrap();
        let (child, mut terminal) = kpki(&["ca", "new", "x", "--encrypt"], dir.path());
        read_until(&mut terminal, "new passphrase of ca/ca.key: ");
        terminal.write_all(b"hunter2 and more\n").unwrap();
        read_until(&mut terminal, "the same once more: ");
        assert!(!shows_what_is_typed(&terminal));
        terminal.write_all(second.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.success(), fine);
        let key = std::fs::read_to_string(dir.path().join("ca/ca.key"));
        assert_eq!(key.is_ok(), fine);
        assert!(key.is_ok_and(|text| text.contains("ENCRYPTED")) == fine);
    }
}
