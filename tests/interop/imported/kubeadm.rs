//! A control-plane node's `/etc/kubernetes` as kubeadm makes it, taken over.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tests::cluster::{Cluster, DIRECTORY, read};
use tests::command::{run, succeed};
use tests::judge::Questions;
use tests::snapshot::Snapshot;
use tests::{component, kpki};

/// Everything that `kubeadm init` writes below /etc/kubernetes, made in a root directory of its own.
fn made_by_kubeadm(root: &Path, algorithm: &str) -> PathBuf {
    fs::create_dir_all(root.join("tmp")).expect("a directory");
    let config = format!(
        "apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: 192.0.2.10, bindPort: 6443}}
nodeRegistration: {{name: n1, criSocket: unix:///run/containerd/containerd.sock}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.37.2
controlPlaneEndpoint: api.corp.example:6443
encryptionAlgorithm: {algorithm}
apiServer: {{certSANs: [kube.corp.example]}}
networking: {{serviceSubnet: 10.3.0.0/24, podSubnet: 10.245.0.0/16, dnsDomain: k8s.example}}
"
    );
    fs::write(root.join("kubeadm.yaml"), config).expect("written");
    for phase in [
        "certs all",
        "kubeconfig all",
        "control-plane all",
        "etcd local",
    ] {
        let mut command = component::command("kubeadm");
        command.arg("--rootfs").arg(root).args(["init", "phase"]);
        command
            .args(phase.split(' '))
            .args(["--config", "/kubeadm.yaml"]);
        succeed(&mut command);
    }
    root.join("etc/kubernetes")
}

fn import(source: &Path, temporary: TempDir, flags: &[&str]) -> Cluster {
    let mut command = kpki::command(&["import"]);
    command.arg(source).args(flags);
    succeed(command.arg("--dir").arg(temporary.path().join(DIRECTORY)));
    Cluster::open(temporary)
}

/// `action artifact` of every step of the plan.
fn planned(cluster: &Cluster) -> Vec<String> {
    let plan = run(&mut cluster.kpki(&["plan", "--json"]));
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap_or_else(|_| panic!("{plan}"));
    let steps = plan["steps"].as_array().expect("steps");
    let word = |step: &Value, field: &str| step[field].as_str().expect("a word").to_owned();
    let mut steps: Vec<_> = steps
        .iter()
        .map(|step| format!("{} {}", word(step, "action"), word(step, "artifact")))
        .collect();
    steps.sort();
    steps
}

fn take_over(algorithm: &str, key_algorithm: &str) {
    let temporary = tempfile::tempdir().expect("a directory");
    let source = made_by_kubeadm(&temporary.path().join("root"), algorithm);
    let before = Snapshot::of(&source);
    let cluster = import(&source, temporary, &[]);
    before.assert_unchanged(&source);

    // The spec says what kubeadm was told.
    let spec = &cluster.spec;
    let list = |items: Vec<String>| items.join(" ");
    assert_eq!(
        list(
            spec.service_cidrs()
                .iter()
                .map(ToString::to_string)
                .collect()
        ),
        "10.3.0.0/24"
    );
    assert_eq!(
        list(spec.pod_cidrs().iter().map(ToString::to_string).collect()),
        "10.245.0.0/16"
    );
    assert_eq!(
        list(spec.cluster_dns().iter().map(ToString::to_string).collect()),
        "10.3.0.10"
    );
    assert_eq!(
        list(spec.sans().iter().map(ToString::to_string).collect()),
        "kube.corp.example"
    );
    assert_eq!(spec.domain().as_str(), "k8s.example");
    assert_eq!(spec.endpoint().to_string(), "api.corp.example:6443");
    assert_eq!(spec.nodes()[0].name().as_str(), "n1");
    assert_eq!(spec.key_algorithm().to_string(), key_algorithm);

    // Whatever was trusted is kept, byte for byte.
    let kept = [
        "ca.crt",
        "ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
    ];
    for file in kept {
        let theirs = read(&source.join("pki").join(file));
        assert_eq!(read(&cluster.authorities().join(file)), theirs, "{file}");
        assert_eq!(
            read(&cluster.node("n1").join("pki").join(file)),
            theirs,
            "{file}"
        );
    }
    for file in ["sa.key", "sa.pub"] {
        let (ours, theirs) = (
            cluster.node("n1").join("pki").join(file),
            source.join("pki").join(file),
        );
        assert_eq!(read(&ours), read(&theirs), "{file}");
    }

    // The plan says what kubeadm does not make, and touches nothing that others trust.
    let plan = planned(&cluster);
    for step in [
        "create cluster-dns",
        "create encryption-config",
        "create n1/kubelet",
    ] {
        assert!(plan.contains(&step.to_owned()), "{step}: {plan:?}");
    }
    let own = ["ca", "etcd-ca", "front-proxy-ca", "sa"];
    for step in &plan {
        let (_, artifact) = step.split_once(' ').expect("two words");
        assert!(!own.contains(&artifact), "{plan:?}");
    }
    assert!(
        !plan.iter().any(|step| step.ends_with("n1/admin")),
        "{plan:?}"
    );
    succeed(&mut cluster.kpki(&["apply"]));
    assert_eq!(planned(&cluster), [""; 0]);
    for file in kept {
        assert_eq!(
            read(&cluster.authorities().join(file)),
            read(&source.join("pki").join(file)),
            "{file}"
        );
    }

    // Old and new trust each other.
    let mut questions = Questions::default();
    for leaf in cluster.leaves() {
        let (usages, names) = (leaf.usages(), leaf.names());
        let file = leaf
            .file
            .strip_prefix(cluster.node("n1"))
            .expect("on the node");
        let theirs = source.join(match leaf.entry.issuer.name.as_str() {
            "ca" => "pki/ca.crt",
            "etcd-ca" => "pki/etcd/ca.crt",
            "front-proxy-ca" => "pki/front-proxy-ca.crt",
            other => panic!("{other}"),
        });
        questions.verify(file.display(), &theirs, &leaf.file, &usages, &names);
    }
    questions.verify(
        "kubeadm's administrator",
        &cluster.authorities().join("ca.crt"),
        &source.join("admin.conf"),
        &["client"],
        &[],
    );
    questions.accepted();
    succeed(&mut cluster.kpki(&["verify"]));
}

#[test]
fn ecdsa_p256() {
    take_over("ECDSA-P256", "ecdsa-p256");
}

#[test]
fn rsa_2048() {
    take_over("RSA-2048", "rsa-2048");
}

/// Certificates alone do not tell the range: kpki asks, and writes nothing before it knows.
#[test]
fn without_manifests_the_service_cidr_has_to_be_named() {
    let temporary = tempfile::tempdir().expect("a directory");
    let source = made_by_kubeadm(&temporary.path().join("root"), "ECDSA-P256");
    fs::remove_dir_all(source.join("manifests")).expect("removed");
    let dir = temporary.path().join(DIRECTORY);
    let ended = run(kpki::command(&["import"])
        .arg(&source)
        .arg("--dir")
        .arg(&dir));
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended.stderr.contains("hint: ") && ended.stderr.contains("--service-cidr"),
        "{ended}"
    );
    assert!(!dir.exists());
    let flags = [
        "--service-cidr",
        "10.3.0.0/24",
        "--pod-cidr",
        "10.245.0.0/16",
    ];
    let cluster = import(&source, temporary, &flags);
    assert_eq!(cluster.spec.service_cidrs()[0].to_string(), "10.3.0.0/24");
}
