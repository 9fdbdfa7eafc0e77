//! Kubernetes' CertificateSigningRequest objects, as an external signer gets and returns them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::x509::Certificate;
use serde_json::{Value, json};
use tests::command::{run, succeed};

use super::openssl::{self, P256};
use super::{cluster, sign};

const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";

/// An approved object around a request of w1 for its serving certificate.
fn object(csr: &Path, change: impl Fn(&mut Value)) -> Value {
    let request = succeed(Command::new("base64").args(["-w", "0"]).arg(csr));
    let mut object = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "csr-x7k2p", "labels": {"kept": "as it is"}},
        "spec": {
            "request": request,
            "signerName": SERVING,
            "usages": ["digital signature", "server auth"],
            "username": "system:node:w1",
            "groups": ["system:nodes", "system:authenticated"],
        },
        "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Test"}]},
    });
    change(&mut object);
    object
}

fn write(path: PathBuf, object: &Value) -> PathBuf {
    fs::write(&path, serde_json::to_vec(object).expect("plain data")).expect("written");
    path
}

#[test]
fn bad_objects_are_refused_with_their_reasons() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("bad");
    let w1 = "/O=system:nodes/CN=system:node:w1";
    let serving = openssl::request(&dir, "serving", P256, w1, &["subjectAltName=DNS:w1"]);
    let client = openssl::request(&dir, "client", P256, w1, &[]);
    type Change = fn(&mut Value);
    let cases: [(&str, &Path, Change, &str); 14] = [
        (
            "expired",
            &serving,
            |o| o["spec"]["expirationSeconds"] = json!(-3600),
            "expiration",
        ),
        (
            "at-once",
            &serving,
            |o| o["spec"]["expirationSeconds"] = json!(0),
            "expiration",
        ),
        (
            "too-short",
            &serving,
            |o| o["spec"]["expirationSeconds"] = json!(599),
            "expiration",
        ),
        (
            "not-approved",
            &serving,
            |o| o["status"] = json!({}),
            "not-approved",
        ),
        (
            "denied",
            &serving,
            |o| o["status"]["conditions"][0]["type"] = json!("Denied"),
            "condition",
        ),
        (
            "failed",
            &serving,
            |o| o["status"]["conditions"][0]["type"] = json!("Failed"),
            "condition",
        ),
        (
            "signed",
            &serving,
            |o| o["status"]["certificate"] = json!("LS0t"),
            "already-signed",
        ),
        (
            "other-s",
            &serving,
            |o| o["spec"]["username"] = json!("system:node:cp1"),
            "requester",
        ),
        (
            "not-itself",
            &serving,
            |o| o["spec"]["username"] = json!("system:bootstrap:abcdef"),
            "requester",
        ),
        (
            "cert-sign",
            &serving,
            |o| o["spec"]["usages"] = json!(["digital signature", "server auth", "cert sign"]),
            "usage",
        ),
        (
            "no-server",
            &serving,
            |o| o["spec"]["usages"] = json!(["digital signature"]),
            "usage-missing",
        ),
        (
            "no-signature",
            &serving,
            |o| o["spec"]["usages"] = json!(["server auth"]),
            "usage-missing",
        ),
        (
            "legacy",
            &serving,
            |o| o["spec"]["signerName"] = json!("kubernetes.io/legacy-unknown"),
            "no-policy",
        ),
        ("no-names", &client, |_| {}, "no-names"),
    ];
    let files: Vec<_> = cases
        .iter()
        .map(|(name, csr, change, _)| write(dir.join(format!("{name}.json")), &object(csr, change)))
        .collect();
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    for ((name, _, _, code), answer) in cases.iter().zip(sign(&cluster, &paths, &[])) {
        assert!(answer.codes().contains(code), "{name}: {answer:#?}");
    }
    assert!(
        files
            .iter()
            .all(|file| !file.with_extension("signed.json").exists())
    );
    // A policy that is for another signer.
    let file = write(dir.join("fine.json"), &object(&serving, |_| {}));
    let answers = sign(&cluster, &[&file], &["--policy", "kubelet-client"]);
    assert!(answers[0].codes().contains(&"signer"), "{answers:#?}");
}

#[test]
fn a_good_object_comes_back_with_its_certificate() {
    let cluster = cluster("hardened");
    let dir = cluster.scratch("good");
    let csr = openssl::request(
        &dir,
        "client",
        P256,
        "/O=system:nodes/CN=system:node:w1",
        &[],
    );
    let joins = object(&csr, |o| {
        o["spec"]["signerName"] = json!(CLIENT);
        o["spec"]["usages"] = json!(["key encipherment", "digital signature", "client auth"]);
        o["spec"]["username"] = json!("system:bootstrap:abcdef");
        o["spec"]["expirationSeconds"] = json!(7200);
    });
    let file = write(dir.join("joins.json"), &joins);
    let ended = run(cluster
        .kpki(&["sign", "-"])
        .stdin(fs::File::open(&file).expect("there")));
    assert_eq!(ended.code, Some(0), "{ended}");
    let mut answer: Value = serde_json::from_str(&ended.stdout).expect("the object");
    let pem = answer["status"]["certificate"].take();
    answer["status"]
        .as_object_mut()
        .expect("a status")
        .remove("certificate");
    assert_eq!(answer, joins, "everything else is as it was");
    let encoded = dir.join("encoded");
    fs::write(&encoded, pem.as_str().expect("base64")).expect("written");
    let pem = succeed(Command::new("base64").arg("-d").arg(&encoded));
    let certificate = &Certificate::from_pem_chain(pem.as_bytes()).expect("PEM")[0];
    assert_eq!(
        certificate.subject.to_string(),
        "O=system:nodes, CN=system:node:w1"
    );
    // Two hours from now, and begun five minutes ago.
    assert_eq!(certificate.validity.length(), time::Duration::minutes(125));
    // In YAML it comes back as YAML, which says the same.
    let yaml = dir.join("joins.yaml");
    let text = format!(
        "# kept by nobody\n{}",
        serde_json::to_string_pretty(&joins).expect("plain data")
    );
    fs::write(&yaml, text).expect("written");
    let answers = sign(&cluster, &[&yaml], &[]);
    assert_eq!(
        answers[0].written.as_deref(),
        Some(&*dir.join("joins.signed.yaml"))
    );
}
