//! A real sshd in each machine, with a host key of its own, and a client's configuration that knows them all. Nothing of whoever
//! runs the tests is used: no key, no agent, no known_hosts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tests::command::succeed;
use tests::machine::Machine;
use tests::process::Process;

/// Where a machine has what its sshd needs: readable for the users who log in, as authorized_keys has to be.
const SERVER: &str = "/etc/ssh-of-test";

/// How long an sshd may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys and configurations of one client.
pub struct Client {
    directory: TempDir,
}

impl Client {
    pub fn new() -> Self {
        let client = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        for name in ["key", "other-key"] {
            make_key(&client.path(name));
        }
        fs::create_dir(client.sockets()).expect("new");
        fs::write(client.path("known"), "").expect("written");
        fs::write(client.path("unknown"), "").expect("written");
        client.configure("config", "key", "known");
        client.configure("config-unknown", "key", "unknown");
        client.configure("config-refused", "other-key", "known");
        client
    }

    /// Where kinstall makes its directory of connections.
    pub fn sockets(&self) -> PathBuf {
        self.path("sockets")
    }

    /// A file of its own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn configure(&self, name: &str, key: &str, known: &str) {
        let (key, known) = (self.path(key), self.path(known));
        let text = format!(
            "IdentityFile {}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {}\nGlobalKnownHostsFile /dev/null\n",
            key.display(),
            known.display()
        );
        fs::write(self.path(name), text).expect("written");
    }

    /// Prepares a machine's sshd, which lets this client in, and has the client know it.
    pub fn introduce(&self, machine: &Machine<'_>, address: &str, port: u16) {
        let server = machine.path(SERVER);
        fs::create_dir(&server).expect("new");
        make_key(&server.join("host_key"));
        fs::copy(self.path("key.pub"), server.join("authorized_keys")).expect("copied");
        let config = format!(
            "Port {port}\nHostKey {SERVER}/host_key\nAuthorizedKeysFile {SERVER}/authorized_keys\nPidFile none\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        );
        fs::write(server.join("config"), config).expect("written");
        let host_key = fs::read_to_string(server.join("host_key.pub")).expect("made");
        let host = match port {
            22 => address.to_owned(),
            _ => format!("[{address}]:{port}"),
        };
        let mut known = fs::read_to_string(self.path("known")).expect("there");
        known.push_str(&format!("{host} {host_key}"));
        fs::write(self.path("known"), known).expect("written");
    }
}

/// Starts the sshd of a machine that was [introduced](Client::introduce), and waits until it listens.
pub fn serve(machine: &Machine<'_>, port: u16) -> Process {
    // Where it goes before somebody has logged in.
    machine.shell("mkdir -p -m 0755 /run/sshd");
    let config = format!("{SERVER}/config");
    let mut process = machine.spawn("sshd", "/usr/sbin/sshd", &["-D", "-e", "-f", &config]);
    process.wait_until(PATIENCE, || {
        let listening = machine.shell("ss -Hlnt | awk '{ print $4 }'");
        listening
            .lines()
            .any(|line| line.ends_with(&format!(":{port}")))
    });
    process
}

fn make_key(path: &Path) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path);
    succeed(&mut command);
}
