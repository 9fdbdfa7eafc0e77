//! The sign policy suite: requests that must be refused, each with its reason, and good ones whose certificates foreign
//! judges accept. Requests are made by OpenSSL, by our own code, and byte by byte.
#![allow(missing_docs)]

mod asn1;
mod external;
mod good;
mod objects;
mod openssl;
mod refused;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tests::cluster::Cluster;
use tests::command::run;

/// A control-plane node and a worker, two people, an endpoint with a name.
fn cluster(profile: &str) -> Cluster {
    Cluster::init_from(&format!(
        r#"
        service-cidr = "10.3.0.0/24"
        endpoint = "api.corp.example"
        profile = "{profile}"

        [[node]]
        name = "cp1"
        addresses = ["192.0.2.11"]
        roles = ["control-plane", "etcd", "worker"]

        [[node]]
        name = "w1"
        addresses = ["192.0.2.21", "2001:db8::21"]
        san = ["w1.rack.example"]

        [[user]]
        name = "alice"
        groups = ["dev", "ops"]

        [[user]]
        name = "bob"
        "#
    ))
}

/// A file with a request, and the policy it is held against; `None`: the one that follows from the request.
struct Request {
    file: PathBuf,
    policy: Option<&'static str>,
}

/// What `kpki sign --json` says of one request.
#[derive(Debug, Deserialize)]
struct Answer {
    file: PathBuf,
    result: String,
    policy: Option<String>,
    written: Option<PathBuf>,
    reasons: Vec<Reason>,
    notes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    code: String,
    text: String,
}

impl Answer {
    fn codes(&self) -> Vec<&str> {
        self.reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .collect()
    }
}

#[derive(Deserialize)]
struct Document {
    requests: Vec<Answer>,
    refused: usize,
}

/// Signs, with these further arguments.
fn sign(cluster: &Cluster, files: &[&Path], arguments: &[&str]) -> Vec<Answer> {
    let mut command = cluster.kpki(&["sign", "--json"]);
    let ended = run(command.args(arguments).args(files));
    let document: Document =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended}"));
    let bad = document
        .requests
        .iter()
        .filter(|answer| answer.result == "refused");
    assert_eq!(bad.count(), document.refused, "{ended}");
    assert_eq!(ended.code, Some(i32::from(document.refused > 0)), "{ended}");
    assert_eq!(document.requests.len(), files.len(), "{ended}");
    document.requests
}
