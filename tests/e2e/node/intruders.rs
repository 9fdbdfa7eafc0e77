//! Whoever has no business with the node: an attacker's host on its network, and certificates for something else.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tests::cluster::Cluster;
use tests::command::{Ended, run, succeed};
use tests::control_plane::client_files;
use tests::machine::Network;
use tests::node::{Node, in_url};
use tests::phases::Phases;
use tests::record::note;
use tests::web::NODE_PORT;

pub fn show(phases: &mut Phases, node: &Node<'_>, network: &Network) {
    phases.show("no port answers an attacker", || {
        no_port_answers(node, network)
    });
    phases.show("etcd refuses the kubelet client", || {
        etcd_refuses_others(node)
    });
    phases.show("a secret in etcd is ciphertext", || {
        secrets_are_ciphertext(node)
    });
    phases.show("a privileged pod is refused", || {
        privileged_pods_are_refused(node)
    });
}

/// What servers of Kubernetes answer somebody with: none of it may be answered here.
const PATHS: [&str; 14] = [
    "/",
    "/api",
    "/apis",
    "/version",
    "/metrics",
    "/healthz",
    "/livez",
    "/readyz",
    "/pods",
    "/configz",
    "/runningpods/",
    "/logs/",
    "/debug/pprof/",
    "/.well-known/openid-configuration",
];

fn no_port_answers(node: &Node<'_>, network: &Network) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let other = Cluster::init(&[
        "--service-cidr",
        "10.3.0.0/24",
        "--node",
        "node1=192.0.2.11",
    ]);
    let clients = [
        ("nobody", None),
        ("self-made", Some(self_made(scratch.path()))),
        ("another cluster's administrator", Some(others(&other))),
    ];
    let mut answered = Vec::new();
    for address in node.addresses() {
        let open = network.attacker().within(|| open_ports(address));
        note(&format!(
            "ports of {address} that are open to an attacker: {open:?}"
        ));
        assert!(
            open.contains(&6443) && open.contains(&10250),
            "{open:?}: the scan sees nothing"
        );
        for port in open {
            let authority = format!("{}:{port}", in_url(address));
            for path in PATHS {
                let plain = ask(network, &format!("http://{authority}{path}"), None);
                if !is_refusal(&plain, true) {
                    answered.push(format!("plaintext: {plain}"));
                }
                for (who, pair) in &clients {
                    let said = ask(
                        network,
                        &format!("https://{authority}{path}"),
                        pair.as_ref(),
                    );
                    if !is_refusal(&said, false) {
                        answered.push(format!("{who}: {said}"));
                    }
                }
            }
        }
    }
    assert!(answered.is_empty(), "{}", answered.join("\n"));
}

/// All but the workload's own.
fn open_ports(address: IpAddr) -> BTreeSet<u16> {
    let limit = Duration::from_secs(1);
    let is_open =
        |port: &u16| TcpStream::connect_timeout(&SocketAddr::new(address, *port), limit).is_ok();
    let ports = (1..=u16::MAX).filter(|port| *port != NODE_PORT);
    ports.filter(is_open).collect()
}

fn ask(network: &Network, url: &str, pair: Option<&(PathBuf, PathBuf)>) -> Ended {
    let mut command = network.attacker().command("curl");
    command
        .args([
            "--silent",
            "--show-error",
            "--http1.1",
            "--insecure",
            "--noproxy",
            "*",
            "--max-time",
            "10",
        ])
        .args(["--write-out", "\nstatus %{http_code}"]);
    if let Some((certificate, key)) = pair {
        command.arg("--cert").arg(certificate).arg("--key").arg(key);
    }
    run(command.arg(url))
}

/// A TLS alert (before the answer or, with TLS 1.3, in its place), 401 or 403. To plaintext, Go's servers of TLS say
/// 400 and that they want TLS; and of what it does not have, the kubelet says so before it asks who wants to know.
fn is_refusal(ended: &Ended, is_plain: bool) -> bool {
    let status = ended
        .stdout
        .rsplit("status ")
        .next()
        .unwrap_or_default()
        .trim();
    match (ended.code, status) {
        // curl's: TLS handshake, empty reply, sending, receiving. Not 7 or 28: the port is open, somebody answers.
        (Some(35 | 52 | 55 | 56), _) | (Some(0), "401" | "403") => true,
        (Some(0), "400") => is_plain && ended.stdout.contains("HTTP request to an HTTPS server"),
        (Some(0), "404") => ended.stdout.starts_with("404 page not found\n"),
        _ => false,
    }
}

/// An administrator by its own word.
fn self_made(scratch: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (scratch.join("self.crt"), scratch.join("self.key"));
    succeed(
        Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            ])
            .args(["-subj", "/O=system:masters/CN=kubernetes-admin", "-out"])
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key),
    );
    (certificate, key)
}

fn others(other: &Cluster) -> (PathBuf, PathBuf) {
    let kubeconfig = other.node("node1").join("super-admin.conf");
    client_files(&kubeconfig, &other.scratch("clients"))
}

fn etcd_refuses_others(node: &Node<'_>) {
    let get = |client: &str| {
        let tree = "/etc/kubernetes/pki";
        let line = format!(
            "curl --silent --show-error --http1.1 --noproxy '*' --max-time 10 --cacert {tree}/etcd/ca.crt \
             --cert {tree}/{client}.crt --key {tree}/{client}.key https://127.0.0.1:2379/health"
        );
        node.machine.run("sh", &["-c", &line])
    };
    let ended = get("apiserver-etcd-client");
    assert!(
        ended.stdout.contains("\"health\":\"true\""),
        "the question is a right one: {ended}"
    );
    let ended = get("apiserver-kubelet-client");
    assert!(matches!(ended.code, Some(35 | 52 | 55 | 56)), "{ended}");
}

fn secrets_are_ciphertext(node: &Node<'_>) {
    let word = "plain-for-everybody";
    let create = ["create", "secret", "generic", "probe", "--from-literal"];
    succeed(node.kubectl(&create).arg(format!("word={word}")));
    let tree = "/etc/kubernetes/pki";
    let stored = node.machine.shell(&format!(
        "etcdctl --endpoints https://127.0.0.1:2379 --cacert {tree}/etcd/ca.crt \
         --cert {tree}/apiserver-etcd-client.crt --key {tree}/apiserver-etcd-client.key \
         get /registry/secrets/default/probe --print-value-only"
    ));
    assert!(stored.starts_with("k8s:enc:"), "{stored:?}");
    assert!(!stored.contains(word));
    // Who may read it still can.
    let secret = node.objects(&["get", "secret", "probe"]);
    assert_eq!(secret["data"]["word"], "cGxhaW4tZm9yLWV2ZXJ5Ym9keQ==");
}

fn privileged_pods_are_refused(node: &Node<'_>) {
    let pod = "
apiVersion: v1
kind: Pod
metadata: { name: root, namespace: default }
spec:
  hostNetwork: true
  containers:
    - { name: root, image: registry.test/web:1, imagePullPolicy: Never, securityContext: { privileged: true } }
";
    let ended = node.apply(pod);
    assert!(ended.code == Some(1), "{ended}");
    assert!(
        ended.stderr.contains("violates PodSecurity \"baseline:"),
        "{ended}"
    );
}
