//! A web server on every node behind a Service.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tests::command::run;
use tests::machine::Network;
use tests::node::{Node, answer, in_url};
use tests::nodes::Nodes;
use tests::web::{self, NODE_PORT};

const DOMAIN: &str = "cluster.local";
/// With three pods, one of them is missed by chance less often than once in three million times.
const TRIES: usize = 40;

/// A pod of the web server.
#[derive(Clone, Debug)]
pub struct Pod {
    /// What it calls itself.
    pub name: String,
    /// Where it runs.
    pub node: String,
    /// One of each family of the cluster, the first family's first.
    pub addresses: Vec<IpAddr>,
}

/// Brings the image onto every node, starts the server and waits until each has one that is ready and known by name.
pub fn start(nodes: &Nodes<'_>) -> Vec<Pod> {
    nodes.at_once(&nodes.all, web::bring_image);
    let first = nodes.first();
    let ended = first.apply(&web::manifest("DaemonSet", ""));
    assert!(ended.code == Some(0), "{ended}");
    first.wait_until("the web server is ready", || {
        let mut command = first.kubectl(&["rollout", "status", "daemonset/web", "--timeout=10s"]);
        answer(&run(&mut command)).map(drop)
    });
    let pods = pods(nodes);
    let hosts: BTreeSet<_> = pods.iter().map(|pod| pod.node.as_str()).collect();
    let names: BTreeSet<_> = nodes.all.iter().map(|node| node.machine.name()).collect();
    assert_eq!(hosts, names, "{pods:#?}");
    for pod in &pods {
        first.wait_until("the web server has a name", || {
            let name = format!("http://web.default.svc.{DOMAIN}/hostname");
            in_pod(nodes, pod, &["get", &name]).map(drop)
        });
    }
    pods
}

