//! Renewals as jobs: two at once, killed at any moment, with a clock that jumps, on a full disk. Never a mismatched pair,
//! and nothing that is over stays so in silence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use pki_core::x509::{Certificate, PrivateKey};
use tests::command::{run, succeed};
use tests::kpki;
use tests::record::note;

/// A cluster's directory in one of its own.
struct Tree {
    temporary: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let tree = Self {
            temporary: tempfile::tempdir().expect("a directory"),
        };
        tree.fine(&[
            "init",
            "--service-cidr",
            "10.3.0.0/24",
            "--node",
            "n1=192.0.2.1",
        ]);
        tree
    }

    fn dir(&self) -> PathBuf {
        self.temporary.path().join("kubernetes")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = kpki::command(arguments);
        command.current_dir(self.temporary.path());
        command
    }

    fn fine(&self, arguments: &[&str]) -> String {
        succeed(&mut self.command(arguments))
    }

    /// At another time: libfaketime moves the clock of what it starts.
    fn at(&self, when: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("faketime");
        command
            .args(["-f", when])
            .arg(kpki::path())
            .args(arguments)
            .current_dir(self.temporary.path());
        command
    }

    /// Every certificate that is there has its own key beside it, and no file is half of one.
    fn expect_whole_pairs(&self, when: &str) -> usize {
        let mut pairs = 0;
        for certificate in below(&self.dir(), "crt") {
            let text = fs::read(&certificate).expect("it is there");
            let chain = Certificate::from_pem_chain(&text);
            let chain =
                chain.unwrap_or_else(|error| panic!("{}: {error}, {when}", certificate.display()));
            let Ok(key) = fs::read(certificate.with_extension("key")) else {
                continue;
            };
            let key = PrivateKey::from_pem(&key).expect("a key");
            assert_eq!(
                chain[0].public_key,
                *key.public_key(),
                "{}, {when}",
                certificate.display()
            );
            pairs += 1;
        }
        pairs
    }
}

