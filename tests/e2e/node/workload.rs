//! A small web server behind a Service: everything that a cluster is for.

use std::net::IpAddr;

use tests::command::{Ended, run, succeed};
use tests::machine::{Host, Network};
use tests::node::{Node, answer, in_url};
use tests::phases::Phases;
use tests::web::{self, NODE_PORT};

/// Brings the image onto the node, starts the server and waits until it is ready.
pub fn start(node: &Node<'_>, domain: &str) {
    web::bring_image(node);
    let ended = node.apply(&web::manifest("Deployment", "replicas: 2"));
    assert!(ended.code == Some(0), "{ended}");
    assert!(
        !ended.stderr.contains("Warning"),
        "even restricted: {ended}"
    );
    node.wait_until("the web server is ready", || {
        let mut command = node.kubectl(&["rollout", "status", "deployment/web", "--timeout=10s"]);
        answer(&run(&mut command)).map(drop)
    });
    // Ready is what the kubelet says; that kube-proxy and CoreDNS know takes a moment longer.
    let name = format!("http://web.default.svc.{domain}/hostname");
    node.wait_until("the web server has a name", || {
        answer(&node.in_pod(&["get", &name])).map(drop)
    });
    // All of it, also what no request needs on a node alone.
    answer(&node.kinstall(&["status"])).unwrap_or_else(|why| panic!("{why}"));
}

/// Every way to it, and what its pods can do.
pub fn show(phases: &mut Phases, node: &Node<'_>, network: &Network, domain: &str) {
    phases.show("by ClusterIP", || by_cluster_ip(node));
    phases.show("by name", || by_name(node, domain));
    phases.show("by NodePort from other hosts", || {
        by_node_port(node, network)
    });
    phases.show("logs", || logs(node));
    phases.show("a pod's token", || token(node, domain));
    phases.show("DNS over TLS", || dns_over_tls(node, domain));
}

fn by_cluster_ip(node: &Node<'_>) {
    let addresses = addresses(node, "web", "default");
    assert_eq!(addresses.len(), node.addresses().len(), "{addresses:?}");
    for address in addresses {
        let url = format!("http://{}/hostname", in_url(address));
        is_the_server(&node.in_pod(&["get", &url]));
        // Also from the node itself, as any program on it would.
        is_the_server(&node.machine.run("kpki-web", &["get", &url]));
    }
}

fn by_name(node: &Node<'_>, domain: &str) {
    let mut expected = addresses(node, "web", "default");
    expected.sort_unstable();
    for name in [
        "web",
        "web.default.svc",
        &format!("web.default.svc.{domain}"),
    ] {
        let said = node.in_pod(&["dns", name]);
        let said = answer(&said).unwrap_or_else(|why| panic!("{why}"));
        let mut found: Vec<IpAddr> = said
            .lines()
            .map(|l| l.parse().expect("an address"))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
        is_the_server(&node.in_pod(&["get", &format!("http://{name}/hostname")]));
    }
}

fn by_node_port(node: &Node<'_>, network: &Network) {
    for host in [network.outside(), network.far()] {
        for address in node.addresses() {
            let ended = node_port(host, address);
            is_the_server(&ended);
        }
    }
}

/// What a client elsewhere gets from the node's port.
pub fn node_port(host: Host<'_>, address: IpAddr) -> Ended {
    let url = format!("http://{}:{NODE_PORT}/hostname", in_url(address));
    let options = [
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--max-time",
        "5",
    ];
    run(host.command("curl").args(options).arg("--fail").arg(url))
}

fn logs(node: &Node<'_>) {
    let selector = ["logs", "--selector", "app=web", "--tail", "-1"];
    let said = succeed(&mut node.kubectl(&selector));
    assert!(said.contains("serving on [::]:8080"), "{said}");
    assert!(said.contains("GET /hostname from "), "{said}");
}

fn token(node: &Node<'_>, domain: &str) {
    let ended = node.in_pod(&["api", "/api"]);
    let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    assert!(
        said.starts_with("200\n") && said.contains("APIVersions"),
        "{said}"
    );
    // It is known for what it is, and may not more than that.
    let ended = node.in_pod(&["api", "/api/v1/namespaces/default/secrets"]);
    let said = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    assert!(said.starts_with("403\n"), "{said}");
    assert!(
        said.contains("system:serviceaccount:default:default"),
        "{said}"
    );
    let ended = node.in_pod(&["dns", &format!("kubernetes.default.svc.{domain}")]);
    let found = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    let expected = addresses(node, "kubernetes", "default");
    assert_eq!(
        found,
        expected[0].to_string(),
        "it has one family: kube-apiserver's first"
    );
}

fn dns_over_tls(node: &Node<'_>, domain: &str) {
    let authority = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    for server in addresses(node, "kube-dns", "kube-system") {
        let server = format!("{}:853", in_url(server));
        let name = format!("kubernetes.default.svc.{domain}");
        let ended = node.in_pod(&["dns-over-tls", &server, &name, authority]);
        let found = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(
            found,
            addresses(node, "kubernetes", "default")[0].to_string()
        );
    }
}

/// A Service's addresses, in its own order.
pub fn addresses(node: &Node<'_>, name: &str, namespace: &str) -> Vec<IpAddr> {
    let service = node.objects(&["get", "service", name, "--namespace", namespace]);
    let addresses = service["spec"]["clusterIPs"].as_array();
    let addresses = addresses.into_iter().flatten();
    addresses
        .map(|a| a.as_str().and_then(|a| a.parse().ok()).expect("an address"))
        .collect()
}

#[track_caller]
fn is_the_server(ended: &Ended) {
    let said = answer(ended).unwrap_or_else(|why| panic!("{why}"));
    assert!(said.starts_with("web-"), "a pod's name: {said}");
}
