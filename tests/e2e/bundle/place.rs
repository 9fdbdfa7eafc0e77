//! A control plane that runs, a machine that is to join it, and where their cluster's PKI was made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::cluster::{Cluster, DIRECTORY};
use tests::command::{Ended, run, succeed};
use tests::component;
use tests::machine::{Files, Machine, MachineOptions, Network, State};
use tests::node::{Node, built};
use tests::nodes::bring_tree;

/// The worker of the tests, and one that nobody is.
pub const WORKER: &str = "node2";
pub const OTHER: &str = "node3";
/// Where the worker is given what it is given.
pub const GIVEN: &str = "/root";

pub struct Place<'a> {
    pub pki: Cluster,
    pub first: Node<'a>,
    pub worker: Machine<'a>,
    /// The worker's machine before anything was done to it, without what it is given.
    pub files_before: Files,
    pub before: State,
}

impl<'a> Place<'a> {
    pub fn new(network: &'a Network) -> Self {
        let pki = Cluster::init(&[
            "--service-cidr",
            "10.3.0.0/24",
            "--node",
            "node1=192.0.2.11:control-plane,etcd,worker",
            "--node",
            "node2=192.0.2.12:worker",
            "--node",
            "node3=192.0.2.13:worker",
        ]);
        let boot = |name: &str, address: &str| {
            let options = MachineOptions {
                host_name: name.to_owned(),
                addresses: vec![(address.parse().expect("an address"), 24)],
                ..MachineOptions::default()
            };
            Machine::boot(network, options)
        };
        let first = boot("node1", "192.0.2.11");
        bring_tree(&pki, "node1", &first);
        let first = Node::install(first, &["--dir", DIRECTORY]);
        let worker = boot(WORKER, "192.0.2.12");
        Self {
            pki,
            first,
            files_before: without_given(worker.files()),
            before: worker.state(),
            worker,
        }
    }

    /// `kinstall bundle` where the PKI is, with the built programs.
    pub fn bundle(&self, node: &str, arguments: &[&str]) -> Ended {
        let components = component::path("etcd");
        let mut command = kinstall();
        command.args(["bundle", node, "--dir"]).arg(self.pki.dir());
        command
            .arg("--bin-dir")
            .arg(components.parent().expect("a directory"));
        run(command.args(arguments))
    }

    /// A bundle in a file, and its digest as it was printed.
    pub fn packed(&self, node: &str, arguments: &[&str]) -> (PathBuf, String) {
        let file = self.file(node);
        let out = file.to_str().expect("plain");
        let ended = self.bundle(
            node,
            &[&["--out", out, "--force", "--json"], arguments].concat(),
        );
        assert!(ended.code == Some(0), "{ended}");
        let said: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let digest = said["digest"].as_str().expect("a digest").to_owned();
        (file, digest)
    }

    /// Where the last bundle of a node is.
    pub fn file(&self, node: &str) -> PathBuf {
        self.pki.scratch("bundles").join(format!("{node}.bundle"))
    }

    /// A file of the passphrase, for where the PKI is.
    pub fn passphrase(&self) -> String {
        let file = self.pki.scratch("bundles").join("passphrase");
        write_secret(&file, "correct horse battery staple\n");
        file.to_str().expect("plain").to_owned()
    }

    /// Gives the worker's machine a file, and says where it is there.
    pub fn give(&self, file: &Path) -> String {
        let name = file.file_name().expect("a file");
        let there = Path::new(GIVEN).join(name);
        let to = self.worker.path(&there);
        succeed(Command::new("cp").arg("--preserve=mode").arg(file).arg(to));
        there.to_str().expect("plain").to_owned()
    }

    /// Gives it kinstall, and nothing else of ours: what follows is that program's arguments.
    pub fn kinstall(&self, arguments: &[&str]) -> Ended {
        let there = self.give(&built().join("kinstall"));
        self.worker.run(&there, arguments)
    }

    /// Whether the worker's machine is as it was.
    #[track_caller]
    pub fn is_untouched(&self) {
        let files = self
            .files_before
            .changes_to(&without_given(self.worker.files()));
        let state = self.before.changes_to(&self.worker.state());
        assert!(
            files.is_empty() && state.is_empty(),
            "files: {files:#?}\nstate: {state:#?}"
        );
    }
}

/// kinstall on this machine, untouched by the environment of the tests.
pub fn kinstall() -> Command {
    let mut command = Command::new(built().join("kinstall"));
    command.env("NO_COLOR", "1");
    command
}

pub fn write_secret(file: &Path, text: &str) {
    fs::write(file, text).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("its owner's");
}

/// What the test itself brings, and the copies that useradd and userdel keep of what they change.
fn without_given(files: Files) -> Files {
    files.without(&[
        GIVEN,
        "/etc/passwd-",
        "/etc/group-",
        "/etc/shadow-",
        "/etc/gshadow-",
    ])
}
