//! Machines with nothing but a base system and an sshd, the administrator's directory, and `kinstall cluster`.

use std::fs;
use std::process::{Child, Command, Stdio};

use tests::cluster::Cluster;
use tests::command::{Ended, run};
use tests::component;
use tests::machine::{Files, Machine, MachineOptions, Network, State};
use tests::node::{UNCOUNTED, built};
use tests::process::Process;

use crate::secure_shell::{Client, serve};

const CONTROL_PLANE: &str = "control-plane,etcd,worker";
/// What runs on node1 and so on.
const ROLES: [&str; 5] = [
    CONTROL_PLANE,
    CONTROL_PLANE,
    CONTROL_PLANE,
    "worker",
    "worker",
];
/// How many there are.
pub const COUNT: usize = ROLES.len();
/// Which of them has no component of Kubernetes, and gets all over the connection.
pub const BARE: usize = 4;
/// Which of them lets a user in who is not root, at another port.
pub const WITH_SUDO: usize = 3;

/// Whether a node is of the control plane.
pub fn rules(number: usize) -> bool {
    ROLES[number] == CONTROL_PLANE
}

/// All there is.
pub struct Machines<'a> {
    pub network: &'a Network,
    pub all: Vec<Machine<'a>>,
    pub pki: Cluster,
    pub client: Client,
    servers: Vec<Option<Process>>,
    before: Vec<(Files, State)>,
}

impl<'a> Machines<'a> {
    pub fn new(network: &'a Network) -> Self {
        let mut flags = vec!["--service-cidr".to_owned(), "10.3.0.0/24".to_owned()];
        for (number, roles) in ROLES.iter().enumerate() {
            let node = format!("{}={}:{roles}", name(number), address(number));
            flags.extend(["--node".to_owned(), node]);
        }
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let pki = Cluster::init(&flags);
        let file = pki.dir().join("cluster.toml");
        let spec = fs::read_to_string(&file).expect("made");
        let named = format!("name = \"{}\"\n", name(WITH_SUDO));
        let destination = format!("ssh = \"ann@{}:2222\"\n", address(WITH_SUDO));
        assert!(spec.contains(&named), "{spec}");
        fs::write(
            &file,
            spec.replace(&named, &format!("{named}{destination}")),
        )
        .expect("written");

        let client = Client::new();
        let boot = |number: usize| {
            let options = MachineOptions {
                host_name: name(number),
                addresses: vec![(address(number).parse().expect("an address"), 24)],
                ..MachineOptions::default()
            };
            let machine = Machine::boot(network, options);
            if number == WITH_SUDO {
                // A password that nothing is; without any, sshd takes the account for locked.
                machine.shell(
                    "useradd --create-home --shell /bin/bash --password '*' ann && \
                     echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann && chmod 0440 /etc/sudoers.d/ann",
                );
            }
            client.introduce(&machine, &address(number), port(number));
            machine
        };
        let all: Vec<_> = (0..ROLES.len()).map(boot).collect();
        let servers = all.iter().map(|_| None).collect();
        let mut machines = Self {
            network,
            all,
            pki,
            client,
            servers,
            before: Vec::new(),
        };
        (0..ROLES.len()).for_each(|number| machines.open(number));
        let before = machines.all.iter().map(|one| (one.files(), one.state()));
        machines.before = before.collect();
        machines
    }

    /// Starts what a machine needs anew after its boot: its sshd.
    pub fn open(&mut self, number: usize) {
        let machine = &self.all[number];
        if number == BARE {
            let components = component::path("etcd");
            let components = components
                .parent()
                .expect("a directory")
                .display()
                .to_string();
            machine.shell(&format!("umount {components} && rmdir {components}"));
        }
        self.servers[number] = Some(serve(machine, port(number)));
    }

    /// Cuts a machine's power.
    pub fn cut_power(&mut self, number: usize) {
        self.servers[number] = None;
        self.all[number].cut_power();
    }

