//! Whether `kpki check` agrees: nothing is wrong on disk, and every server of the node serves what is there.

use std::collections::BTreeMap;

use serde_json::Value;
use tests::command::run;
use tests::node::{Node, in_url};

use crate::place::{self, DIRECTORY};

/// What serves: the port, the artifact, and its file in the node's tree.
const SERVERS: [(u16, &str, &str); 4] = [
    (6443, "apiserver", "pki/apiserver.crt"),
    (2379, "etcd-server", "pki/etcd/server.crt"),
    (2380, "etcd-peer", "pki/etcd/peer.crt"),
    (10250, "kubelet", "pki/kubelet.crt"),
];

/// The SHA-256 of what each server serves, by its port.
pub type Fingerprints = BTreeMap<u16, String>;

/// Asks OpenSSL and `kpki check`, and holds their answers against each other and against the disk. What is served.
pub fn everything_serves_what_is_on_disk(node: &Node<'_>) -> Fingerprints {
    let address = in_url(node.addresses()[0]);
    let served = SERVERS.iter().map(|(port, _, file)| {
        let served = place::served(node, &format!("{address}:{port}"));
        assert_eq!(served, place::on_disk(node, file), "{file}");
        (*port, served)
    });
    let served: Fingerprints = served.collect();

    // The cluster's directory, and what the node works with.
    let on_disk = check(node, &[DIRECTORY, "/etc/kubernetes"]);
    assert_eq!(on_disk["servers"], Value::Array(Vec::new()));
    let certificates = list(&on_disk, "certificates");
    assert!(certificates.len() > 12, "{on_disk:#}");
    expect_nothing_wrong(&on_disk, certificates);

    // As the spec names the servers, each shown a client that it lets in; and as a person does, who shows none.
    let named: Vec<_> = SERVERS
        .iter()
        .map(|(port, ..)| format!("{address}:{port}"))
        .collect();
    let mut dialled = vec![DIRECTORY];
    dialled.extend(named.iter().map(String::as_str));
    for (arguments, by_artifact) in [(&["--live", DIRECTORY][..], true), (&dialled, false)] {
        let live = check(node, arguments);
        let servers = list(&live, "servers");
        assert_eq!(servers.len(), SERVERS.len(), "{live:#}");
        expect_nothing_wrong(&live, servers);
        for (port, artifact, file) in SERVERS {
            let whole = format!("{address}:{port}");
            let server = servers.iter().find(|server| server["server"] == *whole);
            let server = server.unwrap_or_else(|| panic!("{whole} is not among {live:#}"));
            let place = format!("{DIRECTORY}/nodes/{}/{file}", node.machine.name());
            assert_eq!(server["path"], *place, "{server:#}");
            assert_eq!(server["serves-path"], true, "{server:#}");
            assert_eq!(server["error"], Value::Null, "{server:#}");
            let leaf = &server["chain"][0]["fingerprint"];
            assert_eq!(*leaf, *served[&port], "{server:#}");
            if by_artifact {
                let id = format!("{}/{artifact}", node.machine.name());
                assert_eq!(server["artifact"], *id, "{server:#}");
                assert_eq!(server["refusal"], Value::Null, "{server:#}");
            }
        }
    }
    let report = place::kpki(node, &["report", "--live"]);
    assert!(report.code == Some(0), "{}", report.stderr);
    assert!(
        report.stdout.contains(
            "every server of the cluster answers, and nothing is wrong with what it serves"
        ),
        "{}",
        report.stdout
    );
    served
}

/// `kpki check` sees that this one of them serves another certificate than the one on disk, and the rest does not.
pub fn serves_another(node: &Node<'_>, artifact: &str) {
    let live = check_with(node, &["--live", DIRECTORY], 1);
    let id = format!("{}/{artifact}", node.machine.name());
    let servers = list(&live, "servers");
    assert_eq!(servers.len(), SERVERS.len(), "{live:#}");
    for server in servers {
        let same = server["artifact"] != *id;
        let codes = list(server, "findings").iter();
        let codes: Vec<_> = codes.map(|finding| &finding["code"]).collect();
        assert_eq!(server["serves-path"], same, "{server:#}");
        assert!(
            if same {
                codes.is_empty()
            } else {
                codes == ["not-on-disk"]
            },
            "{server:#}"
        );
    }
}

/// `kpki check`, which has to find that all is fine.
fn check(node: &Node<'_>, arguments: &[&str]) -> Value {
    check_with(node, arguments, 0)
}

fn check_with(node: &Node<'_>, arguments: &[&str], code: i32) -> Value {
    let mut command = node.machine.command("kpki");
    let ended = run(command.args(["check", "--json"]).args(arguments));
    assert!(ended.code == Some(code), "{arguments:?}: {ended}");
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn expect_nothing_wrong(document: &Value, those: &[Value]) {
    assert_eq!(document["level"], "fine", "{document:#}");
    assert_eq!(list(document, "unknown").len(), 0, "{document:#}");
    for one in those {
        assert_eq!(list(one, "findings").len(), 0, "{one:#}");
    }
}

fn list<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    let list = document[name].as_array();
    list.unwrap_or_else(|| panic!("no {name} in {document:#}"))
}
