//! `kpki watch` as a process: signals, figures, a full disk, and its clock put both ways.
#![allow(missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Nothing here takes long; a loaded machine does.
const PATIENCE: Duration = Duration::from_secs(120);

fn kpki(dir: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
    command
        .current_dir(dir)
        .args(arguments)
        .env("NO_COLOR", "1");
    command.output().unwrap()
}

fn cluster(validity: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let node = "n1=192.0.2.10";
    let arguments = ["init", "--service-cidr", "10.3.0.0/24", "--node", node];
    let made = kpki(
        dir.path(),
        &[&arguments[..], &["--validity", validity]].concat(),
    );
    assert!(made.status.success(), "{made:?}");
    dir
}

struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(dir: &Path, clock: &[(&str, String)], arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
            .arg("watch")
            .args(arguments)
            .current_dir(dir)
            .env("NO_COLOR", "1")
            .envs(clock.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = mpsc::channel();
        let told = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line with that in it.
    fn hear(&self, what: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(what) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("{what:?} was not said, but {heard:#?}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn stop(mut self) {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks, and reads until the server closes.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn signals_and_figures() {
    let dir = cluster("1y");
    let watch = Watch::start(dir.path(), &[], &["--listen", "127.0.0.1:0"]);
    let line = watch.hear("figures at http://");
    let address = line
        .strip_prefix("figures at http://")
        .unwrap()
        .strip_suffix("/metrics")
        .unwrap();
    watch.hear("watching kubernetes");
    let deadline = Instant::now() + PATIENCE;
    let figures = loop {
        let text = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        if text.contains("kpki_watch_looks_total 1\n") {
            break text;
        }
        assert!(Instant::now() < deadline, "{text}");
    };
    assert!(figures.starts_with("HTTP/1.1 200 OK\r\n"), "{figures}");
    assert!(
        figures.contains("path=\"kubernetes/nodes/n1/pki/apiserver.crt\""),
        "{figures}"
    );
    assert!(
        figures.contains("kpki_watch_errors_total 0\n")
            && figures.contains("kpki_check_unknown 0\n")
    );
    assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(ask(address, "\r\n\r\n").starts_with("HTTP/1.1 400"));
    // One that says nothing keeps the others waiting for a moment only.
    let silent = TcpStream::connect(address).unwrap();
    assert!(ask(address, "HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
    drop(silent);

    // It reads cluster.toml when it is told to, and keeps to what it knew when that is broken.
    let spec = dir.path().join("kubernetes/cluster.toml");
    let before = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, "nonsense = [").unwrap();
    watch.signal("-HUP");
    watch.hear("error: kubernetes/cluster.toml");
    watch.hear("keeping to cluster.toml as it was");
    std::fs::write(&spec, before).unwrap();
    watch.signal("-HUP");
    watch.hear("read cluster.toml anew");
    watch.stop();
}

#[test]
fn other_machines_get_no_figures() {
    let dir = cluster("1y");
    let refused = kpki(dir.path(), &["watch", "--listen", "0.0.0.0:0"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text.contains("error: --listen 0.0.0.0:0: other machines could reach that address"),
        "{text}"
    );
}

/// A life of sixty seconds has five minutes of the past in it: at its first second it is past two thirds.
#[test]
fn what_is_due_is_renewed_and_told() {
    let dir = cluster("60s");
    let watch = Watch::start(dir.path(), &[], &[]);
    let line = watch.hear("renewed n1/controller-manager, valid until ");
    assert!(
        line.ends_with("; kube-controller-manager on n1 needs a restart"),
        "{line}"
    );
    watch.stop();
}

/// A clock on the wall that is off by what a file says, by libfaketime. The time since the start is real.
fn clock_of(file: &Path) -> Vec<(&'static str, String)> {
    let mut faketime = Command::new("faketime");
    let preload = faketime
        .args(["-f", "+0", "printenv", "LD_PRELOAD"])
        .output();
    let preload = preload.expect("faketime (Debian: faketime)").stdout;
    let preload = String::from_utf8(preload).unwrap().trim().to_owned();
    vec![
        ("LD_PRELOAD", preload),
        (
            "FAKETIME_TIMESTAMP_FILE",
            file.to_string_lossy().into_owned(),
        ),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

#[test]
fn a_clock_that_is_put_is_noticed_both_ways_and_nothing_is_over_in_silence() {
    let dir = cluster("1y");
    let offset = dir.path().join("offset");
    std::fs::write(&offset, "+0\n").unwrap();
    let watch = Watch::start(dir.path(), &clock_of(&offset), &[]);
    watch.hear("watching kubernetes");
    std::fs::write(&offset, "+400d\n").unwrap();
    watch.hear("the clock was put forward by 345");
    watch.hear("error: n1/apiserver is over");
    std::fs::write(&offset, "-100d\n").unwrap();
    watch.hear("the clock was put back by 43");
    watch.stop();
}

/// The machine was off for two years.
#[test]
fn a_watch_that_begins_too_late_mends_it_at_once() {
    let dir = cluster("1y");
    let offset = dir.path().join("offset");
    std::fs::write(&offset, "+730d\n").unwrap();
    let watch = Watch::start(dir.path(), &clock_of(&offset), &[]);
    watch.hear("renewed n1/apiserver");
    watch.hear("renewed n1/scheduler");
    watch.stop();
}
