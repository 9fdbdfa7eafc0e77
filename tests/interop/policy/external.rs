//! A CA in the hands of somebody with OpenSSL: every leaf of a cluster asked for, signed there, taken back, and judged.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::cluster::Cluster;
use tests::command::{refuse, succeed};
use tests::judge::Questions;

use super::cluster;

/// What OpenSSL adds besides what was asked for.
const EXTENSIONS: &str =
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nbasicConstraints=critical,CA:FALSE\n";

fn sign(cluster: &Cluster, keys: &Path, request: &Path, authority: &str, further: &[&str]) {
    let (file, dir) = match authority {
        "etcd-ca" => ("ca", "etcd"),
        other => (other, ""),
    };
    let extensions = keys.join("extensions");
    fs::write(&extensions, EXTENSIONS).expect("written");
    let mut command = Command::new("openssl");
    command.args([
        "x509",
        "-req",
        "-days",
        "365",
        "-copy_extensions",
        "copyall",
        "-extfile",
    ]);
    command.arg(&extensions).arg("-in").arg(request);
    command.arg("-CA").arg(
        cluster
            .authorities()
            .join(dir)
            .join(file)
            .with_extension("crt"),
    );
    command.arg("-CAkey").arg(keys.join(authority));
    command
        .arg("-out")
        .arg(request.with_extension("crt"))
        .args(further);
    succeed(&mut command);
}

#[test]
fn every_leaf_signed_by_openssl() {
    let cluster = cluster("kubeadm");
    let keys = cluster.scratch("keys");
    for (authority, file) in [
        ("ca", "ca.key"),
        ("etcd-ca", "etcd/ca.key"),
        ("front-proxy-ca", "front-proxy-ca.key"),
    ] {
        fs::rename(cluster.authorities().join(file), keys.join(authority)).expect("moved");
    }
    fs::remove_dir_all(cluster.dir().join("nodes")).expect("removed");
    fs::remove_dir_all(cluster.dir().join("users")).expect("removed");
    refuse(
        &mut cluster.kpki(&["apply"]),
        "the key of authority ca is not at ca/ca.key",
    );

    let dir = cluster.scratch("requests");
    let made = succeed(cluster.kpki(&["plan", "--json"]).arg("--csr-dir").arg(&dir));
    let made: serde_json::Value = serde_json::from_str(&made).expect("a document");
    let requests = made["requests"].as_array().expect("a list");
    let leaves = cluster
        .blueprint
        .artifacts()
        .iter()
        .filter(|artifact| artifact.content.leaf().is_some());
    assert_eq!(requests.len(), leaves.count());
    for request in requests {
        let text = |field: &str| request[field].as_str().expect("a text").to_owned();
        sign(
            &cluster,
            &keys,
            Path::new(&text("file")),
            &text("authority"),
            &[],
        );
    }
    // One of them with more than was asked for: then none is installed.
    let first = Path::new(requests[0]["file"].as_str().expect("a path")).to_owned();
    let authority = requests[0]["authority"]
        .as_str()
        .expect("a name")
        .to_owned();
    let before = fs::read(first.with_extension("crt")).expect("signed");
    sign(
        &cluster,
        &keys,
        &first,
        &authority,
        &["-subj", "/O=system:masters/CN=kube-apiserver"],
    );
    refuse(
        cluster.kpki(&["apply"]).arg("--signed").arg(&dir),
        "the subject is",
    );
    assert!(
        !cluster.dir().join("nodes").exists(),
        "something was installed"
    );
    fs::write(first.with_extension("crt"), before).expect("written");

    succeed(cluster.kpki(&["apply"]).arg("--signed").arg(&dir));
    // The rest needs no CA's key: service accounts, encryption, copies of CA certificates.
    succeed(&mut cluster.kpki(&["apply"]));
    succeed(&mut cluster.kpki(&["plan"]));
    succeed(&mut cluster.kpki(&["verify"]));
    let mut go = Questions::default();
    for leaf in cluster.leaves() {
        let id = leaf.file.display();
        go.verify(
            id.to_string(),
            &leaf.issuer,
            &leaf.file,
            &leaf.usages(),
            &leaf.names(),
        );
        go.key(format!("{id} key"), &leaf.key, &leaf.file);
    }
    go.accepted();
}
