//! The supervisor with real processes: whatever is killed, services go on, and nothing runs twice.
#![allow(missing_docs)]

mod machine;

use std::fs;
use std::process::{Command, Stdio};

use installer::desired::Service;
use installer::machine::ServiceManager as _;
use machine::{Machine, command, is_gone, kill, launcher, lives, until};
use rustix::process::Signal;

/// Sleeps without a child that would outlive it.
const WAIT: &str = "exec sleep 1000";

#[test]
fn the_supervisor_itself() {
    machine::be_the_supervisor();
}

#[test]
fn starts_in_order_after_a_boot() {
    let machine = Machine::new();
    let after = |name: &str, after: &[&str]| Service {
        after: after.iter().map(|&one| one.into()).collect(),
        ..machine.service(name, WAIT)
    };
    for service in [
        after("a-last", &["kubelet"]),
        after("kubelet", &["zero"]),
        after("zero", &[]),
    ] {
        machine.supervised.install(&service).expect("installed");
    }
    machine.supervised.shut_down().expect("down");
    until("no process is left", || {
        machine.supervisors().is_empty().then_some(())
    });
    let before = machine.log("supervisor").len();
    // What a boot leaves of /run.
    fs::remove_dir_all(&machine.supervised.paths().run).expect("removed");
    machine.supervised.start(&[]).expect("up");
    let log = machine.log("supervisor").split_off(before);
    let started: Vec<_> = log
        .lines()
        .filter(|line| line.contains(": started"))
        .collect();
    let names: Vec<_> = started.iter().map(name_in).collect();
    assert_eq!(names, ["zero", "kubelet", "a-last"]);
    let stopped = machine.log("supervisor");
    let stopped: Vec<_> = stopped
        .lines()
        .filter(|line| line.contains(": stopped"))
        .collect();
    let names: Vec<_> = stopped.iter().map(name_in).collect();
    assert_eq!(names, ["a-last", "kubelet", "zero"]);
}

#[test]
fn what_comes_after_containerd_waits_until_it_answers() {
    let machine = Machine::new();
    let script = "sleep 0.2; echo ready >> $dir/order; systemd-notify --ready; exec sleep 1000";
    let containerd = machine.service("containerd", script);
    let kubelet = Service {
        after: vec!["containerd".into()],
        ..machine.service("kubelet", "echo kubelet >> $dir/order; exec sleep 1000")
    };
    machine.supervised.install(&containerd).expect("installed");
    machine.supervised.install(&kubelet).expect("installed");
    until("both wrote", || {
        Some(
            fs::read_to_string(machine.file("order"))
                .ok()?
                .lines()
                .count(),
        )
        .filter(|&n| n == 2)
    });
    machine.supervised.shut_down().expect("down");
    fs::remove_file(machine.file("order")).expect("removed");
    machine.supervised.start(&[]).expect("up");
    let order = until("both wrote", || {
        fs::read_to_string(machine.file("order"))
            .ok()
            .filter(|text| text.lines().count() == 2)
    });
    assert_eq!(order, "ready\nkubelet\n");
}

/// The service of a line of the supervisor's log: `<time> <name>: ...`.
fn name_in<'a>(line: &&'a str) -> &'a str {
    let rest = line.split_once(' ').expect("a time").1;
    rest.split_once(": ").expect("a name").0
}

#[test]
fn a_killed_service_is_back() {
    let machine = Machine::new();
    let first = machine.install("a", WAIT);
    let other = machine.install("b", WAIT);
    kill(first, Signal::KILL);
    let second = until("another process", || {
        Some(machine.process("a")).filter(|&id| id != first)
    });
    let state = machine.state("a");
    assert_eq!(state.restarts, 1);
    assert_eq!(state.last_end.as_deref(), Some("signal 9 (SIGKILL)"));
    assert!(state.since.is_some());
    assert!(is_gone(first));
    assert!(lives(second));
    assert_eq!(machine.process("b"), other);
}

#[test]
fn one_that_fails_is_tried_again_and_again() {
    let machine = Machine::new();
    let service = machine.service("a", "echo try; exit 3");
    machine.supervised.install(&service).expect("installed");
    until("four tries", || {
        (machine.log("a").lines().count() >= 4).then_some(())
    });
    let state = machine.state("a");
    // The first of them is the install's own.
    assert!(state.restarts >= 2);
    assert_eq!(state.last_end.as_deref(), Some("exit code 3"));
}

#[test]
fn a_program_that_is_missing_is_named_and_awaited() {
    let machine = Machine::new();
    let program = machine.file("later");
    let service = Service {
        program: program.clone(),
        arguments: vec!["1000".into()],
        ..machine.service("a", "")
    };
    let error = machine
        .supervised
        .install(&service)
        .expect_err("no program");
    assert!(error.fact.contains("later: No such file"), "{error}");
    std::os::unix::fs::symlink("/bin/sleep", &program).expect("linked");
    machine.process("a");
}

