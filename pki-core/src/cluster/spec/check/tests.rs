//! Every rule with its wording and hint, through the front door.

use proptest::prelude::*;

use crate::cluster::spec::*;

const NODE: &str = "[[node]]\nname = \"cp1\"\naddresses = \"192.168.1.10\"\n";

/// A spec with this before the one node: line 1 is the first line of `top`.
fn with(top: &str) -> Result<ClusterSpec, SpecError> {
    ClusterSpec::from_toml(&format!("{top}\n{NODE}"))
}

fn good(top: &str) -> ClusterSpec {
    with(top).unwrap_or_else(|error| panic!("{top}\n{error}"))
}

/// Asserts that these are the mistakes, each with its hint.
#[track_caller]
fn refused(result: Result<ClusterSpec, SpecError>, expected: &[(&str, &str)]) {
    let mistakes = result.expect_err("a mistake").mistakes;
    let found: Vec<(String, String)> = mistakes
        .iter()
        .map(|mistake| {
            (
                mistake.display("f").to_string(),
                mistake.hint().unwrap_or_default(),
            )
        })
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    assert_eq!(found, expected);
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn the_shortest_spec_is_filled_in() {
    let spec = good("service-cidr = '10.3.0.0/24'");
    assert_eq!(spec.name(), "kubernetes");
    assert_eq!(spec.domain().as_str(), "cluster.local");
    assert_eq!(texts(&spec.service_addresses()), ["10.3.0.1"]);
    assert_eq!(texts(spec.cluster_dns()), ["10.3.0.10"]);
    assert_eq!(texts(spec.pod_cidrs()), ["10.244.0.0/16"]);
    assert_eq!(spec.endpoint().to_string(), "192.168.1.10:6443");
    assert_eq!(spec.profile().to_string(), "kubeadm");
    assert_eq!(spec.key_algorithm(), KeyAlgorithm::EcdsaP256);
    assert_eq!((spec.validity(), spec.ca_validity()), (None, None));
    assert_eq!(spec.node("cp1").unwrap().roles(), Role::ALL);
    assert_eq!(spec.warnings(), []);
}

#[test]
fn the_table_of_service_cidrs() {
    for (cidrs, services, dns, pods) in [
        (
            "['10.96.0.0/29']",
            "10.96.0.1",
            "10.96.0.6",
            "10.244.0.0/16",
        ),
        (
            "['172.16.0.0/12']",
            "172.16.0.1",
            "172.16.0.10",
            "10.244.0.0/16",
        ),
        (
            "['fd00:3::/108']",
            "fd00:3::1",
            "fd00:3::a",
            "fd00:10:244::/56",
        ),
        (
            "['fd00:3::/112']",
            "fd00:3::1",
            "fd00:3::a",
            "fd00:10:244::/56",
        ),
        (
            "['10.3.0.0/24', 'fd00:3::/112']",
            "10.3.0.1 fd00:3::1",
            "10.3.0.10 fd00:3::a",
            "10.244.0.0/16 fd00:10:244::/56",
        ),
        (
            "['fd00:3::/112', '10.3.0.0/24']",
            "fd00:3::1 10.3.0.1",
            "fd00:3::a 10.3.0.10",
            "fd00:10:244::/56 10.244.0.0/16",
        ),
    ] {
        let spec = good(&format!("service-cidr = {cidrs}"));
        assert_eq!(texts(&spec.service_addresses()).join(" "), services);
        assert_eq!(texts(spec.cluster_dns()).join(" "), dns);
        assert_eq!(texts(spec.pod_cidrs()).join(" "), pods);
    }
}

#[test]
fn service_cidrs_that_are_refused() {
    for (value, said, hint) in [
        ("10.3.0.0/33", "prefix longer than 32", "for example /24"),
        ("fd00::/129", "prefix longer than 128", "for example /112"),
        (
            "10.3.0.5/24",
            "host bits are set",
            "did you mean 10.3.0.0/24?",
        ),
        (
            "172.20.0.0/12",
            "host bits are set",
            "did you mean 172.16.0.0/12, or the largest that begins there, 172.20.0.0/14?",
        ),
        (
            "10.3.0.0",
            "an address without a prefix length, not a CIDR",
            "for example 10.3.0.0/24",
        ),
        (
            "ten",
            "not a CIDR",
            "a CIDR is an address, a slash and a prefix length: 10.3.0.0/24",
        ),
        (
            "10.3.0.0/30",
            "too small: 4 addresses, and 8 are needed",
            "use /29 or a shorter prefix",
        ),
        (
            "fd00:3::/126",
            "too small: 4 addresses, and 8 are needed",
            "use /125 or a shorter prefix",
        ),
        (
            "10.0.0.0/8",
            "too large: the prefix is shorter than 12",
            "use /12 or a longer prefix",
        ),
        (
            "fd00:3::/64",
            "too large: the prefix is shorter than 108",
            "use /108 or a longer prefix",
        ),
        (
            "::ffff:10.3.0.0/120",
            "an IPv4-mapped IPv6 address",
            "write it as IPv4: 10.3.0.0",
        ),
    ] {
        let text = format!("f:1: service-cidr {value}: {said}");
        refused(with(&format!("service-cidr = '{value}'")), &[(&text, hint)]);
    }
}

#[test]
fn how_many_service_cidrs() {
    refused(
        with(""),
        &[(
            "service-cidr: not given",
            "--service-cidr 10.3.0.0/24, or service-cidr = \"10.3.0.0/24\" in the spec",
        )],
    );
    refused(
        with("service-cidr = ['10.3.0.0/24', 'fd00:3::/112',\n'10.4.0.0/24']"),
        &[(
            "f:2: service-cidr 10.4.0.0/24: one more than the two that a cluster can have",
            "leave one out: dual stack is one of IPv4 and one of IPv6",
        )],
    );
    refused(
        with("service-cidr = ['10.3.0.0/24', '10.4.0.0/24']"),
        &[(
            "f:1: service-cidr 10.4.0.0/24: a second IPv4 one; a cluster has at most one of each \
             family",
            "leave one out, or make it IPv6 for dual stack",
        )],
    );
    refused(
        with("service-cidr = ['10.3.0.0/24', '10.3.0.0/24']"),
        &[(
            "f:1: service-cidr 10.3.0.0/24: given twice",
            "leave one of the two out",
        )],
    );
}

#[test]
fn chosen_dns_addresses() {
    let dual = "service-cidr = ['10.3.0.0/24', 'fd00:3::/112']\n";
    let spec = good(&format!("{dual}cluster-dns = 'fd00:3::53'"));
    assert_eq!(texts(spec.cluster_dns()), ["fd00:3::53"]);
    let spec = good(&format!(
        "{dual}cluster-dns = ['fd00:3::ffff', '10.3.0.254']"
    ));
    assert_eq!(texts(spec.cluster_dns()), ["fd00:3::ffff", "10.3.0.254"]);

    let example = "for example 10.3.0.10, the default";
    for (value, said, hint) in [
        (
            "10.4.0.10",
            "outside of the service CIDR 10.3.0.0/24",
            example,
        ),
        (
            "10.3.0.0",
            "the network address of 10.3.0.0/24, which no Service gets",
            example,
        ),
        (
            "10.3.0.1",
            "the first address of 10.3.0.0/24, which is the kubernetes Service's",
            example,
        ),
        (
            "10.3.0.255",
            "the broadcast address of 10.3.0.0/24, which no Service gets",
            example,
        ),
        (
            "fd00:3::a",
            "outside of the service CIDR 10.3.0.0/24",
            "choose an address in a service CIDR, or leave it out",
        ),
        (
            "::ffff:10.3.0.10",
            "an IPv4-mapped IPv6 address",
            "write it as IPv4: 10.3.0.10",
        ),
        (
            "10.3.0.10/24",
            "not an IP address",
            "write the address without a prefix",
        ),
    ] {
        refused(
            with(&format!(
                "service-cidr = '10.3.0.0/24'\ncluster-dns = '{value}'"
            )),
            &[(&format!("f:2: cluster-dns {value}: {said}"), hint)],
        );
    }
    refused(
        with("service-cidr = '10.3.0.0/24'\ncluster-dns = ['10.3.0.10', '10.3.0.11']"),
        &[(
            "f:2: cluster-dns 10.3.0.11: a second IPv4 one; a cluster has at most one of each \
             family",
            "leave one out, or make it IPv6 for dual stack",
        )],
    );
    // No word about the range that is itself a mistake.
    refused(
        with("service-cidr = '10.3.0.5/24'\ncluster-dns = '10.4.0.10'"),
        &[(
            "f:1: service-cidr 10.3.0.5/24: host bits are set",
            "did you mean 10.3.0.0/24?",
        )],
    );
}

#[test]
fn pods_and_services_stay_apart() {
    refused(
        with("service-cidr = '10.3.0.0/24'\npod-cidr = '10.0.0.0/8'"),
        &[(
            "f:2: pod-cidr 10.0.0.0/8: overlaps the service CIDR 10.3.0.0/24",
            "give pods another range: pod-cidr = \"172.24.0.0/16\"",
        )],
    );
    refused(
        with("service-cidr = '10.240.0.0/12'"),
        &[(
            "f:1: service-cidr 10.240.0.0/12: overlaps the default pod CIDR 10.244.0.0/16",
            "give pods another range: pod-cidr = \"10.42.0.0/16\"",
        )],
    );
    refused(
        with("service-cidr = ['10.3.0.0/24', 'fd00:3::/112']\npod-cidr = '10.32.0.0/12'"),
        &[(
            "f:2: pod-cidr 10.32.0.0/12: no IPv6 pod CIDR beside the IPv6 service CIDR",
            "add fd00:10:244::/56",
        )],
    );
    refused(
        with("service-cidr = '10.3.0.0/24'\npod-cidr = ['10.32.0.0/28', '10.33.0.1/16']"),
        &[(
            "f:2: pod-cidr 10.33.0.1/16: host bits are set",
            "did you mean 10.33.0.0/16?",
        )],
    );
    refused(
        with("service-cidr = '10.3.0.0/24'\npod-cidr = '10.32.0.0/29'"),
        &[(
            "f:2: pod-cidr 10.32.0.0/29: too small: 8 addresses, and 14 are needed",
            "use /28 or a shorter prefix",
        )],
    );
    // Pods of both families behind Services of one are allowed.
    good("service-cidr = '10.3.0.0/24'\npod-cidr = ['10.32.0.0/16', 'fd00:32::/56']");
}

#[test]
fn machines_stay_outside_the_ranges() {
    refused(
        with("service-cidr = '192.168.0.0/16'"),
        &[(
            "f:4: node.cp1.addresses 192.168.1.10: inside the service CIDR 192.168.0.0/16",
            "choose ranges that neither overlap nor hold a machine",
        )],
    );
    refused(
        ClusterSpec::from_toml(&format!(
            "service-cidr = '10.3.0.0/24'\nendpoint = '10.3.0.1'\n{}",
            NODE.replace("192.168.1.10", "10.244.3.4")
        )),
        &[
            (
                "f:2: endpoint 10.3.0.1: inside the service CIDR 10.3.0.0/24",
                "choose ranges that neither overlap nor hold a machine",
            ),
            (
                "f:5: node.cp1.addresses 10.244.3.4: inside the default pod CIDR 10.244.0.0/16",
                "give pods another range: pod-cidr = \"10.42.0.0/16\"",
            ),
        ],
    );
}

#[test]
fn names_of_the_cluster() {
    let top = "service-cidr = '10.3.0.0/24'\n";
    let long = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(38),
    ]
    .join(".");
    assert_eq!(long.len(), 230);
    good(&format!("{top}domain = '{long}'"));
    for (line, said, hint) in [
        (
            "name = 'Prod'",
            "the name has capital letters",
            "write it in lower case: prod",
        ),
        (
            "name = 'a.b'",
            "a name with dots, where a single label belongs",
            "for example a",
        ),
        (
            "domain = '*.a'",
            "a wildcard cannot stand here",
            "name one host; wildcards may stand in san only",
        ),
        (
            "domain = '10.0.0.1'",
            "this is an IP address, not a DNS name",
            "a DNS name belongs here",
        ),
        (
            "domain = 'a.'",
            "the label \"\" is not 1 to 63 characters long",
            "write it without the last dot: a",
        ),
        (
            &format!("domain = '{long}x'"),
            "231 characters, more than 230, which leave room for kubernetes.default.svc.",
            "choose a shorter domain",
        ),
        (
            "profile = 'kubeadn'",
            "unknown profile",
            "did you mean kubeadm?; a file of your own has a / in its path, or ends in .toml",
        ),
        (
            "key-algorithm = 'rsa2048'",
            "unknown key algorithm",
            "did you mean rsa-2048?",
        ),
        (
            "validity = '90'",
            "not a number followed by s, m, h, d, w or y",
            "for example 8h, 90d or 1y",
        ),
        ("ca-dir = ''", "empty", "leave it out, or say something"),
        (
            "endpoint = 'https://api.a/'",
            "a URL, where host:port belongs",
            "write api.a",
        ),
        (
            "san = 'ann@a.example'",
            "neither a DNS name nor an address",
            "only DNS names and IP addresses can be dialled; leave it out",
        ),
        (
            "san = '10.3.0.300'",
            "this is an IP address, not a DNS name",
            "neither a whole IP address nor a name: a name's last part has at least one letter",
        ),
    ] {
        let (key, value) = line.split_once(" = ").unwrap();
        let value = value.trim_matches('\'');
        let shown = if value.is_empty() { "\"\"" } else { value };
        let shown: String = match shown.chars().count() > 120 {
            true => shown.chars().take(120).chain(['…']).collect(),
            false => shown.into(),
        };
        refused(
            with(&format!("{top}{line}")),
            &[(&format!("f:2: {key} {shown}: {said}"), hint)],
        );
    }
}

