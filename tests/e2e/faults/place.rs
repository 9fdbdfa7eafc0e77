//! An empty machine, a directory of programs to be chosen before the real ones, and what an error has to be like.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use tests::command::{Ended, run};
use tests::component;
use tests::machine::{Host, Machine, MachineOptions, Network};
use tests::node::Node;
use tests::record::note;

/// Programs in here are taken before the real ones.
const FIRST: &str = "/opt/first";
/// As `kinstall node --timeout` is told.
const TIMEOUT: &str = "30";
/// What is waited for is not all that is done.
const BOUND: Duration = Duration::from_secs(60);

pub struct Place<'a> {
    pub node: Node<'a>,
    network: &'a Network,
}

impl<'a> Place<'a> {
    pub fn new(network: &'a Network) -> Self {
        let machine = Machine::boot(network, MachineOptions::default());
        let arguments = ["--service-cidr", "10.3.0.0/24", "--timeout", TIMEOUT];
        let mut node = Node::prepare(machine, &[&arguments[..], &["--bin-dir", FIRST]].concat());
        fs::create_dir(node.machine.path(FIRST)).expect("a directory");
        node.files_before = node.machine.files();
        Self { node, network }
    }

    /// The machine's own network, for sockets of this process.
    pub fn own_network(&self) -> Host<'a> {
        // Its network namespace is called as the machine is.
        self.network.host("node1")
    }

    /// Has a script or an ELF file taken for one of the programs.
    pub fn put(&self, name: &str, contents: &[u8]) {
        let path = self.node.machine.path(FIRST).join(name);
        fs::write(&path, contents).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// The real one is taken again.
    pub fn take_back(&self, name: &str) {
        fs::remove_file(self.node.machine.path(FIRST).join(name)).expect("it was put there");
    }

    /// A directory of links to the components, but for one.
    pub fn components_without(&self, directory: &str, name: &str) {
        let real = component::path("etcd");
        let real = real.parent().expect("in a directory");
        let here = self.node.machine.path(directory);
        fs::create_dir(&here).expect("a directory");
        for entry in fs::read_dir(real).expect("a directory").flatten() {
            if entry.file_name() != name {
                symlink(entry.path(), here.join(entry.file_name())).expect("linked");
            }
        }
    }

    /// `kinstall node` has to end with one error and one hint, in which all of this stands.
    pub fn refuses(&self, facts: &[&str]) -> Ended {
        let arguments: Vec<_> = self.node.arguments().collect();
        self.refuses_with(&arguments, facts)
    }

    /// The same with other arguments.
    pub fn refuses_with(&self, arguments: &[&str], facts: &[&str]) -> Ended {
        let began = Instant::now();
        let mut command = self.node.machine.command("kinstall");
        let ended = run(command.arg("node").args(arguments));
        let took = began.elapsed();
        is_one_error(&ended, facts);
        assert!(took < BOUND, "{took:?}: {ended}");
        note(&format!(
            "refused after {:.1} s\n{}",
            took.as_secs_f64(),
            ended.stderr
        ));
        ended
    }

    /// Preflight finds nothing more that has to be mended by hand: what was mended last was all.
    pub fn is_mended(&self) {
        let arguments: Vec<_> = self.node.arguments().collect();
        self.is_mended_with(&arguments);
    }

    /// The same with other arguments.
    pub fn is_mended_with(&self, arguments: &[&str]) {
        let mut command = self.node.machine.command("kinstall");
        let ended = run(command.args(["node", "--check-only"]).args(arguments));
        let fine = ended.stdout.contains("fine: ")
            || ended
                .stdout
                .contains("kinstall node mends the errors above");
        assert!(fine, "{ended}");
    }

    /// Whatever was refused left nothing but the cluster's directory and what tests put there.
    pub fn is_untouched(&self) {
        self.node
            .is_as_it_was(&["/root", "/opt", "/tmp"], |_| false);
    }

    /// With nothing in its way, it makes a healthy node.
    pub fn finishes(&self) {
        let ended = self.node.kinstall_node();
        assert!(ended.code == Some(0), "{ended}");
        let status = self.node.kinstall(&["status"]);
        assert!(status.code == Some(0), "{status}");
    }
}

/// The user's problem, told once, with what mends it.
pub fn is_one_error(ended: &Ended, facts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended}");
    let count = |word: &str| {
        let lines = ended.stderr.lines();
        lines.filter(|line| line.starts_with(word)).count()
    };
    assert_eq!((count("error: "), count("hint: ")), (1, 1), "{ended}");
    let at = ended.stderr.find("error: ").expect("counted");
    for fact in facts {
        assert!(ended.stderr[at..].contains(fact), "no {fact:?}: {ended}");
    }
}
