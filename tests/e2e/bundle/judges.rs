//! Others' programs open a bundle: what is in it is not kinstall's alone to know.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::command::{run, succeed};

use crate::place::{Place, WORKER, kinstall};

pub fn open_it(place: &Place<'_>) {
    let (plain, digest) = place.packed(WORKER, &[]);
    let scratch = place.pki.scratch("opened");
    let tar = |arguments: &[&str]| {
        let mut command = Command::new("tar");
        succeed(
            command
                .arg("--zstd")
                .arg("--file")
                .arg(&plain)
                .args(arguments),
        )
    };
    let summed = succeed(Command::new("sha256sum").arg(&plain));
    assert!(
        summed.starts_with(digest.trim_start_matches("sha256:")),
        "{summed}, {digest}"
    );
    let names = tar(&["--list"]);
    assert!(
        names.starts_with("manifest.json\ncluster.toml\n"),
        "{names}"
    );
    let keys: Vec<_> = names
        .lines()
        .filter(|name| name.ends_with(".key"))
        .collect();
    assert_eq!(keys, ["tree/pki/kubelet.key"], "{names}");
    // What the help says for a machine that has nothing; and then all of it.
    let to = scratch.to_str().expect("plain");
    tar(&["--extract", "--directory", to, "bin/kinstall"]);
    let version = succeed(Command::new(scratch.join("bin/kinstall")).arg("--version"));
    assert!(version.starts_with("kinstall "), "{version}");
    tar(&["--extract", "--directory", to]);
    let manifest = fs::read(scratch.join("manifest.json")).expect("it was taken out");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["node"], WORKER);
    let files = manifest["files"].as_array().expect("files");
    assert_eq!(files.len() + 1, names.lines().count());
    let sums = files.iter().map(|file| {
        let (sum, path) = (file["sha256"].as_str(), file["path"].as_str());
        format!("{}  {}\n", sum.expect("a digest"), path.expect("a path"))
    });
    fs::write(scratch.join("sums"), sums.collect::<String>()).expect("written");
    let mut check = Command::new("sha256sum");
    succeed(
        check
            .args(["--check", "--strict", "sums"])
            .current_dir(&scratch),
    );
    succeed(Command::new("zstd").arg("--test").arg(&plain));

    // The passphrase comes over standard input here, and from a terminal to age, which takes it from nowhere else.
    let encrypted = scratch.join("encrypted");
    let passphrase = place.passphrase();
    let mut command = kinstall();
    command.args([
        "bundle",
        WORKER,
        "--digests",
        "--passphrase-file",
        "-",
        "--dir",
    ]);
    command.arg(place.pki.dir()).arg("--out").arg(&encrypted);
    command.arg("--bin-dir").arg(
        tests::component::path("etcd")
            .parent()
            .expect("a directory"),
    );
    let ended = run(command.stdin(fs::File::open(&passphrase).expect("it is there")));
    assert!(ended.code == Some(0), "{ended}");
    let opened = scratch.join("opened.tar.zst");
    age(
        &passphrase,
        &format!(
            "age --decrypt --output {} {}",
            opened.display(),
            encrypted.display()
        ),
    );
    let names = succeed(
        Command::new("tar")
            .arg("--zstd")
            .arg("--list")
            .arg("--file")
            .arg(&opened),
    );
    assert!(
        names.starts_with("manifest.json\ncluster.toml\n"),
        "{names}"
    );
    // And what age encrypts, kinstall opens: as far as it is the right machine's.
    let theirs = scratch.join("theirs");
    age(
        &passphrase,
        &format!(
            "age --encrypt --passphrase --output {} {}",
            theirs.display(),
            opened.display()
        ),
    );
    let mut command = kinstall();
    command.args([
        "node",
        "--passphrase-file",
        &passphrase,
        "--dry-run",
        "--bundle",
    ]);
    let ended = run(command.arg(theirs));
    assert!(
        ended.code == Some(1) && ended.stderr.contains("is for node node2 at 192.0.2.12"),
        "{ended}"
    );
}

/// age with the passphrase typed, as often as it asks.
fn age(passphrase: &str, line: &str) {
    let passphrase = fs::read_to_string(passphrase).expect("it is there");
    let typed = Path::new("/bin/sh");
    let mut command = Command::new(typed);
    // script(1) gives it a terminal; what is typed before age asks would be lost.
    let feed = format!("for _ in 1 2; do sleep 1; printf %s '{passphrase}'; done");
    command.arg("-c").arg(format!(
        "{{ {feed}; sleep 1; }} | script --quiet --return --command '{line}' /dev/null"
    ));
    let ended = run(command.stdin(Stdio::null()));
    assert!(ended.code == Some(0), "{ended}");
}
