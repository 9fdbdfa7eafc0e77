//! What services and pods have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::EffectError;

use super::daemon::rotate;
use super::tail::{Follower, Style, last_lines};

/// Where the kubelet has containerd write the logs of pods (`kuberuntime.podLogsRootDirectory`).
pub const POD_LOGS: &str = "/var/log/pods";
/// Before the name of a pod of the node itself, in the name of its directory of logs.
const NAMESPACE: &str = "kube-system_";

/// Where to look.
#[derive(Clone, Debug)]
pub struct LogPlaces {
    /// The names of services.
    pub services: Vec<String>,
    /// Where services under the supervisor write; nothing where systemd's journal has it.
    pub service_logs: Option<PathBuf>,
    /// The kubelet's directory of pods' logs.
    pub pods: PathBuf,
}

/// Writes the last `lines` lines of a component to `out`, and with `follow` all that come, until SIGINT. A component is a
/// service, or a container of a pod of `kube-system`, of whose instances the newest is meant.
///
/// # Errors
/// When there is no such component, or its log cannot be read.
pub fn show(
    places: &LogPlaces,
    component: &str,
    lines: usize,
    follow: bool,
    out: &mut impl Write,
) -> Result<(), EffectError> {
    let service = places.services.iter().any(|name| name == component);
    match &places.service_logs {
        None if service => journal(component, lines, follow),
        Some(dir) if service || component == "supervisor" => {
            let log = dir.join(format!("{component}.log"));
            let current = log.clone();
            files(&service_files(&log), Style::Plain, lines, out)?;
            follow_if(
                follow,
                Style::Plain,
                move || Some(current.clone()),
                &log,
                out,
            )
        }
        _ => {
            let Some(container) = containers(&places.pods).remove(component) else {
                return Err(unknown(places, component));
            };
            let all = container_files(&container);
            files(&all, Style::Cri, lines, out)?;
            let last = all.last().cloned().unwrap_or_default();
            let (pods, name) = (places.pods.clone(), component.to_owned());
            // A restart begins another file, a new pod another directory.
            let newest = move || container_files(containers(&pods).get(&name)?).pop();
            follow_if(follow, Style::Cri, newest, &last, out)
        }
    }
}

/// The files of a service's log, the oldest first.
fn service_files(log: &Path) -> Vec<PathBuf> {
    let older = (1..=rotate::OLD)
        .rev()
        .map(|number| rotate::old(log, number));
    older
        .chain([log.to_owned()])
        .filter(|path| path.exists())
        .collect()
}

/// The newest directory of logs of each container, by the container's name: `<pod>/<container>`.
fn containers(pods: &Path) -> BTreeMap<String, PathBuf> {
    let mut found: BTreeMap<String, (u64, PathBuf)> = BTreeMap::new();
    for pod in entries(pods) {
        let name = pod.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(NAMESPACE) {
            continue;
        }
        for container in entries(&pod).into_iter().filter(|path| path.is_dir()) {
            let name = container.file_name().unwrap_or_default().to_string_lossy();
            let name = name.into_owned();
            let newest = container_files(&container)
                .last()
                .map_or(0, |path| written(path));
            if found.get(&name).is_none_or(|(known, _)| *known <= newest) {
                found.insert(name, (newest, container));
            }
        }
    }
    found
        .into_iter()
        .map(|(name, (_, path))| (name, path))
        .collect()
}

/// The logs of a container's instances, `0.log`, `1.log`, the oldest first. Compressed ones and those that the kubelet
/// rotated away are left out.
fn container_files(container: &Path) -> Vec<PathBuf> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.strip_suffix(".log")?.parse::<u32>().ok()
    };
    let mut files: Vec<_> = entries(container)
        .into_iter()
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// When a file was written last, in seconds since 1970.
fn written(path: &Path) -> u64 {
    let modified = path.metadata().and_then(|found| found.modified()).ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

fn files(
    paths: &[PathBuf],
    style: Style,
    lines: usize,
    out: &mut impl Write,
) -> Result<(), EffectError> {
    last_lines(paths, style, lines, out)
}

fn follow_if(
    follow: bool,
    style: Style,
    newest: impl Fn() -> Option<PathBuf>,
    shown: &Path,
    out: &mut impl Write,
) -> Result<(), EffectError> {
    if !follow {
        return Ok(());
    }
    Follower::new(style, newest, shown).run(out)
}

/// systemd has the log, and its own program for it.
fn journal(component: &str, lines: usize, follow: bool) -> Result<(), EffectError> {
    let mut command = Command::new("journalctl");
    command.args(["--no-pager", "--output=cat", "--unit"]);
    command.arg(format!("{component}.service"));
    command.args(["--lines", &lines.to_string()]);
    command.args(follow.then_some("--follow"));
    let failed = |why: String| EffectError {
        fact: format!("journalctl: {why}"),
        hint: None,
    };
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| failed(error.to_string()))?;
    // SIGINT ends both this program and that one.
    if status.success() || (follow && status.code().is_none()) {
        return Ok(());
    }
    Err(failed(status.to_string()))
}

