//! What a component's last words probably mean.

/// A likely cause, and what would mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What is probably wrong.
    pub fact: &'static str,
    /// What would mend it.
    pub hint: &'static str,
    /// Whether it is certain to stay so: waiting longer is of no use.
    pub is_final: bool,
}

/// Words, and what they mean. The first that is found counts, so the more special come before the more general.
const CAUSES: &[(&[&str], Cause)] = &[
    (
        &[
            "unknown flag",
            "unknown shorthand flag",
            "flag provided but not defined",
            "unknown feature gate",
            "unrecognized feature gate",
        ],
        Cause {
            fact: "it was started with a flag that it does not know",
            hint: "the program is of another version than kinstall writes flags for, or its manifest was changed by hand: see kinstall preflight",
            is_final: true,
        },
    ),
    (
        &["address already in use"],
        Cause {
            fact: "another program has its port",
            hint: "ss -tlnp shows who listens there; stop that program, then run kinstall node again",
            is_final: false,
        },
    ),
    (
        &[
            "no space left on device",
            "disk quota exceeded",
            "mvcc: database space exceeded",
        ],
        Cause {
            fact: "the disk is full",
            hint: "df -h shows which; make room, then run kinstall node again",
            is_final: true,
        },
    ),
    (
        &[
            "certificate has expired",
            "certificate is expired",
            "has expired or is not yet valid",
        ],
        Cause {
            fact: "a certificate has expired, or the clock is wrong",
            hint: "kinstall check names the certificate; renew it with kpki apply, or set the clock",
            is_final: true,
        },
    ),
    (
        &[
            "certificate is valid for",
            "doesn't contain any IP SANs",
            "cannot validate certificate for",
        ],
        Cause {
            fact: "a certificate does not have the name or address that is dialled",
            hint: "kinstall check names the certificate; add the name or address to cluster.toml, then kpki apply",
            is_final: true,
        },
    ),
    (
        &[
            "certificate signed by unknown authority",
            "unknown certificate authority",
            "bad certificate",
            "UnknownIssuer",
        ],
        Cause {
            fact: "a certificate is of another authority than the one that is trusted",
            hint: "files of two clusters may be mixed: kinstall check names them; kpki apply makes them anew",
            is_final: false,
        },
    ),
    (
        &[
            "private key does not match public key",
            "tls: failed to find any PEM data",
            "failed to parse private key",
        ],
        Cause {
            fact: "a key does not belong to its certificate, or one of them is damaged",
            hint: "kinstall check names the file; kpki apply makes it anew",
            is_final: true,
        },
    ),
    (
        &[
            "ErrImageNeverPull",
            "is not present with pull policy of Never",
        ],
        Cause {
            fact: "its image is not in containerd",
            hint: "run kinstall node again: it imports what is missing",
            is_final: false,
        },
    ),
    (
        &["exec format error"],
        Cause {
            fact: "the program is for another kind of processor",
            hint: "put the program for this machine into --bin-dir",
            is_final: true,
        },
    ),
    (
        &[
            "failed to reserve sandbox name",
            "failed to create containerd task",
            "OCI runtime create failed",
        ],
        Cause {
            fact: "runc could not start the container",
            hint: "kinstall logs kubelet tells what runc said; kinstall preflight checks what it needs of the kernel",
            is_final: false,
        },
    ),
    (
        &[
            "cni plugin not initialized",
            "network plugin is not ready",
            "NetworkPluginNotReady",
        ],
        Cause {
            fact: "there is no network for pods yet",
            hint: "kinstall logs flannel tells why; with --network none, install yours",
            is_final: false,
        },
    ),
    (
        &["running with swap on is not supported"],
        Cause {
            fact: "the machine swaps",
            hint: "swapoff -a, and take swap out of /etc/fstab",
            is_final: true,
        },
    ),
    (
        &[
            "failed to find memory cgroup",
            "cgroup v1 support is unsupported",
            "kubelet is configured to not run on a host using cgroup v1",
            "failed to get cgroup",
        ],
        Cause {
            fact: "the control groups of the kernel are not as the kubelet wants them",
            hint: "kinstall preflight names what is missing",
            is_final: false,
        },
    ),
    (
        &["too many open files", "inotify_init"],
        Cause {
            fact: "the system has no more files or watches to give",
            hint: "raise fs.inotify.max_user_instances and fs.file-max; kinstall preflight tells their values",
            is_final: false,
        },
    ),
    (
        &["Loop (", "plugin/loop"],
        Cause {
            fact: "the node's DNS server asks CoreDNS, which asks it again",
            hint: "let the node's resolv.conf name a server outside the node (coredns#2087)",
            is_final: true,
        },
    ),
    (
        &["no nameservers found"],
        Cause {
            fact: "the node's resolv.conf names no DNS server",
            hint: "write `nameserver ADDRESS` into it: CoreDNS asks there for what is not the cluster's",
            is_final: true,
        },
    ),
    (
        &[
            "iptables binary was not found",
            "executable file not found in $PATH",
        ],
        Cause {
            fact: "its image lacks a program that it calls",
            hint: "install nftables and iptables on the node, then run kinstall node again: it makes the image anew",
            is_final: true,
        },
    ),
    (
        &["has no data of etcd"],
        Cause {
            fact: "etcd's data are gone, and it does not begin anew by itself",
            hint: "run kinstall node: it makes this node a new member of etcd's cluster, or tells why it cannot",
            is_final: false,
        },
    ),
    (
        &[
            "the member has been permanently removed from the cluster",
            "member has been removed",
        ],
        Cause {
            fact: "this node's member was removed from etcd's cluster, and its data are of no more use",
            hint: "kinstall reset --purge, and kinstall node makes it a new member; or take the role etcd from it in cluster.toml",
            is_final: false,
        },
    ),
    (
        &[
            "cluster ID mismatch",
            "member count is unequal",
            "has already been bootstrapped",
        ],
        Cause {
            fact: "etcd's data are of another cluster",
            hint: "kinstall reset --purge removes them, with all that is in them",
            is_final: true,
        },
    ),
    (
        &["permission denied", "operation not permitted"],
        Cause {
            fact: "it may not read, write or do something that it has to",
            hint: "the line of its log names what; kinstall node sets owners and modes of its own files again",
            is_final: false,
        },
    ),
    (
        &["no such file or directory"],
        Cause {
            fact: "a file that it was told of is not there",
            hint: "the line of its log names the file; kinstall node writes its own again",
            is_final: false,
        },
    ),
    (
        &[
            "connection refused",
            "context deadline exceeded",
            "i/o timeout",
            "no route to host",
        ],
        Cause {
            fact: "it cannot reach what it depends on",
            hint: "kinstall status shows what is down; the first of it is the cause",
            is_final: false,
        },
    ),
];

