//! A real etcd and a real kube-apiserver on a node's tree, in a network namespace of their own.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pki_core::cluster::spec::Role;

use crate::cluster::Cluster;
use crate::command::{Ended, run, succeed};
use crate::component;
use crate::namespace::Namespace;
use crate::process::Process;

/// How long etcd and the API server have to start: 4 seconds on an idle machine with two cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// Both running, mutual TLS everywhere, nobody anonymous.
#[derive(Debug)]
pub struct ControlPlane<'a> {
    // Dropped in this order: the API server hangs for a while when etcd is gone before it.
    apiserver: Process,
    etcd: Process,
    namespace: Namespace,
    cluster: &'a Cluster,
    node: String,
    /// The node's preferred address.
    pub address: IpAddr,
}

impl<'a> ControlPlane<'a> {
    /// Starts both and waits until they serve.
    pub fn start(cluster: &'a Cluster) -> Self {
        let node = cluster.spec.nodes_with(Role::ControlPlane).next();
        let node = node.expect("there is a control plane");
        let address = node.address(cluster.spec.family()).expect("of this family");
        let mut machine = node.addresses().to_vec();
        // As kube-proxy's IPVS mode does it: the service address is one of the machine's own.
        machine.extend(cluster.spec.service_addresses());
        let namespace = Namespace::new(&machine);
        let tree = cluster.node(node.name().as_str());
        let logs = cluster.scratch("logs");

        let mut command = etcd(&namespace, node.name().as_str(), address, &tree, cluster);
        let mut etcd = Process::start("etcd", &mut command, &logs.join("etcd"));
        etcd.wait_until(PATIENCE, || {
            let mut command = curl(&namespace, &tree, "http://127.0.0.1:2381/health");
            run(&mut command).stdout.contains("\"health\":\"true\"")
        });

        let mut command = apiserver(&namespace, address, &tree, cluster);
        let log = logs.join("kube-apiserver");
        let apiserver = Process::start("kube-apiserver", &mut command, &log);
        let mut control_plane = Self {
            apiserver,
            etcd,
            namespace,
            cluster,
            node: node.name().to_string(),
            address,
        };
        control_plane.wait_until_ready();
        control_plane
    }

    fn wait_until_ready(&mut self) {
        let mut command = self.kubectl("super-admin.conf", &["get", "--raw", "/readyz"]);
        self.apiserver
            .wait_until(PATIENCE, || run(&mut command).stdout == "ok");
    }

    /// The machine that it is on.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The node's `/etc/kubernetes`.
    pub fn tree(&self) -> PathBuf {
        self.cluster.node(&self.node)
    }

    /// kubectl on the node with one of its kubeconfigs, or with any other by its whole path.
    pub fn kubectl(&self, kubeconfig: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = self.bare_kubectl(arguments);
        command
            .arg("--kubeconfig")
            .arg(self.tree().join(kubeconfig));
        command
    }

    /// kubectl that knows nothing but its arguments.
    pub fn bare_kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = self.namespace.command(&component::path("kubectl"));
        command
            .args(arguments)
            .env("HOME", self.cluster.scratch("home"))
            .env("KUBECONFIG", "/dev/null");
        command
    }

    /// curl on the node.
    pub fn curl(&self, url: &str) -> Command {
        curl(&self.namespace, &self.tree(), url)
    }

    /// etcdctl on the node with a client's certificate and key.
    pub fn etcdctl(&self, certificate: &Path, key: &Path, arguments: &[&str]) -> Command {
        let mut command = self.namespace.command(&component::path("etcdctl"));
        command
            .args(["--endpoints", "https://127.0.0.1:2379"])
            .args(["--dial-timeout", "5s", "--command-timeout", "5s"])
            .arg("--cacert")
            .arg(self.tree().join("pki/etcd/ca.crt"))
            .arg("--cert")
            .arg(certificate)
            .arg("--key")
            .arg(key)
            .args(arguments);
        command
    }

    /// The API server's process id.
    pub fn apiserver_id(&self) -> u32 {
        self.apiserver.id()
    }

    /// All that etcd wrote.
    pub fn etcd_log(&self) -> String {
        self.etcd.log()
    }

    /// What the API server wrote last, for a failure's message.
    pub fn last_words(&self, ended: &Ended) -> String {
        format!(
            "{ended}\nkube-apiserver: {}\netcd: {}",
            self.apiserver.log_end(),
            self.etcd.log_end()
        )
    }
}

fn curl(namespace: &Namespace, tree: &Path, url: &str) -> Command {
    let mut command = namespace.command(Path::new("curl"));
    command
        .args(["--silent", "--show-error", "--noproxy", "*"])
        .args(["--max-time", "10"])
        .arg("--cacert")
        .arg(tree.join("pki/ca.crt"))
        .arg(url);
    command
}