/// Those that are ready.
pub fn pods(nodes: &Nodes<'_>) -> Vec<Pod> {
    let said = nodes
        .first()
        .objects(&["get", "pods", "--selector", "app=web"]);
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let pod = |one: &serde_json::Value| Pod {
        name: text(&one["metadata"]["name"]),
        node: text(&one["spec"]["nodeName"]),
        addresses: one["status"]["podIPs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|address| text(&address["ip"]).parse().expect("an address"))
            .collect(),
    };
    said["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(pod)
        .collect()
}

fn in_pod(nodes: &Nodes<'_>, pod: &Pod, arguments: &[&str]) -> Result<String, String> {
    let exec = ["exec", &pod.name, "--", "/bin/kpki-web"];
    let mut command = nodes.first().kubectl(&exec);
    answer(&run(command.args(arguments))).map(str::to_owned)
}

#[track_caller]
fn asked(nodes: &Nodes<'_>, pod: &Pod, arguments: &[&str]) -> String {
    in_pod(nodes, pod, arguments)
        .unwrap_or_else(|why| panic!("{} on {}: {why}", pod.name, pod.node))
}

/// Nobody on the way gives a pod another address than its own.
pub fn pod_to_pod(nodes: &Nodes<'_>, pods: &[Pod]) {
    for from in pods {
        for to in pods.iter().filter(|to| to.node != from.node) {
            assert_eq!(to.addresses.len(), from.addresses.len());
            for (own, address) in from.addresses.iter().zip(&to.addresses) {
                let url = |page: &str| format!("http://{}:8080/{page}", in_url(*address));
                assert_eq!(asked(nodes, from, &["get", &url("hostname")]), to.name);
                let seen: IpAddr = asked(nodes, from, &["get", &url("client")])
                    .parse()
                    .expect("an address");
                assert_eq!(seen, *own, "{} to {}", from.node, to.node);
            }
        }
    }
}

/// From every node's pod: the Service's addresses lead to the pods of all nodes, its names to its addresses.
pub fn by_service(nodes: &Nodes<'_>, pods: &[Pod]) {
    let service = addresses(nodes);
    assert_eq!(service.len(), pods[0].addresses.len());
    for pod in pods {
        let node = node_of(nodes, pod);
        for address in &service {
            let url = format!("http://{}/hostname", in_url(*address));
            // From the pod's network, and from the node's own.
            for inside in [Some(pod), None] {
                assert_eq!(
                    ask_often(node, inside, &url),
                    names(pods),
                    "{}: {url}",
                    pod.node
                );
            }
        }
        for name in ["web".to_owned(), format!("web.default.svc.{DOMAIN}")] {
            let said = asked(nodes, pod, &["dns", &name]);
            let found: BTreeSet<IpAddr> = said
                .lines()
                .map(|line| line.parse().expect("an address"))
                .collect();
            assert_eq!(
                found,
                service.iter().copied().collect(),
                "{name} on {}",
                pod.node
            );
        }
        let said = asked(nodes, pod, &["api", "/api"]);
        assert!(said.starts_with("200\n"), "{said}");
    }
}

/// From beside the machines and from beyond the router.
pub fn by_node_port(nodes: &Nodes<'_>, pods: &[Pod], network: &Network) {
    for node in &nodes.all {
        let addresses = nodes.first().addresses_of(node.machine.name());
        assert_eq!(addresses.len(), pods[0].addresses.len(), "{addresses:?}");
        for address in addresses {
            let url = format!("http://{}:{NODE_PORT}/hostname", in_url(address));
            for host in [network.outside(), network.far()] {
                let ended = run(host.command("sh").args(["-c", &often(&url)]));
                let said = answer(&ended).unwrap_or_else(|why| panic!("{url}: {why}"));
                assert_eq!(lines(said), names(pods), "{url}");
            }
        }
    }
}

/// The pods that answer when it is asked many times, from a pod's network or the node's own.
fn ask_often(node: &Node<'_>, inside: Option<&Pod>, url: &str) -> BTreeSet<String> {
    let enter = inside.map(|pod| format!("{} ", enter(node, pod)));
    let line = format!("{}sh -c '{}'", enter.unwrap_or_default(), often(url));
    let ended = node.machine.run("sh", &["-c", &line]);
    lines(answer(&ended).unwrap_or_else(|why| panic!("{url}: {why}")))
}

fn often(url: &str) -> String {
    format!(
        "set -e; for i in $(seq {TRIES}); do curl --silent --show-error --fail --noproxy \"*\" --max-time 5 {url}; done"
    )
}

fn lines(said: &str) -> BTreeSet<String> {
    said.lines().map(str::to_owned).collect()
}

fn names(pods: &[Pod]) -> BTreeSet<String> {
    pods.iter().map(|pod| pod.name.clone()).collect()
}

/// The machine of a pod's node.
pub fn node_of<'n, 'a>(nodes: &'n Nodes<'a>, pod: &Pod) -> &'n Node<'a> {
    let mut all = nodes.all.iter();
    let found = all.find(|node| node.machine.name() == pod.node);
    found.expect("a pod is on a node")
}

/// What is put before a command on the pod's machine so that it uses the network as the pod does.
pub fn enter(node: &Node<'_>, pod: &Pod) -> String {
    let line = format!(
        "for one in /run/netns/cni-*; do if nsenter --net=$one ip -o addr | grep -qF ' {}/'; then echo $one; fi; done",
        pod.addresses[0]
    );
    let found = node.machine.shell(&line);
    let found = found.trim();
    assert!(
        !found.is_empty() && !found.contains('\n'),
        "{pod:?}: {found:?}"
    );
    format!("nsenter --net={found}")
}

/// The Service's addresses.
fn addresses(nodes: &Nodes<'_>) -> Vec<IpAddr> {
    let service = nodes.first().objects(&["get", "service", "web"]);
    let addresses = service["spec"]["clusterIPs"].as_array();
    let addresses = addresses.into_iter().flatten();
    addresses
        .map(|one| {
            one.as_str()
                .and_then(|one| one.parse().ok())
                .expect("an address")
        })
        .collect()
}
