//! A real containerd, alone in namespaces.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use installer::image::{ContainerdImages, Unpack};
use tempfile::TempDir;
use tests::command::{Ended, run};
use tests::component;
use tests::process::Process;

/// A running containerd. It sees a `/run` of its own; its data is in a directory that goes with it.
pub struct Containerd {
    process: Option<Process>,
    dir: TempDir,
}

impl Containerd {
    pub fn start() -> Self {
        let mut containerd = Self {
            process: None,
            dir: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(containerd.root()).expect("a directory");
        containerd.start_again();
        containerd
    }

    /// After [`kill`](Self::kill), on what that left.
    pub fn start_again(&mut self) {
        self.run("");
    }

    /// With no more than so much room for its data.
    pub fn start_small(megabytes: u32) -> Self {
        let mut containerd = Self {
            process: None,
            dir: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(containerd.root()).expect("a directory");
        let root = containerd.root();
        containerd.run(&format!(
            "mount -t tmpfs -o size={megabytes}m tmpfs {} && ",
            root.display()
        ));
        containerd
    }

    fn run(&mut self, before: &str) {
        let dir = self.dir.path();
        let config = dir.join("config.toml");
        let text = format!(
            "version = 3\nroot = {:?}\nstate = {:?}\n[grpc]\naddress = {:?}\n",
            self.root(),
            dir.join("state"),
            self.socket(),
        );
        fs::write(&config, text).expect("it is written");
        let script = format!(
            "{before}mount -t tmpfs tmpfs /run && exec {} --config {}",
            component::path("containerd").display(),
            config.display(),
        );
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--mount-proc"]);
        command.args(["--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts"]);
        command.args(["sh", "-c", &script]);
        let mut process = Process::start("containerd", &mut command, &dir.join("log"));
        process.wait_until(Duration::from_secs(60), || {
            self.ctr(&["version"]).code == Some(0)
        });
        self.process = Some(process);
    }

    /// SIGKILL, in the middle of what it does.
    pub fn kill(&mut self) {
        let process = self.process.take().expect("it runs");
        let inner = self.inner(&process);
        run(Command::new("kill").args(["-KILL", &inner]));
        drop(process);
    }

    /// The process id of containerd itself, as this side sees it.
    fn inner(&self, process: &Process) -> String {
        let id = process.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(path).expect("unshare runs");
        children.trim().to_owned()
    }

    pub fn ctr(&self, arguments: &[&str]) -> Ended {
        let mut command = component::command("ctr");
        command.arg("--address").arg(self.socket());
        run(command.args(["--namespace", "k8s.io"]).args(arguments))
    }

    /// What a program of an image says, with nothing around it but the image's files.
    pub fn run_in(&self, reference: &str, program: &[&str]) -> Ended {
        // One for each time: containerd remembers where something was mounted.
        let root = tempfile::tempdir_in(self.dir.path()).expect("a directory");
        let process = self.process.as_ref().expect("it runs");
        let script = "ctr=$1; socket=$2; reference=$3; root=$4; shift 4\n\
             \"$ctr\" --address \"$socket\" --namespace k8s.io images mount \"$reference\" \"$root\" >/dev/null || exit\n\
             chroot \"$root\" \"$@\"; code=$?\n\
             \"$ctr\" --address \"$socket\" --namespace k8s.io images unmount --rm \"$root\" >/dev/null\n\
             exit $code";
        let mut command = Command::new("nsenter");
        command.args([
            "--target",
            &self.inner(process),
            "--mount",
            "--",
            "sh",
            "-c",
        ]);
        command.args([script, "sh"]).arg(component::path("ctr"));
        command.arg(self.socket()).arg(reference).arg(root.path());
        run(command.args(program))
    }

    pub fn images(&self) -> ContainerdImages {
        ContainerdImages {
            ctr: component::path("ctr"),
            socket: self.socket(),
            unpack: Unpack::AtImport,
        }
    }

    /// As [`images`](Self::images), by way of a client of which an import gets just `bytes` bytes, and then what `end` says:
    /// a shell's commands, that know the client as `$client`.
    pub fn images_through(&self, bytes: u64, end: &str) -> ContainerdImages {
        let path = self.dir.path().join("ctr");
        let ctr = component::path("ctr");
        let ctr = ctr.display();
        let fifo = self.dir.path().join("fifo");
        let fifo = fifo.display();
        let script = format!(
            "#!/bin/sh\n\
             PATH=/usr/bin:/bin\n\
             case \" $* \" in *' import '*) ;; *) exec {ctr} \"$@\" ;; esac\n\
             rm -f {fifo}; mkfifo {fifo}\n\
             exec 3<&0\n\
             {ctr} \"$@\" <{fifo} & client=$!\n\
             exec 4>{fifo}\n\
             head -c {bytes} <&3 >&4\n\
             {end}\n\
             wait $client\n"
        );
        fs::write(&path, script).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode is set");
        ContainerdImages {
            ctr: path,
            ..self.images()
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("sock")
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // Before its directory.
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// Waits for what comes by itself.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{what}: not in a minute"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A directory with the programs of `names`, which may be changed.
pub fn copies(dir: &Path, names: &[&str]) {
    for name in names {
        fs::copy(component::path(name), dir.join(name)).expect("it is copied");
    }
}
