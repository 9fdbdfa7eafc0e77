//! The CIS Kubernetes Benchmark 1.12 on a fresh node, with kube-bench for a judge.
//!
//! `docs/cis.md` says what comes of it, exceptions with their reasons and all; this holds it to that.
#![allow(missing_docs)]

mod bench;
mod document;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bench::{Check, Status};
use document::Document;
use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::Node;
use tests::phases::Phases;
use tests::record::note;

/// How many checks of the benchmark count, of control plane, etcd and node: all that a program can decide.
const SCORED: [(&str, usize); 3] = [("1", 47), ("2", 6), ("4", 12)];

#[test]
fn a_fresh_node() {
    let network = Network::new(Families::Both);
    let machine = Machine::boot(&network, MachineOptions::default());
    let node = Node::install(machine, &["--service-cidr", "10.3.0.0/24,fd00:3::/112"]);
    let checks = bench::run(&node, &bench::directory(), &[]);
    for check in &checks {
        note(&format!("{} {:?} {}", check.id, check.status, check.text));
    }
    let document = Document::read();
    let mut phases = Phases::new();
    phases.show("every scored check was made", || all_were_made(&checks));
    phases.show("all pass but the exceptions", || {
        all_pass_but(&document.exceptions, &checks);
    });
    phases.show("the score is the written one", || {
        assert_eq!(bench::score(&checks), document.score);
    });
    phases.show("what an owner has to look at is written", || {
        let warned = checks.iter().filter(|check| check.status == Status::Warn);
        let warned: BTreeSet<_> = warned.map(|check| check.id.clone()).collect();
        assert_eq!(warned, document.for_the_owner);
    });
    phases.show("the judge looked at what runs", || {
        what_is_judged_runs(&node)
    });
    phases.show("the kubelet's service file, where it is", || {
        service_file_is_private(&node);
    });
    phases.show("what is wrong is found", || wrong_is_found(&node));
    phases.finish();
}

fn all_were_made(checks: &[Check]) {
    for (section, count) in SCORED {
        let of_section = |check: &&Check| check.scored && check.section() == section;
        assert_eq!(checks.iter().filter(of_section).count(), count, "{section}");
    }
    let scored = checks.iter().filter(|check| check.scored).count();
    assert_eq!(scored, SCORED.iter().map(|(_, count)| count).sum::<usize>());
}

/// An exception that has come to pass is one too many, too.
fn all_pass_but(exceptions: &BTreeSet<String>, checks: &[Check]) {
    let failed = checks
        .iter()
        .filter(|check| check.scored && check.status != Status::Pass);
    let details: Vec<_> = failed.clone().map(Check::details).collect();
    let failed: BTreeSet<_> = failed.map(|check| check.id.clone()).collect();
    assert_eq!(failed, *exceptions, "{}", details.join("\n"));
}

/// A program that does not run is not wrongly run either: some checks pass then.
fn what_is_judged_runs(node: &Node<'_>) {
    let programs = [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
    ];
    for program in programs {
        node.machine.shell(&format!("ps -C {program}"));
    }
    // With kube-proxy's configuration in a ConfigMap, 4.3.1 passes whatever is in there: nothing is where it looks.
    let sockets = node
        .machine
        .shell("ss --listening --tcp --numeric --no-header 'sport = :10249'");
    let local: Vec<_> = sockets
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3))
        .collect();
    assert_eq!(local, ["127.0.0.1:10249"], "{sockets}");
}

/// kube-bench knows systemd's places for it. Here there is no systemd: kinstall's supervisor keeps it elsewhere, and
/// kube-bench is told, as its configuration is meant to.
fn service_file_is_private(node: &Node<'_>) {
    let config = Path::new("/root/kube-bench.cfg");
    let of_version = node.machine.path(config).join("cis-1.12/config.yaml");
    let (from, to) = (bench::directory(), config.display());
    node.machine
        .shell(&format!("cp -r {} {to}", from.display()));
    let service = "node: { kubelet: { svc: [/etc/kinstall/services/kubelet.json] } }\n";
    fs::write(of_version, service).expect("written");
    let checks = bench::run(node, config, &["--check", "4.1.1,4.1.2"]);
    let passed: Vec<_> = checks
        .iter()
        .map(|check| (check.id.as_str(), check.status))
        .collect();
    let expected = [("4.1.1", Status::Pass), ("4.1.2", Status::Pass)];
    assert_eq!(passed, expected, "{checks:#?}");
}

/// A judge that finds nothing wrong proves nothing.
fn wrong_is_found(node: &Node<'_>) {
    node.machine
        .shell("chmod 0644 /etc/kubernetes/kubelet.conf");
    node.machine.shell("chown root:root /var/lib/etcd");
    let checks = bench::run(node, &bench::directory(), &["--check", "1.1.12,4.1.5"]);
    let status: Vec<_> = checks.iter().map(|check| check.status).collect();
    assert_eq!(status, [Status::Fail, Status::Fail], "{checks:#?}");
}
