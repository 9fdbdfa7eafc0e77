//! A machine that `kinstall node` makes a cluster of one, or a node of a cluster of several.

use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{Ended, run, succeed};
use crate::component;
use crate::machine::{Files, Machine, State};
use crate::memory;
use crate::record::note;

/// How long anything may take to become so: images, leases and back-offs on two cores that do other things too.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The most memory that an installation may take, in bytes: what is wanted of a release build is 50 MB (`tests/bench/node`
/// measures one). Two thirds of what a debug build takes are pages of its own code, several times as large.
const MEMORY: u64 = 64 << 20;

/// Where the machine has kinstall: for a boot script to find it.
const PROGRAMS: &str = "/usr/local/bin";

/// What a reset leaves that counts for nothing: what tests put there, and the copies that useradd and userdel keep of what they
/// change.
pub const UNCOUNTED: [&str; 5] = [
    "/root",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
];

/// A machine, what it was before, and what kinstall was told.
#[derive(Debug)]
pub struct Node<'a> {
    /// The machine.
    pub machine: Machine<'a>,
    /// Its disk before kinstall ran, with kinstall on it.
    pub files_before: Files,
    /// The rest of it before kinstall ran.
    pub before: State,
    arguments: Vec<String>,
}

impl<'a> Node<'a> {
    /// Puts kinstall on an empty machine. Nothing is installed yet.
    pub fn prepare(machine: Machine<'a>, arguments: &[&str]) -> Self {
        let built = built();
        for entry in fs::read_dir(&built).expect("a directory").flatten() {
            let name = entry.file_name().into_string().expect("a plain name");
            let is_ours = name == "kinstall" || name.starts_with("kinstall-");
            if is_ours && !name.contains('.') && entry.path().is_file() {
                let to = machine.path(PROGRAMS).join(&name);
                fs::copy(entry.path(), to).expect("room for it");
            }
        }
        let components = component::path("etcd");
        let components = components.parent().and_then(|path| path.to_str());
        let mut arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        arguments.extend(["--bin-dir", components.expect("plain")].map(str::to_owned));
        Self {
            files_before: machine.files(),
            before: machine.state(),
            machine,
            arguments,
        }
    }

    /// An empty machine of a network with kinstall on it, and `kinstall node` run to its end.
    pub fn install(machine: Machine<'a>, arguments: &[&str]) -> Self {
        let node = Self::prepare(machine, arguments);
        node.finish();
        node
    }

    /// Runs `kinstall node` on a machine that is [prepared](Self::prepare) to its end.
    pub fn finish(&self) {
        let began = Instant::now();
        let mut kinstall = memory::watched(&self.machine, "kinstall");
        let ended = run(kinstall.arg("node").args(&self.arguments));
        assert!(ended.code == Some(0), "{ended}");
        let peak = memory::peak(&self.machine);
        note(&format!(
            "kinstall node on {}: {:.1} s, at most {:.1} MiB of memory\n{}",
            self.machine.name(),
            began.elapsed().as_secs_f64(),
            peak as f64 / f64::from(1 << 20),
            ended.stdout
        ));
        assert!(peak < MEMORY, "{peak} bytes of memory");
    }

    /// `kinstall node` as this machine is installed with.
    pub fn kinstall_node(&self) -> Ended {
        let mut command = self.machine.command("kinstall");
        run(command.arg("node").args(&self.arguments))
    }

