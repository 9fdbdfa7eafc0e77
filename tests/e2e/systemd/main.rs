//! `kinstall node` where systemd is process 1: a Debian of its own, booted in namespaces.
//!
//! What a node is, `tests/e2e/node` shows; here is what differs: units in the place of kinstall's supervisor, journald in
//! the place of its log files, and systemd as the one that makes cgroups.
#![allow(missing_docs)]

#[path = "../cis/bench.rs"]
mod bench;
#[path = "../node/reset.rs"]
mod reset;
mod units;
#[path = "../node/workload.rs"]
mod workload;

use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::{Node, answer, turn};
use tests::phases::Phases;

use units::Unit;

/// In the order in which they start.
const SERVICES: [&str; 3] = ["containerd", "kubelet", "addon-manager"];

#[test]
fn a_node_of_units() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let machine = Machine::boot(&network, MachineOptions::debian());
    let mut node = Node::install(machine, &["--service-cidr", "10.3.0.0/24"]);
    let mut phases = Phases::new();
    phases.show("units are enabled, active and root's alone", || {
        units_are_as_they_should(&node);
    });
    phases.show("systemd makes the cgroups of pods", || {
        cgroups_are_systemds(&node)
    });
    workload::start(&node, "cluster.local");
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.show("a second run changes nothing", || {
        let ended = node.kinstall_node();
        let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
        assert!(said.contains("nothing to do"), "{ended}");
    });
    phases.show("status", || status_is_told(&node));
    phases.show("logs come from the journal", || {
        logs_are_the_journals(&node)
    });
    for name in SERVICES {
        phases.show(name, || is_started_again(&node, name));
    }
    phases.show("stop and start", || stops_and_starts(&node));
    phases.show("every scored check of the CIS benchmark", || {
        benchmark_passes(&node);
    });
    phases.show("a boot after a power cut", || {
        node.machine.reboot();
        is_healthy(&node, "a power cut");
    });
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.show("reset leaves nothing", || {
        // systemd's own: its journal, its services' private directories, and slices in whichever hierarchies it likes.
        let paths = ["/var/log/journal", "/var/log/wtmp", "/tmp", "/var/tmp"];
        let slices = ["/init.scope", "/system.slice", "/user.slice", ".mount"];
        reset::leaves_nothing_but(&node, &paths, |change| {
            change.contains(" cgroups: ") && slices.iter().any(|slice| change.ends_with(slice))
        });
        for name in SERVICES {
            assert_eq!(Unit::of(&node, name).value("LoadState"), "not-found");
        }
    });
    phases.finish();
}

fn units_are_as_they_should(node: &Node<'_>) {
    for name in SERVICES {
        let unit = Unit::of(node, name);
        assert_eq!(unit.value("UnitFileState"), "enabled", "{name}");
        assert_eq!(unit.value("ActiveState"), "active", "{name}");
        assert_eq!(unit.value("NRestarts"), "0", "{name}");
        let path = format!("/etc/systemd/system/{name}.service");
        assert_eq!(unit.value("FragmentPath"), path);
        let file = node.machine.shell(&format!("stat -c '%a %U:%G' {path}"));
        assert_eq!(file.trim(), "600 root:root");
    }
    let failed = node.machine.shell("systemctl --failed --plain --no-legend");
    assert_eq!(failed, "");
    // Neither of the two has anything to do here.
    node.machine
        .shell("! pgrep -f '[k]install supervise' && [ ! -e /etc/kinstall/services ]");
}

