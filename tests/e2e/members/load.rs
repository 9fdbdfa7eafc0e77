//! A steady load of reads and writes, through the endpoint that every node has by default, while a control plane dies.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tests::command::run;
use tests::machine::Machine;
use tests::record::note;

use crate::place::Place;
use crate::writes::Writes;

/// Each node's own load balancer, by what cluster.toml says when nobody names an endpoint.
const ENDPOINT: &str = "https://[::1]:7443";
/// How long the load lasts. What happens in it does so after a sixth of it.
const SPAN: Duration = Duration::from_secs(24);
/// Where an administrator's pair is put for the load.
const PAIR: &str = "/root/load";

/// All processes of one end at once, with the power of its machine; under load from a worker it is missed for a moment at most.
pub fn while_processes_die(place: &mut Place<'_>, writes: &mut Writes) {
    let load = Load::begin(place, "dead");
    thread::sleep(SPAN / 6);
    place.nodes[2].machine.cut_power();
    load.end(writes, "all processes of node3 die");
    let (code, report) = place.members(1);
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(report["quorum"]["healthy"], 2, "{report:#}");
    // On each node that lives, what is dead is no reason for its own balancer not to be well.
    for number in [0, 1] {
        let status = place.nodes[number].kinstall(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        let components = status["components"].as_array().expect("components");
        let balancer = components.iter().find(|one| one["name"] == "api-balancer");
        assert_eq!(balancer.expect("it has one")["health"], "up", "{status:#}");
    }
}

/// The network of one is cut, that of the first, whose address other installers would have made the endpoint. Its processes live on,
/// and its own load balancer reaches nobody but itself, until the network is back.
pub fn while_a_network_is_cut(place: &mut Place<'_>, writes: &mut Writes) {
    let load = Load::begin(place, "cut");
    thread::sleep(SPAN / 6);
    let machine = &place.nodes[0].machine;
    cut(machine);
    load.end(writes, "the network of node1 is cut");
    mend(machine);
    let took = place.is_whole(1, 3);
    place.api_is_ready(0);
    note(&format!(
        "members: node1 is back by itself {:.1} s after its network",
        took.as_secs_f64()
    ));
    for node in place.nodes.iter().chain(&place.workers) {
        let name = node.machine.name();
        place.until(&format!("the endpoint on {name}"), || {
            let ended = node.kinstall(&["status"]);
            match ended.code {
                Some(0) => Ok(()),
                _ => Err(ended.to_string()),
            }
        });
    }
}

/// The API server of node1 lives and shakes hands, and has no etcd: nobody is sent to it. Every connection is a new one.
pub fn through_who_is_ready(place: &Place<'_>) {
    // What an API server knows of its etcd is some seconds old.
    place.until("node1's API server is not ready", || {
        let own = run(&mut place.kubectl(0, &["get", "--raw", "/readyz"]));
        let unready = own.code != Some(0);
        unready.then_some(()).ok_or_else(|| own.to_string())
    });
    place.until("node2's balancer knows", || {
        let told = place.nodes[1].kinstall(&["logs", "api-balancer", "--lines", "20"]);
        let knows = told.stdout.contains("Server ready/node1 is DOWN");
        knows.then_some(()).ok_or_else(|| told.to_string())
    });
    for _ in 0..12 {
        let arguments = ["get", "configmaps", "--server", ENDPOINT];
        let ended = run(&mut place.nodes[1].kubectl(&arguments));
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

/// Nothing comes in and nothing goes out; addresses and routes stay, as when a cable is pulled at the switch.
fn cut(machine: &Machine<'_>) {
    let mut rules = String::from("table inet cut {\n");
    for (hook, way) in [
        ("input", "iifname"),
        ("output", "oifname"),
        ("forward", "oifname"),
    ] {
        let _ = writeln!(
            rules,
            "chain {hook} {{ type filter hook {hook} priority -400; {way} \"eth0\" drop; }}"
        );
    }
    rules.push('}');
    machine.shell(&format!("nft -f - <<'RULES'\n{rules}\nRULES"));
}

fn mend(machine: &Machine<'_>) {
    machine.shell("nft delete table inet cut");
}

/// A load that goes on.
struct Load {
    child: std::process::Child,
}

impl Load {
    /// From a worker, with the pair of node2's administrator.
    fn begin(place: &Place<'_>, prefix: &str) -> Self {
        let machine = &place.workers[0].machine;
        let admin = "kubectl --kubeconfig /etc/kubernetes/admin.conf config view --raw --output";
        let from = &place.nodes[1].machine;
        from.shell(&format!(
            "umask 077; mkdir -p {PAIR}
             {admin} 'jsonpath={{.users[0].user.client-certificate-data}}' | base64 -d >{PAIR}/crt
             {admin} 'jsonpath={{.users[0].user.client-key-data}}' | base64 -d >{PAIR}/key"
        ));
        fs::create_dir_all(machine.path(PAIR)).expect("room for it");
        for file in ["crt", "key"] {
            let path = Path::new(PAIR).join(file);
            fs::copy(from.path(&path), machine.path(&path)).expect("copied");
        }
        let (certificate, key) = (format!("{PAIR}/crt"), format!("{PAIR}/key"));
        let span = format!("{}s", SPAN.as_secs());
        let ca = "/etc/kubernetes/pki/ca.crt";
        let mut command = machine.bound_command("kpki-web");
        command
            .args(["load", ENDPOINT, ca, &certificate, &key, prefix, &span])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().expect("it starts");
        Self { child }
    }

    /// Waits for its end, and writes down how many requests failed, and the longest gap.
    fn end(self, writes: &mut Writes, what: &str) {
        let output = self.child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {stderr}");
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        for client in ["reads", "writes", "new-connections"] {
            let one = &all[client];
            let gap = one["longest-gap"].as_f64().expect("seconds");
            note(&format!(
                "members: {what}: {client}: {} good, {} failed, longest gap {gap:.1} s, first failure: {}",
                one["good"], one["failed"], one["first-error"]
            ));
            assert_eq!(one["last-good"], true, "{what}: {client}: {one:#}");
        }
        let acknowledged: BTreeSet<String> = all["writes"]["acknowledged"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect();
        assert!(acknowledged.len() > 10, "{what}: {all:#}");
        writes.were_acknowledged(acknowledged);
    }
}
