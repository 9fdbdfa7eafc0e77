//! What is in the way on disk: other people's files, links, no space, no permission, another kpki.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pki_core::converge::store::Store;
use tests::cluster::read;
use tests::command::{run, succeed};
use tests::corporate::{Corporate, Key, Text};
use tests::kpki;
use tests::process::Process;
use tests::snapshot::Snapshot;

use super::{INIT, refused, refused_without_a_trace, tree};

fn init(dir: &Path) -> Command {
    let mut command = kpki::command(&INIT);
    command.arg("--dir").arg(dir);
    command
}

fn apply(dir: &Path) -> Command {
    let mut command = kpki::command(&["apply", "--dir"]);
    command.arg(dir);
    command
}

/// Makes cluster.toml want something else, so that apply has something to do.
fn want_another_name(dir: &Path) {
    let spec = dir.join("cluster.toml");
    let text = read(&spec).replace("san = []", "san = ['kube.corp.example']");
    assert!(text.contains("kube.corp.example"));
    fs::write(&spec, text).unwrap();
}

#[test]
fn a_directory_that_is_not_ours() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("kubernetes");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("thesis.txt"), "years of work").unwrap();
    refused_without_a_trace(
        &dir,
        &mut init(&dir),
        "kubernetes",
        "is not kpki's",
        "--dir",
    );
    // A file is no directory.
    let file = top.path().join("file");
    fs::write(&file, "").unwrap();
    refused_without_a_trace(top.path(), &mut init(&file), "file", "irectory", "");
}

#[test]
fn a_ca_key_that_does_not_match() {
    let top = tempfile::tempdir().unwrap();
    let (one, other) = (top.path().join("one"), top.path().join("other"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&other).unwrap();
    let mut one = Corporate::new(&one, Key::EcSec1, Text::Utf8);
    one.key = Corporate::new(&other, Key::EcSec1, Text::Utf8).key;
    let dir = top.path().join("kubernetes");
    let mut command = init(&dir);
    command.args(["--authority", &one.flag("ca")]);
    refused_without_a_trace(top.path(), &mut command, "corp.key", "does not", "key");

    // A leaf for a CA, and a CA that is over.
    let mut leaf = Corporate {
        root: one.root.clone(),
        certificate: one.certificate.clone(),
        key: one.key.clone(),
    };
    let made = tree(&top.path().join("elsewhere"));
    leaf.certificate = made.join("nodes/n1/pki/apiserver.crt");
    leaf.key = made.join("nodes/n1/pki/apiserver.key");
    let mut command = init(&dir);
    command.args(["--authority", &leaf.flag("ca")]);
    refused_without_a_trace(top.path(), &mut command, "apiserver.crt", "", "CA");
}

/// Somebody swapped the key of a CA in the tree: nothing is signed with it, nothing is overwritten.
#[test]
fn a_ca_key_that_was_swapped() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    for ca in ["ca", "nodes/n1/pki"].map(|home| dir.join(home)) {
        fs::copy(ca.join("etcd/ca.key"), ca.join("ca.key")).unwrap();
    }
    want_another_name(&dir);
    refused_without_a_trace(
        &dir,
        &mut apply(&dir),
        "ca.key",
        "does not belong to the certificate",
        "put the key that belongs",
    );
}

#[test]
fn a_link_in_the_way() {
    let top = tempfile::tempdir().unwrap();
    let elsewhere = top.path().join("elsewhere");
    fs::write(&elsewhere, "somebody's").unwrap();
    let dir = tree(top.path());
    let file = dir.join("nodes/n1/pki/apiserver.crt");
    fs::remove_file(&file).unwrap();
    symlink(&elsewhere, &file).unwrap();
    want_another_name(&dir);
    refused_without_a_trace(top.path(), &mut apply(&dir), "apiserver.crt", "link", "");

    // A folder on the way.
    fs::remove_file(&file).unwrap();
    fs::rename(dir.join("nodes"), top.path().join("nodes")).unwrap();
    symlink(top.path().join("nodes"), dir.join("nodes")).unwrap();
    refused_without_a_trace(top.path(), &mut apply(&dir), "nodes", "link", "");
}

