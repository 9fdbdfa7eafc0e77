//! What cannot be a cluster: told on the command line, and told in cluster.toml.

use std::fs;

use tests::cluster::read;
use tests::command::succeed;
use tests::kpki;

use super::{refused, refused_without_a_trace, tree};

struct Case {
    flags: &'static [&'static str],
    /// The flag that the error names.
    flag: &'static str,
    /// The same in cluster.toml: what the line that begins like this becomes, and what replaces it.
    line: (&'static str, &'static str),
    fact: &'static str,
    hint: &'static str,
}

const LONG: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
const CIDR: &str = "service-cidr = ";

/// Of [`Case::line`], whose line stays.
const CASES: &[Case] = &[
    Case {
        flags: &["--service-cidr", "10.3.0.0/33"],
        flag: "--service-cidr",
        line: (CIDR, "service-cidr = '10.3.0.0/33'"),
        fact: "10.3.0.0/33: prefix longer than 32",
        hint: "/24",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/30"],
        flag: "--service-cidr",
        line: (CIDR, "service-cidr = '10.3.0.0/30'"),
        fact: "10.3.0.0/30: too small",
        hint: "/29",
    },
    Case {
        flags: &["--service-cidr", "10.0.0.0/8"],
        flag: "--service-cidr",
        line: (CIDR, "service-cidr = '10.0.0.0/8'"),
        fact: "10.0.0.0/8: too large",
        hint: "/12",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.7/24"],
        flag: "--service-cidr",
        line: (CIDR, "service-cidr = '10.3.0.7/24'"),
        fact: "10.3.0.7/24: host bits are set",
        hint: "10.3.0.0/24",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--pod-cidr", "10.3.0.0/16"],
        flag: "--pod-cidr",
        line: ("pod-cidr = ", "pod-cidr = '10.3.0.0/16'"),
        fact: "overlaps the service CIDR 10.3.0.0/24",
        hint: "10.244.0.0/16",
    },
    Case {
        flags: &[
            "--service-cidr",
            "10.3.0.0/24",
            "--cluster-dns",
            "10.4.0.10",
        ],
        flag: "--cluster-dns",
        line: ("cluster-dns = ", "cluster-dns = '10.4.0.10'"),
        fact: "10.4.0.10: outside of the service CIDR 10.3.0.0/24",
        hint: "10.3.0.10",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--cluster-dns", "10.3.0.1"],
        flag: "--cluster-dns",
        line: ("cluster-dns = ", "cluster-dns = '10.3.0.1'"),
        fact: "10.3.0.1: the first address of 10.3.0.0/24",
        hint: "10.3.0.10",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24,fd00:3::/112,fd01:3::/112"],
        flag: "--service-cidr",
        line: (
            CIDR,
            "service-cidr = ['10.3.0.0/24', 'fd00:3::/112', 'fd01:3::/112']",
        ),
        fact: "one more than the two",
        hint: "leave one out",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24,10.4.0.0/24"],
        flag: "--service-cidr",
        line: (CIDR, "service-cidr = ['10.3.0.0/24', '10.4.0.0/24']"),
        fact: "10.4.0.0/24: a second IPv4 one",
        hint: "dual stack",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--profile", "kubeadmin"],
        flag: "--profile",
        line: ("profile = ", "profile = 'kubeadmin'"),
        fact: "kubeadmin: unknown profile",
        hint: "did you mean kubeadm?",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--node", "N1=192.0.2.10"],
        flag: "--node",
        line: ("name = \"n1\"", "name = 'N1'"),
        fact: "capital letters",
        hint: "n1",
    },
    Case {
        flags: &[
            "--service-cidr",
            "10.3.0.0/24",
            "--node",
            "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn=192.0.2.10",
        ],
        flag: "--node",
        line: (
            "name = \"n1\"",
            "name = 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'",
        ),
        fact: "53 characters, more than 52",
        hint: "64 characters",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--domain", "10.3.0.1"],
        flag: "--domain",
        line: ("domain = ", "domain = '10.3.0.1'"),
        fact: "10.3.0.1: this is an IP address, not a DNS name",
        hint: "a DNS name belongs here",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--validity", "20y"],
        flag: "--validity",
        line: ("key-algorithm = ", "validity = '20y'"),
        fact: "longer than the 10y of its authority",
        hint: "shorten the validity",
    },
    Case {
        flags: &[
            "--service-cidr",
            "10.3.0.0/24",
            "--key-algorithm",
            "rsa-1024",
        ],
        flag: "--key-algorithm",
        line: ("key-algorithm = ", "key-algorithm = 'rsa-1024'"),
        fact: "rsa-1024: unknown key algorithm",
        hint: "rsa-2048",
    },
    Case {
        flags: &["--service-cidr", "10.3.0.0/24", "--san", "10.3.0.300"],
        flag: "--san",
        line: ("san = ", "san = '10.3.0.300'"),
        fact: "10.3.0.300",
        hint: "neither a whole IP address nor a name",
    },
];

