//! `kinstall status --cluster`: whole, with one dead, with two dead.

use serde_json::Value;
use tests::command::{Ended, run};
use tests::node::built;

use crate::place::Place;

/// All is well, whoever asks: each of the nodes, and who has the whole directory.
pub fn of_three(place: &Place<'_>) {
    for node in &place.nodes {
        // A kubelet tells of itself every ten seconds.
        place.until("the cluster is well", || {
            let ended = node.kinstall(&["status", "--cluster"]);
            match ended.code {
                Some(0) if ended.stdout.trim_end().ends_with("healthy") => Ok(()),
                _ => Err(ended.to_string()),
            }
        });
    }
    let ended = from_afar(place, &["--json"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let status: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let nodes = status["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 5, "{status:#}");
    for node in &nodes[..3] {
        assert_eq!(node["state"], "ready", "{node:#}");
        assert_eq!(node["api-server"], true, "{node:#}");
        assert!(
            node["version"].as_str().expect("told").starts_with("1."),
            "{node:#}"
        );
        // A year, as the profile says.
        let days = node["days-left"].as_i64().expect("known");
        assert!((360..=365).contains(&days), "{node:#}");
    }
    let members: Vec<_> = nodes[..3].iter().map(|node| &node["member"]).collect();
    let leaders = members.iter().filter(|member| **member == "leader").count();
    assert_eq!(leaders, 1, "{status:#}");
    assert_eq!(status["etcd"]["quorum"]["held"], true, "{status:#}");
    assert!(
        status["etcd"]["members"][0]["behind"].is_u64(),
        "{status:#}"
    );
    // Those of each API server, member and kubelet are looked at as they are served.
    let served = status["certificates"].as_array().expect("certificates");
    let served = served.iter().filter(|one| one["server"].is_string());
    assert!(served.count() >= 12, "{status:#}");
}

pub fn with_one_dead(place: &Place<'_>) {
    let (code, status) = asked(place, 1);
    assert_eq!(code, Some(1), "{status:#}");
    for wanted in [
        "the quorum is at risk: 2 of 3 members of etcd healthy, and 2 are needed",
        "node3 is down",
    ] {
        assert!(facts(&status).contains(wanted), "{wanted}: {status:#}");
    }
    assert_eq!(status["nodes"][2]["api-server"], false, "{status:#}");
    assert_eq!(status["nodes"][2]["member"], "down", "{status:#}");
    assert_eq!(status["nodes"][1]["state"], "ready", "{status:#}");
}

/// Nothing can be changed any more, and it is told all the same who lives.
pub fn with_two_dead(place: &Place<'_>) {
    let (code, status) = asked(place, 0);
    assert_eq!(code, Some(1), "{status:#}");
    for wanted in [
        "quorum lost: 1 of 3 members of etcd alive, and 2 are needed",
        "node2 is down",
        "node3 is down",
    ] {
        assert!(facts(&status).contains(wanted), "{wanted}: {status:#}");
    }
    let told = from_afar(place, &[]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("quorum lost: 1 of 3"), "{told}");
    assert!(told.stdout.contains("attention needed"), "{told}");
}

fn asked(place: &Place<'_>, number: usize) -> (Option<i32>, Value) {
    let ended = place.nodes[number].kinstall(&["status", "--cluster", "--json"]);
    let said = serde_json::from_str(&ended.stdout);
    (ended.code, said.unwrap_or_else(|_| panic!("{ended}")))
}

/// By somebody who has the directory that kpki init made, on a machine that is no node.
fn from_afar(place: &Place<'_>, arguments: &[&str]) -> Ended {
    let mut command = place.network.outside().command(built().join("kinstall"));
    command.args(["status", "--cluster", "--dir"]);
    run(command.arg(place.pki.dir()).args(arguments))
}

fn facts(status: &Value) -> String {
    let problems = status["problems"].as_array().into_iter().flatten();
    let facts = problems.filter_map(|problem| problem["fact"].as_str());
    facts.collect::<Vec<_>>().join("\n")
}