fn below(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != ".kpki" {
            found.extend(below(&path, ending));
        } else if path.extension().is_some_and(|has| has == ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn several_at_once() {
    let tree = Tree::new();
    let (mut renewed, mut busy) = (0, 0);
    for _ in 0..6 {
        let start = || {
            let mut command = tree.command(&["renew", "--all"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("it starts")
        };
        let jobs: Vec<_> = (0..4).map(|_| start()).collect();
        for job in jobs {
            let ended = job.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            match ended.status.code() {
                Some(0) => renewed += 1,
                Some(1) if said.contains("another kpki") => busy += 1,
                other => panic!("{other:?}: {said}"),
            }
        }
        tree.expect_whole_pairs("after several at once");
    }
    note(&format!(
        "four renewals at once, six times: {renewed} renewed, {busy} were told to wait"
    ));
    assert!(renewed >= 6);
    tree.fine(&["verify"]);
    tree.fine(&["plan"]);
    assert!(!tree.dir().join(".kpki").exists());
}

#[test]
fn killed_at_any_moment() {
    const TIMES: u32 = 60;
    let tree = Tree::new();
    let renew = || {
        let began = Instant::now();
        tree.fine(&["renew", "--all"]);
        began.elapsed()
    };
    let mut whole = renew();
    let (mut died, mut interrupted) = (0, 0);
    for turn in 0..TIMES {
        // Other tests come and go beside this one. The shortest time that it took is soon enough to kill it, whatever it takes now.
        if turn % 5 == 0 {
            whole = whole.min(renew());
        }
        let mut job = tree.command(&["renew", "--all"]);
        let mut job = job
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // From its first instruction to a little after its last; two in three around the writes at its end.
        let share = if turn % 3 == 0 {
            turn
        } else {
            TIMES / 2 + turn / 2
        };
        sleep(whole * share / TIMES);
        let _ = job.kill();
        died += u32::from(job.wait().expect("it ends").code().is_none());
        interrupted += u32::from(tree.dir().join(".kpki/journal").exists());
        tree.expect_whole_pairs("after a kill");
        // The next one finishes or discards what was begun.
        tree.fine(&["renew", "apiserver"]);
        let pairs = tree.expect_whole_pairs("after the next run");
        assert!(pairs > 12, "{pairs}");
    }
    note(&format!(
        "{TIMES} renewals: {died} killed, {interrupted} of them between commit and end"
    ));
    assert!(died > TIMES / 4, "{died}");
    tree.fine(&["verify"]);
    tree.fine(&["plan"]);
}

/// A disk of its own, with ever less room: the tree is as it was, or renewed as a whole.
#[test]
fn a_full_disk() {
    const SCRIPT: &str = r#"
set -eu
disk=$1 kpki=$2
mount -t tmpfs -o size=2m tmpfs "$disk"
cd "$disk"
"$kpki" init --service-cidr 10.3.0.0/24 --node n1=192.0.2.1 >/dev/null
refused=0 renewed=0
for left in 0 4 8 40 80 120 160 200 240 400; do
  rm -f fill
  head -c 4m /dev/zero >fill 2>/dev/null || true
  truncate -s "-${left}k" fill
  rm -rf /run/kpki-before
  cp -a kubernetes /run/kpki-before
  if "$kpki" renew --all >/dev/null 2>/run/kpki-said; then
    renewed=$((renewed + 1))
  else
    grep -qi 'space' /run/kpki-said || { cat /run/kpki-said; exit 1; }
    diff -r kubernetes /run/kpki-before || exit 1
    refused=$((refused + 1))
  fi
  rm fill
  "$kpki" verify >/dev/null
done
echo "$refused $renewed"
"#;
    let disk = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c"])
        .arg(format!("mount -t tmpfs tmpfs /run\n{SCRIPT}"))
        .arg("sh")
        .args([disk.path(), &kpki::path()]);
    let said = succeed(&mut command);
    let mut counts = said
        .split_whitespace()
        .map(|word| word.parse::<u32>().expect("a number"));
    let (refused, renewed) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    note(&format!(
        "a full disk: {refused} renewals refused, {renewed} done"
    ));
    assert!(refused > 2 && renewed > 0, "{said}");
}

#[test]
fn a_clock_that_jumps() {
    let tree = Tree::new();
    let job = ["renew", "--if-within", "33%"];
    // Ahead by eleven years: all is over, and renewed, authorities too.
    succeed(&mut tree.at("+11y", &job));
    succeed(&mut tree.at("+11y", &["verify"]));
    // Back again: nothing is valid yet, which a job leaves as it is and says.
    let before = contents(&tree.dir());
    let ended = run(&mut tree.command(&job));
    assert!(ended.code == Some(1), "{ended}");
    assert!(
        ended.stderr.contains("not valid yet, and left so: ca,"),
        "{ended}"
    );
    assert_eq!(contents(&tree.dir()), before);
    // Whoever knows that the clock is right now says so.
    tree.fine(&["renew", "--all", "--keep-key"]);
    tree.fine(&["verify"]);
    tree.fine(&["plan"]);
    // A clock that lost its time altogether issues nothing.
    let before = contents(&tree.dir());
    let ended = run(&mut tree.at("1970-01-01 00:00:10", &["renew", "--all"]));
    assert!(
        ended.code == Some(1) && ended.stderr.contains("clock says 1970-01-01"),
        "{ended}"
    );
    assert_eq!(contents(&tree.dir()), before);
}

/// What OpenSSL thinks of a tree that was revived; kpki's own handshakes are its own opinion.
#[test]
fn openssl_accepts_what_was_revived() {
    let tree = Tree::new();
    succeed(&mut tree.at("+11y", &["renew", "--all", "--keep-key"]));
    let node = tree.dir().join("nodes/n1/pki");
    for (authority, leaf) in [
        ("ca.crt", "apiserver.crt"),
        ("ca.crt", "kubelet.crt"),
        ("etcd/ca.crt", "etcd/server.crt"),
        ("front-proxy-ca.crt", "front-proxy-client.crt"),
    ] {
        let mut command = Command::new("openssl");
        command
            .args(["verify", "-x509_strict", "-attime"])
            .arg(eleven_years_from_now());
        command
            .arg("-CAfile")
            .arg(node.join(authority))
            .arg(node.join(leaf));
        succeed(&mut command);
    }
}

fn eleven_years_from_now() -> String {
    let now = time::OffsetDateTime::now_utc() + time::Duration::days(11 * 365 + 3);
    now.unix_timestamp().to_string()
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for ending in ["crt", "key", "conf"] {
        let files = below(dir, ending).into_iter();
        all.extend(files.map(|path| {
            let text = fs::read(&path).expect("it is there");
            (path, text)
        }));
    }
    all.sort();
    all
}
