//! kube-proxy on every node.
//!
//! Its credentials are a ServiceAccount's token and not the node's `kube-proxy.conf`: the same manifest serves every
//! node, the token is bound to its pod and lasts an hour, and nothing has to be restarted when a certificate is
//! renewed. The server is the cluster's endpoint, since the service address works only once kube-proxy does.
//!
//! It is not privileged. nftables mode writes nothing below `/proc/sys` but conntrack's values, which [`super::host()`]
//! sets on the host instead; what stays is netlink, for which NET_ADMIN is enough. It is root in its container all the
//! same, since the kubelet gives added capabilities to root only.

use std::net::IpAddr;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, EnvVar, EnvVarSource, HTTPGetAction, HostPathVolumeSource,
    ObjectFieldSelector, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, ServiceAccount,
    Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pki_core::cluster::spec::IpFamily;
use serde::Serialize;
use zeroize::Zeroizing;

use super::object::{
    CA_KEY, CREDENTIALS, Manifest, amounts, config_map, credentials_volume, label_template, locked,
    on_linux, selector, tolerate_all,
};
use super::rbac::{bind, service_account};
use super::{identity, yaml};
use crate::desired::NodeSpec;

/// Its name in the folder.
pub(super) const FILE: &str = "kube-proxy.yaml";

const NAME: &str = "kube-proxy";
const CONFIG_DIRECTORY: &str = "/etc/kube-proxy";
/// Names of the protocols that Services have, which nft looks up here. Where it finds none it says numbers, and
/// kube-proxy, started again, takes each of its own rules for another one and empties its maps: every Service is dead
/// until the next start (seen with nft 1.0.6; knftables compares text).
const PROTOCOLS: &str = "\
icmp 1 ICMP
tcp 6 TCP
udp 17 UDP
ipv6-icmp 58 IPv6-ICMP
sctp 132 SCTP
";
const PROTOCOLS_KEY: &str = "protocols";
/// kube-proxy's own ports (pkg/cluster/ports/ports.go), on loopback only.
const METRICS_PORT: u16 = 10249;
const HEALTH_PORT: u16 = 10256;

/// All of the file.
pub(super) fn manifest(spec: &NodeSpec, image: &str) -> Zeroizing<String> {
    let mut manifest = Manifest::new(FILE);
    manifest.add(&ServiceAccount {
        metadata: manifest.metadata(NAME),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    });
    // As kubeadm calls it. The user system:kube-proxy of kube-proxy.conf is bound by the API server itself.
    manifest.add(&bind(
        manifest.cluster_metadata("kubeadm:node-proxier"),
        "system:node-proxier",
        vec![service_account(NAME)],
    ));
    let configuration = yaml::document(&configuration(spec));
    let kubeconfig = yaml::document(&kubeconfig(spec));
    let (config, digest) = config_map(
        manifest.metadata(NAME),
        [
            ("config.yaml", configuration.as_str()),
            ("kubeconfig.yaml", &kubeconfig),
            (PROTOCOLS_KEY, PROTOCOLS),
            (CA_KEY, &identity::trusted(spec)),
        ],
    );
    manifest.add(&config);
    manifest.add(&DaemonSet {
        metadata: manifest.metadata(NAME),
        spec: DaemonSetSpec {
            selector: selector(NAME),
            template: template(spec, image, &digest),
            revision_history_limit: Some(2),
            ..DaemonSetSpec::default()
        },
        ..DaemonSet::default()
    });
    manifest.finish()
}