/// The likely cause that a component's last lines tell of. The latest line that tells of one counts, unless an earlier
/// one tells of a cause that stays.
pub fn likely_cause(lines: &[String]) -> Option<Cause> {
    let causes: Vec<_> = lines
        .iter()
        .rev()
        .filter_map(|line| of_line(line))
        .collect();
    let lasting = causes.iter().find(|cause| cause.is_final);
    let special = causes.iter().find(|cause| cause.fact != GENERAL);
    lasting.or(special).or(causes.first()).copied()
}

/// True of nearly everything that waits for something else.
const GENERAL: &str = "it cannot reach what it depends on";

fn of_line(line: &str) -> Option<Cause> {
    let line = line.to_lowercase();
    let found = CAUSES.iter().find(|(patterns, _)| {
        let mut patterns = patterns.iter();
        patterns.any(|pattern| line.contains(&pattern.to_lowercase()))
    });
    found.map(|(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that real components said.
    #[test]
    fn causes_of_real_words() {
        for (line, fact) in [
            ("Error: unknown flag: --insecure-port", "flag"),
            (
                r#"E1 run.go:72] "command failed" err="failed to create listener: failed to listen on 0.0.0.0:6443: listen tcp 0.0.0.0:6443: bind: address already in use""#,
                "port",
            ),
            (
                r#"{"level":"fatal","msg":"discovery failed","error":"listen tcp 192.0.2.1:2380: bind: address already in use"}"#,
                "port",
            ),
            (
                r#"{"level":"fatal","error":"write /var/lib/etcd/member/wal/0.tmp: no space left on device"}"#,
                "disk",
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026 is after 2025",
                "expired",
            ),
            (
                "tls: failed to verify certificate: x509: certificate is valid for 10.96.0.1, 192.0.2.1, not 192.0.2.9",
                "name or address",
            ),
            ("x509: certificate signed by unknown authority", "authority"),
            (
                r#"Error syncing pod, skipping" err="failed to "StartContainer" for "etcd" with ErrImageNeverPull"#,
                "image",
            ),
            (
                "open /etc/kubernetes/pki/apiserver.key: permission denied",
                "may not",
            ),
            (
                "open /etc/kubernetes/pki/apiserver.key: no such file or directory",
                "not there",
            ),
            (
                "kinstall-etcd: /var/lib/etcd has no data of etcd, and kinstall node has not given it leave to begin without",
                "data are gone",
            ),
            (
                r#"{"level":"error","msg":"server error","error":"the member has been permanently removed from the cluster"}"#,
                "was removed",
            ),
            ("tls: private key does not match public key", "belong"),
            (
                "[FATAL] plugin/loop: Loop (127.0.0.1:55953 -> :53) detected for zone \".\"",
                "DNS",
            ),
            ("plugin/forward: no nameservers found", "resolv.conf"),
            (
                "failed to setup IPTables. iptables binary was not found: exec: \"iptables\": executable file not found in $PATH",
                "image lacks",
            ),
            (
                "dial tcp 127.0.0.1:2379: connect: connection refused",
                "reach",
            ),
        ] {
            let cause = likely_cause(&[line.to_owned()]).unwrap_or_else(|| panic!("{line}"));
            assert!(cause.fact.contains(fact), "{line}: {}", cause.fact);
            assert!(!cause.hint.is_empty());
        }
        assert_eq!(likely_cause(&["I1124 everything is fine".into()]), None);
    }

    #[test]
    fn the_special_beats_the_general_and_the_lasting_both() {
        let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let of = |words: &[&str]| likely_cause(&lines(words)).unwrap().fact;
        assert!(of(&["bind: address already in use", "connection refused"]).contains("port"));
        assert!(of(&["unknown flag: --x", "bind: address already in use"]).contains("flag"));
        assert!(
            of(&["open x: permission denied", "bind: address already in use"]).contains("port")
        );
    }
}
