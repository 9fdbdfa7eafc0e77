//! The certificates that break the rules of `cluster/lint`.

use super::forge::*;

/// Every fixture file with its text, by its path below `pki-core/src`.
pub fn files() -> Vec<(String, String)> {
    let both: [(&str, Vec<Forged>); 2] = [("good", good()), ("good-set", good_set())];
    let all = both.into_iter().chain(single()).chain(sets());
    let path = |name| format!("cluster/lint/fixtures/{name}.pem");
    all.map(|(name, certificates)| (path(name), pem(&certificates)))
        .collect()
}

fn node(common_name: &str) -> Forged {
    Forged::client(common_name, &["system:nodes"])
}

fn with_subject(made: Forged, common_name: &str, organizations: &[&str]) -> Forged {
    let subject = name(common_name, organizations);
    made.changed(|made| made.subject = subject)
}

fn good() -> Vec<Forged> {
    vec![
        with_subject(Forged::server(), "kube-apiserver", &[]),
        with_subject(Forged::server(), "n1", &[]).with_purposes(&[SERVER, CLIENT]),
        node("system:node:n1"),
        node("system:node:10.0.0.7"),
        node(&format!("system:node:{}", "n".repeat(52))),
        with_subject(Forged::server(), "system:node:n1", &["system:nodes"]),
        Forged::client("kubernetes-super-admin", &["system:masters"]),
        Forged::client("kubernetes-admin", &["kubeadm:cluster-admins"]),
        Forged::client("system:kube-controller-manager", &[]),
        Forged::client("system:kube-scheduler", &[]),
        Forged::client("system:kube-proxy", &["system:node-proxier"]),
        Forged::client("prober", &["system:monitoring"]),
        // A wildcard alone is a name like any other.
        Forged::server().with_sans(&[dns("*.leaf.test")]),
        Forged::server().with_sans(&[ip(&[192, 0, 2, 1])]),
    ]
}

fn single() -> Vec<(&'static str, Vec<Forged>)> {
    let serving = || with_subject(Forged::server(), "system:node:n1", &["system:nodes"]);
    let masters = || Forged::client("kubernetes-super-admin", &["system:masters"]);
    vec![
        (
            "server-sans",
            vec![
                Forged::server().without(SUBJECT_ALT_NAME),
                serving().without(SUBJECT_ALT_NAME),
                Forged::server().with_sans(&[email("ann@leaf.test")]),
            ],
        ),
        (
            "node-name",
            [
                "system:node:N1",
                "system:node:",
                "system:node:-n1",
                "system:node:*.n1",
            ]
            .map(node)
            .to_vec(),
        ),
        (
            "node-organization",
            vec![
                Forged::client("system:node:n1", &[]),
                Forged::client("system:node:n1", &["dev"]),
                Forged::client("system:node:n1", &["system:nodes", "dev"]),
                Forged::client("alice", &["system:nodes"]),
            ],
        ),
        (
            "node-usages",
            vec![serving().with_purposes(&[SERVER, CLIENT])],
        ),
        (
            "kubelet-client-sans",
            vec![node("system:node:n1").with_sans(&[dns("n1")])],
        ),
        (
            "kubelet-serving-sans",
            [email("root@n1.test"), uri("https://n1.test/")]
                .map(|san| serving().with_sans(&[dns("n1"), san]))
                .to_vec(),
        ),
        (
            "component-usages",
            vec![
                with_subject(Forged::server(), "system:kube-scheduler", &[]),
                with_subject(Forged::server(), "system:kube-proxy", &[])
                    .with_purposes(&[SERVER, CLIENT]),
            ],
        ),
        (
            "system-masters",
            vec![Forged::client("alice", &["dev", "system:masters"])],
        ),
        (
            "system-masters-server",
            vec![
                masters().with_sans(&[dns("leaf.test")]),
                masters()
                    .with_purposes(&[SERVER, CLIENT])
                    .with_sans(&[dns("leaf.test")]),
            ],
        ),
        (
            "system-name-unknown",
            vec![
                Forged::client("system:kube-sheduler", &[]),
                Forged::client("alice", &["system:master"]),
                Forged::client("system:serviceaccount:default:default", &[]),
            ],
        ),
    ]
}

fn sets() -> Vec<(&'static str, Vec<Forged>)> {
    let ca = Forged::authority;
    let other_leaf = || Forged::client("bob", &[]).with_key(ed25519(11));
    vec![
        (
            "front-proxy-ca",
            // The same certificate, then the same name with another key.
            vec![ca(), ca(), Forged::root("lint-ca", 12)],
        ),
        ("etcd-ca", vec![ca(), ca()]),
        (
            "serial-repeated",
            vec![Forged::client("alice", &[]), other_leaf()],
        ),
        (
            "key-shared",
            vec![
                Forged::client("alice", &[]),
                Forged::client("bob", &[]).changed(|made| made.serial = vec![0x44]),
            ],
        ),
    ]
}

/// What breaks no rule although it looks alike; the test of `cluster/lint/set` gives the names.
fn good_set() -> Vec<Forged> {
    let namesake = Forged::root("lint-ca", 12);
    vec![
        Forged::authority(),
        Forged::root("front-proxy-ca", 13),
        Forged::root("etcd-ca", 14),
        Forged::authority().changed(|made| {
            made.serial = vec![0x45];
            made.not_after = utc_time("400101000000Z");
        }),
        Forged::client("alice", &[]),
        Forged::client("bob", &[])
            .with_key(ed25519(11))
            .issued_by(&namesake),
    ]
}
