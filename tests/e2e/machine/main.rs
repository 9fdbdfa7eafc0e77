//! The test machines themselves: what every test of a node relies on.
#![allow(missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tests::command::{run, succeed};
use tests::machine::{Families, Kind, Machine, MachineOptions, Network};
use tests::node::turn;

/// What a machine must not change: the kernel's settings, links, rules, mounts and cgroups of this one.
fn surroundings() -> String {
    let settings = "sysctl -a 2>/dev/null | grep -E '^(net\\.(ipv[46]\\.(ip_forward|conf|neigh)|bridge|netfilter\\.nf_conntrack_max)|\
                    vm\\.(over|panic|max_map)|kernel\\.(panic|keys|pid_max|hostname)|fs\\.(inotify|file-max))'";
    let line = format!(
        "hostname; sort /proc/self/mounts; ip -o link | cut -d' ' -f2; ip -o addr | cut -d' ' -f2-7; ip route; \
         ip -6 route; ip netns; nft list ruleset; {settings}; find /sys/fs/cgroup -type d | grep -E '/test-{}-' | sort; \
         losetup --noheadings --list --output BACK-FILE | grep -- '/test-{}-'; true",
        std::process::id(),
        std::process::id()
    );
    succeed(Command::new("sh").args(["-c", &line]))
}

#[test]
fn is_a_machine_of_its_own() {
    let _turn = turn();
    let before = surroundings();
    {
        let network = Network::new(Families::Both);
        let options = MachineOptions {
            host_name: "alpha".to_owned(),
            ..MachineOptions::default()
        };
        let mut machine = Machine::boot(&network, options);
        starts_empty(&machine);
        changes_only_itself(&machine, &before);
        is_reached_by_its_neighbours(&network, &machine);
        runs_a_container(&machine);
        remembers_only_its_disk(&mut machine);
        let killed = machine.spawn("long", "sleep", &["12345"]);
        assert_eq!(
            machine
                .shell("until pgrep -x sleep -a | grep 12345; do :; done")
                .lines()
                .count(),
            1
        );
        drop(killed);
        let left = machine.state();
        assert!(
            !left
                .part("processes")
                .iter()
                .any(|line| line.contains("12345"))
        );
    }
    assert_eq!(surroundings(), before);
}

fn starts_empty(machine: &Machine<'_>) {
    assert_eq!(machine.shell("hostname"), "alpha\n");
    let files = machine.files();
    for absent in [
        "/etc/kubernetes",
        "/etc/kinstall",
        "/etc/containerd",
        "/etc/cni",
        "/opt/cni",
        "/var/lib/cni",
        "/var/lib/containerd",
        "/var/lib/etcd",
        "/var/lib/kinstall",
        "/var/lib/kubelet",
        "/usr/local/bin/kinstall",
    ] {
        assert_eq!(files.at(absent), None, "{absent}");
    }
    let empty = "ls /etc/rc2.d /opt /root /usr/local/bin /var/lib/misc /var/log";
    let entries = machine.shell(&format!("{empty} | grep -v ':$' | grep . || true"));
    assert_eq!(entries, "");
    assert_eq!(machine.shell("nft list ruleset"), "");
    assert_eq!(machine.state().part("processes"), Vec::<String>::new());
}

