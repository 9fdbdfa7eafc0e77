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