fn etcd(
    namespace: &Namespace,
    name: &str,
    address: IpAddr,
    tree: &Path,
    cluster: &Cluster,
) -> Command {
    let pki = tree.join("pki/etcd");
    let data = cluster.scratch("etcd").join("data");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&data)
        .expect("a new directory");
    let (client, peer) = (url(address, 2379), url(address, 2380));
    // In a profile where clients have a CA of their own, etcd trusts that one and its own members.
    let trusted = [pki.join("trusted-ca.crt"), pki.join("ca.crt")];
    let trusted = trusted.iter().find(|file| file.exists());
    let mut command = namespace.bound_command(&component::path("etcd"));
    command
        .args(["--name", name, "--data-dir"])
        .arg(data)
        .args([
            "--listen-client-urls",
            &format!("https://127.0.0.1:2379,{client}"),
        ])
        .args(["--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer])
        .args(["--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("{name}={peer}")])
        .args([
            "--listen-metrics-urls",
            "http://127.0.0.1:2381,http://[::1]:2381",
        ])
        .args(["--client-cert-auth", "--peer-client-cert-auth"])
        .args(["--tls-min-version", "TLS1.2", "--unsafe-no-fsync"]);
    files(
        &mut command,
        &pki,
        &[
            ("--cert-file", "server.crt"),
            ("--key-file", "server.key"),
            ("--peer-cert-file", "peer.crt"),
            ("--peer-key-file", "peer.key"),
            ("--peer-trusted-ca-file", "ca.crt"),
        ],
    );
    command
        .arg("--trusted-ca-file")
        .arg(trusted.expect("etcd has a CA"));
    command
}

fn apiserver(namespace: &Namespace, address: IpAddr, tree: &Path, cluster: &Cluster) -> Command {
    let pki = tree.join("pki");
    let cidrs = cluster.spec.service_cidrs().iter();
    let cidrs: Vec<_> = cidrs.map(ToString::to_string).collect();
    let domain = cluster.spec.domain();
    let clients = [pki.join("client-ca.crt"), pki.join("ca.crt")];
    let clients = clients.iter().find(|file| file.exists());
    let mut command = namespace.bound_command(&component::path("kube-apiserver"));
    command
        .args(["--advertise-address", &address.to_string()])
        .args(["--secure-port", "6443"])
        .args(["--service-cluster-ip-range", &cidrs.join(",")])
        .args(["--authorization-mode", "Node,RBAC"])
        .args(["--enable-admission-plugins", "NodeRestriction"])
        .args(["--anonymous-auth=false", "--profiling=false"])
        .args(["--tls-min-version", "VersionTLS12"])
        .args(["--etcd-servers", "https://127.0.0.1:2379"])
        .args(["--requestheader-allowed-names", "front-proxy-client"])
        .args(["--requestheader-username-headers", "X-Remote-User"])
        .args(["--requestheader-group-headers", "X-Remote-Group"])
        .args(["--requestheader-extra-headers-prefix", "X-Remote-Extra-"])
        .args([
            "--service-account-issuer",
            &format!("https://kubernetes.default.svc.{domain}"),
        ])
        .arg("--client-ca-file")
        .arg(clients.expect("it has a CA of clients"));
    files(
        &mut command,
        &pki,
        &[
            ("--tls-cert-file", "apiserver.crt"),
            ("--tls-private-key-file", "apiserver.key"),
            ("--etcd-cafile", "etcd/ca.crt"),
            ("--etcd-certfile", "apiserver-etcd-client.crt"),
            ("--etcd-keyfile", "apiserver-etcd-client.key"),
            (
                "--kubelet-client-certificate",
                "apiserver-kubelet-client.crt",
            ),
            ("--kubelet-client-key", "apiserver-kubelet-client.key"),
            ("--kubelet-certificate-authority", "ca.crt"),
            ("--proxy-client-cert-file", "front-proxy-client.crt"),
            ("--proxy-client-key-file", "front-proxy-client.key"),
            ("--requestheader-client-ca-file", "front-proxy-ca.crt"),
            ("--service-account-key-file", "sa.pub"),
            ("--service-account-signing-key-file", "sa.key"),
            ("--encryption-provider-config", "encryption-config.yaml"),
        ],
    );
    command
}

fn files(command: &mut Command, directory: &Path, options: &[(&str, &str)]) {
    for (option, file) in options {
        let file = directory.join(file);
        assert!(file.exists(), "{option}: there is no {}", file.display());
        command.arg(option).arg(file);
    }
}

fn url(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("https://{address}:{port}"),
        IpAddr::V6(address) => format!("https://[{address}]:{port}"),
    }
}

/// Cuts the client's certificate and key out of a kubeconfig, for programs that read no kubeconfig.
pub fn client_files(kubeconfig: &Path, scratch: &Path) -> (PathBuf, PathBuf) {
    let field = |name: &str| {
        succeed(
            component::command("kubectl")
                .args(["config", "view", "--raw", "--kubeconfig"])
                .arg(kubeconfig)
                .args(["-o", &format!("jsonpath={{.users[0].user.{name}}}")])
                .env("HOME", scratch),
        )
    };
    let stem = kubeconfig.file_stem().expect("a name").to_string_lossy();
    let write = |field: String, ending: &str| {
        let file = scratch.join(format!("{stem}.{ending}"));
        let encoded = scratch.join(format!("{stem}.{ending}.base64"));
        fs::write(&encoded, field).expect("written");
        let text = succeed(Command::new("base64").arg("--decode").arg(&encoded));
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
        file
    };
    let certificate = write(field("client-certificate-data"), "crt");
    (certificate, write(field("client-key-data"), "key"))
}
