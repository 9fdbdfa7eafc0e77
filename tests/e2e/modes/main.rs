//! Keys are 0600 and directories 0700, whatever the umask says, at the end and at every moment before.
#![allow(missing_docs)]

mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::command::succeed;
use tests::kpki;

const UMASKS: [&str; 4] = ["0000", "0022", "0077", "0777"];
const INIT: [&str; 9] = [
    "init",
    "--service-cidr",
    "10.3.0.0/24",
    "--node",
    "n1=192.0.2.10",
    "--user",
    "alice:dev",
    "--profile",
    "hardened",
];

/// `kpki init` under a umask, in a new directory.
fn init(dir: &Path) -> Command {
    let mut command = kpki::command(&INIT);
    command.arg("--dir").arg(dir);
    command
}

fn under(umask: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask \"$1\" && shift && exec \"$@\"", "sh", umask]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    metadata.permissions().mode() & 0o7777
}

/// Every entry below a directory, itself included.
fn entries(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() {
        for child in fs::read_dir(path).unwrap() {
            found.extend(entries(&child.unwrap().path()));
        }
    }
    found
}

/// Whether a text must stay with its owner: told from what it says, not from its name.
fn is_secret(text: &str) -> bool {
    ["PRIVATE KEY", "client-key-data", "secret:"]
        .iter()
        .any(|word| text.contains(word))
}

fn check(dir: &Path) {
    let (mut secrets, mut directories) = (0, 0);
    for path in entries(dir) {
        let wanted = if path.is_dir() {
            directories += 1;
            0o700
        } else if is_secret(&fs::read_to_string(&path).unwrap()) {
            secrets += 1;
            0o600
        } else {
            0o644
        };
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
    // Five authorities and one of their keys again, nine leaves, six kubeconfigs and alice's, sa and the
    // encryption configuration.
    assert!(secrets >= 24 && directories >= 6, "{secrets} {directories}");
}

#[test]
fn at_the_end_under_any_umask() {
    for umask in UMASKS {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("kubernetes");
        succeed(&mut under(umask, &init(&dir)));
        check(&dir);
    }
}

/// What somebody widened is a difference, and is mended.
#[test]
fn widened_modes_are_mended() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("kubernetes");
    succeed(&mut init(&dir));
    let chmod = |path: &str, mode| {
        fs::set_permissions(dir.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    for key in [
        "ca/client-ca.key",
        "nodes/n1/pki/sa.key",
        "nodes/n1/admin.conf",
        "users/alice.conf",
    ] {
        chmod(key, 0o644);
        assert_eq!(mode(&dir.join(key)), 0o644);
    }
    let apply = || {
        let mut command = kpki::command(&["apply", "--dir"]);
        command.arg(&dir);
        under("0000", &command)
    };
    succeed(&mut apply());
    check(&dir);
}