#[test]
fn services_outlive_a_killed_supervisor_and_the_guard_takes_over() {
    let machine = Machine::new();
    let script = "while :; do echo \"$((n += 1))\"; read -t 0.01 x < $dir/never; sleep 0.01; done";
    let first = machine.install("a", script);
    machine
        .supervised
        .install(&machine.service("b", WAIT))
        .expect("installed");
    machine.supervised.stop(&["b".into()]).expect("stopped");
    for _ in 0..2 {
        until("a guard", || machine.guard());
        let supervisor = machine.supervisor().expect("a supervisor");
        kill(supervisor, Signal::KILL);
        until("another supervisor", || {
            machine.supervisor().filter(|&id| id != supervisor)
        });
        assert_eq!(machine.process("a"), first);
        assert_eq!(machine.state("a").restarts, 0);
        // What its owner stopped stays down.
        assert_eq!(machine.state("b").process, None);
    }
    let before = machine.log("a").len();
    until("its output goes on", || {
        (machine.log("a").len() > before + 100).then_some(())
    });
    // It is not only shown but kept.
    kill(first, Signal::KILL);
    until("another process", || {
        Some(machine.process("a")).filter(|&id| id != first)
    });
}

#[test]
fn no_line_is_lost_while_no_supervisor_is_there() {
    let machine = Machine::new();
    let script =
        "while [ ! -e $dir/go ]; do sleep 0.02; done; seq 1 100000; echo end; exec sleep 1000";
    let first = machine.install("a", script);
    machine.kill_supervisor_for_good();
    fs::write(machine.file("go"), "").expect("written");
    // Half a mebibyte fits into the pipe, so that it does not wait.
    until("it wrote all", || {
        let words = fs::read(format!("/proc/{first}/cmdline")).ok()?;
        words.starts_with(b"sleep\x001000").then_some(())
    });
    machine.supervised.start(&[]).expect("up");
    assert_eq!(machine.state("a").process, Some(first));
    until("all is read", || {
        machine.log("a").ends_with("end\n").then_some(())
    });
    let wanted: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(machine.log("a"), wanted + "end\n");
}

#[test]
fn a_process_that_no_record_tells_of_is_found() {
    let machine = Machine::new();
    let first = machine.install("a", "while :; do sleep 0.05; done");
    machine.kill_supervisor_for_good();
    fs::remove_file(machine.supervised.paths().run.join("a.process.json")).expect("removed");
    machine.supervised.start(&[]).expect("up");
    assert_eq!(machine.process("a"), first);
}

#[test]
fn another_process_with_a_recorded_number_is_left_alone() {
    let machine = Machine::new();
    let mut stranger = Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("a stranger");
    let first = machine.install("a", WAIT);
    machine.kill_supervisor_for_good();
    kill(first, Signal::KILL);
    let path = machine.supervised.paths().run.join("a.process.json");
    let stat = fs::read_to_string(format!("/proc/{}/stat", stranger.id())).expect("it lives");
    let ticks: u64 = stat
        .split(' ')
        .nth(21)
        .expect("22 fields")
        .parse()
        .expect("a number");
    let text = fs::read_to_string(&path).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    record["process"]["id"] = stranger.id().into();
    // As of one that started, and ended, a hundredth of a second before.
    record["process"]["start-ticks"] = (ticks - 1).into();
    let record = record.to_string();
    fs::write(&path, record).expect("written");
    machine.supervised.start(&[]).expect("up");
    let second = machine.process("a");
    assert_ne!(second, stranger.id());
    machine.supervised.stop(&[]).expect("down");
    assert!(is_gone(second));
    assert!(lives(stranger.id()));
    stranger.kill().expect("ended");
    stranger.wait().expect("ended");
}

#[test]
fn every_line_is_in_the_log_across_rotation() {
    let machine = Machine::new();
    // 30 MB: three files and the newest.
    let lines = 1_000_000;
    let script = format!("seq -f 'line %012.0f of a service' 1 {lines}; exec sleep 1000");
    machine.install("a", &script);
    let last = format!("line {lines:012} of a service\n");
    until("the last line", || {
        machine.log("a").ends_with(&last).then_some(())
    });
    let log = machine.log("a");
    let mut count = 0;
    for (number, line) in log.lines().enumerate() {
        assert_eq!(line, format!("line {:012} of a service", number + 1));
        count = number + 1;
    }
    assert_eq!(count, lines);
    let files = fs::read_dir(&machine.supervised.paths().logs).expect("logs");
    let names = files.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(names.filter(|name| name.starts_with("a.log")).count(), 4);
    let size = fs::metadata(machine.supervised.paths().logs.join("a.log"))
        .expect("a log")
        .len();
    assert!(size <= 10_000_100, "{size}");
}

