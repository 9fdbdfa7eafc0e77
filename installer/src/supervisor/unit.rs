//! A service as a systemd unit. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::desired::Service;

use super::definition::digest_of;

/// Before the definition, in a comment of the unit, by which it is known to be ours.
const DEFINITION: &str = "# kinstall: ";

/// The variable in a process's environment that says with which definition it was started: after an interrupted install,
/// the unit may be newer than what runs.
pub(super) const DIGEST_VARIABLE: &str = "KINSTALL_DEFINITION";

/// The whole unit of a service. Written 0600: CIS Kubernetes Benchmark 1.12, 4.1.1.
pub fn unit_text(service: &Service) -> String {
    let Service {
        name,
        description,
        program,
        arguments,
        environment,
        after,
        inputs: _,
        stop_seconds,
    } = service;
    let json = serde_json::to_string(service).expect("texts and numbers");
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# Written by kinstall, which writes it again: put changes into {name}.service.d/."
    );
    let _ = writeln!(text, "{DEFINITION}{json}");
    let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(
        text,
        "\n[Unit]\nDescription={}",
        description.replace('%', "%%")
    );
    let mut units = vec!["network-online.target".to_owned()];
    units.extend(after.iter().map(|other| format!("{other}.service")));
    let units = units.join(" ");
    let _ = writeln!(text, "After={units}\nWants={units}");
    // Always again, however often it has failed: a node mends itself when its disk or its network come back.
    let _ = writeln!(text, "StartLimitIntervalSec=0");
    let _ = writeln!(text, "\n[Service]");
    if tells_when_ready(name) {
        let _ = writeln!(text, "Type=notify");
        // Its shims, and so the pods, outlive it; their control groups are its own business.
        let _ = writeln!(text, "KillMode=process\nDelegate=yes");
    }
    let _ = write!(text, "ExecStart={}", quoted(&program.to_string_lossy()));
    for argument in arguments {
        let _ = write!(text, " {}", quoted(&argument.replace('$', "$$")));
    }
    let _ = writeln!(text);
    let digest: BTreeMap<_, _> = [(DIGEST_VARIABLE.to_owned(), digest_of(service))].into();
    for (name, value) in environment.iter().chain(&digest) {
        let _ = writeln!(text, "Environment={}", quoted(&format!("{name}={value}")));
    }
    let _ = writeln!(
        text,
        "UMask=0022\nRestart=always\nRestartSec=200ms\nTimeoutStopSec={stop_seconds}"
    );
    // As the units of containerd and kubeadm: watches, shims and volumes all are open files, and threads are tasks.
    let _ = writeln!(
        text,
        "LimitNOFILE=1048576\nLimitNPROC=infinity\nTasksMax=infinity"
    );
    let _ = writeln!(text, "OOMScoreAdjust={}", oom_score_adjust(name));
    let _ = writeln!(text, "\n[Install]\nWantedBy=multi-user.target");
    text
}

/// The definition that a unit was written from; nothing when it is not ours.
pub fn definition_in_unit(text: &str) -> Option<Service> {
    let json = text
        .lines()
        .find_map(|line| line.strip_prefix(DEFINITION))?;
    serde_json::from_str(json).ok()
}

/// containerd tells when it answers, and what comes after it waits for that. The kubelet tells as well, but nothing is to
/// wait for it: it has no image of its static pods yet when it is installed.
pub(super) fn tells_when_ready(name: &str) -> bool {
    name == "containerd"
}

/// When memory is short, pods go before what runs them: -999 is what the kubelet gives itself
/// (`qos.KubeletOOMScoreAdj`) and the units of containerd say.
pub(super) fn oom_score_adjust(name: &str) -> i16 {
    match name {
        "containerd" | "kubelet" => -999,
        _ => -900,
    }
}

