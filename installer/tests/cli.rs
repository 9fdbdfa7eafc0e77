//! The command line of kinstall, where it changes nothing.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

fn kinstall(arguments: &[&str]) -> Output {
    kinstall_in(Path::new("/"), arguments)
}

fn kinstall_in(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kinstall"))
        .args(arguments)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const COMMANDS: [&str; 18] = [
    "node",
    "preflight",
    "bundle",
    "cloud-init",
    "status",
    "logs",
    "graph",
    "stop",
    "start",
    "drain",
    "uncordon",
    "remove",
    "reset",
    "check",
    "etcd",
    "cluster",
    "completions",
    "man",
];

#[test]
fn help_opens_with_examples() {
    for command in COMMANDS {
        let help = kinstall(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{command}");
        let text = out(&help);
        assert!(text.starts_with("Example"), "{command}: {text}");
        assert!(text.contains(&format!("kinstall {command}")), "{text}");
    }
    assert!(out(&kinstall(&["--help"])).starts_with("Examples:"));
}

#[test]
fn hidden_commands_are_in_no_help_or_page() {
    let help = out(&kinstall(&["--help"]));
    let pages = tempfile::tempdir().unwrap();
    let man = kinstall(&["man", "--dir", pages.path().to_str().unwrap()]);
    assert_eq!(man.status.code(), Some(0), "{}", err(&man));
    for hidden in ["supervise", "addon-manager"] {
        assert!(!help.contains(hidden), "{help}");
        assert!(!pages.path().join(format!("kinstall-{hidden}.1")).exists());
    }
    for command in COMMANDS {
        let page = std::fs::read_to_string(pages.path().join(format!("kinstall-{command}.1")));
        assert!(page.unwrap().contains(".SH EXAMPLES"), "{command}");
    }
}

#[test]
fn completions_know_every_command() {
    let script = out(&kinstall(&["completions", "bash"]));
    for command in COMMANDS {
        assert!(script.contains(command), "{command}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_the_users_problem() {
    for arguments in [
        &["node", "--service-cidrs", "10.3.0.0/24"][..],
        &["node", "--timeout", "1"],
        &["node", "--network", "calico"],
        &["logs"],
        &["frobnicate"],
    ] {
        let answer = kinstall(arguments);
        assert_eq!(answer.status.code(), Some(1), "{arguments:?}");
        let text = err(&answer);
        assert!(
            text.starts_with("error: ") && text.contains("\nhint: "),
            "{text}"
        );
        assert!(out(&answer).is_empty());
    }
}

#[test]
fn without_a_cluster_and_a_service_cidr_there_is_nothing_to_install() {
    let empty = tempfile::tempdir().unwrap();
    let answer = kinstall_in(empty.path(), &["node", "--dry-run"]);
    assert_eq!(answer.status.code(), Some(1));
    let text = err(&answer);
    assert!(
        text.contains("cluster.toml") && text.contains("--service-cidr"),
        "{text}"
    );
    assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none());
}

#[test]
fn mistakes_in_what_is_asked_for_are_told_with_their_flag_and_nothing_is_written() {
    let empty = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (
            &["--service-cidr", "10.3.0.0/33"][..],
            "--service-cidr 10.3.0.0/33",
        ),
        (
            &[
                "--service-cidr",
                "10.3.0.0/24",
                "--cluster-dns",
                "10.4.0.10",
            ],
            "--cluster-dns 10.4.0.10",
        ),
        (
            &["--service-cidr", "10.3.0.0/24", "--address", "192.0.2.300"],
            "192.0.2.300",
        ),
    ] {
        let mut all = vec!["node", "--dry-run", "--node", "n1"];
        all.extend(arguments);
        let answer = kinstall_in(empty.path(), &all);
        assert_eq!(answer.status.code(), Some(1), "{arguments:?}");
        let text = err(&answer);
        assert!(text.contains(wanted) && text.contains("hint: "), "{text}");
        assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none());
    }
}

/// These tests change no machine, so it is none of kinstall's nodes.
#[test]
fn what_is_no_node_has_no_status() {
    for command in [&["status"][..], &["graph"]] {
        let answer = kinstall(command);
        assert_eq!(answer.status.code(), Some(1), "{command:?}");
        let text = err(&answer);
        assert!(
            text.contains("is no node") && text.contains("kinstall node"),
            "{text}"
        );
    }
    let reset = kinstall(&["reset"]);
    assert_eq!(reset.status.code(), Some(0), "{}", err(&reset));
    assert!(out(&reset).starts_with("nothing to do"));
}

#[test]
fn a_whole_cluster_is_looked_at_from_a_control_planes_files_only() {
    let empty = tempfile::tempdir().unwrap();
    let answer = kinstall_in(empty.path(), &["status", "--cluster"]);
    assert_eq!(answer.status.code(), Some(1));
    let text = err(&answer);
    assert!(
        text.contains("kubernetes/cluster.toml") && text.contains("hint: "),
        "{text}"
    );

    let worker = empty.path().join("worker");
    std::fs::create_dir_all(worker.join("nodes/w1")).unwrap();
    let spec = "service-cidr = ['10.3.0.0/24']
        [[node]]
        name = 'cp1'
        addresses = ['192.0.2.11']
        roles = ['control-plane', 'etcd']
        [[node]]
        name = 'w1'
        addresses = ['192.0.2.21']";
    std::fs::write(worker.join("cluster.toml"), spec).unwrap();
    let answer = kinstall_in(empty.path(), &["status", "--cluster", "--dir", "worker"]);
    assert_eq!(answer.status.code(), Some(1));
    let text = err(&answer);
    for wanted in [
        "error: worker/nodes has no control-plane node's files",
        "hint: run it on a control-plane node",
    ] {
        assert!(text.contains(wanted), "{text}");
    }
    assert!(out(&answer).is_empty());
}
