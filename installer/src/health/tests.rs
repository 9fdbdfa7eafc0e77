//! Waiting, with logs as containerd writes them and nobody who answers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixListener;

use super::{Gate, GateError, Places, Probes};
use crate::addon::testing::{IPV6, spec};

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);

struct Machine {
    scratch: tempfile::TempDir,
    probes: Probes,
}

impl Machine {
    fn new() -> Self {
        let spec = spec(IPV6);
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let mut places = Places::of(&spec);
        places.tree = at("tree");
        places.containerd = at("containerd.sock");
        places.addons = at("addons");
        places.addons_state = at("addons.json");
        places.logs.pods = at("pods");
        places.logs.service_logs = Some(at("logs"));
        fs::create_dir(at("addons")).unwrap();
        fs::create_dir(at("logs")).unwrap();
        let probes = Probes::at(&spec, places);
        Self { scratch, probes }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.scratch.path().join(name)
    }

    fn wait(&self, gate: Gate, timeout: Duration) -> Result<Duration, GateError> {
        block_on(self.probes.wait(&gate, timeout))
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn log(pods: &Path, number: u32, line: &str) {
    let container = pods.join("kube-system_kube-apiserver-six_0123/kube-apiserver");
    fs::create_dir_all(&container).unwrap();
    let line = format!("2026-01-02T03:04:05.678901234Z stderr F {line}\n");
    fs::write(container.join(format!("{number}.log")), line).unwrap();
}

/// Writes a log after it is waited for, as a kubelet would.
fn while_waiting(machine: &Machine, work: impl FnOnce(&Path) + Send) -> GateError {
    let pods = machine.at("pods");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| machine.wait(Gate::ApiServer, LONG));
        std::thread::sleep(Duration::from_millis(200));
        work(&pods);
        waiting.join().unwrap().unwrap_err()
    })
}

#[test]
fn a_component_that_ends_for_good_is_told_at_once() {
    let error = while_waiting(&Machine::new(), |pods| {
        log(pods, 0, "Error: unknown flag: --no-such-flag");
        log(pods, 1, "Error: unknown flag: --no-such-flag");
    });
    assert!(error.waited < LONG / 2, "{error}");
    assert_eq!(error.ended, 1);
    assert_eq!(
        error.last_words.last().unwrap(),
        "Error: unknown flag: --no-such-flag"
    );
    assert!(
        error
            .to_string()
            .contains("likely cause: it was started with a flag"),
        "{error}"
    );
}

#[test]
fn one_that_ends_again_and_again_too() {
    let error = while_waiting(&Machine::new(), |pods| {
        (0..=3).for_each(|number| log(pods, number, "it did not like it here"));
    });
    assert!(error.waited < LONG / 2, "{error}");
    assert!(
        error.to_string().contains("kube-apiserver ended 3 times"),
        "{error}"
    );
    assert_eq!(error.cause, None);
}

#[test]
fn so_is_a_service() {
    let machine = Machine::new();
    fs::write(machine.at("logs/containerd.log"), "no\nno\nno\n").unwrap();
    let restarts = std::cell::Cell::new(7);
    let error = block_on(
        machine
            .probes
            .wait_beside(&Gate::Containerd, LONG, &|name| {
                assert_eq!(name, "containerd");
                restarts.replace(restarts.get() + 1)
            }),
    )
    .unwrap_err();
    assert!(error.waited < LONG / 2, "{error}");
    assert_eq!((error.ended, error.last_words.len()), (5, 1), "{error}");
}

#[test]
fn what_was_before_does_not_count() {
    let machine = Machine::new();
    (0..=7).for_each(|number| log(&machine.at("pods"), number, "Error: unknown flag: --old"));
    let timeout = Duration::from_millis(1200);
    let error = machine.wait(Gate::ApiServer, timeout).unwrap_err();
    assert!(error.waited >= timeout && error.ended == 0, "{error}");
}

#[test]
fn where_there_is_no_container_the_kubelet_tells_why() {
    let machine = Machine::new();
    let words = "I1 all is well with etcd\nE1 pod_workers.go] \"Error syncing pod, skipping\" err=\"failed to StartContainer \
                 for kube-apiserver with ErrImageNeverPull\"\nI1 more of etcd\n";
    fs::write(machine.at("logs/kubelet.log"), words).unwrap();
    let error = machine.wait(Gate::ApiServer, Duration::ZERO).unwrap_err();
    assert_eq!(error.last_words.len(), 1, "{error}");
    assert!(error.cause.unwrap().fact.contains("image"), "{error}");
}

#[test]
fn containerd_answers_when_it_speaks_http2() {
    let machine = Machine::new();
    let error = machine.wait(Gate::Containerd, Duration::ZERO).unwrap_err();
    assert!(error.reason.contains("No such file"), "{error}");
    for (answer, good) in [
        (&b"\0\0\0\x04\0\0\0\0\0"[..], true),
        (b"HTTP/1.1 400 Bad", false),
    ] {
        let socket = machine.at("containerd.sock");
        let _ = fs::remove_file(&socket);
        let asked = block_on(async {
            let listener = UnixListener::bind(&socket).unwrap();
            let server = async {
                let (stream, _) = listener.accept().await.unwrap();
                stream.writable().await.unwrap();
                stream.try_write(answer).unwrap();
                stream
            };
            tokio::join!(server, machine.probes.ask(Gate::Containerd)).1
        });
        assert_eq!(asked.is_ok(), good, "{asked:?}");
    }
}

#[test]
fn addons_are_applied_when_the_folder_is_as_it_was_then() {
    use crate::addon::manager::{Folder, Report, State};
    let machine = Machine::new();
    let ask = || block_on(machine.probes.ask(Gate::Addons));
    assert!(ask().unwrap_err().contains("no pass"));
    let mut state = State {
        time: 0,
        fingerprint: Folder::fingerprint(&machine.at("addons")).unwrap(),
        away: None,
        report: Report::default(),
    };
    state.write(&machine.at("addons.json")).unwrap();
    assert_eq!(ask(), Ok(()));
    fs::write(machine.at("addons/new.yaml"), "").unwrap();
    assert!(ask().unwrap_err().contains("changed"));
    state.away = Some("connection refused".into());
    state.write(&machine.at("addons.json")).unwrap();
    assert!(ask().unwrap_err().contains("connection refused"));
}
