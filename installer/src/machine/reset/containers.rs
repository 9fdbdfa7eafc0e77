//! Ending the containers of pods: by their control groups, then the shims that wait for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::cgroups;
use crate::desired::layout::CONTAINERD_SOCKET;
use crate::machine::effect::EffectError;
use crate::machine::error::HostError;
use crate::machine::observe::traces;

/// SIGKILL needs no longer, unless a process hangs in the kernel.
const LONGEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
/// The namespace that the CRI keeps its containers in, as shims are told it.
const NAMESPACE: &str = "k8s.io";

/// Ends all processes of these control groups, but for those in groups that were there before, and with
/// `shims` those of containerd's shims that are the kubelet's.
pub(super) fn end<'a>(
    groups: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
    shims: bool,
) -> Result<(), HostError> {
    let mut paths = Vec::new();
    for (group, before) in groups {
        let now = traces::cgroups(group)?;
        paths.extend(
            now.into_iter()
                .filter(|path| !before.contains(&path.display().to_string())),
        );
    }
    let in_groups = || {
        paths
            .iter()
            .flat_map(|path| cgroups::processes(path))
            .collect()
    };
    end_all("processes of containers", in_groups)?;
    if shims {
        // A killed run leaves behind what it had called, which waits for containerd.
        end_all("imports of images", || processes_that(is_import))?;
        end_all("containerd's shims", || processes_that(is_shim))?;
        // A shim that came up meanwhile may have started another.
        end_all("processes of containers", in_groups)?;
    }
    Ok(())
}

/// Ends all processes of these pods. Nobody may be there who starts them again.
pub(crate) fn end_pods(group: &str, pods: &BTreeSet<String>) -> Result<(), HostError> {
    let mut paths = Vec::new();
    for group in traces::cgroups(group)? {
        let groups = cgroups::tree(&group).into_iter();
        paths.extend(groups.filter(|path| is_of(path, pods)));
    }
    end_all("processes of pods", || {
        let processes = paths.iter().flat_map(|path| cgroups::processes(path));
        processes.collect()
    })
}

/// `pod<uid>` without systemd, `kubepods-<class>-pod<uid>.slice` with it, where `_` stands for `-` in the uid.
fn is_of(group: &Path, pods: &BTreeSet<String>) -> bool {
    let name = group.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".slice").unwrap_or(&name);
    let uid = name
        .rsplit_once("pod")
        .map(|(_, uid)| uid.replace('_', "-"));
    uid.is_some_and(|uid| pods.contains(&uid))
}

/// Kills until there are none: those that we kill may start others.
fn end_all(what: &str, list: impl Fn() -> Vec<i32>) -> Result<(), HostError> {
    let begin = Instant::now();
    let own = rustix::process::getpid();
    loop {
        let processes: BTreeSet<i32> = list().into_iter().filter(|id| !is_over(*id)).collect();
        if processes.is_empty() {
            return Ok(());
        }
        if begin.elapsed() > LONGEST {
            let names: Vec<_> = processes.iter().map(i32::to_string).collect();
            return Err(EffectError {
                fact: format!("{what} do not end: {}", names.join(", ")),
                hint: Some("restart the machine, then run again".to_owned()),
            }
            .into());
        }
        for id in processes.into_iter().filter_map(Pid::from_raw) {
            if id != own {
                // One that has ended meanwhile is no error; any other reason shows above.
                let _ = kill_process(id, Signal::KILL);
            }
        }
        sleep(PAUSE);
    }
}

/// Whether a process has ended and only waits for its parent to notice.
fn is_over(id: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold any (proc_pid_stat(5)).
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
    matches!(state, None | Some(b'Z' | b'X'))
}

fn processes_that(are: impl Fn(&[u8]) -> bool) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        are(&line)
    })
    .collect()
}

/// `containerd-shim-runc-v2 -namespace k8s.io -id … -address /run/containerd/containerd.sock`.
fn is_shim(line: &[u8]) -> bool {
    name(line).starts_with("containerd-shim")
        && follows(line, "-namespace", NAMESPACE)
        && follows(line, "-address", CONTAINERD_SOCKET)
}

/// `ctr --address /run/containerd/containerd.sock … --namespace k8s.io images import …`.
fn is_import(line: &[u8]) -> bool {
    name(line) == "ctr"
        && follows(line, "--namespace", NAMESPACE)
        && follows(line, "--address", CONTAINERD_SOCKET)
        && follows(line, "images", "import")
}

fn name(line: &[u8]) -> &str {
    let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let program = std::str::from_utf8(program).unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default()
}

fn follows(line: &[u8], option: &str, value: &str) -> bool {
    let words: Vec<_> = line.split(|byte| *byte == 0).collect();
    let mut pairs = words.windows(2);
    pairs.any(|pair| pair[0] == option.as_bytes() && pair[1] == value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_pods() {
        let pods = BTreeSet::from(["0123abcd".to_owned(), "01-23".to_owned()]);
        let is = |path: &str| is_of(Path::new(path), &pods);
        assert!(is("/sys/fs/cgroup/memory/kubepods/burstable/pod0123abcd"));
        assert!(is(
            "/sys/fs/cgroup/kubepods.slice/kubepods-burstable-pod01_23.slice"
        ));
        assert!(!is("/sys/fs/cgroup/kubepods/burstable/pod0123abce"));
        assert!(!is("/sys/fs/cgroup/kubepods"));
        assert!(!is("/"));
    }

    #[test]
    fn only_the_kubelets_shims() {
        let line = |namespace: &str, socket: &str| {
            format!(
                "/usr/bin/containerd-shim-runc-v2\0-namespace\0{namespace}\0-id\0x\0-address\0{socket}\0"
            )
        };
        assert!(is_shim(line("k8s.io", CONTAINERD_SOCKET).as_bytes()));
        assert!(!is_shim(line("moby", CONTAINERD_SOCKET).as_bytes()));
        assert!(!is_shim(line("k8s.io", "/run/other.sock").as_bytes()));
        assert!(!is_shim(b"containerd\0"));
        assert!(!is_shim(b""));
    }

    #[test]
    fn only_imports_into_this_containerd() {
        let line = |namespace: &str, socket: &str| {
            format!(
                "/usr/bin/ctr\0--address\0{socket}\0--namespace\0{namespace}\0images\0import\0-"
            )
        };
        assert!(is_import(line(NAMESPACE, CONTAINERD_SOCKET).as_bytes()));
        assert!(!is_import(line("moby", CONTAINERD_SOCKET).as_bytes()));
        assert!(!is_import(line(NAMESPACE, "/run/other.sock").as_bytes()));
        assert!(!is_import(b"ctr\0images\0ls"));
        assert!(!is_import(b""));
    }
}
