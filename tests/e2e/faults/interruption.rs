//! `kinstall node` killed at twenty points spread over its run, and run again.
//!
//! Three installations on one machine, each killed at increasing points: by the clock, by what is on the disk, and by what
//! runs. A run that comes after goes on where the last one was killed.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tests::node::{Node, UNCOUNTED};
use tests::phases::Phases;
use tests::record::note;

/// How long a run may take to get to a point; none takes that long on two busy cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// So many milliseconds after its start.
    After(u64),
    /// As soon as this is there. `*` is any letters of one name.
    Exists(&'static str),
    /// So many milliseconds after that is there and the run has begun.
    AfterExists(&'static str, u64),
}
use Point::{After, AfterExists, Exists};

/// Reading, making the PKI, looking at programs, writing files.
const BY_THE_CLOCK: [Point; 7] = [
    After(5),
    After(30),
    After(60),
    After(120),
    After(250),
    After(500),
    After(900),
];

/// What a run makes itself, in its order.
const BY_FILES: [Point; 8] = [
    Exists("/root/kubernetes/*"),
    Exists("/root/kubernetes/cluster.toml"),
    Exists("/var/lib/kinstall/lock"),
    AfterExists("/var/lib/kinstall/ledger.json", 50),
    AfterExists("/etc/kubernetes/pki", 150),
    AfterExists("/etc/containerd/config.toml", 250),
    Exists("/run/containerd/containerd.sock"),
    AfterExists("/run/containerd/containerd.sock", 400),
];

/// What comes up while it waits.
const BY_COMPONENTS: [Point; 9] = [
    AfterExists("/run/containerd/containerd.sock", 700),
    Exists("/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/*"),
    Exists("/etc/kubernetes/manifests/*"),
    AfterExists("/var/log/pods/kube-system_etcd-*", 100),
    AfterExists("/var/log/pods/kube-system_kube-apiserver-*", 300),
    AfterExists("/var/lib/etcd/member", 600),
    AfterExists("/etc/kubernetes/manifests/kube-scheduler.yaml", 20),
    AfterExists("/run/kinstall/addons.json", 150),
    AfterExists("/var/log/pods/kube-system_kube-proxy-*", 100),
];

pub fn show(node: &Node<'_>) {
    let mut phases = Phases::new();
    let mut killed = 0;
    for (what, points) in [
        ("killed by the clock", &BY_THE_CLOCK[..]),
        ("killed by what it has made", &BY_FILES),
        ("killed by what runs", &BY_COMPONENTS),
    ] {
        phases.show(what, || {
            for point in points {
                killed += usize::from(is_killed_at(node, *point));
            }
            finishes(node);
        });
        phases.show("reset after that leaves nothing", || leaves_nothing(node));
    }
    phases.show("twenty points", || {
        assert!(
            killed >= 20,
            "only {killed} runs were killed before their end"
        );
    });
    for (what, point) in [
        ("reset after a kill, files", BY_FILES[4]),
        ("reset after a kill, containerd", BY_FILES[6]),
        ("reset after a kill, pods", BY_COMPONENTS[4]),
    ] {
        phases.show(what, || {
            assert!(is_killed_at(node, point), "it ended before {point:?}");
            leaves_nothing(node);
        });
    }
    phases.finish();
}

/// Starts a run and kills it. Says whether it was still running then; an end of its own has to be a good one.
fn is_killed_at(node: &Node<'_>, point: Point) -> bool {
    let said = tempfile::NamedTempFile::new().expect("a temporary file");
    let why = || fs::read_to_string(&said).unwrap_or_default();
    let mut command = node.machine.bound_command("kinstall");
    let mut run = command
        .arg("node")
        .args(node.arguments())
        .stdout(Stdio::null())
        .stderr(said.reopen().expect("another handle"))
        .spawn()
        .expect("it starts");
    // Before that, the process that stands for it here has nobody to take along.
    node.wait_until("it has begun", || {
        is_running(node)
            .ok_or_else(|| "not yet".to_owned())
            .map(drop)
    });
    let began = Instant::now();
    wait(node, point, &mut run, began);
    let ended = run.try_wait().expect("it is our child");
    if let Some(status) = ended {
        assert!(status.success(), "{point:?}: {status}: {}", why());
        note(&format!("{point:?}: it had ended"));
        return false;
    }
    note(&format!("{point:?}: killed after {:?}", began.elapsed()));
    run.kill().expect("it runs");
    run.wait().expect("it is our child");
    // The one in the machine is killed by the end of the one here, a moment later.
    node.wait_until("it is gone", || is_running(node).map_or(Ok(()), Err));
    true
}

fn is_running(node: &Node<'_>) -> Option<String> {
    let mut processes = node.machine.processes().into_iter();
    processes.find(|line| line.starts_with("kinstall node"))
}

fn wait(node: &Node<'_>, point: Point, run: &mut Child, began: Instant) {
    let is_there = |path: &str| {
        let root = node.machine.path("/");
        exists(&root, path.trim_start_matches('/'))
    };
    let mut since = None;
    while run.try_wait().expect("it is our child").is_none() {
        let reached = match point {
            After(milliseconds) => began.elapsed() >= Duration::from_millis(milliseconds),
            Exists(path) => is_there(path),
            AfterExists(path, milliseconds) => {
                if since.is_none() && is_there(path) {
                    since = Some(Instant::now());
                }
                since.is_some_and(|since: Instant| {
                    since.elapsed() >= Duration::from_millis(milliseconds)
                })
            }
        };
        if reached {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{point:?} is not reached");
        sleep(Duration::from_millis(1));
    }
}

/// Whether something is there, below `root`; a `*` stands for any letters.
fn exists(root: &Path, path: &str) -> bool {
    let Some((before, _)) = path.split_once('*') else {
        return root.join(path).exists();
    };
    let (parent, start) = before.rsplit_once('/').expect("below a directory");
    let rest = &path[before.len() + 1..];
    let entries = fs::read_dir(root.join(parent)).into_iter().flatten();
    entries.flatten().any(|entry| {
        let matches = entry.file_name().to_string_lossy().starts_with(start);
        matches && (rest.is_empty() || exists(&entry.path(), rest.trim_start_matches('/')))
    })
}

/// A run to the end, a healthy node, and nothing that a further run would do.
fn finishes(node: &Node<'_>) {
    let began = Instant::now();
    let ended = node.kinstall_node();
    assert!(ended.code == Some(0), "{ended}");
    note(&format!("finished after {:?}", began.elapsed()));
    let status = node.kinstall(&["status"]);
    assert!(status.code == Some(0), "{status}");
    let ended = node.kinstall_node();
    assert!(ended.code == Some(0), "{ended}");
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
}

/// The machine is as it was; the cluster's directory is the user's, and goes by hand.
fn leaves_nothing(node: &Node<'_>) {
    let ended = node.kinstall(&["reset", "--yes", "--purge"]);
    assert!(ended.code == Some(0), "{ended}");
    node.machine.shell("rm -r /root/kubernetes");
    let uncounted = [&UNCOUNTED[..], &["/var/tmp", "/tmp"]].concat();
    node.is_as_it_was(&uncounted, |_| false);
}