#[test]
fn machines_are_checked() {
    let top = "service-cidr = '10.3.0.0/24'\n";
    let long = "n".repeat(53);
    refused(
        ClusterSpec::from_toml(&format!(
            "{top}
[[node]]
name = 'CP1'
addresses = ['127.0.0.1', '192.168.1.1']
[[node]]
name = '{long}'
addresses = '192.168.1.1'
roles = ['control-plain', 'etcd']
[[node]]
name = 'w1'
[[node]]
name = 'w1'
addresses = 'w1.example'
[[node]]
addresses = '192.168.1.4'
"
        )),
        &[
            (
                "f:4: node.CP1.name CP1: the name has capital letters",
                "write it in lower case: cp1",
            ),
            (
                "f:5: node.CP1.addresses 127.0.0.1: a loopback address, which no other machine \
                 can dial",
                "use an address of one machine, or a range of such",
            ),
            (
                &format!("f:7: node.{long}.name {long}: 53 characters, more than 52"),
                "system:node: and the name must fit into 64 characters; choose a shorter one",
            ),
            (
                &format!(
                    "f:8: node.{long}.addresses 192.168.1.1: node CP1 has this address already"
                ),
                "correct it here or at node CP1",
            ),
            (
                &format!("f:9: node.{long}.roles control-plain: unknown role"),
                "did you mean control-plane?",
            ),
            (
                "f:10: node.w1.addresses: not given",
                "at least one address at which the other machines reach it",
            ),
            (
                "f:13: node.w1.name w1: given twice",
                "leave one of the two out",
            ),
            (
                "f:14: node.w1.addresses w1.example: not an IP address",
                "an IP address belongs here, such as 192.0.2.10 or fd00::10",
            ),
            ("f:15: node.name: not given", "name = \"...\""),
        ],
    );
}

