//! Ends what the kubelet leaves running when it is stopped: the containers of its pods.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::desired::layout;
use crate::machine::EffectError;

/// How long one call of `ctr` may take, in seconds: on a busy machine a kill waits for its shim.
const CALL_SECONDS: u32 = 30;

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

    /// Ends all containers: those that use the API first, then etcd, which so loses nothing that they were told is kept,
    /// then the sandboxes. The kubelet makes new ones when it is started again.
    ///
    /// # Errors
    /// When containerd does not answer, or a container does not end.
    pub fn end(&self) -> Result<(), EffectError> {
        let etcd = "labels.\"io.kubernetes.container.name\"==etcd";
        let sandboxes = "labels.\"io.cri-containerd.kind\"==sandbox";
        let last = [
            self.containers(Some(etcd))?,
            self.containers(Some(sandboxes))?,
        ];
        let first: Vec<_> = self.containers(None)?;
        let first = first.into_iter().filter(|id| !last.concat().contains(id));
        let [etcd, sandboxes] = last.clone();
        for group in [first.collect(), etcd, sandboxes] {
            self.end_group(&group)?;
        }
        Ok(())
    }

    fn end_group(&self, ids: &[String]) -> Result<(), EffectError> {
        for (signal, patience) in [("SIGTERM", self.grace), ("SIGKILL", self.grace)] {
            let running = self.running(ids)?;
            for id in &running {
                // One that ended meanwhile is no error, and one that did not shows below.
                let _ = self.ask(&["tasks", "kill", "--signal", signal, id]);
            }
            let end = Instant::now() + patience;
            while !running.is_empty() && !self.running(ids)?.is_empty() && Instant::now() < end {
                sleep(Duration::from_millis(50));
            }
        }
        if let Some(id) = self.running(ids)?.first() {
            return Err(EffectError {
                fact: format!("container {id} does not end, though it was killed"),
                hint: Some("a process of it waits for a disk or a network file system".into()),
            });
        }
        // Takes the shims away.
        for (id, _) in self.tasks()? {
            if ids.contains(&id) {
                self.ask(&["tasks", "delete", "--force", &id])?;
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
            .args(["--namespace", "k8s.io", "--timeout"])
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