    /// `kinstall cluster`, from a host beside the machines, with one of the client's configurations.
    pub fn command(&self, config: &str, arguments: &[&str]) -> Command {
        self.kinstall(config, &[&["cluster"], arguments].concat())
    }

    /// Any command of kinstall's that goes over SSH.
    pub fn kinstall(&self, config: &str, arguments: &[&str]) -> Command {
        let mut command = self.network.outside().command(built().join("kinstall"));
        command.args(arguments);
        command.arg("--dir").arg(self.pki.dir());
        command.arg("--ssh-config").arg(self.client.path(config));
        command.env("TMPDIR", self.client.sockets());
        command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        command
    }

    /// The same for what brings machines up: with the programs.
    pub fn up(&self, config: &str, arguments: &[&str]) -> Command {
        let components = component::path("etcd");
        let mut command = self.command(config, arguments);
        command
            .arg("--bin-dir")
            .arg(components.parent().expect("a directory"));
        command.args(["--timeout", "180"]);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(&mut self.command("config", arguments))
    }

    /// Starts it so that a signal reaches kinstall itself.
    pub fn start(&self, command: &Command) -> Running<'_> {
        let pid = self.client.path("pid");
        let said = self.client.path("said");
        let mut arguments = command.get_args();
        // enter, the network, the host; then what runs there.
        let entering: Vec<_> = arguments.by_ref().take(2).collect();
        let mut started = Command::new(command.get_program());
        started.args(entering).args(["sh", "-c"]);
        started
            .arg(format!("echo $$ >{}; exec \"$@\"", pid.display()))
            .arg("sh");
        started
            .args(arguments)
            .env("TMPDIR", self.client.sockets())
            .env_remove("SSH_AUTH_SOCK");
        let out = fs::File::create(&said).expect("a file");
        let _ = fs::remove_file(&pid);
        let child = started
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .expect("it starts");
        Running {
            machines: self,
            child,
        }
    }

    /// What is not as it was before: files but for what a program of the system keeps by itself, and all else.
    pub fn changes(&self) -> Vec<String> {
        (0..COUNT)
            .flat_map(|number| self.changes_of(number))
            .collect()
    }

    /// The same of one machine.
    pub fn changes_of(&self, number: usize) -> Vec<String> {
        let (machine, (files, state)) = (&self.all[number], &self.before[number]);
        let files = files
            .clone()
            .without(&UNCOUNTED)
            .changes_to(&machine.files().without(&UNCOUNTED));
        let state = state.changes_to(&machine.state());
        // The kernel's own, for all machines: tests/run sets it.
        let others = |line: &String| {
            line.contains("inotify_instances") || line.contains("max_user_instances")
        };
        let all = files.into_iter().chain(state).filter(|line| !others(line));
        all.map(|line| format!("{}: {line}", machine.name()))
            .collect()
    }

    /// Whether any machine, or the host beside them, has a process that says this.
    pub fn runs(&self, text: &str) -> Option<String> {
        let all = self.all.iter().flat_map(Machine::processes);
        let mut all = all.filter(|line| line.contains(text));
        all.next()
    }
}

/// A `kinstall cluster` that goes on.
pub struct Running<'a> {
    machines: &'a Machines<'a>,
    child: Child,
}

impl Running<'_> {
    pub fn is_over(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// All that it said on standard error.
    pub fn said(&self) -> String {
        fs::read_to_string(self.machines.client.path("said")).unwrap_or_default()
    }

    /// Sends a signal to it, and waits for its end.
    pub fn signal(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = fs::read_to_string(self.machines.client.path("pid")).expect("it has begun");
        let mut kill = self.machines.network.outside().command("kill");
        tests::command::succeed(kill.args([signal, pid.trim()]));
        let ended = self.child.wait().expect("it is our child");
        (ended.code(), self.said())
    }
}

/// node1 and so on.
pub fn name(number: usize) -> String {
    format!("node{}", number + 1)
}

fn address(number: usize) -> String {
    format!("192.0.2.{}", 11 + number)
}

fn port(number: usize) -> u16 {
    match number {
        WITH_SUDO => 2222,
        _ => 22,
    }
}
