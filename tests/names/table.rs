//! The table: every kind of service CIDR, and what else names an API server.

use tests::cluster::Cluster;
use tests::command::run;
use tests::kpki;

use super::sans;

/// What the API server of node `n1` is called in every cluster of the domain.
fn always(domain: &str) -> Vec<String> {
    let mut names = vec![format!("kubernetes.default.svc.{domain}")];
    let fixed = [
        "n1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "localhost",
        "127.0.0.1",
        "::1",
    ];
    names.extend(fixed.map(String::from));
    names
}

struct Case {
    arguments: &'static [&'static str],
    /// What the API server is called besides `always`.
    apiserver: &'static [&'static str],
    dns: &'static [&'static str],
    domain: &'static str,
}

const PLAIN: Case = Case {
    arguments: &[],
    apiserver: &[],
    dns: &[],
    domain: "cluster.local",
};

fn check(case: &Case) {
    let node = if case.arguments.contains(&"--node") {
        &[][..]
    } else {
        &["--node", "n1=192.0.2.10"]
    };
    let cluster = Cluster::init(&[case.arguments, node].concat());
    let mut wanted = always(case.domain);
    wanted.extend(case.apiserver.iter().map(ToString::to_string));
    assert_eq!(sans(&cluster, "apiserver"), wanted.into_iter().collect());

    let domain = case.domain;
    let mut wanted = vec![format!("kube-dns.kube-system.svc.{domain}")];
    wanted.extend(
        [
            "kube-dns",
            "kube-dns.kube-system",
            "kube-dns.kube-system.svc",
        ]
        .map(String::from),
    );
    wanted.extend(case.dns.iter().map(ToString::to_string));
    assert_eq!(sans(&cluster, "cluster-dns"), wanted.into_iter().collect());
    let dns: Vec<_> = cluster
        .spec
        .cluster_dns()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(dns, case.dns, "in cluster.toml");
}

macro_rules! cases {
    ($($test:ident: $case:expr;)*) => {$(
        #[test]
        fn $test() {
            check(&$case);
        }
    )*};
}