/// One word of systemd.syntax(7), in double quotes unless it needs none.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,+@".contains(char);
    // Before a program's path, some of these are prefixes with a meaning; a path begins with a slash.
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for char in word.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '%' => text.push_str("%%"),
            char if char.is_ascii_control() => {
                let _ = write!(text, "\\x{:02x}", char as u32);
            }
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::supervisor::definition::tests::service;

    /// The words of an `ExecStart=`, as systemd reads them: `extract_first_word` with quotes and C escapes, then
    /// specifiers, then variables (of which `$$` alone is expected).
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(&next) = chars.peek() {
            if next == ' ' {
                chars.next();
                continue;
            }
            let (mut word, mut inside) = (String::new(), false);
            while let Some(char) = chars.next() {
                match char {
                    ' ' if !inside => break,
                    '"' => inside = !inside,
                    '\\' => match chars.next().expect("something escaped") {
                        'x' => {
                            let hex: String = chars.by_ref().take(2).collect();
                            let byte = u8::from_str_radix(&hex, 16).expect("hexadecimal");
                            word.push(byte.into());
                        }
                        char @ ('"' | '\\') => word.push(char),
                        char => panic!("\\{char}"),
                    },
                    char => word.push(char),
                }
            }
            assert!(!inside, "{line}");
            for special in ["%", "$"] {
                let alone = word.replace(&special.repeat(2), "");
                assert!(!alone.contains(special), "{special} alone in {line}");
                word = word.replace(&special.repeat(2), special);
            }
            words.push(word);
        }
        words
    }

    fn value<'a>(text: &'a str, key: &str) -> &'a str {
        let mut lines = text.lines();
        lines
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .expect("the key")
    }

    fn kubelet() -> Service {
        Service {
            after: vec!["containerd".into()],
            environment: [("GOMEMLIMIT".into(), "200 MiB%".into())].into(),
            ..service(
                "kubelet",
                "/usr/local/bin/kubelet",
                &[
                    "--config=/var/lib/kubelet/config.yaml",
                    "--node-labels=a=b,c=d",
                    "two words",
                    "$HOME 100% \"quoted\" \\ ;",
                    "",
                ],
            )
        }
    }

    #[test]
    fn of_the_kubelet() {
        insta::assert_snapshot!(unit_text(&kubelet()));
    }

    #[test]
    fn of_containerd() {
        let containerd = service(
            "containerd",
            "/usr/local/bin/containerd",
            &["--config", "/etc/containerd/config.toml"],
        );
        insta::assert_snapshot!(unit_text(&containerd));
    }

    #[test]
    fn systemd_finds_nothing_wrong() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut units = Vec::new();
        let containerd = service("containerd", "/bin/true", &["--config", "x y"]);
        let kubelet = Service {
            program: "/bin/true".into(),
            ..kubelet()
        };
        for service in [containerd, kubelet] {
            let path = dir.path().join(format!("{}.service", service.name));
            std::fs::write(&path, unit_text(&service)).expect("written");
            units.push(path);
        }
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .args(&units)
            .output()
            .expect("systemd-analyze");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}");
        let ours: Vec<_> = words
            .lines()
            .filter(|line| line.contains("kubelet") || line.contains("containerd"))
            .collect();
        assert!(ours.is_empty(), "{ours:?}");
    }

    proptest! {
        #[test]
        fn every_argument_arrives_as_it_is(arguments in prop::collection::vec("[^\\x00]*", 0..5)) {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let text = unit_text(&service("a", "/usr/bin/a b", &arguments));
            let mut wanted = vec!["/usr/bin/a b"];
            wanted.extend(&arguments);
            prop_assert_eq!(words(value(&text, "ExecStart")), wanted);
        }

        #[test]
        fn the_definition_is_read_back(text in any::<String>(), word in any::<String>()) {
            let service = Service { description: text, ..service("a", "/b", &[&word]) };
            prop_assert_eq!(definition_in_unit(&unit_text(&service)), Some(service));
        }
    }

    #[test]
    fn others_units_are_not_ours() {
        assert_eq!(definition_in_unit("[Unit]\nDescription=containerd\n"), None);
    }
}