    /// What [`Self::kinstall_node`] runs, to be run otherwise.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(String::as_str)
    }

    /// Any other command of kinstall.
    pub fn kinstall(&self, arguments: &[&str]) -> Ended {
        self.machine.run("kinstall", arguments)
    }

    /// kubectl on the node, as its administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine.command("kubectl");
        command
            .args(["--kubeconfig", "/etc/kubernetes/admin.conf"])
            .args(["--request-timeout", "20s"])
            .args(arguments);
        command
    }

    /// What the API says to a question of kubectl's, as JSON.
    pub fn objects(&self, arguments: &[&str]) -> Value {
        let said = succeed(self.kubectl(arguments).args(["--output", "json"]));
        serde_json::from_str(&said).expect("kubectl's JSON")
    }

    /// Creates what YAML says.
    pub fn apply(&self, yaml: &str) -> Ended {
        let file = "/root/.apply.yaml";
        fs::write(self.machine.path(file), yaml).expect("written");
        run(&mut self.kubectl(&["apply", "--filename", file]))
    }

    /// A program in a pod of the Deployment `web`.
    pub fn in_pod(&self, arguments: &[&str]) -> Ended {
        let mut command = self.kubectl(&["exec", "deployment/web", "--", "/bin/kpki-web"]);
        run(command.args(arguments))
    }

    /// The node's addresses in the cluster, the first family's first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.addresses_of(self.machine.name())
    }

    /// The same of any node of the cluster.
    pub fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        let node = self.objects(&["get", "node", name]);
        let addresses = node["status"]["addresses"].as_array();
        let addresses = addresses.into_iter().flatten();
        addresses
            .filter(|address| address["type"] == "InternalIP")
            .filter_map(|address| address["address"].as_str()?.parse().ok())
            .collect()
    }

    /// Waits until `check` has nothing to say against it, and says how long that took.
    pub fn wait_until(&self, what: &str, check: impl FnMut() -> Result<(), String>) -> Duration {
        wait_until(what, check, || self.circumstances())
    }

    /// Whether the machine is as it was before kinstall ran: its disk but for what is below `uncounted`, and its state but for
    /// changes that are another's. Panics where it is not.
    pub fn is_as_it_was(&self, uncounted: &[&str], is_anothers: impl Fn(&str) -> bool) {
        let before = self.files_before.clone().without(uncounted);
        let files = before.changes_to(&self.machine.files().without(uncounted));
        let mut state = self.before.changes_to(&self.machine.state());
        state.retain(|change| !is_anothers(change));
        assert!(
            files.is_empty() && state.is_empty(),
            "files: {files:#?}\nstate: {state:#?}"
        );
    }

    /// For a failure's message: what runs and what does not.
    pub fn circumstances(&self) -> String {
        let status = self.kinstall(&["status"]);
        let pods =
            run(&mut self.kubectl(&["get", "pods,nodes", "--all-namespaces", "--output", "wide"]));
        let events = run(&mut self.kubectl(&["get", "events", "--all-namespaces"]));
        format!("{status}\n{pods}\n{events}")
    }
}

/// Waits until `check` has nothing to say against it, and says how long that took; a failure's message ends with the
/// circumstances.
pub fn wait_until(
    what: &str,
    mut check: impl FnMut() -> Result<(), String>,
    circumstances: impl Fn() -> String,
) -> Duration {
    let began = Instant::now();
    loop {
        let Err(why) = check() else {
            return began.elapsed();
        };
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: not after {PATIENCE:?}: {why}\n{}",
            circumstances()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What a program said, or why it is no answer.
pub fn answer(ended: &Ended) -> Result<&str, String> {
    match ended.code {
        Some(0) => Ok(ended.stdout.trim()),
        _ => Err(ended.to_string()),
    }
}

/// As a URL has it.
pub fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// Where cargo puts programs: `$KINSTALL` names the directory, or else it is the one of this test.
pub fn built() -> PathBuf {
    let built = match env::var_os("KINSTALL") {
        Some(path) => PathBuf::from(path),
        None => {
            let test = env::current_exe().expect("a running test has a file");
            let profile = test.parent().and_then(|deps| deps.parent());
            profile.expect("tests are in target/*/deps").to_owned()
        }
    };
    assert!(
        built.join("kinstall").is_file(),
        "{} has no kinstall\nhint: cargo build --bins, as tests/run does",
        built.display()
    );
    built
}

/// For a test that has the whole machine to itself while it holds this: there are two cores.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