fn unknown(places: &LogPlaces, component: &str) -> EffectError {
    let mut known: BTreeSet<_> = containers(&places.pods).into_keys().collect();
    known.extend(places.services.iter().cloned());
    if places.service_logs.is_some() {
        known.insert("supervisor".into());
    }
    let known: Vec<_> = known.into_iter().collect();
    EffectError {
        fact: format!("there is no log of {component:?}"),
        hint: Some(match known.as_slice() {
            [] => "nothing has run here yet: kinstall node makes this machine a node".into(),
            known => format!("there are those of {}", known.join(", ")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> (tempfile::TempDir, LogPlaces) {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("logs/kubelet.log", "three\nfour\n");
        write("logs/kubelet.log.1", "one\ntwo\n");
        write("logs/supervisor.log", "time kubelet: started\n");
        let etcd = "pods/kube-system_etcd-n1_0123/etcd";
        write(&format!("{etcd}/0.log"), "t stderr F first\n");
        write(&format!("{etcd}/10.log"), "t stderr F third\n");
        write(&format!("{etcd}/9.log"), "t stderr F second\n");
        write(&format!("{etcd}/9.log.20261124-120000.gz"), "compressed");
        write(
            "pods/default_etcd-mine_4567/etcd/0.log",
            "t stdout F another's\n",
        );
        write(
            "pods/kube-system_coredns-abc-x_1/coredns/0.log",
            "t stdout F old\n",
        );
        let place = |name: &str| dir.path().join(name);
        let places = LogPlaces {
            services: vec!["containerd".into(), "kubelet".into()],
            service_logs: Some(place("logs")),
            pods: place("pods"),
        };
        (dir, places)
    }

    fn shown(places: &LogPlaces, component: &str, lines: usize) -> Result<String, EffectError> {
        let mut out = Vec::new();
        show(places, component, lines, false, &mut out)?;
        Ok(String::from_utf8(out).expect("a text"))
    }

    #[test]
    fn of_services_and_of_pods() {
        let (_dir, places) = machine();
        let shown = |component, lines| shown(&places, component, lines).expect("a log");
        assert_eq!(shown("kubelet", 3), "two\nthree\nfour\n");
        assert_eq!(shown("etcd", 2), "second\nthird\n");
        assert_eq!(shown("coredns", 9), "old\n");
        assert_eq!(shown("supervisor", 9), "time kubelet: started\n");
        // Installed, and silent so far.
        assert_eq!(shown("containerd", 9), "");
    }

    #[test]
    fn the_newest_pod_of_a_name_is_meant() {
        let (dir, places) = machine();
        let old = dir
            .path()
            .join("pods/kube-system_coredns-abc-x_1/coredns/0.log");
        let old = fs::File::options().append(true).open(old).expect("a log");
        let an_hour = std::time::Duration::from_secs(3600);
        old.set_modified(std::time::SystemTime::now() - an_hour)
            .expect("older");
        let new = dir.path().join("pods/kube-system_coredns-abc-a_2/coredns");
        fs::create_dir_all(&new).expect("made");
        fs::write(new.join("0.log"), "t stdout F new\n").expect("written");
        assert_eq!(shown(&places, "coredns", 9).as_deref(), Ok("new\n"));
    }

    #[test]
    fn one_that_is_not_there_is_told_with_those_that_are() {
        let (_dir, places) = machine();
        let error = shown(&places, "etdc", 9).expect_err("no such log");
        assert_eq!(error.fact, "there is no log of \"etdc\"");
        let wanted = "there are those of containerd, coredns, etcd, kubelet, supervisor";
        assert_eq!(error.hint.as_deref(), Some(wanted));
    }
}
