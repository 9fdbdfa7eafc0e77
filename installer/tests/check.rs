//! `kinstall check`, through the program and through the library.
#![allow(missing_docs)]

mod directory;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use installer::check::Severity;
use installer::machine::ClusterDirectory;
use pki_core::cluster::profile::Profile;
use time::{Duration, OffsetDateTime};

/// A cluster of two nodes in a directory of its own.
struct Tree {
    _scratch: tempfile::TempDir,
    dir: PathBuf,
}

impl Tree {
    fn made(profile: &str) -> Self {
        let (scratch, dir) = directory::made(
            profile,
            &["cp1=192.0.2.11:control-plane,etcd", "w1=192.0.2.21:worker"],
        );
        Self {
            _scratch: scratch,
            dir,
        }
    }

    /// As it is on a node: without the authorities, the other nodes and the users.
    fn on(self, node: &str) -> Self {
        fs::remove_dir_all(self.dir.join("ca")).unwrap();
        fs::remove_dir_all(self.dir.join("users")).unwrap();
        for entry in fs::read_dir(self.dir.join("nodes")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != node {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        self
    }

    fn node(&self, node: &str) -> PathBuf {
        self.dir.join("nodes").join(node)
    }

    /// Exit code, standard output, standard error.
    fn kinstall(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        kinstall(self.dir.parent().unwrap(), arguments)
    }
}

fn kinstall(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kinstall"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn each_node_of_each_profile_could_start_with_its_own_tree_alone() {
    for profile in Profile::shipped_names() {
        for node in ["cp1", "w1"] {
            let tree = Tree::made(profile).on(node);
            let (code, out, err) = tree.kinstall(&["check", "--node", node]);
            assert_eq!(code, Some(0), "{profile} {node}: {out}{err}");
            let fine = format!("fine: {node} has what it needs: ");
            assert!(out.contains(&fine), "{profile} {node}: {out}");
            assert!(!out.contains("fault") && !out.contains("warning"), "{out}");
            // What goes to another machine is told apart, not passed over.
            assert!(out.contains("untried  "), "{profile} {node}: {out}");
            assert!(err.is_empty(), "{err}");
        }
    }
}

#[test]
fn with_the_whole_directory_everything_is_tried() {
    let tree = Tree::made("kubeadm");
    let (code, out, _) = tree.kinstall(&["check", "--node", "cp1"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("untried"), "{out}");
}

#[test]
fn what_a_worker_lacks_is_named() {
    let tree = Tree::made("kubeadm").on("w1");
    fs::remove_file(tree.node("w1").join("kubelet.conf")).unwrap();
    fs::remove_file(tree.node("w1").join("pki/ca.crt")).unwrap();
    let (code, out, _) = tree.kinstall(&["check", "--node", "w1"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("fault    ca: nodes/w1/pki/ca.crt is missing\n"),
        "{out}"
    );
    let line = "fault    w1/kubelet-client: nodes/w1/kubelet.conf is missing\n";
    assert!(out.contains(line), "{out}");
    let last = "attention needed: w1 could not start, 2 of the above are faults; \
                run kpki apply where the CA keys are, then bring nodes/w1 here again\n";
    assert!(out.ends_with(last), "{out}");
}

#[test]
fn a_key_of_another_certificate_and_a_file_that_is_none() {
    let tree = Tree::made("kubeadm").on("cp1");
    let pki = tree.node("cp1").join("pki");
    fs::copy(pki.join("kubelet.key"), pki.join("apiserver.key")).unwrap();
    fs::copy(pki.join("kubelet.key"), pki.join("cluster-dns.key")).unwrap();
    fs::write(pki.join("etcd/ca.crt"), "nothing").unwrap();
    let (code, out, _) = tree.kinstall(&["check", "--node", "cp1"]);
    assert_eq!(code, Some(1), "{out}");
    for fact in [
        "fault    cp1/apiserver: the key in nodes/cp1/pki/apiserver.key does not belong to the certificate\n",
        "fault    cluster-dns: the key in nodes/cp1/pki/cluster-dns.key does not belong to the certificate\n",
        "fault    etcd-ca: nodes/cp1/pki/etcd/ca.crt cannot be used: ",
    ] {
        assert!(out.contains(fact), "{fact}\n{out}");
    }
    // The handshakes that fail for the same reason are not told again.
    assert_eq!(out.matches("fault  ").count(), 3, "{out}");
}

#[test]
fn modes_are_part_of_it() {
    let tree = Tree::made("kubeadm").on("cp1");
    let path = tree.node("cp1").join("pki/sa.key");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, out, _) = tree.kinstall(&["check", "--node", "cp1"]);
    assert_eq!(code, Some(1), "{out}");
    let line = "fault    sa: nodes/cp1/pki/sa.key has mode 0644, wanted 0600\n";
    assert!(out.contains(line), "{out}");
}

#[test]
fn a_changed_spec_is_a_fault_of_the_old_tree() {
    let tree = Tree::made("kubeadm");
    let file = tree.dir.join("cluster.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("10.3.0.", "10.4.0.")).unwrap();
    let (code, out, _) = tree.kinstall(&["check", "--node", "cp1"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("fault    cp1/apiserver: not valid for 10.4.0.1\n"),
        "{out}"
    );
    assert!(
        out.contains("fault    pod to API server at 10.4.0.1: "),
        "{out}"
    );
}

#[test]
fn near_the_end_a_warning_past_it_a_fault() {
    let tree = Tree::made("kubeadm").on("cp1");
    let cluster = ClusterDirectory::read(&tree.dir, None).unwrap();
    let node = cluster.spec.nodes()[0].name();
    let at = |days| {
        let now = OffsetDateTime::now_utc() + Duration::days(days);
        installer::check(&cluster.blueprint, &cluster.inventory, node, now)
    };
    assert!(at(200).findings.is_empty());
    let near = at(300);
    assert!(near.is_fine());
    assert!(!near.findings.is_empty());
    assert!(
        near.findings
            .iter()
            .all(|finding| finding.severity == Severity::Warning
                && finding.fact.code() == "expiring")
    );
    let past = at(366);
    assert!(!past.is_fine());
    for code in ["expired", "handshake"] {
        assert!(
            past.findings
                .iter()
                .any(|finding| finding.fact.code() == code),
            "{code}"
        );
    }
}

#[test]
fn json_is_one_document() {
    let tree = Tree::made("hardened").on("cp1");
    let (code, out, err) = tree.kinstall(&["check", "--node", "cp1", "--json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["node"], "cp1");
    assert_eq!(document["fine"], true);
    assert_eq!(document["findings"].as_array().unwrap().len(), 0);
    assert!(document["handshakes"].as_u64().unwrap() > 10, "{out}");
    assert!(document["untried"][0]["path"].is_string(), "{out}");
}

#[test]
fn each_error_has_its_place_and_a_hint() {
    let tree = Tree::made("kubeadm");
    let error = |arguments: &[&str]| {
        let (code, out, err) = tree.kinstall(arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        err
    };
    assert_eq!(
        error(&["check", "--dir", "nowhere"]),
        "error: nowhere/cluster.toml does not exist\n\
         hint: name the cluster's directory with --dir, or make one: kpki init --service-cidr 10.3.0.0/24\n"
    );
    assert_eq!(
        error(&["check", "--node", "w9"]),
        "error: kubernetes/cluster.toml has no node \"w9\"\nhint: name one with --node: cp1, w1\n"
    );
    let wrong = error(&["check", "--nodes", "w9"]);
    assert!(
        wrong.starts_with("error: unexpected argument '--nodes' found\n"),
        "{wrong}"
    );
    assert!(
        wrong.ends_with("hint: kinstall --help shows examples\n"),
        "{wrong}"
    );
    let spec = tree.dir.join("cluster.toml");
    let text = fs::read_to_string(&spec).unwrap();
    fs::write(&spec, text.replace("10.3.0.0/24", "10.3.0.5/24")).unwrap();
    let wrong = error(&["check", "--node", "w1"]);
    assert!(
        wrong.starts_with("error: kubernetes/cluster.toml:"),
        "{wrong}"
    );
    assert!(
        wrong.contains("hint: did you mean 10.3.0.0/24?\n"),
        "{wrong}"
    );
}