#[test]
fn a_stop_lets_it_finish() {
    let machine = Machine::new();
    let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let first = machine.install("a", script);
    until("it listens", || {
        machine.log("a").contains("ready").then_some(())
    });
    machine.supervised.stop(&["a".into()]).expect("stopped");
    assert!(is_gone(first));
    let state = machine.state("a");
    assert!(!state.running);
    assert_eq!(state.last_end.as_deref(), Some("stopped: exit code 0"));
    assert_eq!(machine.log("a"), "ready\nbye\n");
    machine.supervised.start(&["a".into()]).expect("started");
    machine.process("a");
}

#[test]
fn one_that_does_not_listen_is_killed_alone() {
    let machine = Machine::new();
    // As containerd with a shim: a child in the same process group that is to live on.
    let script =
        "trap '' TERM; sleep 1000 & echo $! > $dir/child; echo ready; while :; do sleep 0.05; done";
    let service = Service {
        stop_seconds: 1,
        ..machine.service("a", script)
    };
    machine.supervised.install(&service).expect("installed");
    until("it listens", || {
        machine.log("a").contains("ready").then_some(())
    });
    let child = fs::read_to_string(machine.file("child")).expect("a child");
    let child: u32 = child.trim().parse().expect("an id");
    machine.supervised.stop(&[]).expect("stopped");
    let state = machine.state("a");
    assert_eq!(
        state.last_end.as_deref(),
        Some("stopped: signal 9 (SIGKILL)")
    );
    assert!(lives(child));
    // The supervisor is its parent now, and takes it away when it ends.
    kill(child, Signal::KILL);
    until("no zombie is left", || is_gone(child).then_some(()));
}

#[test]
fn a_second_supervisor_is_refused() {
    let machine = Machine::new();
    machine.install("a", WAIT);
    let output = command(&launcher(machine.dir.path()))
        .output()
        .expect("it ran");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a supervisor runs already"), "{said}");
    machine.process("a");
}

#[test]
fn several_at_once_start_one_supervisor() {
    let machine = Machine::new();
    let services: Vec<_> = (0..4)
        .map(|n| machine.service(&format!("s{n}"), WAIT))
        .collect();
    std::thread::scope(|scope| {
        for service in &services {
            scope.spawn(|| machine.supervised.install(service).expect("installed"));
        }
    });
    until("a guard", || machine.guard());
    assert_eq!(machine.supervisors().len(), 2);
    for service in &services {
        machine.process(&service.name);
    }
}

#[test]
fn only_what_changed_is_restarted() {
    let machine = Machine::new();
    let (a, b) = (machine.install("a", WAIT), machine.install("b", WAIT));
    machine
        .supervised
        .install(&machine.service("a", WAIT))
        .expect("the same");
    assert_eq!((machine.process("a"), machine.process("b")), (a, b));
    let changed = Service {
        inputs: "1".repeat(64),
        ..machine.service("b", WAIT)
    };
    machine.supervised.install(&changed).expect("changed");
    assert_eq!(machine.process("a"), a);
    assert_ne!(machine.process("b"), b);
    assert!(is_gone(b));
    assert_eq!(machine.state("b").restarts, 0);
}

#[test]
fn what_changed_while_no_supervisor_was_there_is_restarted_and_what_is_gone_is_stopped() {
    let machine = Machine::new();
    let (a, b, c) = (
        machine.install("a", WAIT),
        machine.install("b", WAIT),
        machine.install("c", WAIT),
    );
    machine.kill_supervisor_for_good();
    let definitions = &machine.supervised.paths().definitions;
    let text = fs::read_to_string(definitions.join("a.json")).expect("a definition");
    let text = text.replace(&"0".repeat(64), &"1".repeat(64));
    fs::write(definitions.join("a.json"), text).expect("written");
    fs::remove_file(definitions.join("b.json")).expect("removed");
    machine.supervised.start(&[]).expect("up");
    assert_ne!(machine.process("a"), a);
    until("both are gone", || (is_gone(a) && !lives(b)).then_some(()));
    assert_eq!(machine.process("c"), c);
    assert_eq!(machine.supervised.state("b").expect("an answer"), None);
}

#[test]
fn a_definition_that_makes_no_sense_is_told_and_nothing_else_suffers() {
    let machine = Machine::new();
    let (a, b) = (machine.install("a", WAIT), machine.install("b", WAIT));
    let path = machine.supervised.paths().definitions.join("a.json");
    fs::write(&path, "{ \"name\": \"a\"").expect("written");
    machine
        .supervised
        .install(&machine.service("c", WAIT))
        .expect("installed");
    let error = machine
        .supervised
        .start(&["c".into()])
        .expect_err("a mistake");
    let wanted = format!("{}: not a definition of a service", path.display());
    assert!(error.fact.starts_with(&wanted), "{error}");
    assert!(lives(a), "it goes on as it was defined");
    assert_eq!(machine.process("b"), b);
    machine
        .supervised
        .install(&machine.service("a", WAIT))
        .expect("mended");
    assert_eq!(machine.process("a"), a);
    machine.supervised.start(&[]).expect("no mistake is left");
}