/// Whatever it does to its kernel, the kernel of this machine does not hear of it.
fn changes_only_itself(machine: &Machine<'_>, before: &str) {
    let files = machine.files();
    let state = machine.state();
    assert_eq!(machine.state().changes_to(&state), Vec::<String>::new());
    machine.shell(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 vm.overcommit_memory=1 kernel.panic=10 \
         fs.inotify.max_user_instances=8192 && nft add table inet x && ip link add br7 type bridge && \
         iptables -A FORWARD -j ACCEPT && mkdir /sys/fs/cgroup/pids/x && mount -t tmpfs tmpfs /mnt && \
         hostname changed && echo 1 >/etc/one && echo 2 >/usr/bin/two && rm /usr/bin/strace",
    );
    assert_eq!(machine.shell("cat /proc/sys/vm/overcommit_memory"), "1\n");
    let changes = state.changes_to(&machine.state());
    for expected in [
        "+ settings: net.ipv4.ip_forward = 1",
        "+ settings: net.ipv6.conf.all.forwarding = 1",
        "+ settings: vm.overcommit_memory = 1",
        "- settings: fs.inotify.max_user_instances = 128",
        "+ nftables: table inet x {",
        "+ cgroups: /sys/fs/cgroup/pids/x",
        "+ host name: changed",
        "+ iptables: -A FORWARD -j ACCEPT",
    ] {
        assert!(
            changes.iter().any(|line| line == expected),
            "{expected}: {changes:#?}"
        );
    }
    for start in ["+ links: br7", "+ mounts: /mnt tmpfs"] {
        assert!(
            changes.iter().any(|line| line.starts_with(start)),
            "{start}: {changes:#?}"
        );
    }
    let changed = files.changes_to(&machine.files());
    let paths: Vec<_> = changed
        .iter()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(paths, ["+ /etc/one", "+ /usr/bin/strace", "+ /usr/bin/two"]);
    assert_eq!(
        machine.files().at("/usr/bin/strace").map(|e| &e.kind),
        Some(&Kind::Other)
    );
    let ours = surroundings();
    let expected: Vec<_> = before.lines().collect();
    // The machine's own cgroups and disk are all that is new.
    let new: Vec<_> = ours
        .lines()
        .filter(|line| !expected.contains(line))
        .collect();
    assert!(new.iter().all(|line| line.contains("/test-")), "{new:#?}");
}

fn is_reached_by_its_neighbours(network: &Network, machine: &Machine<'_>) {
    for address in ["192.0.2.11", "2001:db8:2::11"] {
        for host in [network.outside(), network.far(), network.attacker()] {
            succeed(host.command("ping").args(["-c", "1", "-W", "5", address]));
        }
    }
    let mut server = machine.spawn("web", "kpki-web", &["serve", ":8080"]);
    for address in ["192.0.2.11:8080", "[2001:db8:2::11]:8080"] {
        server.wait_until(Duration::from_secs(10), || {
            network.far().within(|| TcpStream::connect(address).is_ok())
        });
    }
    let seen = |host: tests::machine::Host<'_>, url: &str| {
        succeed(host.command("curl").args(["-s", "--noproxy", "*", url]))
    };
    let url = "http://192.0.2.11:8080/client";
    assert_eq!(seen(network.far(), url), "198.51.100.50\n");
    assert_eq!(seen(network.outside(), url), "192.0.2.50\n");
    let url = "http://[2001:db8:2::11]:8080/client";
    assert_eq!(seen(network.far(), url), "2001:db8:51::50\n");
    assert_eq!(seen(network.attacker(), url), "2001:db8:2::66\n");
    // And the other way: a machine calls a program that listens there.
    network.outside().within(|| {
        let listener = TcpListener::bind("192.0.2.50:99").expect("a free port");
        let mut client = machine.spawn("client", "kpki-web", &["get", "http://192.0.2.50:99/"]);
        let (mut stream, from) = listener.accept().expect("a caller");
        assert_eq!(from.ip().to_string(), "192.0.2.11");
        let _ = stream.read(&mut [0; 1000]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
        drop(stream);
        client.wait_until(Duration::from_secs(10), || true);
    });
}

/// containerd's own way: an overlay of layers on the machine's disk, runc, cgroups.
fn runs_a_container(machine: &Machine<'_>) {
    let name = "registry.test/web:1";
    fs::create_dir_all(machine.path("/root")).expect("it is there");
    tests::image::archive(
        name,
        &tests::component::path("kpki-web"),
        &["serve"],
        &machine.path("/root/web.tar"),
    );
    let mut containerd = machine.spawn("containerd", "containerd", &[]);
    containerd.wait_until(Duration::from_secs(60), || {
        machine.run("ctr", &["version"]).code == Some(0)
    });
    machine.shell("ctr -n k8s.io images import /root/web.tar");
    let line =
        format!("ctr -n k8s.io run --rm --memory-limit 100000000 {name} one /bin/kpki-web --help");
    assert!(machine.shell(&line).contains("from inside a pod"));
    drop(containerd);
}

