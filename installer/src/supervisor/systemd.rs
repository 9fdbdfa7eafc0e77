//! Services as units of systemd.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::desired::Service;
use crate::machine::{EffectError, ServiceManager, ServiceState};

use super::definition::{digest_of, remove, write_whole};
use super::unit::{DIGEST_VARIABLE, definition_in_unit, unit_text};

/// Services as units of systemd.
#[derive(Clone, Debug)]
pub struct Systemd {
    /// Where units are written.
    pub units: PathBuf,
    /// The program that speaks with systemd.
    pub systemctl: PathBuf,
}

impl Systemd {
    /// Of this machine.
    pub fn system() -> Self {
        Self {
            units: "/etc/systemd/system".into(),
            systemctl: "systemctl".into(),
        }
    }

    /// The definitions of all units that kinstall wrote.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn installed(&self) -> Result<Vec<Service>, EffectError> {
        let entries = match fs::read_dir(&self.units) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&self.units, &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| at(&self.units, &error))?.path();
            let is_unit = path.extension().is_some_and(|ending| ending == "service");
            if is_unit && path.is_file() {
                let text = fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
                found.extend(definition_in_unit(&text));
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Starts units, in one transaction: systemd keeps their order.
    ///
    /// # Errors
    /// When one does not start.
    pub fn start(&self, names: &[String]) -> Result<(), EffectError> {
        self.on_units("start", names)
    }

    /// Stops units and waits until they are down. They start with the next boot.
    ///
    /// # Errors
    /// When one does not stop.
    pub fn stop(&self, names: &[String]) -> Result<(), EffectError> {
        self.on_units("stop", names)
    }

    fn on_units(&self, verb: &str, names: &[String]) -> Result<(), EffectError> {
        if names.is_empty() {
            return Ok(());
        }
        let units: Vec<_> = names.iter().map(|name| format!("{name}.service")).collect();
        let mut arguments = vec![verb];
        arguments.extend(units.iter().map(String::as_str));
        self.ask(&arguments).map(drop)
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.units.join(format!("{name}.service"))
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, EffectError> {
        let words = format!("{} {}", self.systemctl.display(), arguments.join(" "));
        let output = Command::new(&self.systemctl)
            .args(arguments)
            .output()
            .map_err(|error| EffectError {
                fact: format!("{words}: {error}"),
                hint: None,
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().next().unwrap_or("it says nothing");
        Err(EffectError {
            fact: format!("{words}: {said}"),
            hint: arguments
                .last()
                .and_then(|unit| unit.strip_suffix(".service"))
                .map(|name| format!("see why with: journalctl -u {name} -n 50")),
        })
    }

    /// A drop-in that names another command would make ours without effect, as kubeadm's package does.
    fn refuse_other_command(&self, name: &str, drop_ins: &str) -> Result<(), EffectError> {
        for path in drop_ins.split_whitespace() {
            let text = fs::read_to_string(path).unwrap_or_default();
            if text
                .lines()
                .any(|line| line.trim_start().starts_with("ExecStart="))
            {
                return Err(EffectError {
                    fact: format!("{path} replaces the command of {name}"),
                    hint: Some(format!(
                        "take it away, or the package that it belongs to: rm {path}"
                    )),
                });
            }
        }
        Ok(())
    }
}

impl ServiceManager for Systemd {
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError> {
        let path = self.unit(name);
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        let Some(definition) = definition_in_unit(&text) else {
            return Ok(None);
        };
        let unit = format!("{name}.service");
        let shown = Shown(self.ask(&["show", "--timestamp=unix", &unit])?);
        let process = shown.value("MainPID").and_then(|id| id.parse().ok());
        let process = process.filter(|&id: &u32| id != 0);
        let active = matches!(shown.value("ActiveState"), Some("active" | "activating"));
        let same = process.is_some_and(|id| started_with(id) == Some(digest_of(&definition)));
        Ok(Some(ServiceState {
            running: active && same && shown.value("NeedDaemonReload") != Some("yes"),
            since: shown
                .value("ExecMainStartTimestamp")
                .and_then(|at| at.strip_prefix('@')?.parse().ok()),
            process,
            restarts: shown
                .value("NRestarts")
                .and_then(|count| count.parse().ok())
                .unwrap_or_default(),
            last_end: shown.last_end(active),
            definition,
        }))
    }

    fn install(&self, service: &Service) -> Result<(), EffectError> {
        let name = &service.name;
        let path = self.unit(name);
        let unit = format!("{name}.service");
        let there = read(&path)?;
        if there
            .as_deref()
            .is_some_and(|text| definition_in_unit(text).is_none())
        {
            let path = path.display();
            return Err(EffectError {
                fact: format!("{path} is there, and kinstall did not write it"),
                hint: Some(format!(
                    "stop that {name} and take its unit away: systemctl disable --now {name}; rm {path}"
                )),
            });
        }
        let text = unit_text(service);
        if there.as_deref() != Some(&text) {
            write_whole(&path, text.as_bytes()).map_err(|error| at(&path, &error))?;
        }
        self.ask(&["daemon-reload"])?;
        let shown = Shown(self.ask(&["show", &unit])?);
        self.refuse_other_command(name, shown.value("DropInPaths").unwrap_or_default())?;
        self.ask(&["enable", "--quiet", &unit])?;
        if self.state(name)?.is_none_or(|state| !state.running) {
            self.ask(&["restart", &unit])?;
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), EffectError> {
        let path = self.unit(name);
        let Some(text) = read(&path)? else {
            return Ok(());
        };
        if definition_in_unit(&text).is_none() {
            return Ok(());
        }
        self.ask(&["disable", "--now", "--quiet", &format!("{name}.service")])?;
        remove(&path).map_err(|error| at(&path, &error))?;
        self.ask(&["daemon-reload"]).map(drop)
    }
}

/// The answer of `systemctl show`: `Key=value` a line.
struct Shown(String);

impl Shown {
    fn value(&self, key: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }

    fn last_end(&self, active: bool) -> Option<String> {
        let again = self.value("NRestarts").is_some_and(|count| count != "0");
        if active && !again {
            return None;
        }
        let status = self.value("ExecMainStatus")?;
        let words = match (self.value("Result")?, self.value("ExecMainCode")?) {
            // CLD_KILLED and CLD_DUMPED of sigaction(2); systemd keeps no end of what is running again.
            (_, "2" | "3") => format!("signal {status}"),
            ("success", _) => format!("exit code {status}"),
            (result, _) => format!("{result}, exit code {status}"),
        };
        Some(words)
    }
}

/// The digest of the definition that a process was started with.
fn started_with(process: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let mut variables = environment.split(|&byte| byte == 0);
    variables.find_map(|variable| {
        let text = std::str::from_utf8(variable).ok()?;
        Some(
            text.strip_prefix(DIGEST_VARIABLE)?
                .strip_prefix('=')?
                .to_owned(),
        )
    })
}

fn read(path: &Path) -> Result<Option<String>, EffectError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, &error)),
    }
}

