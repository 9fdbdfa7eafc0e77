//! Whole machines in namespaces, and the network between them: what `tests/machine` makes, for tests.

mod files;
mod host;
mod network;
mod options;
mod processes;
mod state;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

pub use files::{Entry, Files, Kind};
pub use host::Host;
pub use network::{Families, Network};
pub use options::MachineOptions;
pub use state::State;

use crate::command::{Ended, run};
use crate::process::Process;
use network::{script, wait_for};

/// From its switch to its last boot script: 2 seconds on an idle machine, and what the scripts take.
const BOOT: Duration = Duration::from_secs(120);

/// Less than the 90 seconds that systemd gives what does not end.
const SHUTDOWN: Duration = Duration::from_secs(60);

/// A machine with a disk, a network card and processes of its own. Dropping it switches it off for good.
#[derive(Debug)]
pub struct Machine<'a> {
    network: &'a Network,
    options: MachineOptions,
    /// `tests/machine/boot`, which runs as long as the machine does.
    power: Option<Child>,
}

impl<'a> Machine<'a> {
    /// Makes an empty machine and waits until it is up.
    pub fn boot(network: &'a Network, options: MachineOptions) -> Self {
        let mut machine = Self {
            network,
            options,
            power: None,
        };
        machine.switch_on();
        machine
    }

    /// Its host name when it was made.
    pub fn name(&self) -> &str {
        &self.options.host_name
    }

    /// A program in it, found on its path, with no environment but the machine's own.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = script("enter");
        command
            .arg(self.network.directory())
            .arg(self.name())
            .arg(program.as_ref());
        command
    }

    /// A program in it that is killed (SIGKILL) when the process is that stands for it here.
    pub fn bound_command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.command("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(program.as_ref().as_os_str());
        command
    }

    /// Runs a program in it to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        run(self.command(program).args(arguments))
    }

    /// Runs a shell's line in it that has to succeed and returns its stdout.
    pub fn shell(&self, line: &str) -> String {
        let ended = self.run("sh", &["-c", line]);
        assert!(ended.code == Some(0), "{ended}");
        ended.stdout
    }

    /// A program in the background; the output goes to a file of that name beside the machine's disk.
    pub fn spawn(&self, name: &str, program: &str, arguments: &[&str]) -> Process {
        let mut command = self.bound_command(program);
        let log = self.directory().join(format!("{name}.log"));
        Process::start(name, command.args(arguments), &log)
    }

    /// Kills every process of that name at once and says how many there were. No name is the machine's whole.
    pub fn kill_all_of(&self, name: &str) -> usize {
        // Fifteen letters are all that the kernel keeps of a name.
        let kernel = &name[..name.len().min(15)];
        let ended = self.run("pkill", &["--signal", "KILL", "--echo", "--exact", kernel]);
        ended.stdout.lines().count()
    }

    /// Cuts the power and switches it on again: all processes, /run, links, rules and settings are lost, the disk
    /// is not.
    pub fn reboot(&mut self) {
        self.cut_power();
        self.switch_on();
    }

    /// Ends everything in it at once; [`Self::switch_on`] boots it from its disk.
    pub fn cut_power(&mut self) {
        if let Some(first) = self.first_process() {
            let _ = kill_process(first, Signal::KILL);
        }
        if let Some(mut power) = self.power.take() {
            let _ = power.wait();
        }
    }

    /// Has its init system switch it off, and waits until it is; [`Self::switch_on`] boots it again.
    pub fn shut_down(&mut self) {
        self.shell("systemctl poweroff");
        let mut power = self.power.take().expect("it is on");
        let off = wait_for(SHUTDOWN, || {
            power.try_wait().is_ok_and(|ended| ended.is_some())
        });
        if !off {
            self.power = Some(power);
            panic!("{} is still on after {SHUTDOWN:?}", self.name());
        }
    }

    /// Boots it from its disk and waits for the last of its boot scripts.
    pub fn switch_on(&mut self) {
        let mut command = script("boot");
        command.arg(self.network.directory()).arg(self.name());
        let child = self
            .options
            .add_to(&mut command)
            .stdin(Stdio::null())
            .spawn();
        let child = self.power.insert(child.expect("bash is there"));
        let (directory, name) = (self.network.directory(), &self.options.host_name);
        let console = directory.join(name).join("console");
        let up = wait_for(BOOT, || {
            let booted = fs::read_to_string(&console).is_ok_and(|said| said.contains(BOOTED));
            let pid = directory.join(name).join("pid").exists();
            (booted && pid) || child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        assert!(
            up && child.try_wait().is_ok_and(|ended| ended.is_none()),
            "{name} does not boot; its console: {}",
            fs::read_to_string(console).unwrap_or_default()
        );
    }

    /// What it wrote while it booted.
    pub fn console(&self) -> String {
        fs::read_to_string(self.directory().join("console")).unwrap_or_default()
    }

    /// A file or directory in it, as a path here: to be read and written while the machine is on.
    ///
    /// Absolute symbolic links in it lead elsewhere: to files of this machine.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let below = path.strip_prefix("/").expect("an absolute path");
        let first = self.first_process().expect("it is on");
        Path::new("/proc")
            .join(first.as_raw_nonzero().to_string())
            .join("root")
            .join(below)
    }

    /// Everything on its disk.
    pub fn files(&self) -> Files {
        // The disk is mounted in the network's namespace only, also while the machine is off.
        let disk = self.network.path(&self.directory().join("disk.mounted"));
        let system = self.options.system.as_deref();
        Files::of(&disk, system.unwrap_or(Path::new("/")))
    }

    /// The command line of every process in it, containers' too, but for its first.
    pub fn processes(&self) -> Vec<String> {
        let cgroups = fs::read_to_string(self.directory().join("cgroups")).unwrap_or_default();
        let hierarchy = cgroups.lines().next().unwrap_or_default();
        processes::below(Path::new(hierarchy))
    }

    /// What can be seen of it apart from files: mounts, links, rules, settings, processes, cgroups.
    pub fn state(&self) -> State {
        State::of(self)
    }

    fn directory(&self) -> PathBuf {
        self.network.directory().join(self.name())
    }

    fn first_process(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.directory().join("pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }
}

/// The last thing that a boot says.
const BOOTED: &str = "machine: booted";

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        self.cut_power();
    }
}
