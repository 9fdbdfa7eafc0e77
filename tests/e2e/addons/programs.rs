//! The real programs with what their addons give them: arguments, environment, files, capabilities.
//!
//! No kubelet here: a program gets a mount namespace of its own, with its volumes at their places and `/proc/sys`
//! read-only as in a container that is not privileged, and just the capabilities of its container.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use installer::health::{Gate, Places, Probes};
use serde_json::{Value, json};
use tests::command::succeed;
use tests::component;
use tests::process::Process;

use super::node::{Node, PATIENCE};

const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// kube-proxy makes Services, flanneld a network and CoreDNS names; the gates see each of them open.
pub fn serve_services_and_names(node: &Node<'_>) {
    make_node(node);
    // Each question in a runtime of its own, and so with probes of its own.
    let ask = |gate| {
        let probes = Probes::at(&node.spec, places(node));
        node.inside(|| async move { probes.ask(gate).await })
    };
    assert_eq!(ask(Gate::Etcd), Ok(()));
    assert_eq!(ask(Gate::ApiServer), Ok(()));
    let closed = [
        Gate::Containerd,
        Gate::Services,
        Gate::ClusterDns,
        Gate::PodNetwork,
        Gate::Node,
        Gate::Scheduler,
    ];
    for gate in closed {
        assert!(ask(gate).is_err(), "{gate:?}");
    }

    let proxy = Pod::of(node, "daemonset", "kube-proxy");
    let mut proxy = proxy.start(node, "kube-proxy");
    proxy.wait_until(PATIENCE, || ask(Gate::Services).is_ok());

    let coredns = Pod::of(node, "deployment", "coredns");
    let mut coredns = coredns.start(node, "coredns");
    endpoint(node);
    coredns.wait_until(PATIENCE, || ask(Gate::ClusterDns).is_ok());
    tls(node);

    let flannel = Pod::of(node, "daemonset", "kube-flannel");
    let mut flannel = flannel.start(node, "flanneld");
    let written = |name: &str| fs::read_to_string(volumes(node, "flanneld").join(name));
    flannel.wait_until(PATIENCE, || ask(Gate::PodNetwork).is_ok());
    let subnet = written("run/subnet.env").expect("just seen");
    for (cidr, variable) in node.spec.pod_cidrs().iter().map(|cidr| match cidr.addr() {
        IpAddr::V4(_) => (cidr, "FLANNEL_NETWORK"),
        IpAddr::V6(_) => (cidr, "FLANNEL_IPV6_NETWORK"),
    }) {
        assert!(subnet.contains(&format!("{variable}={cidr}\n")), "{subnet}");
    }
    let probes = Probes::at(&node.spec, places(node));
    let health = node.inside(|| async { installer::health::of(&node.spec, probes).await });
    for up in ["etcd", "kube-apiserver", "kube-proxy", "coredns", "flannel"] {
        assert_eq!(health[up], installer::health::Health::Up, "{up}");
    }
    assert_ne!(health["kubelet"], installer::health::Health::Up);
    for (program, log) in [("kube-proxy", proxy.log()), ("flanneld", flannel.log())] {
        let denied =
            |line: &&str| line.contains("ermission denied") || line.contains("not permitted");
        assert_eq!(log.lines().find(denied), None, "{program}");
    }
    nobody_else_is_told_anything(node);
}

fn places(node: &Node<'_>) -> Places {
    let mut places = Places::of(&node.spec);
    places.tree = node.control_plane.tree();
    places.containerd = node.cluster.scratch("run").join("containerd.sock");
    places.addons = node.folder.clone();
    places.addons_state = node.cluster.scratch("run").join("addons.json");
    places.logs.pods = node.cluster.scratch("pods");
    places.logs.service_logs = Some(node.cluster.scratch("service-logs"));
    places
}

/// The Node object, as kubelet and controller manager make it.
fn make_node(node: &Node<'_>) {
    let name = node.spec.node.name().as_str();
    let shares: Vec<_> = node
        .spec
        .pod_cidrs()
        .iter()
        .map(|cidr| match cidr.addr() {
            IpAddr::V4(address) => format!("{address}/24"),
            IpAddr::V6(address) => format!("{address}/64"),
        })
        .collect();
    let object = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {
            "name": name,
            // The kubelet's; flanneld panics where there is none at all (pkg/subnet/kube/kube.go, AcquireLease).
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {"podCIDR": shares[0], "podCIDRs": shares},
    });
    apply(node, &object);
    let addresses: Vec<_> = node
        .spec
        .addresses()
        .iter()
        .map(|address| json!({"type": "InternalIP", "address": address.to_string()}))
        .collect();
    let status = json!({"status": {"addresses": addresses}}).to_string();
    node.kubectl(&[
        "patch",
        "node",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ]);
}