#[test]
fn somebody_has_each_role() {
    let two = "[[node]]\nname = 'a'\naddresses = '192.168.1.1'\n[[node]]\nname = 'b'\naddresses = \
               '192.168.1.2'\n";
    refused(
        ClusterSpec::from_toml(&format!("service-cidr = '10.3.0.0/24'\n{two}")),
        &[
            (
                "f:2: node: none has the role control-plane",
                "give it to one: roles = [\"control-plane\"], or --node \
                 NAME=ADDRESS:control-plane",
            ),
            (
                "f:2: node: none has the role etcd",
                "give it to one: roles = [\"etcd\"], or --node NAME=ADDRESS:etcd",
            ),
        ],
    );
    refused(
        ClusterSpec::from_toml("service-cidr = '10.3.0.0/24'"),
        &[(
            "node: not given",
            "name a machine: [[node]] with name and addresses, or --node NAME=ADDRESS",
        )],
    );
    for profile in ["external-etcd", "./own.toml"] {
        let text = format!("service-cidr = '10.3.0.0/24'\nprofile = '{profile}'\n{NODE}");
        ClusterSpec::from_toml(&format!("{text}roles = ['worker', 'control-plane']")).unwrap();
    }
}

#[test]
fn users_are_checked() {
    refused(
        with(
            "service-cidr = '10.3.0.0/24'
ca-validity = '30d'
[[user]]
name = '../alice'
[[user]]
name = 'bob'
groups = ['dev', '', 'dev', \"a\\nb\", ' ops']
validity = '31d'
[[user]]
name = 'bob'",
        ),
        &[
            (
                "f:4: user.../alice.name ../alice: '.' cannot stand there in a user's name",
                "a name has letters a-z, digits and . _ @ -, and begins with a letter or digit",
            ),
            (
                "f:7: user.bob.groups \"\": empty",
                "leave it out, or say something",
            ),
            (
                "f:7: user.bob.groups dev: given twice",
                "leave one of the two out",
            ),
            (
                "f:7: user.bob.groups a\\nb: it has a control character",
                "it must fit on one line",
            ),
            (
                "f:7: user.bob.groups  ops: it begins or ends with a blank",
                "write it without: ops",
            ),
            (
                "f:8: user.bob.validity 31d: longer than its authority's 30d",
                "use 30d or less, or a longer lifetime of the authority",
            ),
            (
                "f:10: user.bob.name bob: given twice",
                "leave one of the two out",
            ),
        ],
    );
}

#[test]
fn lifetimes_within_lifetimes() {
    let top = "service-cidr = '10.3.0.0/24'\nca-validity = '1y'\n";
    good(&format!("{top}validity = '365d'"));
    refused(
        with(&format!(
            "{top}validity = '2y'\n[certificate.a]\nvalidity = '366d'"
        )),
        &[
            (
                "f:3: validity 2y: longer than its authority's 1y",
                "use 1y or less, or a longer lifetime of the authority",
            ),
            (
                "f:5: certificate.a.validity 366d: longer than its authority's 1y",
                "use 1y or less, or a longer lifetime of the authority",
            ),
        ],
    );
    // Which authority signs is the profile's business, so the longest one counts.
    good(&format!(
        "{top}validity = '2y'\n[authority.ca]\nvalidity = '2y'"
    ));
    good(&format!(
        "{top}validity = '2y'\n[authority.ca]\nimported = true"
    ));
}

#[test]
fn overrides() {
    let top = "service-cidr = '10.3.0.0/24'\n";
    let spec = good(&format!(
        "{top}[certificate.apiserver]\nkey-algorithm = 'rsa-2048'\nvalidity = '90d'\nsan = \
         '*.more.example'\n[authority.\"etcd/ca\"]\ncommon-name = 'our etcd'\n[authority.ca]\n\
         imported = true"
    ));
    let apiserver = spec.certificate_override("apiserver").unwrap();
    assert_eq!(apiserver.key_algorithm(), Some(KeyAlgorithm::Rsa2048));
    assert_eq!(apiserver.validity(), Some(Lifetime::days(90)));
    assert_eq!(texts(apiserver.sans()), ["*.more.example"]);
    let etcd = spec.authority_override("etcd/ca").unwrap();
    assert_eq!(etcd.common_name(), Some("our etcd"));
    assert!(spec.authority_override("ca").unwrap().is_imported());
    assert_eq!(spec.certificate_override("ca"), None);

    let later = spec.mistake(
        "certificate.apiserver",
        None,
        Fact::UnknownId {
            kind: "certificate",
            known: vec!["api-server".into()],
        },
    );
    assert_eq!(
        later.display("f").to_string(),
        "f:2: certificate.apiserver: the profile has no such certificate"
    );
    assert_eq!(later.hint().unwrap(), "did you mean api-server?");

    refused(
        with(&format!(
            "{top}[authority.ca]\nimported = true\nvalidity = '5y'\n[certificate.\"\"]\nsan = []"
        )),
        &[
            (
                "f:4: authority.ca.validity 5y: the authority is imported, so this is taken as \
                 found",
                "leave out validity, or imported",
            ),
            (
                "f:5: certificate \"\": empty",
                "leave it out, or say something",
            ),
        ],
    );
}

#[test]
fn the_endpoint_follows_the_first_service_cidr() {
    let dual = "[[node]]\nname = 'cp1'\naddresses = ['192.168.1.10', 'fd00::10']\n";
    for (cidrs, endpoint) in [
        ("'10.3.0.0/24', 'fd00:3::/112'", "192.168.1.10:6443"),
        ("'fd00:3::/112', '10.3.0.0/24'", "[fd00::10]:6443"),
    ] {
        let spec = ClusterSpec::from_toml(&format!("service-cidr = [{cidrs}]\n{dual}")).unwrap();
        assert_eq!(spec.endpoint().to_string(), endpoint);
        assert_eq!(spec.warnings(), []);
    }
}

/// Two with an API server, and a worker.
const SEVERAL: &str = "\
[[node]]
name = 'cp1'
addresses = ['192.168.1.10', 'fd00::10']
roles = ['control-plane', 'etcd']
[[node]]
name = 'cp2'
addresses = ['192.168.1.11', 'fd00::11']
roles = ['control-plane']
[[node]]
name = 'w1'
addresses = ['192.168.1.12', 'fd00::12']
roles = ['worker']
";

#[test]
fn several_control_planes_have_a_balancer_on_each_node() {
    for (cidrs, endpoint, outside) in [
        ("'10.3.0.0/24'", "127.0.0.1:7443", "192.168.1.10:6443"),
        ("'fd00:3::/112'", "[::1]:7443", "[fd00::10]:6443"),
        (
            "'10.3.0.0/24', 'fd00:3::/112'",
            "127.0.0.1:7443",
            "192.168.1.10:6443",
        ),
    ] {
        let spec = ClusterSpec::from_toml(&format!("service-cidr = [{cidrs}]\n{SEVERAL}")).unwrap();
        assert_eq!(spec.endpoint().to_string(), endpoint);
        assert!(spec.has_local_balancer());
        assert_eq!(spec.outside_endpoint().to_string(), outside);
        for node in spec.nodes() {
            assert_eq!(spec.apiserver_port(node), 6443);
        }
    }
    let named = "endpoint = 'api.corp.example'";
    let toml = format!("{named}\nservice-cidr = '10.3.0.0/24'\n{SEVERAL}");
    let spec = ClusterSpec::from_toml(&toml).unwrap();
    assert!(!spec.has_local_balancer());
    assert_eq!(spec.outside_endpoint(), *spec.endpoint());
}

/// A loopback address with the API servers' own port is a node's own API server.
#[test]
fn loopback_without_a_balancer() {
    let own = "endpoint = '127.0.0.1'\nservice-cidr = '10.3.0.0/24'\n";
    let spec = ClusterSpec::from_toml(&format!("{own}{NODE}")).unwrap();
    assert!(!spec.has_local_balancer());
    assert_eq!(spec.outside_endpoint().to_string(), "192.168.1.10:6443");
    refused(
        ClusterSpec::from_toml(&format!("{own}{SEVERAL}")),
        &[(
            "f:1: endpoint 127.0.0.1: an API server's own port, and node w1 has none",
            "write port 7443: on a loopback address, each node has a load balancer there",
        )],
    );
}

#[test]
fn what_is_worth_a_word() {
    let spec = good(
        "service-cidr = '2a00:3::/112'
pod-cidr = 'fd00::/40'
[[user]]
name = 'root'
groups = 'system:masters'
[[node]]
name = 'cp2'
addresses = '2001:db8::2'
roles = ['etcd', 'control-plane']
[[node]]
name = 'cp3'
addresses = '192.168.1.3'
roles = ['etcd', 'control-plane']",
    );
    let said = texts(&spec.warnings());
    assert_eq!(
        said,
        [
            "node cp3 has no IPv6 address, and its API server cannot start without one: the first \
             service CIDR is IPv6",
            "the service CIDR 2a00:3::/112 is public address space; pods cannot reach its real \
             hosts",
            "controller-manager cannot cut the pod CIDR fd00::/40 into a /64 per node; it needs \
             another --node-cidr-mask-size",
            "2 etcd members survive no more failures than 1 do",
            "user root is in system:masters, which only a new authority takes away again",
        ]
    );
}

#[test]
fn flags_override_the_file_and_name_themselves() {
    let file = format!("domain = 'old.example'\nservice-cidr = '10.3.0.0/24'\n{NODE}");
    let spec = SpecBuilder::from_toml(&file)
        .domain(Written::flag("--domain", "new.example"))
        .build()
        .unwrap();
    assert_eq!(spec.domain().as_str(), "new.example");
    assert_eq!(spec.place("domain"), Place::Flag("--domain".into()));
    assert_eq!(spec.place("service-cidr"), Place::Line(2));

    refused(
        SpecBuilder::from_toml(&format!("nmae = 'x'\n{file}"))
            .service_cidrs([Written::flag("--service-cidr", "10.3.0.0/33")])
            .node_flag("cp2")
            .node_flag("cp3=fd00::1:master")
            .user_flag("ann:dev,dev")
            .build(),
        &[
            ("f:1: nmae: unknown field", "did you mean name?"),
            (
                "--node cp2: not NAME=ADDRESS",
                "for example --node cp1=192.168.1.10,fd00::10:control-plane,etcd",
            ),
            (
                "--node: node.cp3.roles master: unknown role",
                "known here are control-plane, etcd, worker",
            ),
            (
                "--service-cidr 10.3.0.0/33: prefix longer than 32",
                "for example /24",
            ),
            (
                "--user: user.ann.groups dev: given twice",
                "leave one of the two out",
            ),
        ],
    );
}

#[test]
fn a_program_needs_no_texts() {
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24".parse::<ipnet::IpNet>().unwrap()])
        .key_algorithm(KeyAlgorithm::Ed25519)
        .validity(Lifetime::days(30))
        .node(
            NodeDocument::new("cp1")
                .addresses([std::net::IpAddr::from([192, 168, 1, 10])])
                .roles([Role::Etcd, Role::ControlPlane]),
        )
        .user(UserDocument::new("ann").groups(["dev"]).validity("8h"))
        .certificate(
            "apiserver",
            CertificateDocument::default().sans(["a.example"]),
        )
        .authority("ca", AuthorityDocument::imported())
        .build()
        .unwrap();
    assert_eq!(spec.key_algorithm(), KeyAlgorithm::Ed25519);
    let node = &spec.nodes()[0];
    assert_eq!(node.roles(), [Role::ControlPlane, Role::Etcd]);
    assert_eq!(ClusterSpec::from_toml(&spec.to_toml()).unwrap(), spec);
}

#[test]
fn where_a_machine_is_reached_by_ssh() {
    let spec = good("service-cidr = '10.3.0.0/24'");
    let node = &spec.nodes()[0];
    assert_eq!(node.ssh(), None);
    assert_eq!(node.ssh_destination().to_string(), "root@192.168.1.10");

    let node = |ssh: &str| {
        let text = format!("service-cidr = '10.3.0.0/24'\n{NODE}ssh = \"{ssh}\"\n");
        ClusterSpec::from_toml(&text)
    };
    let spec = node("admin@bastion.example:2222").unwrap();
    let destination = spec.nodes()[0].ssh_destination();
    assert_eq!(destination.to_string(), "admin@bastion.example:2222");
    refused(
        node("-oProxyCommand=reboot"),
        &[(
            "f:5: node.cp1.ssh -oProxyCommand=reboot: the name has capital letters",
            "write it in lower case: -oproxycommand=reboot",
        )],
    );
    refused(
        node("root@-v"),
        &[(
            "f:5: node.cp1.ssh root@-v: the label \"-v\" begins or ends with a hyphen",
            "a DNS name has letters a-z, digits and hyphens, in parts of at most 63 between dots",
        )],
    );
    refused(
        node("-oProxyCommand=reboot@cp1"),
        &[(
            "f:5: node.cp1.ssh -oProxyCommand=reboot@cp1: what is before the @ is no name of a user",
            "a name has letters, digits and . _ -, begins with a letter, and has at most 32 characters",
        )],
    );
    refused(
        node("root@cp1:ssh"),
        &[(
            "f:5: node.cp1.ssh root@cp1:ssh: the port is not a number from 1 to 65535",
            "for example root@192.0.2.11:22",
        )],
    );
    refused(
        node("ssh://cp1"),
        &[(
            "f:5: node.cp1.ssh ssh://cp1: not [USER@]HOST[:PORT]",
            "for example root@192.0.2.11, cp1.corp.example:2222 or root@[fd00::1]:22",
        )],
    );
}

#[test]
fn the_written_spec() {
    let spec = good(
        "service-cidr = ['10.3.0.0/24', 'fd00:3::/112']\nca-dir = '/secure/\"ca\"'\nvalidity = \
         '90d'\n[[user]]\nname = 'ann'\ngroups = ['dev', 'a \"b\" \\\\']\n[authority.\"e'\\\"/ca\"]\n\
         common-name = 'x'\n[certificate.apiserver]\nsan = 'a.example'",
    );
    insta::assert_snapshot!(spec.to_toml());
}

#[test]
fn the_schema_names_each_field() {
    let schema = ClusterSpec::json_schema();
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema).unwrap());
}