#[test]
fn a_removed_service_leaves_nothing() {
    let machine = Machine::new();
    let a = machine.install("a", WAIT);
    let b = machine.install("b", WAIT);
    machine.supervised.remove("a").expect("removed");
    assert!(is_gone(a));
    assert_eq!(machine.supervised.state("a").expect("an answer"), None);
    machine.supervised.remove("a").expect("nothing to do");
    assert_eq!(machine.process("b"), b);
    machine.supervised.remove("b").expect("removed");
    until("no supervisor is left", || {
        machine.supervisors().is_empty().then_some(())
    });
    let left = fs::read_dir(&machine.supervised.paths().run).expect("a directory");
    let names = left.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["supervisor.lock"]);
}

#[test]
fn an_upgrade_leaves_services_alone() {
    let machine = Machine::new();
    let first = machine.install("a", WAIT);
    machine.supervised.leave().expect("left");
    until("no supervisor is left", || {
        machine.supervisors().is_empty().then_some(())
    });
    assert!(lives(first));
    assert_eq!(machine.state("a").process, Some(first));
    assert!(!machine.state("a").running);
    machine.supervised.start(&[]).expect("up");
    assert_eq!(machine.process("a"), first);
}

#[test]
fn a_stop_reaches_services_whose_supervisor_was_killed() {
    let machine = Machine::new();
    let first = machine.install("a", WAIT);
    machine.kill_supervisor_for_good();
    machine.supervised.shut_down().expect("down");
    assert!(!lives(first));
}

#[test]
fn the_terminal_that_it_was_started_in_may_close() {
    let machine = Machine::new();
    fs::create_dir_all(&machine.supervised.paths().definitions).expect("made");
    let service = machine.service("a", WAIT);
    let text = serde_json::to_string(&service).expect("JSON");
    fs::write(machine.supervised.paths().definitions.join("a.json"), text).expect("written");
    // A shell in a terminal of its own starts it and ends with the terminal, by a hang-up of all in it.
    let launcher = launcher(machine.dir.path());
    let words = launcher.arguments.iter().map(|word| word.to_string_lossy());
    let call = format!(
        "{} {} & while [ ! -S {} ]; do sleep 0.02; done; kill -HUP 0",
        launcher.program.display(),
        words.collect::<Vec<_>>().join(" "),
        machine
            .supervised
            .paths()
            .run
            .join("supervisor.sock")
            .display()
    );
    Command::new("script")
        .args(["--quiet", "--command", &call, "/dev/null"])
        .envs(launcher.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("script");
    let first = machine.process("a");
    let supervisor = machine.supervisor().expect("it lives");
    let stat = fs::read_to_string(format!("/proc/{supervisor}/stat")).expect("it lives");
    let after_name = stat.rsplit_once(") ").expect("a name").1.to_owned();
    let fields: Vec<_> = after_name.split(' ').collect();
    // proc_pid_stat(5): state, parent, group, session, terminal.
    assert_eq!(fields[3], supervisor.to_string(), "a session of its own");
    assert_eq!(fields[4], "0", "no terminal");
    for descriptor in 0..3 {
        for id in [supervisor, first] {
            let link = fs::read_link(format!("/proc/{id}/fd/{descriptor}")).expect("open");
            assert!(!link.starts_with("/dev/pts"), "{}", link.display());
        }
    }
    let link = |what: &str| fs::read_link(format!("/proc/{supervisor}/{what}")).expect("a link");
    assert_eq!(link("cwd").as_os_str(), "/");
}

#[test]
fn its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    machine.install("a", "echo hello; exec sleep 1000");
    until("a line", || (machine.log("a") == "hello\n").then_some(()));
    let paths = machine.supervised.paths();
    for (path, mode) in [
        (paths.run.clone(), 0o700),
        (paths.run.join("supervisor.sock"), 0o600),
        (paths.run.join("a.process.json"), 0o600),
        (paths.run.join("a.output"), 0o600),
        (paths.definitions.clone(), 0o700),
        (paths.definitions.join("a.json"), 0o600),
        (paths.logs.join("a.log"), 0o600),
        (paths.logs.join("supervisor.log"), 0o600),
    ] {
        let found = fs::metadata(&path).expect("there").permissions().mode() & 0o7777;
        assert_eq!(found, mode, "{}: {found:o}", path.display());
    }
}
