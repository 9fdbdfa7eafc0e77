//! The user's own ssh program, and how it is called.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use pki_core::cluster::spec::SshDestination;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tempfile::TempDir;

use super::{Connection, RemoteError, as_root, quote};

/// What the user says of ssh besides what stands in its configuration.
#[derive(Clone, Debug, Default)]
pub struct SshOptions {
    /// Another file of configuration (`ssh -F`).
    pub config: Option<PathBuf>,
    /// Further options (`ssh -o`), as `ProxyJump=bastion.example`.
    pub options: Vec<String>,
}

/// ssh, and the sockets of its connections in a directory that nobody else can enter.
#[derive(Debug)]
pub struct Ssh {
    options: SshOptions,
    sockets: TempDir,
    count: AtomicU32,
    running: Mutex<BTreeMap<u32, OwnedFd>>,
}

/// What a call of ssh is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Making the connection, and holding it.
    Connect,
    /// A script over a connection that is there, and over no other.
    Run,
}

impl Ssh {
    /// Nothing is called yet.
    ///
    /// # Errors
    /// When there is no room for a directory of sockets.
    pub fn new(options: SshOptions) -> io::Result<Self> {
        Ok(Self {
            options,
            // 0700, as tempfile makes it. Short: the path of a socket has 107 letters (unix(7)), and ssh takes 17 of them.
            sockets: tempfile::Builder::new().prefix("kinstall-ssh-").tempdir()?,
            count: AtomicU32::new(0),
            running: Mutex::default(),
        })
    }

    /// Connects to a machine and proves that scripts run there as root.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn connect(
        &self,
        node: &str,
        destination: &SshDestination,
    ) -> Result<Connection<'_>, RemoteError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let socket = self.sockets.path().join(number.to_string());
        Connection::open(self, node, destination, socket)
    }

    /// Ends every connection at once and takes the sockets away: for a process that was told to end.
    pub fn abandon(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for process in running.values() {
            // It may have ended just now.
            let _ = pidfd_send_signal(process, Signal::TERM);
        }
        let _ = std::fs::remove_dir_all(self.sockets.path());
    }

    pub(super) fn command(
        &self,
        call: Call,
        destination: &SshDestination,
        socket: &Path,
        script: &str,
    ) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(arguments(&self.options, call, destination, socket))
            .arg(as_root(script))
            // Its words are read by us.
            .env("LC_ALL", "C");
        // A terminal's ctrl-c is for us: we end what we started.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    /// The plain command to the same place, for a person.
    pub(super) fn by_hand(&self, destination: &SshDestination) -> String {
        let mut words = vec!["ssh".to_owned()];
        if let Some(config) = &self.options.config {
            words.extend(["-F".to_owned(), quote(&config.to_string_lossy())]);
        }
        for option in &self.options.options {
            words.extend(["-o".to_owned(), quote(option)]);
        }
        if let Some(port) = destination.port() {
            words.extend(["-p".to_owned(), port.to_string()]);
        }
        let host = destination.host();
        words.push(match destination.user() {
            Some(user) => format!("{user}@{host}"),
            None => host.to_string(),
        });
        words.join(" ")
    }

    /// Keeps a process in mind for [`Self::abandon`].
    pub(super) fn started(&self, child: &Child) -> io::Result<()> {
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(child.id(), process);
        Ok(())
    }

    pub(super) fn ended(&self, child: &Child) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&child.id());
    }
}

/// ssh takes the first value that it gets of each option: ours that matter, then the user's, then what we would rather have.
fn arguments(
    options: &SshOptions,
    call: Call,
    destination: &SshDestination,
    socket: &Path,
) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(config) = &options.config {
        words.extend(["-F".into(), config.into()]);
    }
    let mut option = |text: &str| words.extend(["-o".into(), text.into()]);
    // Nobody is there to answer a question.
    option("BatchMode=yes");
    option("RequestTTY=no");
    option("RemoteCommand=none");
    option("PermitLocalCommand=no");
    option("ClearAllForwardings=yes");
    option("ForwardAgent=no");
    option("ForwardX11=no");
    option("ControlPersist=no");
    option("LogLevel=ERROR");
    match call {
        Call::Connect => option("ControlMaster=yes"),
        Call::Run => {
            option("ControlMaster=no");
            // Where the connection is gone, none is made in its place.
            option("ProxyCommand=exit 255");
        }
    }
    for text in &options.options {
        option(text);
    }
    option("ConnectTimeout=10");
    // A machine that is gone is noticed within a minute.
    option("ServerAliveInterval=15");
    option("ServerAliveCountMax=3");
    let path = socket.to_string_lossy().replace('%', "%%");
    words.extend(["-S".into(), path.into()]);
    if let Some(port) = destination.port() {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = destination.user() {
        words.extend(["-l".into(), user.into()]);
    }
    words.extend(["--".into(), destination.host().to_string().into()]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(call: Call, destination: &str) -> String {
        let options = SshOptions {
            config: Some("my config".into()),
            options: vec!["ProxyJump=bastion.example".into()],
        };
        let destination = destination.parse().unwrap();
        let words = arguments(&options, call, &destination, Path::new("/tmp/50%/0"));
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn ssh_is_called_so_that_nothing_of_cluster_toml_is_an_option() {
        insta::assert_snapshot!(line(Call::Connect, "root@[fd00::1]:2222"), @r##"-F my config -o BatchMode=yes -o RequestTTY=no -o RemoteCommand=none -o PermitLocalCommand=no -o ClearAllForwardings=yes -o ForwardAgent=no -o ForwardX11=no -o ControlPersist=no -o LogLevel=ERROR -o ControlMaster=yes -o ProxyJump=bastion.example -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -S /tmp/50%%/0 -p 2222 -l root -- fd00::1"##);
        insta::assert_snapshot!(line(Call::Run, "cp1"), @r##"-F my config -o BatchMode=yes -o RequestTTY=no -o RemoteCommand=none -o PermitLocalCommand=no -o ClearAllForwardings=yes -o ForwardAgent=no -o ForwardX11=no -o ControlPersist=no -o LogLevel=ERROR -o ControlMaster=no -o ProxyCommand=exit 255 -o ProxyJump=bastion.example -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -S /tmp/50%%/0 -- cp1"##);
    }

    #[test]
    fn a_person_gets_the_plain_command() {
        let ssh = Ssh::new(SshOptions {
            config: Some("my config".into()),
            options: vec![],
        });
        let by_hand = ssh.unwrap().by_hand(&"ann@cp1:22".parse().unwrap());
        assert_eq!(by_hand, "ssh -F 'my config' -p 22 ann@cp1");
    }
}