pub(super) fn at(path: &Path, error: &io::Error) -> EffectError {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    EffectError {
        fact: format!("{}: {error}", path.display()),
        hint: denied.then(|| "run as root".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::supervisor::definition::tests::service;

    /// A systemd that notes what it is asked, and shows what the file `show` says.
    fn machine() -> (tempfile::TempDir, Systemd) {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let root = dir.path().display();
        let script = format!(
            "#!/bin/sh\necho \"$*\" >> {root}/asked\n[ ! -e {root}/refuse ] || {{ echo no >&2; exit 1; }}\n\
             case $1 in show) cat {root}/show ;; esac\n"
        );
        fs::write(at("systemctl"), script).expect("written");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(at("systemctl"), mode).expect("executable");
        fs::write(at("show"), "MainPID=0\nActiveState=inactive\nNRestarts=0\n").expect("written");
        fs::create_dir(at("units")).expect("made");
        let systemd = Systemd {
            units: at("units"),
            systemctl: at("systemctl"),
        };
        (dir, systemd)
    }

    fn asked(dir: &tempfile::TempDir) -> Vec<String> {
        let path = dir.path().join("asked");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_install_writes_enables_and_starts_once() {
        let (dir, systemd) = machine();
        let kubelet = service("kubelet", "/usr/bin/kubelet", &[]);
        systemd.install(&kubelet).expect("installed");
        let path = systemd.unit("kubelet");
        let mode = fs::metadata(&path).expect("a unit").permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        let verbs = asked(&dir);
        let verbs: Vec<_> = verbs
            .iter()
            .filter(|verb| !verb.starts_with("show"))
            .collect();
        let enable = "enable --quiet kubelet.service";
        assert_eq!(verbs, ["daemon-reload", enable, "restart kubelet.service"]);
        let state = systemd
            .state("kubelet")
            .expect("an answer")
            .expect("installed");
        assert_eq!((state.definition, state.running), (kubelet.clone(), false));
        assert_eq!(
            systemd.installed().expect("readable"),
            std::slice::from_ref(&kubelet)
        );

        // It runs, with what was installed: a process with the digest in its environment.
        let digest = format!("{DIGEST_VARIABLE}={}", digest_of(&kubelet));
        let mut process = Command::new("env")
            .args([&digest, "sleep", "1000"])
            .spawn()
            .expect("started");
        let show = format!(
            "MainPID={}\nActiveState=active\nNRestarts=2\nExecMainStartTimestamp=@1795520000\nResult=success\n\
             ExecMainCode=2\nExecMainStatus=9\n",
            process.id()
        );
        fs::write(dir.path().join("show"), show).expect("written");
        let environment =
            || fs::read(format!("/proc/{}/environ", process.id())).unwrap_or_default();
        while !String::from_utf8_lossy(&environment()).contains(&digest) {
            std::thread::yield_now();
        }
        let state = systemd
            .state("kubelet")
            .expect("an answer")
            .expect("installed");
        assert!(state.running);
        assert_eq!((state.since, state.restarts), (Some(1_795_520_000), 2));
        assert_eq!(state.last_end.as_deref(), Some("signal 9"));
        asked(&dir);
        systemd.install(&kubelet).expect("installed");
        assert!(!asked(&dir).iter().any(|verb| verb.starts_with("restart")));
        let changed = Service {
            inputs: "1".repeat(64),
            ..kubelet
        };
        systemd.install(&changed).expect("installed");
        assert!(asked(&dir).contains(&"restart kubelet.service".to_owned()));
        process.kill().expect("ended");
        process.wait().expect("ended");
    }

    #[test]
    fn what_others_wrote_stays() {
        let (dir, systemd) = machine();
        let kubelet = service("kubelet", "/usr/bin/kubelet", &[]);
        fs::write(systemd.unit("kubelet"), "[Service]\nExecStart=/bin/x\n").expect("written");
        let error = systemd.install(&kubelet).expect_err("not ours");
        assert!(
            error
                .fact
                .ends_with("kubelet.service is there, and kinstall did not write it")
        );
        assert_eq!(systemd.state("kubelet").expect("an answer"), None);
        systemd.remove("kubelet").expect("nothing to do");
        assert!(systemd.unit("kubelet").exists());
        assert_eq!(asked(&dir), Vec::<String>::new());
    }

    #[test]
    fn a_drop_in_with_another_command_is_named() {
        let (dir, systemd) = machine();
        let drop_in = dir.path().join("10-kubeadm.conf");
        fs::write(
            &drop_in,
            "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet\n",
        )
        .expect("written");
        let show = format!("DropInPaths=/none {}\n", drop_in.display());
        fs::write(dir.path().join("show"), show).expect("written");
        let kubelet = service("kubelet", "/usr/bin/kubelet", &[]);
        let error = systemd.install(&kubelet).expect_err("another command");
        assert!(
            error
                .fact
                .ends_with("10-kubeadm.conf replaces the command of kubelet")
        );
    }

    #[test]
    fn what_systemd_refuses_is_told() {
        let (dir, systemd) = machine();
        fs::write(dir.path().join("refuse"), "").expect("written");
        let error = systemd.start(&["kubelet".into()]).expect_err("refused");
        assert!(
            error.fact.ends_with("systemctl start kubelet.service: no"),
            "{error}"
        );
        let hint = "see why with: journalctl -u kubelet -n 50";
        assert_eq!(error.hint.as_deref(), Some(hint));
    }

    #[test]
    fn a_removed_unit_is_gone() {
        let (dir, systemd) = machine();
        systemd
            .install(&service("kubelet", "/usr/bin/kubelet", &[]))
            .expect("installed");
        asked(&dir);
        systemd.remove("kubelet").expect("removed");
        assert!(!systemd.unit("kubelet").exists());
        assert_eq!(
            asked(&dir),
            ["disable --now --quiet kubelet.service", "daemon-reload"]
        );
        systemd.remove("kubelet").expect("nothing to do");
    }
}
