//! A worker's tree in an attacker's hands: kubelet.conf, kube-proxy.conf, and the kubelet's serving pair. Who has it is that
//! node, and nothing more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::command::{Ended, run, succeed};
use tests::component;
use tests::control_plane::client_files;
use tests::machine::Network;
use tests::node::answer;
use tests::nodes::Nodes;
use tests::phases::Phases;

/// Two secrets: each node's web server of its own name has one of them.
const MANIFEST: &str = "
apiVersion: v1
kind: Secret
metadata: { name: of-node2, namespace: default }
stringData: { word: open-to-node2 }
---
apiVersion: v1
kind: Secret
metadata: { name: of-node3, namespace: default }
stringData: { word: open-to-node3 }
---
apiVersion: v1
kind: Pod
metadata: { name: holder-node2, namespace: default }
spec:
  nodeName: node2
  containers:
    - { name: web, image: registry.test/web:1, imagePullPolicy: Never, args: [sleep] }
  volumes: [{ name: secret, secret: { secretName: of-node2 } }]
---
apiVersion: v1
kind: Pod
metadata: { name: holder-node3, namespace: default }
spec:
  nodeName: node3
  containers:
    - { name: web, image: registry.test/web:1, imagePullPolicy: Never, args: [sleep] }
  volumes: [{ name: secret, secret: { secretName: of-node3 } }]
";

/// Who signs what kubelets log in with.
const KUBELETS: &str = "kube-apiserver-client-kubelet";

/// What was stolen, and where it is used.
struct Thief<'a> {
    nodes: &'a Nodes<'a>,
    network: &'a Network,
    tree: PathBuf,
    scratch: tempfile::TempDir,
}

pub fn show(phases: &mut Phases, nodes: &Nodes<'_>, network: &Network) {
    let thief = Thief {
        nodes,
        network,
        tree: nodes.pki.node("node2"),
        scratch: tempfile::tempdir().expect("a temporary directory"),
    };
    phases.show("a stolen tree reads its own node's secrets only", || {
        thief.reads_own_secrets_only();
    });
    phases.show("a stolen tree writes its own node's status only", || {
        thief.writes_own_status_only();
    });
    phases.show("a stolen tree does not reach etcd", || {
        thief.does_not_reach_etcd()
    });
    phases.show("a stolen tree signs nothing", || thief.signs_nothing());
    phases.show(
        "a stolen tree gets certificates of its own name only",
        || {
            thief.gets_certificates_of_its_own_name_only();
        },
    );
}