fn remembers_only_its_disk(machine: &mut Machine<'_>) {
    machine.shell("printf '#!/bin/sh\\necho hello from boot $1\\nsleep 54321 &\\n' >/etc/rc2.d/S20own && chmod +x /etc/rc2.d/S20own && touch /run/memory && echo net.ipv4.ip_forward = 1 >/etc/sysctl.d/90-x.conf");
    machine.shell("setsid sleep 7777 >/dev/null 2>&1 </dev/null & :");
    machine.reboot();
    assert!(
        machine.console().contains("hello from boot start"),
        "{}",
        machine.console()
    );
    let ended = run(machine.command("ls").args(["/run/memory"]));
    assert!(ended.code == Some(2), "{ended}");
    assert_eq!(machine.shell("cat /etc/one"), "1\n");
    assert_eq!(machine.shell("hostname"), "alpha\n");
    let settings = machine
        .shell("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding vm.overcommit_memory");
    assert_eq!(settings, "1\n0\n0\n");
    let state = machine.state();
    assert!(
        state
            .part("processes")
            .iter()
            .any(|line| line.contains("sleep 54321")),
        "{state:#?}"
    );
    assert!(
        !state
            .part("processes")
            .iter()
            .any(|line| line.contains("7777"))
    );
    assert_eq!(state.part("nftables"), Vec::<String>::new());
    assert!(!state.part("links").iter().any(|line| line.contains("br7")));
    assert_eq!(machine.kill_all_of("sleep"), 1);
}

/// A Debian with systemd as process 1, which changes as little of this machine.
#[test]
fn is_booted_by_systemd() {
    let _turn = turn();
    let before = surroundings();
    {
        let network = Network::new(Families::Both);
        let mut machine = Machine::boot(&network, MachineOptions::debian());
        assert_eq!(machine.shell("cat /proc/1/comm"), "systemd\n");
        is_settled(&machine);
        for host in [network.outside(), network.far()] {
            succeed(
                host.command("ping")
                    .args(["-c", "1", "-W", "5", "192.0.2.11"]),
            );
        }
        // A unit has cgroups, is started by a boot, and its words are in the journal.
        let unit = "printf '[Service]\\nExecStart=sh -c \"echo words; exec sleep 54321\"\\n[Install]\\nWantedBy=multi-user.target\\n' \
                    >/etc/systemd/system/own.service";
        machine.shell(&format!("{unit} && systemctl enable --quiet --now own"));
        let group = machine.shell("cat /proc/$(pgrep -x sleep)/cgroup");
        assert!(
            group.contains(":pids:/system.slice/own.service\n"),
            "{group}"
        );
        machine.reboot();
        is_settled(&machine);
        assert_eq!(machine.kill_all_of("sleep"), 1);
        let words = machine.shell("journalctl --quiet --unit own --output cat | grep -c words");
        assert_eq!(words, "2\n");
        machine.shut_down();
        machine.switch_on();
        is_settled(&machine);
    }
    assert_eq!(surroundings(), before);
}

fn is_settled(machine: &Machine<'_>) {
    let state = machine.run("systemctl", &["is-system-running", "--wait"]);
    let failed = machine.shell("systemctl --failed --plain --no-legend");
    assert_eq!((state.stdout.trim(), &*failed), ("running", ""));
}

/// Nobody is left to clean up but the next who comes.
#[test]
fn a_killed_run_leaves_nothing_that_lives() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("machine");
    let base = tempfile::tempdir_in("/var/tmp").expect("room for a disk");
    let script = |name: &str| {
        let mut command = Command::new(scripts.join(name));
        command.env("KPKI_MACHINES", base.path());
        command
    };
    let mut killed = script("run")
        .arg("--keep")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash is there");
    let mut said = BufReader::new(killed.stdout.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it says how to enter it");
    let network = base.path().join(format!("run-{}", killed.id()));
    assert!(
        line.contains(network.to_str().expect("plain")),
        "says {line:?}"
    );
    let cgroups = fs::read_to_string(network.join("node1/cgroups")).expect("it is on");
    let pid = fs::read_to_string(network.join("node1/pid")).expect("it is on");
    let first = Path::new("/proc").join(pid.trim());
    assert!(cgroups.lines().count() > 1 && first.exists());

    killed.kill().expect("it is ours");
    killed.wait().expect("it is ours");
    let began = Instant::now();
    while first.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{pid} lives on");
        sleep(Duration::from_millis(20));
    }
    // What holds its lock ends after its first process: until then it counts as running.
    let began = Instant::now();
    while network.exists() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "its disk is left"
        );
        succeed(&mut script("sweep"));
        sleep(Duration::from_millis(100));
    }
    for cgroup in cgroups.lines() {
        assert!(!Path::new(cgroup).exists(), "{cgroup} is left");
    }
}