/// What the controllers would make of a CoreDNS pod that is ready: it is on the node's own address here.
fn endpoint(node: &Node<'_>) {
    for address in node.spec.addresses() {
        if !node
            .cluster
            .spec
            .cluster_dns()
            .iter()
            .any(|dns| dns.is_ipv4() == address.is_ipv4())
        {
            continue;
        }
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let port = |name: &str, port: u16, protocol: &str| json!({"name": name, "port": port, "protocol": protocol});
        apply(
            node,
            &json!({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
                "metadata": {
                    "name": format!("kube-dns-{}", family.to_lowercase()), "namespace": "kube-system",
                    "labels": {"kubernetes.io/service-name": "kube-dns"},
                },
                "endpoints": [{"addresses": [address.to_string()], "conditions": {"ready": true}}],
                "ports": [port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("dns-tls", 853, "TCP")],
            }),
        );
    }
}

fn apply(node: &Node<'_>, object: &Value) {
    let file = node.cluster.scratch("objects").join("object.json");
    fs::write(&file, object.to_string()).expect("written");
    node.kubectl(&[
        "apply",
        "--server-side",
        "-f",
        file.to_str().expect("plain"),
    ]);
}

/// DNS over TLS at the cluster's address, under the names of its certificate.
fn tls(node: &Node<'_>) {
    for server in node.cluster.spec.cluster_dns() {
        let server = match server {
            IpAddr::V4(address) => format!("{address}:853"),
            IpAddr::V6(address) => format!("[{address}]:853"),
        };
        let mut command = node.control_plane.namespace().command(Path::new("openssl"));
        command.args([
            "s_client",
            "-connect",
            &server,
            "-verify_return_error",
            "-CAfile",
        ]);
        command.arg(node.control_plane.tree().join("pki/ca.crt"));
        command.args(["-verify_hostname", "kube-dns.kube-system.svc"]);
        command.stdin(std::process::Stdio::null());
        let said = succeed(&mut command);
        assert!(said.contains("Verification: OK"), "{said}");
    }
}

/// kube-proxy and flanneld answer on loopback only.
fn nobody_else_is_told_anything(node: &Node<'_>) {
    let mut command = node.control_plane.namespace().command(Path::new("ss"));
    let listening = succeed(command.args(["-Hltnp"]));
    for line in listening
        .lines()
        .filter(|line| line.contains("kube-proxy") || line.contains("flanneld"))
    {
        let address = line.split_whitespace().nth(3).unwrap_or_default();
        assert!(
            address.starts_with("127.0.0.1:") || address.starts_with("[::1]:"),
            "{line}"
        );
    }
}

fn volumes(node: &Node<'_>, program: &str) -> PathBuf {
    node.cluster.scratch("volumes").join(program)
}

/// The template of a pod, as the API server has it.
struct Pod {
    template: Value,
}

impl Pod {
    fn of(node: &Node<'_>, kind: &str, name: &str) -> Self {
        let text = node.kubectl(&["--namespace=kube-system", "get", kind, name, "-o", "json"]);
        let object: Value = serde_json::from_str(&text).expect("JSON");
        let template = object["spec"]["template"]["spec"].clone();
        Self { template }
    }

    /// As the kubelet and runc would, as far as that matters to the program.
    fn start(&self, node: &Node<'_>, program: &str) -> Process {
        let container = &self.template["containers"][0];
        let volumes = volumes(node, program);
        let mut script = String::from("set -e\nmount --make-rprivate /\n");
        script += &overlay(&volumes, "etc");
        script += &overlay(&volumes, "run");
        for mount in list(&container["volumeMounts"]) {
            let name = text(&mount["name"]);
            let directory = volumes.join(name);
            fs::create_dir_all(&directory).expect("a directory");
            let volume = list(&self.template["volumes"]).find(|one| one["name"] == name);
            fill(node, &directory, volume.expect("declared"), &self.template);
            let place = text(&mount["mountPath"]).replace("/var/run/", "/run/");
            script += &match mount["subPath"].as_str() {
                Some(file) => {
                    let file = directory.join(file);
                    format!("touch {place}\nmount --bind {} {place}\n", file.display())
                }
                None => {
                    let directory = directory.display();
                    format!("mkdir -p {place}\nmount --bind {directory} {place}\n")
                }
            };
        }
        script += "mount -o bind,ro /proc/sys /proc/sys\n";
        let pod = &self.template["securityContext"];
        for sysctl in list(&pod["sysctls"]) {
            let key = text(&sysctl["name"]);
            let mut set = node.control_plane.namespace().command(Path::new("sysctl"));
            succeed(set.args(["-qw", &format!("{key}={}", text(&sysctl["value"]))]));
        }
        for variable in list(&container["env"]) {
            script += &format!(
                "export {}='{}'\n",
                text(&variable["name"]),
                value(node, variable)
            );
        }
        let allowed: Vec<_> = list(&container["securityContext"]["capabilities"]["add"])
            .map(|name| format!(",+{}", text(name).to_lowercase()))
            .collect();
        let allowed = format!("-all{}", allowed.concat());
        script += &format!(
            "exec setpriv --no-new-privs --bounding-set '{allowed}' --inh-caps '{allowed}'"
        );
        if let Some(user) = pod["runAsUser"].as_i64() {
            script += &format!(" --reuid {user} --regid {user} --clear-groups");
        }
        // Bound to this thread's life, as everything that a test starts.
        script += &format!(" --pdeathsig KILL {}", component::path(program).display());
        for argument in list(&container["args"]) {
            // The kubelet expands $(NAME); a shell would too.
            let argument = text(argument).replace("$(", "${").replace(')', "}");
            script += &format!(" \"{argument}\"");
        }
        let script = script.replace("exec setpriv", &path(&volumes, program));
        let file = volumes.with_extension("sh");
        fs::write(&file, &script).expect("written");
        let mut command = node
            .control_plane
            .namespace()
            .bound_command(Path::new("unshare"));
        command.args(["--mount", "sh"]).arg(&file);
        command.env_clear().env("PATH", PATH);
        let log = node.cluster.scratch("logs").join(program);
        Process::start(program, &mut command, &log)
    }
}

