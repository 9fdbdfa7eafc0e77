//! All machines become nodes, and are well.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::command::{run, succeed};
use tests::record::note;

use crate::machines::{BARE, COUNT, Machines, Running, WITH_SUDO, name, rules};

/// How long a run may take to get to a point, on two cores that do other things too.
const PATIENCE: Duration = Duration::from_secs(400);

pub fn interrupted_and_resumed(machines: &Machines<'_>) {
    // Killed outright while programs are brought.
    let running = start(machines);
    let mut running = until(machines, running, "a program arrives", || {
        machines.all[BARE]
            .path("/opt/kinstall/cluster/bin/kubelet")
            .exists()
    });
    assert!(!running.is_over(), "{}", running.said());
    running.signal("-KILL");
    ends_everywhere(machines);
    // Nobody could take that away; every run before did so with its own.
    assert_eq!(sockets(machines), 1);

    // Interrupted, as by ctrl-c, while the second machine is made a node.
    let running = start(machines);
    let running = until(machines, running, "node2 is being made", || {
        machines.all[1]
            .path("/var/lib/kinstall/ledger.json")
            .exists()
    });
    let (code, said) = running.signal("-INT");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("error: interrupted\nhint: run it again"),
        "{said}"
    );
    assert!(said.contains("node1: is a node"), "{said}");
    ends_everywhere(machines);
    assert_eq!(sockets(machines), 1, "it took its own away");

    let began = Instant::now();
    let ended = run(&mut machines.up("config", &["--yes", "--json"]));
    assert_eq!(ended.code, Some(0), "{ended}");
    note(&format!(
        "kinstall cluster of {COUNT}, resumed: {:.1} s\n{}",
        began.elapsed().as_secs_f64(),
        ended.stderr
    ));
    assert!(!ended.stderr.contains(": brings "), "it was there: {ended}");
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(said["fine"], true, "{said:#}");
    assert_eq!(said["nodes"][0]["nothing-to-do"], true, "{said:#}");
    assert_eq!(said["nodes"][BARE]["nothing-to-do"], false, "{said:#}");
    all_are_ready(machines);
    ends_everywhere(machines);
}

/// How many directories of connections there are.
fn sockets(machines: &Machines<'_>) -> usize {
    let directory = std::fs::read_dir(machines.client.sockets());
    directory.expect("it was made").count()
}

fn start<'m>(machines: &'m Machines<'_>) -> Running<'m> {
    machines.start(&machines.up("config", &["--yes"]))
}

fn until<'m>(
    machines: &Machines<'_>,
    mut running: Running<'m>,
    what: &str,
    reached: impl Fn() -> bool,
) -> Running<'m> {
    let began = Instant::now();
    while !reached() {
        assert!(
            !running.is_over(),
            "{what}: it ended before: {}",
            running.said()
        );
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: {}\n{:?}",
            running.said(),
            machines.runs("kinstall")
        );
        sleep(Duration::from_millis(10));
    }
    running
}

/// Nothing of an ended run is left at work: no connection here, no session and no kinstall there.
fn ends_everywhere(machines: &Machines<'_>) {
    let began = Instant::now();
    loop {
        let there = [
            "kinstall node",
            "sshd: root@",
            "sshd: admin",
            "kinstall: there",
        ];
        let there = there.iter().find_map(|text| machines.runs(text));
        let mut here = machines.network.outside().command("pgrep");
        let config = machines.client.path("config");
        let here = run(here
            .arg("--full")
            .arg(format!("^ssh .*-F {}", config.display())));
        if there.is_none() && here.stdout.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{there:?}\n{here}");
        sleep(Duration::from_millis(100));
    }
}

fn all_are_ready(machines: &Machines<'_>) {
    let kubectl = tests::component::path("kubectl");
    let mut kubectl = machines.network.outside().command(kubectl);
    let admin = machines.pki.node(&name(0)).join("admin.conf");
    kubectl.arg("--kubeconfig").arg(admin);
    // The endpoint is each node's own.
    kubectl.args(["--server", "https://192.0.2.11:6443"]);
    let said = succeed(kubectl.args(["get", "nodes", "--output", "json"]));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let nodes = said["items"].as_array().expect("nodes");
    assert_eq!(nodes.len(), COUNT, "{said:#}");
    for node in nodes {
        let conditions = node["status"]["conditions"].as_array().expect("conditions");
        let ready = conditions.iter().find(|one| one["type"] == "Ready");
        assert_eq!(ready.expect("it tells")["status"], "True", "{node:#}");
    }
}

/// Each has cluster.toml and its own node's tree, root's alone; a worker has no CA's key.
pub fn trees_are_apart(machines: &Machines<'_>) {
    for (number, machine) in machines.all.iter().enumerate() {
        let tree = "/var/lib/kinstall/cluster";
        let names = machine.shell(&format!("ls {tree}/nodes"));
        assert_eq!(names.trim(), name(number));
        let around = machine.shell("ls -d /var/lib/kinstall/cluster*");
        assert_eq!(around.trim(), tree);
        let open = machine.shell(&format!(
            "stat -c %a {tree}; find {tree} -name '*.key' ! -perm 600"
        ));
        assert_eq!(open.trim(), "700");
        let keys = machine.shell(&format!("find {tree} -name 'ca.key'"));
        assert_eq!(keys.is_empty(), !rules(number), "{keys}");
    }
    // What was there already was not brought; what was not there was.
    let brought = |number: usize| machines.all[number].path("/opt/kinstall/cluster/bin/kubelet");
    assert!(brought(BARE).exists() && !brought(0).exists());
}

pub fn again_changes_nothing(machines: &Machines<'_>) {
    let before = kubelets(machines);
    let ended = run(&mut machines.up("config", &[]));
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(
        ended.stdout.matches("as it is wanted, and healthy").count(),
        COUNT,
        "{ended}"
    );
    let ended = run(&mut machines.up("config", &["--dry-run"]));
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended
            .stdout
            .contains("nothing to do: the machines are as they are wanted"),
        "{ended}"
    );
    assert_eq!(kubelets(machines), before);
}

fn kubelets(machines: &Machines<'_>) -> Vec<String> {
    let of = |machine: &tests::machine::Machine<'_>| machine.shell("ps -o pid=,lstart= -C kubelet");
    machines.all.iter().map(of).collect()
}

pub fn status(machines: &Machines<'_>) {
    let ended = machines.run(&["status"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended.stdout.contains("healthy: 5 of 5 machines are well"),
        "{ended}"
    );
    let stopped =
        machines.all[WITH_SUDO].run("/opt/kinstall/cluster/bin/kinstall", &["stop", "kubelet"]);
    assert_eq!(stopped.code, Some(0), "{stopped}");
    let ended = machines.run(&["status", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let well = said["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|one| one["healthy"] == true);
    let wanted: Vec<_> = (0..COUNT).map(|number| number != WITH_SUDO).collect();
    assert_eq!(well.collect::<Vec<_>>(), wanted, "{said:#}");
    let started =
        machines.all[WITH_SUDO].run("/opt/kinstall/cluster/bin/kinstall", &["start", "kubelet"]);
    assert_eq!(started.code, Some(0), "{started}");
    // Who cannot be asked is told, and the others all the same.
    let ended = run(&mut machines.command("config-refused", &["status", "--only", "node1"]));
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended
            .stderr
            .contains("node1: ssh root@192.0.2.11: the login was refused"),
        "{ended}"
    );
    assert!(
        ended
            .stdout
            .contains("attention needed: 0 of 1 machines are well"),
        "{ended}"
    );
}