impl Thief<'_> {
    /// kubectl on the attacker's host, as one of the tree's clients.
    fn kubectl(&self, kubeconfig: &str, arguments: &[&str]) -> Ended {
        let mut command = self.network.attacker().command(component::path("kubectl"));
        command
            .env("HOME", self.scratch.path())
            .arg("--kubeconfig")
            .arg(self.tree.join(kubeconfig))
            .args(["--request-timeout", "20s"])
            .args(arguments);
        run(&mut command)
    }

    #[track_caller]
    fn may(&self, arguments: &[&str]) -> String {
        let ended = self.kubectl("kubelet.conf", arguments);
        answer(&ended)
            .unwrap_or_else(|why| panic!("{why}"))
            .to_owned()
    }

    #[track_caller]
    fn may_not(&self, kubeconfig: &str, arguments: &[&str]) {
        let ended = self.kubectl(kubeconfig, arguments);
        // kubectl's own words for it differ: `Error from server (Forbidden)`, `error: failed to create token: ... is forbidden`.
        let is_forbidden =
            ended.stderr.contains("(Forbidden)") || ended.stderr.contains("forbidden:");
        assert!(
            ended.code == Some(1) && is_forbidden,
            "{kubeconfig}: {ended}"
        );
    }

    fn reads_own_secrets_only(&self) {
        let ended = self.nodes.first().apply(MANIFEST);
        assert!(ended.code == Some(0), "{ended}");
        for node in ["node2", "node3"] {
            self.nodes
                .first()
                .wait_until("the pod with the secret runs", || {
                    let pod = format!("pod/holder-{node}");
                    let wait = ["wait", "--for=condition=Ready", &pod, "--timeout=5s"];
                    answer(&run(&mut self.nodes.first().kubectl(&wait))).map(drop)
                });
        }
        let who = self.may(&[
            "auth",
            "whoami",
            "--output",
            "jsonpath={.status.userInfo.username}",
        ]);
        assert_eq!(who, "system:node:node2");
        // The question is a right one: b3Blbi10by1ub2RlMg== is base64 for what is in it.
        let word = [
            "get",
            "secret",
            "of-node2",
            "--output",
            "jsonpath={.data.word}",
        ];
        assert_eq!(self.may(&word), "b3Blbi10by1ub2RlMg==");
        for kubeconfig in ["kubelet.conf", "kube-proxy.conf"] {
            for arguments in [
                &["get", "secret", "of-node3"][..],
                &["get", "secrets"],
                &["get", "secrets", "--all-namespaces"],
                &["get", "secret", "coredns-tls", "--namespace", "kube-system"],
                &["delete", "secret", "of-node2"],
                &["get", "configmaps", "--all-namespaces"],
            ] {
                self.may_not(kubeconfig, arguments);
            }
        }
        self.may_not("kube-proxy.conf", &["get", "secret", "of-node2"]);
    }

    fn writes_own_status_only(&self) {
        let kubelet = client_files(&self.tree.join("kubelet.conf"), self.scratch.path());
        let proxy = client_files(&self.tree.join("kube-proxy.conf"), self.scratch.path());
        let who = |(certificate, key): &(PathBuf, PathBuf)| {
            let text = |path: &Path| path.to_str().expect("plain").to_owned();
            vec![
                "--cert".to_owned(),
                text(certificate),
                "--key".to_owned(),
                text(key),
            ]
        };
        let (kubelet, proxy) = (who(&kubelet), who(&proxy));
        // kubectl reads first what it patches, and is refused that already: this asks for the change alone.
        let status = r#"{"status":{"conditions":[{"type":"Stolen","status":"True"}]}}"#;
        let labels = r#"{"metadata":{"labels":{"stolen":"yes"}}}"#;
        let role = r#"{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}"#;
        let cordon = r#"{"spec":{"unschedulable":true}}"#;
        self.is_written("node2/status", status, &kubelet);
        self.is_written("node2", labels, &kubelet);
        for (node, patch) in [
            ("node3/status", status),
            ("node1/status", status),
            ("node3", labels),
            ("node1", cordon),
            ("node2", role),
        ] {
            self.is_not_written(node, patch, &kubelet, "");
        }
        self.is_not_written("node2/status", status, &proxy, "");
        for arguments in [
            &[
                "label",
                "node",
                "node2",
                "node-role.kubernetes.io/control-plane=",
            ][..],
            &["delete", "node", "node3"],
            &["delete", "pod", "holder-node3"],
            &["create", "token", "default"],
            &["create", "token", "flannel", "--namespace", "kube-system"],
        ] {
            self.may_not("kubelet.conf", arguments);
        }
        self.flannels_token_is_for_this_node();
    }

    /// A kubelet may ask for a token of each pod that it runs. flannel's account writes the status of nodes: of all, were it
    /// not held to its pod's own.
    fn flannels_token_is_for_this_node(&self) {
        let find = [
            "get",
            "pods",
            "--namespace",
            "kube-system",
            "--selector",
            "k8s-app=flannel",
        ];
        let on = ["--field-selector", "spec.nodeName=node2"];
        let pods = self.nodes.first().objects(&[&find[..], &on].concat());
        let metadata = &pods["items"][0]["metadata"];
        let text = |name: &str| {
            metadata[name]
                .as_str()
                .expect("a pod of flannel")
                .to_owned()
        };
        let (pod, uid) = (text("name"), text("uid"));
        let token = self.may(&[
            "create",
            "token",
            "flannel",
            "--namespace=kube-system",
            "--bound-object-kind=Pod",
            &format!("--bound-object-name={pod}"),
            &format!("--bound-object-uid={uid}"),
        ]);
        let who = [
            "--header".to_owned(),
            format!("Authorization: Bearer {token}"),
        ];
        let annotations = r#"{"metadata":{"annotations":{"stolen":"yes"}}}"#;
        self.is_written("node2/status", annotations, &who);
        let words = "may write its own node only";
        self.is_not_written("node3/status", annotations, &who, words);
    }

    #[track_caller]
    fn is_written(&self, node: &str, patch: &str, who: &[String]) {
        let ended = self.patch(node, patch, who);
        assert!(
            ended.stdout.ends_with("status 200"),
            "the question is a right one: {ended}"
        );
    }

    #[track_caller]
    fn is_not_written(&self, node: &str, patch: &str, who: &[String], words: &str) {
        let ended = self.patch(node, patch, who);
        let is_refused = ended.stdout.ends_with("status 403") && ended.stdout.contains(words);
        assert!(is_refused, "{node}: {ended}");
    }

    /// Asks the API to change a Node, or its status, as somebody that curl's options say.
    fn patch(&self, node: &str, patch: &str, who: &[String]) -> Ended {
        let mut command = self.network.attacker().command("curl");
        command
            .args([
                "--silent",
                "--show-error",
                "--insecure",
                "--noproxy",
                "*",
                "--max-time",
                "10",
            ])
            .args([
                "--write-out",
                "\nstatus %{http_code}",
                "--request",
                "PATCH",
                "--data",
                patch,
            ])
            .args([
                "--header",
                "Content-Type: application/strategic-merge-patch+json",
            ])
            .args(who)
            .arg(format!("https://192.0.2.11:6443/api/v1/nodes/{node}"));
        run(&mut command)
    }

    /// Every pair of the tree.
    fn pairs(&self) -> Vec<(PathBuf, PathBuf)> {
        let mut pairs: Vec<_> = ["kubelet.conf", "kube-proxy.conf"]
            .map(|name| client_files(&self.tree.join(name), self.scratch.path()))
            .into();
        let pki = self.tree.join("pki");
        for entry in fs::read_dir(&pki).expect("a directory").flatten() {
            let key = entry.path();
            if key.extension().is_some_and(|ending| ending == "key") {
                pairs.push((key.with_extension("crt"), key));
            }
        }
        assert_eq!(pairs.len(), 3, "{pairs:?}");
        pairs
    }

    fn curl(&self, url: &str, pair: Option<&(PathBuf, PathBuf)>) -> Ended {
        let mut command = self.network.attacker().command("curl");
        command.args([
            "--silent",
            "--show-error",
            "--http1.1",
            "--insecure",
            "--noproxy",
            "*",
        ]);
        command.args(["--max-time", "10", "--write-out", "\nstatus %{http_code}"]);
        if let Some((certificate, key)) = pair {
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        run(command.arg(url))
    }

    fn does_not_reach_etcd(&self) {
        let url = "https://192.0.2.11:2379/health";
        let tree = self.nodes.pki.node("node1").join("pki");
        let right = (
            tree.join("apiserver-etcd-client.crt"),
            tree.join("apiserver-etcd-client.key"),
        );
        let ended = self.curl(url, Some(&right));
        assert!(
            ended.stdout.contains("\"health\":\"true\""),
            "the question is a right one: {ended}"
        );
        for url in [url, "https://192.0.2.11:2380/members"] {
            for pair in self.pairs().iter().map(Some).chain([None]) {
                let ended = self.curl(url, pair);
                // curl's: TLS handshake, empty reply, sending, receiving.
                assert!(
                    matches!(ended.code, Some(35 | 52 | 55 | 56)),
                    "{pair:?}: {ended}"
                );
            }
        }
    }

    /// None of its keys is an authority's, and what they sign all the same is nobody.
    fn signs_nothing(&self) {
        let url = "https://192.0.2.11:6443/api";
        let own = client_files(&self.tree.join("kubelet.conf"), self.scratch.path());
        let ended = self.curl(url, Some(&own));
        assert!(
            ended.stdout.ends_with("status 200"),
            "the question is a right one: {ended}"
        );
        for (certificate, key) in self.pairs() {
            let said = succeed(
                Command::new("openssl")
                    .args(["x509", "-noout", "-ext", "basicConstraints,keyUsage", "-in"])
                    .arg(&certificate),
            );
            assert!(
                !said.contains("CA:TRUE") && !said.contains("Certificate Sign"),
                "{}: {said}",
                certificate.display()
            );
            let forged = self.forge(&certificate, &key);
            let ended = self.curl(url, Some(&forged));
            let refused = matches!(ended.code, Some(35 | 52 | 55 | 56))
                || ended.stdout.ends_with("status 401");
            assert!(refused, "{}: {ended}", certificate.display());
        }
    }

    /// An administrator's certificate, signed with a key of the tree, with the tree's own certificate behind it.
    fn forge(&self, certificate: &Path, key: &Path) -> (PathBuf, PathBuf) {
        let at = |name: &str| self.scratch.path().join(name);
        let (request, forged, own_key) = (at("forged.csr"), at("forged.crt"), at("forged.key"));
        succeed(
            Command::new("openssl")
                .args(["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj"])
                .args(["/O=system:masters/CN=kubernetes-admin", "-out"])
                .arg(&request)
                .arg("-keyout")
                .arg(&own_key),
        );
        succeed(
            Command::new("openssl")
                .args(["x509", "-req", "-days", "1", "-set_serial", "7", "-in"])
                .arg(&request)
                .arg("-CA")
                .arg(certificate)
                .arg("-CAkey")
                .arg(key)
                .arg("-out")
                .arg(&forged),
        );
        let mut chain = fs::read_to_string(&forged).expect("just written");
        chain += &fs::read_to_string(certificate).expect("it is there");
        fs::write(&forged, chain).expect("written");
        (forged, own_key)
    }

    /// The controller manager signs what a kubelet asks for itself, and nothing in another's name.
    fn gets_certificates_of_its_own_name_only(&self) {
        self.ask_for("own", "/O=system:nodes/CN=system:node:node2", KUBELETS);
        self.ask_for("other", "/O=system:nodes/CN=system:node:node3", KUBELETS);
        self.ask_for("person", "/CN=alice", "kube-apiserver-client");
        self.ask_for("master", "/O=system:masters/CN=system:node:node2", KUBELETS);
        let certificate = |name: &str| {
            let get = ["get", "csr", name, "--ignore-not-found", "--output"];
            succeed(
                self.nodes
                    .first()
                    .kubectl(&get)
                    .arg("jsonpath={.status.certificate}"),
            )
        };
        self.nodes
            .first()
            .wait_until("what a kubelet asks for itself is signed", || {
                let issued = !certificate("own").is_empty();
                issued.then_some(()).ok_or_else(|| "not yet".into())
            });
        // These were asked for right after it, and the same controllers have seen them.
        self.ask_for(
            "own-again",
            "/O=system:nodes/CN=system:node:node2",
            KUBELETS,
        );
        self.nodes
            .first()
            .wait_until("a later one is signed too", || {
                let issued = !certificate("own-again").is_empty();
                issued.then_some(()).ok_or_else(|| "not yet".into())
            });
        for name in ["other", "master", "person"] {
            assert_eq!(certificate(name), "", "{name}");
        }
        // Nor can it say yes where nobody did.
        self.may_not("kubelet.conf", &["certificate", "approve", "person"]);
    }

    fn ask_for(&self, name: &str, subject: &str, signer: &str) {
        let at = |ending: &str| self.scratch.path().join(format!("{name}.{ending}"));
        succeed(
            Command::new("openssl")
                .args([
                    "req",
                    "-new",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                ])
                .args(["-nodes", "-subj", subject, "-out"])
                .arg(at("csr"))
                .arg("-keyout")
                .arg(at("key")),
        );
        let encoded = succeed(Command::new("base64").arg("--wrap=0").arg(at("csr")));
        let object = format!(
            "apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{ name: {name} }}
spec:
  request: {encoded}
  signerName: kubernetes.io/{signer}
  usages: [digital signature, client auth]
"
        );
        fs::write(at("yaml"), object).expect("written");
        let file = at("yaml");
        let file = file.to_str().expect("plain");
        let ended = self.kubectl("kubelet.conf", &["create", "--filename", file]);
        // The API may refuse another's name at once: then it is not there to be signed.
        if ended.code != Some(0) {
            assert!(name == "other" || name == "master", "{ended}");
            assert!(
                ended.stderr.contains("forbidden") || ended.stderr.contains("Forbidden"),
                "{ended}"
            );
        }
    }
}