#[test]
fn on_the_command_line() {
    assert_eq!(LONG.len(), 53);
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        let mut command = kpki::command(&["init"]);
        command.args(case.flags);
        if !case.flags.contains(&"--node") {
            command.args(["--node", "n1=192.0.2.10"]);
        }
        command.arg("--dir").arg(dir.path().join("kubernetes"));
        let place = format!("error: {}", case.flag);
        refused_without_a_trace(dir.path(), &mut command, &place, case.fact, case.hint);
    }
}

/// In the cluster.toml of a tree that is fine: the error has the line, and no command changes anything.
#[test]
fn in_cluster_toml() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    let spec = dir.join("cluster.toml");
    let good = read(&spec);
    for case in CASES {
        let mut line = 0;
        let lines = good.lines().enumerate().map(|(index, text)| {
            if line == 0 && text.starts_with(case.line.0) {
                line = index + 1;
                return case.line.1;
            }
            text
        });
        let bad: Vec<_> = lines.collect();
        fs::write(&spec, bad.join("\n") + "\n").unwrap();
        assert!(line > 0, "{:?} is in\n{good}", case.line.0);
        for command in [&["apply"][..], &["plan"], &["verify"]] {
            let mut command = kpki::command(command);
            let place = format!("cluster.toml:{line}: ");
            command.arg("--dir").arg(&dir);
            refused_without_a_trace(&dir, &mut command, &place, case.fact, case.hint);
        }
    }
    fs::write(&spec, good).unwrap();
    succeed(kpki::command(&["plan"]).arg("--dir").arg(&dir));
}

#[test]
fn unknown_fields_and_no_toml_at_all() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    let spec = dir.join("cluster.toml");
    let good = read(&spec);
    for (bad, place, fact, hint) in [
        (
            good.replace("domain = ", "domian = "),
            "cluster.toml:4: ",
            "domian: unknown field",
            "did you mean domain?",
        ),
        (
            good.replace("domain = ", "domain = ["),
            "cluster.toml:",
            "",
            "TOML",
        ),
        (
            String::new(),
            "",
            "service-cidr: not given",
            "--service-cidr",
        ),
        (
            format!("{good}\n[certificate.apisever]\nvalidity = '30d'\n"),
            "cluster.toml:",
            "has no certificate \"apisever\"",
            "apiserver",
        ),
    ] {
        fs::write(&spec, &bad).unwrap();
        let mut command = kpki::command(&["apply"]);
        command.arg("--dir").arg(&dir);
        if bad.is_empty() {
            // Everything is missing at once: each is told.
            let ended = tests::command::run(&mut command);
            assert_eq!(ended.code, Some(1), "{ended}");
            assert!(
                ended.stderr.contains(fact) && ended.stderr.contains(hint),
                "{ended}"
            );
            continue;
        }
        refused_without_a_trace(&dir, &mut command, place, fact, hint);
    }
}

/// Flags that were right once are not taken for a wish to change: a change is made in cluster.toml.
#[test]
fn another_service_cidr_for_a_tree_that_is_there() {
    let top = tempfile::tempdir().unwrap();
    let dir = tree(top.path());
    let mut command = kpki::command(&["init", "--service-cidr", "10.4.0.0/24", "--dir"]);
    command.arg(&dir);
    refused_without_a_trace(
        &dir,
        &mut command,
        "cluster.toml",
        "service-cidr 10.3.0.0/24, not 10.4.0.0/24",
        "kpki plan",
    );
}

#[test]
fn nothing_to_go_by() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("kubernetes");
    let none = || {
        let mut command = kpki::command(&["init", "--dir"]);
        command.arg(&dir);
        command
    };
    refused(
        &mut none(),
        "--service-cidr",
        "",
        "kpki init --service-cidr 10.3.0.0/24",
    );
    let mut plan = kpki::command(&["plan", "--dir"]);
    refused(plan.arg(&dir), "cluster.toml", "does not exist", "--dir");
    assert!(!dir.exists());
}
