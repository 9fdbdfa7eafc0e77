//! Ends what the kubelet leaves running when it is stopped: the containers of its pods.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::desired::layout;
use crate::machine::EffectError;

/// How long one call of `ctr` may take, in seconds: on a busy machine a kill waits for its shim.
const CALL_SECONDS: u32 = 30;

/// How often something is looked at again.
const PACE: Duration = Duration::from_millis(50);
/// containerd's name for what the kubelet has it run.
const NAMESPACE: &str = "k8s.io";

/// The containers of the kubelet's pods.
#[derive(Clone, Debug)]
pub struct Pods {
    /// containerd's own client.
    pub ctr: PathBuf,
    /// containerd's socket.
    pub socket: PathBuf,
    /// How long containers may take to end before they are killed.
    pub grace: Duration,
}

impl Pods {
    /// The service that runs them.
    pub const RUNTIME: &'static str = "containerd";

    /// Of this machine. Ten seconds: etcd needs one, and kube-apiserver waits for its watchers in vain.
    pub fn system(ctr: PathBuf) -> Self {
        Self {
            ctr,
            socket: layout::CONTAINERD_SOCKET.into(),
            grace: Duration::from_secs(10),
        }
    }

    /// Whether any has a shim, which containerd need not live for.
    pub fn are_there(&self) -> bool {
        let entries = fs::read_dir("/proc").into_iter().flatten();
        let mut processes = entries.filter_map(|entry| Some(entry.ok()?.path()));
        processes.any(|process| self.is_shim(&process))
    }

    /// `containerd-shim-... -namespace k8s.io -id <id> -address <socket>`
    fn is_shim(&self, process: &Path) -> bool {
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        let words: Vec<_> = words.split(|&byte| byte == 0).collect();
        let program = words[0]
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let socket = self.socket.as_os_str().as_bytes();
        let has = |flag: &[u8], value: &[u8]| words.windows(2).any(|pair| pair == [flag, value]);
        program.starts_with(b"containerd-shim-")
            && has(b"-namespace", NAMESPACE.as_bytes())
            && has(b"-address", socket)
    }

    /// Ends all containers: those that use the API first, then etcd, which so loses nothing that they were told is kept,
    /// then the sandboxes. The kubelet makes new ones when it is started again.
    ///
    /// # Errors
    /// When containerd does not answer, or a container does not end.
    pub fn end(&self) -> Result<(), EffectError> {
        self.wait_for_runtime()?;
        let etcd = self.containers(Some("labels.\"io.kubernetes.container.name\"==etcd"))?;
        let sandboxes = self.containers(Some("labels.\"io.cri-containerd.kind\"==sandbox"))?;
        let mut first = self.containers(None)?;
        first.retain(|id| !etcd.contains(id) && !sandboxes.contains(id));
        let both = ["SIGTERM", "SIGKILL"];
        self.end_group(&first, &both)?;
        self.end_group(&etcd, &both)?;
        // They have nothing to finish, and some do not hear as process 1 of their namespace.
        self.end_group(&sandboxes, &both[1..])?;
        let end = Instant::now() + self.grace;
        while self.are_there() {
            if Instant::now() > end {
                return Err(EffectError {
                    fact: "a shim of containerd does not end though its container did".into(),
                    hint: Some("see which with: pgrep -a containerd-shim".into()),
                });
            }
            sleep(PACE);
        }
        Ok(())
    }

    /// One that was started just now has no socket yet, or does not answer on it.
    fn wait_for_runtime(&self) -> Result<(), EffectError> {
        let end = Instant::now() + Duration::from_secs(CALL_SECONDS.into());
        loop {
            match self.ask(&["version"]) {
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => sleep(PACE),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn end_group(&self, ids: &[String], signals: &[&str]) -> Result<(), EffectError> {
        for signal in signals {
            let running = self.running(ids)?;
            for id in &running {
                // One that ended meanwhile is no error, and one that did not shows below.
                let _ = self.ask(&["tasks", "kill", "--signal", signal, id]);
            }
            let end = Instant::now() + self.grace;
            while !running.is_empty() && !self.running(ids)?.is_empty() && Instant::now() < end {
                sleep(PACE);
            }
        }
        if let Some(id) = self.running(ids)?.first() {
            return Err(EffectError {
                fact: format!("container {id} does not end, though it was killed"),
                hint: Some("a process of it waits for a disk or a network file system".into()),
            });
        }
        // Takes the shims away. containerd does so too when it hears of the end, and may be first.
        for (id, _) in self.tasks()?.iter().filter(|(id, _)| ids.contains(id)) {
            if let Err(error) = self.ask(&["tasks", "delete", "--force", id])
                && self.tasks()?.iter().any(|(there, _)| there == id)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    fn running(&self, ids: &[String]) -> Result<Vec<String>, EffectError> {
        let tasks = self.tasks()?.into_iter();
        let running = tasks.filter(|(id, state)| state != "STOPPED" && ids.contains(id));
        Ok(running.map(|(id, _)| id).collect())
    }

    fn containers(&self, filter: Option<&str>) -> Result<Vec<String>, EffectError> {
        let mut arguments = vec!["containers", "list", "--quiet"];
        arguments.extend(filter);
        Ok(self.ask(&arguments)?.lines().map(str::to_owned).collect())
    }

    /// Ids and states.
    fn tasks(&self) -> Result<Vec<(String, String)>, EffectError> {
        // TASK PID STATUS, with a heading.
        let table = self.ask(&["tasks", "list"])?;
        let row = |line: &str| {
            let mut fields = line.split_ascii_whitespace();
            Some((fields.next()?.to_owned(), fields.nth(1)?.to_owned()))
        };
        Ok(table.lines().skip(1).filter_map(row).collect())
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, EffectError> {
        let failed = |why: &str| EffectError {
            fact: format!("ctr {}: {why}", arguments.join(" ")),
            hint: Some("see kinstall logs containerd".into()),
        };
        let output = Command::new(&self.ctr)
            .arg("--address")
            .arg(&self.socket)
            .args(["--namespace", NAMESPACE, "--timeout"])
            .arg(format!("{CALL_SECONDS}s"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(failed(
            said.trim().lines().last().unwrap_or("it says nothing"),
        ))
    }
}
