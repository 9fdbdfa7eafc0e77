//! Somebody on the cluster's network who has no business there.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::command::{Ended, run, succeed};
use crate::control_plane::client_files;
use crate::machine::Network;
use crate::node::in_url;
use crate::record::note;
use crate::web::NODE_PORT;

/// Asks every open port of each of `addresses` from the attacker's host, in plain and by TLS, as nobody, as an administrator by its own
/// word, and as that of another cluster: all of it has to be refused. Which ports were open, but for that of the test's own workload.
pub fn no_port_answers(network: &Network, addresses: &[IpAddr]) -> BTreeSet<u16> {
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
    let mut all_open = BTreeSet::new();
    for &address in addresses {
        let open = network.attacker().within(|| open_ports(address));
        note(&format!(
            "ports of {address} that are open to an attacker: {open:?}"
        ));
        all_open.extend(open.iter().copied());
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
    all_open
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