fn template(spec: &NodeSpec, image: &str, digest: &str) -> PodTemplateSpec {
    let nftables = spec.proxies_by_nftables();
    let mount = |name: &str, path: &str, read_only| VolumeMount {
        name: name.into(),
        mount_path: path.into(),
        read_only: Some(read_only),
        ..VolumeMount::default()
    };
    let mut mounts = vec![
        mount("config", CONFIG_DIRECTORY, true),
        VolumeMount {
            sub_path: Some(PROTOCOLS_KEY.into()),
            ..mount("config", "/etc/protocols", true)
        },
        mount("credentials", CREDENTIALS, true),
    ];
    let mut volumes = vec![
        Volume {
            name: "config".into(),
            config_map: Some(ConfigMapVolumeSource {
                name: NAME.into(),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        credentials_volume("credentials", NAME),
    ];
    if !nftables {
        mounts.push(mount("xtables-lock", "/run/xtables.lock", false));
        volumes.push(Volume {
            name: "xtables-lock".into(),
            host_path: Some(HostPathVolumeSource {
                path: "/run/xtables.lock".into(),
                type_: Some("FileOrCreate".into()),
            }),
            ..Volume::default()
        });
    }
    let capabilities: &[&str] = if nftables {
        &["NET_ADMIN"]
    } else {
        // iptables opens a raw socket.
        &["NET_ADMIN", "NET_RAW"]
    };
    let container = Container {
        name: NAME.into(),
        image: Some(image.into()),
        image_pull_policy: Some("Never".into()),
        args: Some(vec![
            format!("--config={CONFIG_DIRECTORY}/config.yaml"),
            "--hostname-override=$(NODE_NAME)".into(),
        ]),
        env: Some(vec![node_name()]),
        liveness_probe: Some(probe(spec, "/livez", 10)),
        readiness_probe: Some(probe(spec, "/healthz", 2)),
        resources: Some(ResourceRequirements {
            requests: amounts([("cpu", "50m"), ("memory", "48Mi")]),
            ..ResourceRequirements::default()
        }),
        security_context: Some(locked(capabilities)),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    let mut template = PodTemplateSpec {
        spec: Some(PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![container],
            enable_service_links: Some(false),
            host_network: Some(true),
            node_selector: on_linux(),
            priority_class_name: Some("system-node-critical".into()),
            service_account_name: Some(NAME.into()),
            tolerations: tolerate_all(),
            volumes: Some(volumes),
            ..PodSpec::default()
        }),
        ..PodTemplateSpec::default()
    };
    label_template(&mut template, NAME, digest);
    template
}

/// The name of the node that the pod is on.
pub(super) fn node_name() -> EnvVar {
    field("NODE_NAME", "spec.nodeName")
}

/// A variable with a field of the pod.
pub(super) fn field(name: &str, path: &str) -> EnvVar {
    EnvVar {
        name: name.into(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: path.into(),
                ..ObjectFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

fn probe(spec: &NodeSpec, path: &str, period: i32) -> Probe {
    loopback_probe(spec, path, HEALTH_PORT, period)
}

/// Asks a server on the node's loopback, from the kubelet, which is there too.
pub(super) fn loopback_probe(spec: &NodeSpec, path: &str, port: u16, period: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            host: Some(loopback(spec).to_string()),
            path: Some(path.into()),
            port: IntOrString::Int(port.into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(6),
        ..Probe::default()
    }
}

/// The loopback address of the cluster's first family.
pub(super) fn loopback(spec: &NodeSpec) -> IpAddr {
    match spec.cluster.family() {
        IpFamily::V4 => std::net::Ipv4Addr::LOCALHOST.into(),
        IpFamily::V6 => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

/// `KubeProxyConfiguration` (k8s.io/kube-proxy/config/v1alpha1), as far as it is ours to say.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    api_version: &'static str,
    kind: &'static str,
    bind_address: &'static str,
    bind_address_hard_fail: bool,
    client_connection: ClientConnection,
    #[serde(rename = "clusterCIDR")]
    cluster_cidr: String,
    conntrack: Conntrack,
    detect_local_mode: &'static str,
    enable_profiling: bool,
    healthz_bind_address: String,
    iptables: Iptables,
    metrics_bind_address: String,
    mode: &'static str,
    nftables: Nftables,
    node_port_addresses: Vec<&'static str>,
}

#[derive(Serialize)]
struct ClientConnection {
    kubeconfig: String,
}

/// Nought leaves a value as it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conntrack {
    max_per_core: u32,
    min: u32,
    tcp_close_wait_timeout: &'static str,
    tcp_established_timeout: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Iptables {
    localhost_node_ports: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Nftables {
    min_sync_period: &'static str,
}

fn configuration(spec: &NodeSpec) -> Configuration {
    let loopback = loopback(spec);
    let on_loopback = |port| std::net::SocketAddr::new(loopback, port).to_string();
    let pods = spec.pod_cidrs();
    let pods: Vec<_> = pods.iter().map(ToString::to_string).collect();
    let nftables = spec.proxies_by_nftables();
    Configuration {
        api_version: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        // Binds nothing; tells the first family until the Node object does.
        bind_address: match spec.cluster.family() {
            IpFamily::V4 => "0.0.0.0",
            IpFamily::V6 => "::",
        },
        bind_address_hard_fail: true,
        client_connection: ClientConnection {
            kubeconfig: format!("{CONFIG_DIRECTORY}/kubeconfig.yaml"),
        },
        cluster_cidr: pods.join(","),
        // /proc/sys is read-only to a container that is not privileged: see host.rs.
        conntrack: Conntrack {
            max_per_core: 0,
            min: 0,
            tcp_close_wait_timeout: "0s",
            tcp_established_timeout: "0s",
        },
        detect_local_mode: "ClusterCIDR",
        enable_profiling: false,
        // Nothing here answers from outside; load balancers that ask for health would have to be told otherwise.
        healthz_bind_address: on_loopback(HEALTH_PORT),
        // NodePorts on loopback would need net.ipv4.conf.all.route_localnet.
        iptables: Iptables {
            localhost_node_ports: false,
        },
        metrics_bind_address: on_loopback(METRICS_PORT),
        mode: if nftables { "nftables" } else { "iptables" },
        // A changed Service is one small transaction here: it need not wait the default second, which is
        // iptables' heritage.
        nftables: Nftables {
            min_sync_period: "200ms",
        },
        node_port_addresses: vec!["primary"],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [NamedCluster; 1],
    contexts: [NamedContext; 1],
    current_context: &'static str,
    users: [NamedUser; 1],
}

#[derive(Serialize)]
struct NamedCluster {
    name: &'static str,
    cluster: Cluster,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    certificate_authority: String,
    server: String,
}

#[derive(Serialize)]
struct NamedContext {
    name: &'static str,
    context: Context,
}

#[derive(Serialize)]
struct Context {
    cluster: &'static str,
    user: &'static str,
}

#[derive(Serialize)]
struct NamedUser {
    name: &'static str,
    user: User,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    token_file: String,
}

fn kubeconfig(spec: &NodeSpec) -> Kubeconfig {
    Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [NamedCluster {
            name: "cluster",
            cluster: Cluster {
                certificate_authority: format!("{CREDENTIALS}/{CA_KEY}"),
                server: spec.cluster.endpoint().url(),
            },
        }],
        contexts: [NamedContext {
            name: NAME,
            context: Context {
                cluster: "cluster",
                user: NAME,
            },
        }],
        current_context: NAME,
        users: [NamedUser {
            name: NAME,
            user: User {
                token_file: format!("{CREDENTIALS}/token"),
            },
        }],
    }
}