/// All that a program finds in its PATH: what has to be in its image.
fn path(volumes: &Path, program: &str) -> String {
    let tools: &[&str] = match program {
        "kube-proxy" => &["nft"],
        // It asks both for their version before it does all its work with nft, and ends where they are missing
        // (main.go, "Cleaning-up unused traffic manager rules").
        "flanneld" => &["nft", "iptables", "ip6tables"],
        _ => &[],
    };
    let directory = volumes.join("path");
    fs::create_dir_all(&directory).expect("a directory");
    for tool in tools {
        let found = succeed(Command::new("which").arg(tool).env("PATH", PATH));
        symlink(found.trim(), directory.join(tool)).expect("a new link");
    }
    let directory = directory.display();
    format!("export PATH={directory}\nexec /usr/bin/setpriv")
}

/// Places of volumes that the machine does not have are made in an overlay, so that all of its own stays in sight.
fn overlay(volumes: &Path, parent: &str) -> String {
    let room = volumes.join(format!("overlay-{parent}"));
    fs::create_dir_all(&room).expect("a directory");
    let room = room.display();
    format!(
        "mount -t tmpfs tmpfs {room}\nmkdir {room}/up {room}/work\n\
         mount -t overlay -o lowerdir=/{parent},upperdir={room}/up,workdir={room}/work overlay /{parent}\n"
    )
}

/// What the kubelet puts into a volume.
fn fill(node: &Node<'_>, directory: &Path, volume: &Value, template: &Value) {
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, bytes).expect("written");
        if let Some(user) = template["securityContext"]["runAsUser"].as_u64() {
            let user = u32::try_from(user).expect("a number of a user");
            std::os::unix::fs::chown(&path, Some(user), Some(user)).expect("root may");
        }
    };
    let config_map = |name: &str| -> Value {
        let text = node.kubectl(&[
            "--namespace=kube-system",
            "get",
            "configmap",
            name,
            "-o",
            "json",
        ]);
        serde_json::from_str::<Value>(&text).expect("JSON")["data"].clone()
    };
    if let Some(name) = volume["configMap"]["name"].as_str() {
        for (key, value) in config_map(name).as_object().expect("a map") {
            write(key, text(value).as_bytes());
        }
    }
    if let Some(name) = volume["secret"]["secretName"].as_str() {
        for key in ["tls.crt", "tls.key"] {
            let path = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
            let value = node.kubectl(&[
                "--namespace=kube-system",
                "get",
                "secret",
                name,
                "-o",
                &path,
            ]);
            write(key, value.as_bytes());
        }
    }
    for source in list(&volume["projected"]["sources"]) {
        if let Some(name) = source["configMap"]["name"].as_str() {
            write("ca.crt", text(&config_map(name)["ca.crt"]).as_bytes());
        }
        if !source["serviceAccountToken"].is_null() {
            let account = text(&template["serviceAccountName"]);
            // As a pod's, it says on which node it is used: flannel may write that one alone.
            let token = node.kubectl(&[
                "--namespace=kube-system",
                "create",
                "token",
                account,
                "--bound-object-kind=Node",
                &format!("--bound-object-name={}", node.spec.node.name()),
            ]);
            write("token", token.trim().as_bytes());
        }
    }
}

fn value(node: &Node<'_>, variable: &Value) -> String {
    match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
        Some("spec.nodeName") => node.spec.node.name().to_string(),
        Some("status.hostIP") => node.spec.address().to_string(),
        Some(other) => panic!("{other}"),
        None => text(&variable["value"]).to_owned(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