#[test]
fn another_kpki_at_work() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    want_another_name(&dir);
    let store = Store::open(&dir, &dir.join("ca")).unwrap();
    let id = std::process::id().to_string();
    let before = Snapshot::of(&dir);
    refused(&mut apply(&dir), "kubernetes", &id, "");
    before.assert_unchanged(&dir);
    drop(store);
    // And a lock of somebody who is gone holds nobody up.
    succeed(&mut apply(&dir));
}

/// A small memory file system that only a process of ours sees; we look at it through that process.
struct Mounted {
    holder: u32,
    at: PathBuf,
    _process: Process,
}

impl Mounted {
    fn new(top: &Path, options: &str) -> Self {
        let at = top.join("mounted");
        fs::create_dir(&at).unwrap();
        let ready = top.join("ready");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "sh", "-c"]);
        command
            .arg("mount -t tmpfs -o \"mode=700,$1\" tmpfs \"$2\" && : >\"$3\" && exec sleep 600");
        command.arg("sh").arg(options).arg(&at).arg(&ready);
        let mut process = Process::start("a mount", &mut command, &top.join("log"));
        process.wait_until(Duration::from_secs(20), || ready.exists());
        Self {
            holder: process.id(),
            at,
            _process: process,
        }
    }

    /// The same directory, as seen from outside of the namespace.
    fn outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder));
        root.join(self.at.strip_prefix("/").unwrap())
    }

    fn inside(&self, command: &Command) -> Command {
        let mut entered = Command::new("nsenter");
        entered.arg(format!("--mount=/proc/{}/ns/mnt", self.holder));
        entered.arg(command.get_program()).args(command.get_args());
        entered
    }

    fn remount(&self, options: &str) {
        let mut command = Command::new("mount");
        command
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.at);
        succeed(&mut self.inside(&command));
    }
}

#[test]
fn no_space() {
    let top = tempfile::tempdir().unwrap();
    // Not even for a new tree.
    let mounted = Mounted::new(top.path(), "size=64k");
    let dir = mounted.at.join("kubernetes");
    let outside = mounted.outside();
    let mut command = mounted.inside(&init(&dir));
    refused_without_a_trace(&outside, &mut command, "kubernetes", "pace", "");

    // Nor for a change to one that is there.
    mounted.remount("size=2m");
    succeed(&mut mounted.inside(&init(&dir)));
    want_another_name(&outside.join("kubernetes"));
    let filler = outside.join("filler");
    let _ = fs::write(&filler, vec![0; 4 << 20]);
    let mut command = mounted.inside(&apply(&dir));
    refused_without_a_trace(&outside, &mut command, "kubernetes", "pace", "");
    fs::remove_file(filler).unwrap();
    succeed(&mut mounted.inside(&apply(&dir)));
}

#[test]
fn a_read_only_file_system() {
    let top = tempfile::tempdir().unwrap();
    let mounted = Mounted::new(top.path(), "size=4m");
    let dir = mounted.at.join("kubernetes");
    let outside = mounted.outside();
    mounted.remount("ro");
    let mut command = mounted.inside(&init(&dir));
    refused_without_a_trace(
        &outside,
        &mut command,
        "kubernetes",
        "ead-only file system",
        "remount",
    );
    mounted.remount("rw");
    succeed(&mut mounted.inside(&init(&dir)));
    want_another_name(&outside.join("kubernetes"));
    mounted.remount("ro");
    let mut command = mounted.inside(&apply(&dir));
    refused_without_a_trace(
        &outside,
        &mut command,
        "kubernetes",
        "ead-only file system",
        "remount",
    );
    // To look needs no writing.
    let mut plan = kpki::command(&["plan", "--dir"]);
    let ended = run(&mut mounted.inside(plan.arg(&dir)));
    assert!(ended.stdout.contains("apiserver"), "{ended}");
}

/// A certificate that somebody cut short is made anew; a CA's is not, for nobody could replace it.
#[test]
fn damaged_files() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    let leaf = dir.join("nodes/n1/pki/apiserver.crt");
    fs::write(&leaf, "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    succeed(&mut apply(&dir));
    succeed(
        Command::new("openssl")
            .args(["x509", "-noout", "-in"])
            .arg(&leaf),
    );

    for file in ["ca/ca.crt", "nodes/n1/pki/ca.crt"] {
        fs::write(dir.join(file), "").unwrap();
    }
    refused_without_a_trace(&dir, &mut apply(&dir), "ca/ca.crt", "empty", "backup");
}