/// Runtime and kubelet have to agree on who does it, or a pod is in two places.
fn cgroups_are_systemds(node: &Node<'_>) {
    node.machine
        .shell("grep -x 'cgroupDriver: systemd' /var/lib/kubelet/config.yaml");
    node.machine
        .shell("grep -x 'SystemdCgroup = true' /etc/containerd/config.toml");
    for program in ["etcd", "kube-proxy", "coredns"] {
        // The oldest of the name: kube-proxy is copied for a moment whenever it runs nft.
        let cgroups = node
            .machine
            .shell(&format!("cat /proc/$(pgrep -ox {program})/cgroup"));
        // A hierarchy with a name is its maker's, and seen by all of the kernel's processes.
        let is_systemds = |line: &&str| !line.contains(":name=") || line.contains(":name=systemd:");
        for line in cgroups.lines().filter(is_systemds) {
            let path = line.rsplit(':').next().unwrap_or_default();
            let is_scope = path.starts_with("/kubepods.slice/") && path.ends_with(".scope");
            // Version 2 beside version 1 has no controllers: systemd follows there what it knows, which is all.
            assert!(is_scope, "{program}: {cgroups}");
        }
    }
}

fn status_is_told(node: &Node<'_>) {
    let ended = node.kinstall(&["status", "--json"]);
    let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    let status: serde_json::Value = serde_json::from_str(said).expect("JSON");
    let components = status["components"].as_array().expect("components");
    for name in SERVICES {
        let of = components.iter().find(|one| one["name"] == name);
        let of = of.unwrap_or_else(|| panic!("{name}: {said}"));
        let unit = Unit::of(node, name);
        assert_eq!(of["keeper"], "service");
        assert_eq!(of["process"].to_string(), unit.value("MainPID"), "{name}");
        assert!(of["since"].is_u64() || of["since"].is_string(), "{of}");
        assert_eq!(of["health"], "up", "{of}");
    }
}

fn logs_are_the_journals(node: &Node<'_>) {
    for name in SERVICES {
        let ended = node.kinstall(&["logs", name, "--lines", "5"]);
        let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
        assert!((1..=5).contains(&said.lines().count()), "{name}: {said}");
    }
    let ended = node.kinstall(&["logs", "kube-apiserver", "--lines", "1"]);
    let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    assert!(!said.is_empty());
}

fn is_started_again(node: &Node<'_>, name: &'static str) {
    let before = Unit::of(node, name);
    let process = before.value("MainPID");
    node.machine.shell(&format!("kill -KILL {process}"));
    node.wait_until(&format!("{name} runs again"), || {
        let now = Unit::of(node, name);
        let again = now.value("MainPID") != process && now.value("ActiveState") == "active";
        (again && now.value("NRestarts") == "1")
            .then_some(())
            .ok_or_else(|| now.to_string())
    });
    is_healthy(node, name);
}

fn stops_and_starts(node: &Node<'_>) {
    let ended = node.kinstall(&["stop"]);
    answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    for name in SERVICES {
        let unit = Unit::of(node, name);
        assert_eq!(unit.value("ActiveState"), "inactive", "{name}");
        assert_eq!(unit.value("UnitFileState"), "enabled", "{name}");
    }
    node.machine.shell(
        "! pgrep -l 'containerd|kubelet|etcd|kube-|coredns|flanneld|kpki-web|kinstall-pause'",
    );
    let ended = node.kinstall(&["status"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let ended = node.kinstall(&["start"]);
    answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    is_healthy(node, "kinstall stop and start");
}

fn is_healthy(node: &Node<'_>, after: &str) {
    let took = node.wait_until(&format!("healthy after {after}"), || {
        answer(&node.kinstall(&["status"]))?;
        answer(&node.in_pod(&["get", "http://web/hostname"])).map(drop)
    });
    tests::record::note(&format!(
        "recovery with systemd: {after}: {:.1} s",
        took.as_secs_f64()
    ));
}

/// Without an exception: where systemd is, kube-bench finds the kubelet's unit by itself.
fn benchmark_passes(node: &Node<'_>) {
    let checks = bench::run(node, &bench::directory(), &[]);
    let scored: Vec<_> = checks.iter().filter(|check| check.scored).collect();
    assert_eq!(scored.len(), 65);
    let failed = scored
        .iter()
        .filter(|check| check.status != bench::Status::Pass);
    let failed: Vec<_> = failed.map(|check| check.details()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let score: Vec<_> = bench::score(&checks).into_iter().collect();
    tests::record::note(&format!("CIS with systemd: {score:?}"));
}
