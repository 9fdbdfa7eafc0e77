//! A supervisor of its own in a temporary directory, with real processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use installer::desired::Service;
use installer::machine::{ServiceManager as _, ServiceState};
use installer::supervisor::{Launcher, Supervised, SupervisorPaths, daemon};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Says to a process of this test program that it is to be the supervisor, and below which directory.
const ROOT: &str = "SUPERVISOR_TEST_ROOT";

/// No condition takes longer, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Machine {
    pub dir: TempDir,
    pub supervised: Supervised,
}

/// Not a test: what this program does when it is started as a supervisor.
pub fn be_the_supervisor() {
    let Some(root) = std::env::var_os(ROOT) else {
        return;
    };
    match daemon::run(SupervisorPaths::below(Path::new(&root)), true) {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}

impl Machine {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let supervised = Supervised::new(SupervisorPaths::below(dir.path()), launcher(dir.path()));
        Self { dir, supervised }
    }

    /// A service that is a shell script. `$dir` is the machine's directory.
    pub fn service(&self, name: &str, script: &str) -> Service {
        let dir = self.dir.path().display();
        let path = self.dir.path().join(format!("{name}.sh"));
        fs::write(&path, format!("dir={dir}\n{script}\n")).expect("written");
        Service {
            name: name.into(),
            description: format!("the {name}"),
            program: "/bin/sh".into(),
            arguments: vec![path.display().to_string()],
            environment: [].into(),
            after: Vec::new(),
            inputs: "0".repeat(64),
            stop_seconds: 20,
        }
    }

    pub fn install(&self, name: &str, script: &str) -> u32 {
        let service = self.service(name, script);
        self.supervised.install(&service).expect("installed");
        self.process(name)
    }

    pub fn state(&self, name: &str) -> ServiceState {
        let state = self.supervised.state(name).expect("an answer");
        state.expect("installed")
    }

    /// Waits until it runs, and gives its process.
    pub fn process(&self, name: &str) -> u32 {
        until("it runs", || {
            let state = self.supervised.state(name).ok().flatten()?;
            state.process.filter(|_| state.running)
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the service has written to its log, the older files first.
    pub fn log(&self, name: &str) -> String {
        let log = self.supervised.paths().logs.join(format!("{name}.log"));
        let older = (1..=3)
            .rev()
            .map(|number| format!("{}.{number}", log.display()));
        let paths = older.map(PathBuf::from).chain([log.clone()]);
        let texts = paths.filter_map(|path| fs::read_to_string(path).ok());
        texts.collect()
    }

    /// The supervisor and its guard: processes of this program with this machine's root in their environment.
    pub fn supervisors(&self) -> Vec<u32> {
        let marker = format!("{ROOT}={}", self.dir.path().display());
        let is_ours = |id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let mut variables = environment.split(|&byte| byte == 0);
            variables.any(|variable| variable == marker.as_bytes())
        };
        processes().into_iter().filter(is_ours).collect()
    }

    /// Of these, the one that waits.
    pub fn guard(&self) -> Option<u32> {
        self.supervisors().into_iter().find(|id| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let text = String::from_utf8_lossy(&environment).into_owned();
            text.contains("KINSTALL_GUARD_OF=")
        })
    }

    pub fn supervisor(&self) -> Option<u32> {
        let guard = self.guard();
        self.supervisors().into_iter().find(|&id| Some(id) != guard)
    }

    /// Kills the supervisor with its guard, so that none comes by itself.
    pub fn kill_supervisor_for_good(&self) {
        until("no supervisor", || {
            let all = self.supervisors();
            // The guard first: stopped, so that it does not follow.
            let mut guard_first = self.guard().into_iter().chain(all.iter().copied());
            guard_first.by_ref().for_each(|id| kill(id, Signal::KILL));
            all.is_empty().then_some(())
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log("supervisor"));
        }
        let ended = self.supervised.shut_down();
        self.kill_supervisor_for_good();
        if !std::thread::panicking() {
            ended.expect("a clean end");
        }
    }
}

pub fn launcher(root: &Path) -> Launcher {
    Launcher {
        program: std::env::current_exe().expect("this program"),
        arguments: ["the_supervisor_itself", "--exact", "--nocapture"]
            .map(Into::into)
            .into(),
        environment: vec![(ROOT.into(), root.into())],
    }
}

/// The command of a launcher.
pub fn command(launcher: &Launcher) -> Command {
    let mut command = Command::new(&launcher.program);
    command
        .args(&launcher.arguments)
        .envs(launcher.environment.iter().cloned());
    command
}

/// Waits for a condition, with an end to all patience.
#[track_caller]
pub fn until<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

pub fn lives(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"));
    stat.is_ok_and(|text| !text.contains(") Z "))
}

/// Not even a zombie.
pub fn is_gone(id: u32) -> bool {
    !Path::new(&format!("/proc/{id}")).exists()
}

pub fn kill(id: u32, signal: Signal) {
    let pid = Pid::from_raw(id.try_into().expect("an id")).expect("an id");
    let _ = kill_process(pid, signal);
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("processes");
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.collect()
}