cases! {
    the_main_job: Case {
        arguments: &["--service-cidr", "10.3.0.0/24"],
        apiserver: &["10.3.0.1", "192.0.2.10"],
        dns: &["10.3.0.10"],
        ..PLAIN
    };
    widest_ipv4: Case {
        arguments: &["--service-cidr", "172.16.0.0/12"],
        apiserver: &["172.16.0.1", "192.0.2.10"],
        dns: &["172.16.0.10"],
        ..PLAIN
    };
    // No tenth address: the last one that a Service may have.
    narrowest_ipv4: Case {
        arguments: &["--service-cidr", "10.96.0.0/29"],
        apiserver: &["10.96.0.1", "192.0.2.10"],
        dns: &["10.96.0.6"],
        ..PLAIN
    };
    widest_ipv6: Case {
        arguments: &["--service-cidr", "fd00:3::/108", "--node", "n1=2001:db8::10"],
        apiserver: &["fd00:3::1", "2001:db8::10"],
        dns: &["fd00:3::a"],
        ..PLAIN
    };
    common_ipv6: Case {
        arguments: &["--service-cidr", "fd00:3::/112", "--node", "n1=2001:db8::10"],
        apiserver: &["fd00:3::1", "2001:db8::10"],
        dns: &["fd00:3::a"],
        ..PLAIN
    };
    narrowest_ipv6: Case {
        arguments: &["--service-cidr", "fd00:3::/125", "--node", "n1=2001:db8::10"],
        apiserver: &["fd00:3::1", "2001:db8::10"],
        dns: &["fd00:3::7"],
        ..PLAIN
    };
    dual_stack_ipv4_first: Case {
        arguments: &[
            "--service-cidr", "10.3.0.0/24", "--service-cidr", "fd00:3::/112",
            "--node", "n1=192.0.2.10,2001:db8::10",
        ],
        apiserver: &["10.3.0.1", "fd00:3::1", "192.0.2.10", "2001:db8::10"],
        dns: &["10.3.0.10", "fd00:3::a"],
        ..PLAIN
    };
    dual_stack_ipv6_first: Case {
        arguments: &[
            "--service-cidr", "fd00:3::/112,10.3.0.0/24",
            "--node", "n1=2001:db8::10,192.0.2.10",
        ],
        apiserver: &["10.3.0.1", "fd00:3::1", "192.0.2.10", "2001:db8::10"],
        dns: &["fd00:3::a", "10.3.0.10"],
        ..PLAIN
    };
    a_chosen_dns_address: Case {
        arguments: &["--service-cidr", "10.3.0.0/24", "--cluster-dns", "10.3.0.53"],
        apiserver: &["10.3.0.1", "192.0.2.10"],
        dns: &["10.3.0.53"],
        ..PLAIN
    };
    another_domain: Case {
        arguments: &["--service-cidr", "10.3.0.0/24", "--domain", "k8s.corp.example"],
        apiserver: &["10.3.0.1", "192.0.2.10"],
        dns: &["10.3.0.10"],
        domain: "k8s.corp.example",
    };
    an_endpoint_name: Case {
        arguments: &["--service-cidr", "10.3.0.0/24", "--endpoint", "api.corp.example:8443"],
        apiserver: &["10.3.0.1", "192.0.2.10", "api.corp.example"],
        dns: &["10.3.0.10"],
        ..PLAIN
    };
    an_endpoint_address: Case {
        arguments: &["--service-cidr", "10.3.0.0/24", "--endpoint", "203.0.113.5"],
        apiserver: &["10.3.0.1", "192.0.2.10", "203.0.113.5"],
        dns: &["10.3.0.10"],
        ..PLAIN
    };
    extra_names: Case {
        arguments: &[
            "--service-cidr", "10.3.0.0/24",
            "--san", "203.0.113.9", "--san", "kube.corp.example", "--san", "2001:db8::9",
        ],
        apiserver: &["10.3.0.1", "192.0.2.10", "203.0.113.9", "kube.corp.example", "2001:db8::9"],
        dns: &["10.3.0.10"],
        ..PLAIN
    };
}

/// 172.20.0.0/12 is an address in 172.16.0.0/12, not a range.
#[test]
fn host_bits_are_refused_with_the_range_that_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = kpki::command(&["init", "--service-cidr", "172.20.0.0/12"]);
    let ended = run(command
        .args(["--node", "n1=192.0.2.10", "--dir"])
        .arg(dir.path().join("kubernetes")));
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("--service-cidr"), "{ended}");
    let hint = ended.stderr.lines().find(|line| line.contains("hint: "));
    assert!(hint.expect("a hint").contains("172.16.0.0/12"), "{ended}");
    assert!(!dir.path().join("kubernetes").exists());
}

/// Workers and people dial the endpoint; a control-plane node's own components dial that node.
#[test]
fn kubeconfigs_point_to_the_endpoint_or_to_their_own_node() {
    let cluster = Cluster::init(&[
        "--service-cidr",
        "10.3.0.0/24",
        "--node",
        "n1=192.0.2.10:control-plane,etcd,worker",
        "--node",
        "w1=192.0.2.21:worker",
        "--user",
        "alice",
        "--endpoint",
        "api.corp.example:8443",
    ]);
    let (endpoint, node) = ("https://api.corp.example:8443", "https://192.0.2.10:6443");
    for (file, server) in [
        ("nodes/n1/admin.conf", endpoint),
        ("nodes/n1/super-admin.conf", endpoint),
        ("nodes/n1/kube-proxy.conf", endpoint),
        ("nodes/w1/kubelet.conf", endpoint),
        ("nodes/w1/kube-proxy.conf", endpoint),
        ("users/alice.conf", endpoint),
        ("nodes/n1/kubelet.conf", node),
        ("nodes/n1/scheduler.conf", node),
        ("nodes/n1/controller-manager.conf", node),
    ] {
        let text = tests::cluster::read(&cluster.dir().join(file));
        let found = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("server: "));
        assert_eq!(found, Some(server), "{file}");
    }
}
