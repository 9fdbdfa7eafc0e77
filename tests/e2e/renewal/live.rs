//! A live node: every certificate renewed one by one and all at once, while clients read and write.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::command::run;
use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::{Node, answer, turn};
use tests::phases::Phases;
use tests::record::note;

use crate::agreement::{Fingerprints, everything_serves_what_is_on_disk, serves_another};
use crate::client::{Clients, Count};
use crate::place::{self, DIRECTORY, kpki};

#[test]
fn no_request_fails() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let machine = Machine::boot(&network, MachineOptions::default());
    let node = Node::install(
        machine,
        &["--service-cidr", "10.3.0.0/24", "--dir", DIRECTORY],
    );
    place::with_kpki(&node);
    let mut phases = Phases::new();
    let clients = Clients::start(&node);
    phases.show("nothing renewed", || {
        let during = measured(&node, &clients, "without a renewal", || {
            sleep(Duration::from_secs(20))
        });
        assert!(
            during.failed.is_empty() && during.requests > 50,
            "{during:#?}"
        );
    });
    let mut served = everything_serves_what_is_on_disk(&node);
    phases.show("one by one", || {
        let leaves = leaves(&node);
        assert!(leaves.len() > 12, "{leaves:?}");
        for leaf in leaves {
            let during = measured(&node, &clients, &leaf, || renew(&node, &[&leaf]));
            assert!(during.failed.is_empty(), "{leaf}: {during:#?}");
        }
        everything_serves_anew_and_works(&node, &mut served);
    });
    phases.show("all at once", || {
        let during = measured(&node, &clients, "all at once", || renew(&node, &["--all"]));
        assert!(during.failed.is_empty(), "{during:#?}");
        everything_serves_anew_and_works(&node, &mut served);
    });
    phases.show("renewed, and not put to use before the next one", || {
        let ended = kpki(&node, &["renew", "apiserver"]);
        assert!(ended.code == Some(0), "{ended}");
        serves_another(&node, "apiserver");
        renew(&node, &["apiserver"]);
        served = everything_serves_what_is_on_disk(&node);
    });
    phases.show("a job with nothing to do", || {
        let began = Instant::now();
        let ended = kpki(&node, &["renew", "--if-within", "33%", "--reload"]);
        assert!(
            ended.code == Some(0) && ended.stdout.contains("nothing to renew"),
            "{ended}"
        );
        note(&format!(
            "a job with nothing to do: {:.2} s",
            began.elapsed().as_secs_f64()
        ));
    });
    // Programs that read an authority once have to be restarted, the API server among them: this is what is lost then.
    phases.show("authorities under their own keys", || {
        let authorities = ["ca", "etcd-ca", "front-proxy-ca"];
        measured(&node, &clients, "authorities", || {
            renew(&node, &authorities)
        });
        everything_works(&node);
        // Leaves are as they were, and what issued them is not.
        assert_eq!(everything_serves_what_is_on_disk(&node), served);
    });
    phases.finish();
}

fn renew(node: &Node<'_>, names: &[&str]) {
    let arguments = [&["renew", "--reload"][..], names].concat();
    let ended = kpki(node, &arguments);
    assert!(ended.code == Some(0), "{ended}");
}

/// What clients saw while something was done, and a little after.
fn measured(node: &Node<'_>, clients: &Clients, what: &str, work: impl FnOnce()) -> Count {
    let before = clients.count(node);
    let began = Instant::now();
    work();
    let took = began.elapsed();
    // What is restarted is back by then, or fails requests by then.
    sleep(Duration::from_secs(5));
    let during = clients.count(node).since(&before);
    note(&format!(
        "{what}: {:.1} s, {} requests, {} new connections of the lasting one, {} failed",
        took.as_secs_f64(),
        during.requests,
        during.connections,
        during.failed.len()
    ));
    during
}

/// What `renew --all` would renew.
fn leaves(node: &Node<'_>) -> Vec<String> {
    let ended = kpki(node, &["renew", "--all", "--dry-run", "--json"]);
    let plan: Value = serde_json::from_str(answer(&ended).expect("a plan")).expect("JSON");
    let steps = plan["steps"].as_array().expect("steps").iter();
    steps
        .filter_map(|step| step["artifact"].as_str().map(str::to_owned))
        .collect()
}

/// `served` is what was served before, and then what is now: not one of them the same.
fn everything_serves_anew_and_works(node: &Node<'_>, served: &mut Fingerprints) {
    let now = everything_serves_what_is_on_disk(node);
    for (port, fingerprint) in &now {
        assert_ne!(served[port], *fingerprint, "port {port} serves the old one");
    }
    *served = now;
    everything_works(node);
}

fn everything_works(node: &Node<'_>) {
    let verified = kpki(node, &["verify"]);
    assert!(verified.code == Some(0), "{verified}");
    let planned = kpki(node, &["plan"]);
    assert!(planned.code == Some(0), "{planned}");
    node.wait_until("the node is healthy", || {
        answer(&node.kinstall(&["status"])).map(drop)?;
        for kind in ["nodes", "pods"] {
            let arguments = ["get", kind, "--all-namespaces", "--output", "json"];
            let ended = run(&mut node.kubectl(&arguments));
            let said: Value =
                serde_json::from_str(answer(&ended)?).map_err(|error| error.to_string())?;
            for object in said["items"].as_array().into_iter().flatten() {
                let conditions = object["status"]["conditions"].as_array();
                let mut conditions = conditions.into_iter().flatten();
                if !conditions.any(|one| one["type"] == "Ready" && one["status"] == "True") {
                    return Err(format!("{} is not ready", object["metadata"]["name"]));
                }
            }
        }
        Ok(())
    });
    // The API server to the kubelet. client-go closes its connections when it sees another client certificate, also
    // under a request that has just begun (client-go, transport/cert_rotation.go), so one may fail.
    let pod = format!("etcd-{}", node.machine.name());
    node.wait_until("the kubelet lets the API server in", || {
        let arguments = ["logs", "--namespace=kube-system", "--tail=1", &pod];
        answer(&run(&mut node.kubectl(&arguments))).map(drop)
    });
}
