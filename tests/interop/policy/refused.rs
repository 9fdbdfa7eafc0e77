//! What must be refused, and is, for the reason given.

use std::path::{Path, PathBuf};

mod by_hand;
mod by_openssl;

use super::openssl::{self, P256};
use super::{Answer, Request, cluster, sign};

/// How a request is made, and why it is refused.
struct Case {
    request: Request,
    /// The code of a reason, and what its text holds.
    code: &'static str,
    text: &'static str,
}

const W1: &str = "/O=system:nodes/CN=system:node:w1";

/// Every one of these is signed by none.
fn cases(dir: &Path) -> Vec<Case> {
    let mut cases = by_openssl::cases(dir);
    cases.extend(by_hand::cases(dir));
    cases
}

#[test]
fn bad_requests_are_refused_with_their_reasons() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("bad");
    let cases = cases(&dir);
    assert!(cases.len() > 60, "{}", cases.len());
    for policy in [
        None,
        Some("kubelet-client"),
        Some("kubelet-serving"),
        Some("people"),
        Some("client"),
    ] {
        let these: Vec<_> = cases
            .iter()
            .filter(|case| case.request.policy == policy)
            .collect();
        let files: Vec<_> = these
            .iter()
            .map(|case| case.request.file.as_path())
            .collect();
        let arguments: Vec<_> = policy.iter().flat_map(|name| ["--policy", *name]).collect();
        for (case, answer) in these.iter().zip(sign(&cluster, &files, &arguments)) {
            let told = |reason: &super::Reason| {
                reason.code == case.code && reason.text.contains(case.text)
            };
            let name = case.request.file.display();
            assert_eq!(answer.result, "refused", "{name}");
            assert!(answer.reasons.iter().any(told), "{name}: {answer:#?}");
        }
    }
    let certificates: Vec<PathBuf> = cases
        .iter()
        .map(|case| case.request.file.with_extension("crt"))
        .collect();
    assert!(
        certificates.iter().all(|file| !file.exists()),
        "something was signed"
    );
}

#[test]
fn a_node_gets_its_own_name_only() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("requester");
    let file = openssl::request(&dir, "w1", P256, W1, &[]);
    let refused = sign(&cluster, &[&file], &["--requester", "cp1"]);
    assert_eq!(refused[0].codes(), ["requester"]);
    assert!(
        refused[0].reasons[0]
            .text
            .contains("the requester is system:node:cp1"),
        "{refused:?}"
    );
    let signed = sign(&cluster, &[&file], &["--requester", "w1"]);
    assert_eq!(signed[0].result, "signed");
}

/// All that is wrong is told at once, and what is right beside it is signed.
#[test]
fn each_is_judged_by_itself_and_told_everything() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("batch");
    let bad = openssl::request(
        &dir,
        "bad",
        &["rsa:1024"],
        "/O=system:masters/OU=x/CN=system:node:w1",
        &[
            "basicConstraints=CA:TRUE",
            "subjectAltName=IP:10.3.0.1,email:a@b.example",
        ],
    );
    let good = openssl::request(&dir, "good", P256, W1, &[]);
    let answers: Vec<Answer> = sign(&cluster, &[&bad, &good], &[]);
    assert_eq!(
        answers[0].codes(),
        [
            "ca",
            "attribute",
            "key",
            "group",
            "group-missing",
            "name",
            "name"
        ]
    );
    assert_eq!(answers[1].result, "signed");
    assert_eq!(answers[1].policy.as_deref(), Some("kubelet-client"));
    assert!(good.with_extension("crt").exists() && !bad.with_extension("crt").exists());
}