fn any_spec() -> impl Strategy<Value = SpecBuilder> {
    let v4 = (0u8..32, 12u8..=29).prop_map(|(b, length)| {
        let cidr = ipnet::Ipv4Net::new([10, b, 0, 0].into(), length).unwrap();
        ipnet::IpNet::V4(cidr.trunc())
    });
    let v6 = (any::<u16>(), 108u8..=125).prop_map(|(b, length)| {
        let cidr = ipnet::Ipv6Net::new([0xfd00, 3, b, 0, 0, 0, 0, 0].into(), length).unwrap();
        ipnet::IpNet::V6(cidr.trunc())
    });
    let cidrs = prop_oneof![
        v4.clone().prop_map(|a| vec![a]),
        v6.clone().prop_map(|a| vec![a]),
        (v4.clone(), v6.clone()).prop_map(|(a, b)| vec![a, b]),
        (v6, v4).prop_map(|(a, b)| vec![a, b]),
    ];
    let text = "[a-zA-Z\"'\\\\#=é][ -~é]{0,20}[a-z\"'\\\\]";
    let roles = proptest::sample::subsequence(Role::ALL.to_vec(), 0..=3);
    let nodes = proptest::collection::vec(roles, 1..4);
    let users = proptest::collection::btree_map(
        "[a-z][a-z0-9._@-]{0,8}",
        proptest::collection::btree_set(text, 0..3),
        0..3,
    );
    let algorithm = proptest::sample::select(KeyAlgorithm::ALL.to_vec());
    let lifetime = proptest::option::of((1i64..400).prop_map(Lifetime::days));
    let differs = proptest::collection::btree_map(text, algorithm.clone(), 0..3);
    (cidrs, nodes, users, algorithm, lifetime, differs, text).prop_map(
        |(cidrs, nodes, users, algorithm, lifetime, differs, text)| {
            let mut builder = ClusterSpec::builder()
                .service_cidrs(cidrs)
                .key_algorithm(algorithm)
                .sans(["x.example", "*.y.example", "192.0.2.9"])
                .profile(format!("./{text}"))
                .ca_dir(&text);
            for (index, mut roles) in nodes.into_iter().enumerate() {
                if index == 0 {
                    roles.push(Role::ControlPlane);
                    roles.sort_unstable();
                    roles.dedup();
                }
                let node = NodeDocument::new(format!("n{index}"))
                    .addresses([
                        format!("192.168.0.{}", index + 1),
                        format!("fd99::{index:x}1"),
                    ])
                    .roles(roles)
                    .sans([format!("n{index}.example")]);
                let node = match index {
                    0 => node,
                    _ => node.ssh(format!("a.b_c@[fd99::{index:x}1]:{}", 22 + index)),
                };
                builder = builder.node(node);
            }
            for (name, groups) in users {
                builder = builder.user(UserDocument::new(name).groups(groups));
            }
            for (id, algorithm) in differs {
                let certificate = CertificateDocument::default().key_algorithm(algorithm);
                let authority = AuthorityDocument::default().common_name(&text);
                builder = builder
                    .certificate(&id, certificate)
                    .authority(&id, authority);
            }
            match lifetime {
                Some(lifetime) => builder.validity(lifetime).ca_validity(Lifetime::years(2)),
                None => builder,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_spec_reads_back_from_what_it_writes(builder in any_spec()) {
        let spec = builder.build().unwrap();
        let text = spec.to_toml();
        let again = ClusterSpec::from_toml(&text);
        prop_assert_eq!(again.as_ref(), Ok(&spec), "{}", text);
        prop_assert_eq!(again.unwrap().to_toml(), text);
        for address in spec.cluster_dns() {
            prop_assert!(spec.service_cidrs().iter().any(|cidr| cidr.contains(address)));
            prop_assert!(!spec.service_addresses().contains(address));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\[{0,2}(node|user|certificate|authority)?(\\.[a-z]{0,2})?\\]{0,2}|[a-z-]{1,8})( = )?['\"]?[ -~\n]{0,30}") {
        let _ = with(&text);
    }
}
