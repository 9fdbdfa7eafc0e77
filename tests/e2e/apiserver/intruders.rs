//! Whoever has no business with the API server or with etcd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;

use pki_core::cluster::blueprint::Part;
use pki_core::x509::{Authority, Certificate, LocalSigner, PrivateKey};
use ring::rand::SystemRandom;
use tests::cluster::{Cluster, read};
use tests::command::{refuse, run, succeed};
use tests::control_plane::{ControlPlane, client_files};
use time::{Duration, OffsetDateTime};

type Pair = (PathBuf, PathBuf);

/// This cluster's own authorities, and a cluster that looks the same but has others.
pub struct Intruders<'a> {
    pub cluster: &'a Cluster,
    pub other: &'a Cluster,
}

impl Intruders<'_> {
    pub fn are_refused_by_the_apiserver(&self, control_plane: &ControlPlane<'_>) {
        let tree = control_plane.tree();
        let scratch = self.other.scratch("clients");
        let client = |kubeconfig: PathBuf| client_files(&kubeconfig, &scratch);
        let answer = |pair: Option<&Pair>| {
            let url = match control_plane.address {
                std::net::IpAddr::V4(ip) => format!("https://{ip}:6443/version"),
                std::net::IpAddr::V6(ip) => format!("https://[{ip}]:6443/version"),
            };
            let mut command = control_plane.curl(&url);
            command.args(["--output", "/dev/null", "--write-out", "%{http_code}"]);
            if let Some((certificate, key)) = pair {
                command.arg("--cert").arg(certificate).arg("--key").arg(key);
            }
            succeed(&mut command)
        };
        // The question is a right one: with this cluster's own certificate it is answered.
        let own = client(tree.join("super-admin.conf"));
        assert_eq!(answer(Some(&own)), "200");

        assert_eq!(answer(None), "401", "nobody is anonymous");
        let other = client(self.other.node("cp-1").join("super-admin.conf"));
        assert_eq!(answer(Some(&other)), "401", "another cluster's");
        let expired = expired(self.cluster, "super-admin");
        assert_eq!(answer(Some(&expired)), "401", "expired");
        assert_eq!(
            answer(Some(&pair(&tree, "pki/kubelet"))),
            "401",
            "a server's"
        );
        assert_eq!(answer(Some(&pair(&tree, "pki/front-proxy-client"))), "401");
        let etcd_client = pair(&tree, "pki/etcd/healthcheck-client");
        assert_eq!(answer(Some(&etcd_client)), "401", "etcd's client");

        // The other way round: who comes from the other cluster does not trust this one.
        let other = self.other.node("cp-1").join("super-admin.conf");
        let mut command = control_plane.kubectl(other, &["version"]);
        refuse(&mut command, "certificate signed by unknown authority");
    }

    pub fn are_refused_by_etcd(&self, control_plane: &ControlPlane<'_>) {
        let tree = control_plane.tree();
        let get = |(certificate, key): &Pair| {
            let arguments = ["get", "/registry/namespaces/default", "--keys-only"];
            control_plane.etcdctl(certificate, key, &arguments)
        };
        for name in [
            "pki/apiserver-etcd-client",
            "pki/etcd/healthcheck-client",
            "pki/etcd/server", // etcd dials itself with it
        ] {
            let said = succeed(&mut get(&pair(&tree, name)));
            assert!(
                said.contains("/registry/namespaces/default"),
                "{name}: {said}"
            );
        }
        let scratch = self.other.scratch("clients");
        let unknown = "x509: certificate signed by unknown authority";
        let late = "x509: certificate has expired";
        let administrator = client_files(&tree.join("super-admin.conf"), &scratch);
        let other = pair(&self.other.node("cp-1"), "pki/apiserver-etcd-client");
        let expired = expired(self.cluster, "apiserver-etcd-client");
        for (pair, why) in [
            (administrator, unknown),
            (pair(&tree, "pki/front-proxy-client"), unknown),
            (pair(&tree, "pki/kubelet"), unknown),
            (pair(&tree, "pki/apiserver-kubelet-client"), unknown),
            (other, unknown),
            (expired, late),
        ] {
            let (certificate, key) = &pair;
            let mut command = self.curl_etcd(control_plane);
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
            refused_by_etcd(control_plane, &mut command, why);
        }
        let why = "tls: client didn't provide a certificate";
        refused_by_etcd(control_plane, &mut self.curl_etcd(control_plane), why);

        let (certificate, key) = pair(&tree, "pki/etcd/healthcheck-client");
        let mut command = self.curl_etcd(control_plane);
        command.arg("--cert").arg(certificate).arg("--key").arg(key);
        let said = succeed(&mut command);
        assert!(said.contains("\"health\":\"true\""), "{said}");
    }

    fn curl_etcd(&self, control_plane: &ControlPlane<'_>) -> Command {
        let mut command = control_plane.curl("https://127.0.0.1:2379/health");
        let authority = control_plane.tree().join("pki/etcd/ca.crt");
        command.arg("--cacert").arg(authority);
        command
    }
}

/// Clients learn little of why (and curl tells less): etcd's log says it.
fn refused_by_etcd(control_plane: &ControlPlane<'_>, command: &mut Command, why: &str) {
    let before = control_plane.etcd_log().len();
    let ended = run(command);
    assert!(ended.code != Some(0), "{ended}");
    for _ in 0..50 {
        if control_plane.etcd_log()[before..].contains(why) {
            return;
        }
        sleep(std::time::Duration::from_millis(20));
    }
    let log = control_plane.etcd_log();
    panic!("etcd does not say {why:?}: {ended}\n{}", &log[before..]);
}

fn pair(tree: &Path, stem: &str) -> Pair {
    let stem = tree.join(stem);
    let pair = (stem.with_extension("crt"), stem.with_extension("key"));
    assert!(pair.0.exists() && pair.1.exists(), "{}", stem.display());
    pair
}

/// What one of the cluster's own clients was given two years ago, for a year.
fn expired(cluster: &Cluster, name: &str) -> Pair {
    let leaves = cluster.leaves();
    let leaf = leaves.iter().find(|leaf| leaf.artifact.id.name == name);
    let entry = leaf.expect("a known client").entry;
    let certificate = read(&cluster.file(&entry.issuer, Part::Certificate));
    let key = read(&cluster.file(&entry.issuer, Part::PrivateKey));
    let chain = Certificate::from_pem_chain(certificate.as_bytes()).expect("an authority's");
    let key = PrivateKey::from_pem(key.as_bytes()).expect("its key");
    let now = OffsetDateTime::now_utc();
    let signer = LocalSigner::new(&key).expect("it signs");
    let authority = Authority::load(chain, signer, now).expect("it works");
    let issued = authority
        .issue(
            &entry.request,
            now - Duration::days(730),
            &SystemRandom::new(),
        )
        .expect("issued");
    let stem = cluster.scratch("expired").join(name);
    let pair = (stem.with_extension("crt"), stem.with_extension("key"));
    fs::write(&pair.0, issued.certificate.pem()).expect("written");
    fs::write(&pair.1, issued.key.secret_pem().as_bytes()).expect("written");
    pair
}
