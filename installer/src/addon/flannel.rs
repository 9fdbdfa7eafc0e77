//! flanneld on every node: the way to the pods of other nodes (where there are any, a VXLAN device for each family, or with
//! `host-gw` a route to each node), and what its CNI plugin needs to know in
//! [`layout::FLANNEL_SUBNET`](crate::desired::layout::FLANNEL_SUBNET). Plugin and CNI configuration are the host's.

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, EnvVar, HostPathVolumeSource, KeyToPath, PodSpec,
    PodTemplateSpec, ResourceRequirements, ServiceAccount, Volume, VolumeMount,
};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use pki_core::cluster::spec::{Endpoint, IpFamily};
use serde::Serialize;
use zeroize::Zeroizing;

use super::identity;
use super::kube_proxy::{field, loopback, loopback_probe, node_name};
use super::object::{
    CA_KEY, CREDENTIALS, Manifest, amounts, config_map, credentials_volume, label_template, locked,
    on_linux, selector, tolerate_all,
};
use super::rbac::{bind, service_account};
use super::{own_node, vxlan};
use crate::component::images::tool;
use crate::desired::{NodeSpec, layout};

/// Its name in the folder.
pub(super) const FILE: &str = "flannel.yaml";

const NAME: &str = "kube-flannel";
/// Upstream's name of account and role.
const ACCOUNT: &str = "flannel";
const CONFIG_DIRECTORY: &str = "/etc/kube-flannel";
/// Keys of its ConfigMap, and files of that directory.
const NET_CONF: &str = "net-conf.json";
const VXLAN_RULES: &str = "vxlan.nft";
/// On loopback only, beside the kubelet's (10248) and kube-proxy's (10249); upstream's 8081 is often taken.
pub(crate) const HEALTH_PORT: u16 = 10247;

/// All of the file.
pub(super) fn manifest(spec: &NodeSpec, image: &str) -> Zeroizing<String> {
    let mut manifest = Manifest::new(FILE);
    manifest.add(&ServiceAccount {
        metadata: manifest.metadata(ACCOUNT),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    });
    let rule = |resource: &str, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(ToString::to_string).collect(),
        ..PolicyRule::default()
    };
    manifest.add(&ClusterRole {
        metadata: manifest.cluster_metadata(ACCOUNT),
        rules: Some(vec![
            rule("nodes", &["get", "list", "watch"]),
            rule("nodes/status", &["patch"]),
        ]),
        ..ClusterRole::default()
    });
    manifest.add(&bind(
        manifest.cluster_metadata(ACCOUNT),
        ACCOUNT,
        vec![service_account(ACCOUNT)],
    ));
    own_node::keep_to(&mut manifest, ACCOUNT);
    let net_conf = serde_json::to_string_pretty(&net_conf(spec)).expect("plain texts and truths");
    let rules = vxlan::rules(&spec.cluster);
    let trusted = identity::trusted(spec);
    let mut data = vec![(NET_CONF, net_conf.as_str()), (CA_KEY, &trusted)];
    if vxlan::is_needed(&spec.cluster, spec.options.network) {
        data.push((VXLAN_RULES, &rules));
    }
    let (config, digest) = config_map(manifest.metadata(NAME), data);
    manifest.add(&config);
    manifest.add(&DaemonSet {
        metadata: manifest.metadata(NAME),
        spec: DaemonSetSpec {
            selector: selector(ACCOUNT),
            template: template(spec, image, &digest),
            revision_history_limit: Some(2),
            ..DaemonSetSpec::default()
        },
        ..DaemonSet::default()
    });
    manifest.finish()
}

/// flannel's configuration (pkg/subnet/config.go).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetConf {
    #[serde(rename = "EnableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "EnableNFTables")]
    enable_nftables: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(rename = "IPv6Network", skip_serializing_if = "Option::is_none")]
    ipv6_network: Option<String>,
    backend: Backend,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Backend {
    r#type: &'static str,
}

fn net_conf(spec: &NodeSpec) -> NetConf {
    let of = |family| {
        let mut pods = spec.pod_cidrs().into_iter();
        let found = pods.find(|cidr| IpFamily::from(*cidr) == family);
        found.map(|cidr| cidr.to_string())
    };
    let (network, ipv6_network) = (of(IpFamily::V4), of(IpFamily::V6));
    NetConf {
        enable_ipv4: network.is_some(),
        enable_ipv6: ipv6_network.is_some(),
        enable_nftables: spec.facts.has_nf_tables,
        network,
        ipv6_network,
        backend: Backend {
            r#type: if vxlan::is_needed(&spec.cluster, spec.options.network) {
                "vxlan"
            } else {
                // A route to each other node's pods: none where there is none.
                "host-gw"
            },
        },
    }
}

fn arguments(spec: &NodeSpec) -> Vec<String> {
    // The address that the kubelet reports is of the first family, and the interface that has it is the one. Where
    // that is IPv6, flanneld wants it said twice: of a dual-stack node it looks for an IPv4 address otherwise
    // (pkg/ipmatch/match.go).
    // Without any IPv4 address it takes that of --iface for one, and host-gw ends where --public-ip is not the same
    // (pkg/backend/hostgw/hostgw.go, New).
    let is_dual_stack = spec.pod_cidrs().len() > 1;
    let public: &[&str] = match spec.cluster.family() {
        IpFamily::V4 => &["public-ip"],
        IpFamily::V6 if is_dual_stack => &["public-ipv6"],
        IpFamily::V6 => &["public-ip", "public-ipv6"],
    };
    let loopback = loopback(spec);
    let mut arguments = vec![
        "--kube-subnet-mgr".into(),
        "--ip-masq".into(),
        "--iface=$(HOST_IP)".into(),
    ];
    arguments.extend(public.iter().map(|flag| format!("--{flag}=$(HOST_IP)")));
    arguments.extend([
        format!("--net-config-path={CONFIG_DIRECTORY}/{NET_CONF}"),
        format!("--subnet-file={}", layout::FLANNEL_SUBNET),
        format!("--healthz-ip={loopback}"),
        format!("--healthz-port={HEALTH_PORT}"),
    ]);
    arguments
}

/// Where client-go finds the API server without kube-proxy's help.
pub(super) fn api_server(endpoint: &Endpoint) -> Vec<EnvVar> {
    let variable = |name: &str, value: String| EnvVar {
        name: name.into(),
        value: Some(value),
        ..EnvVar::default()
    };
    // A bare address, without brackets: client-go puts them there itself.
    let host = match endpoint.host() {
        pki_core::cluster::spec::Host::Ip(address) => address.to_string(),
        pki_core::cluster::spec::Host::Dns(name) => name.to_string(),
    };
    vec![
        variable("KUBERNETES_SERVICE_HOST", host),
        variable("KUBERNETES_SERVICE_PORT", endpoint.port().to_string()),
    ]
}

fn template(spec: &NodeSpec, image: &str, digest: &str) -> PodTemplateSpec {
    let run = std::path::Path::new(layout::FLANNEL_SUBNET).parent();
    let run = run.expect("a file in a directory").display().to_string();
    let mount = |name: &str, path: &str, read_only| VolumeMount {
        name: name.into(),
        mount_path: path.into(),
        read_only: Some(read_only),
        ..VolumeMount::default()
    };
    let mut env = vec![node_name(), field("HOST_IP", "status.hostIP")];
    env.extend(api_server(spec.cluster.endpoint()));
    let capabilities: &[&str] = if spec.facts.has_nf_tables {
        &["NET_ADMIN"]
    } else {
        // iptables opens a raw socket.
        &["NET_ADMIN", "NET_RAW"]
    };
    let container = Container {
        name: NAME.into(),
        image: Some(image.into()),
        image_pull_policy: Some("Never".into()),
        args: Some(arguments(spec)),
        env: Some(env),
        liveness_probe: Some(loopback_probe(spec, "/healthz", HEALTH_PORT, 10)),
        readiness_probe: Some(loopback_probe(spec, "/readyz", HEALTH_PORT, 2)),
        resources: Some(ResourceRequirements {
            requests: amounts([("cpu", "50m"), ("memory", "48Mi")]),
            ..ResourceRequirements::default()
        }),
        security_context: Some(locked(capabilities)),
        volume_mounts: Some(vec![
            mount("config", CONFIG_DIRECTORY, true),
            mount("credentials", CREDENTIALS, true),
            mount("run", &run, false),
        ]),
        ..Container::default()
    };
    let closes_vxlan = vxlan::is_needed(&spec.cluster, spec.options.network).then(|| Container {
        name: "close-vxlan".into(),
        image: Some(image.into()),
        image_pull_policy: Some("Never".into()),
        command: Some(vec![tool("nft")]),
        args: Some(vec![
            "--file".into(),
            format!("{CONFIG_DIRECTORY}/{VXLAN_RULES}"),
        ]),
        security_context: Some(locked(&["NET_ADMIN"])),
        volume_mounts: Some(vec![mount("config", CONFIG_DIRECTORY, true)]),
        ..Container::default()
    });
    let key = |name: &str| KeyToPath {
        key: name.into(),
        path: name.into(),
        ..KeyToPath::default()
    };
    let mut keys = vec![key(NET_CONF)];
    keys.extend(closes_vxlan.is_some().then(|| key(VXLAN_RULES)));
    let volumes = vec![
        Volume {
            name: "config".into(),
            config_map: Some(ConfigMapVolumeSource {
                name: NAME.into(),
                items: Some(keys),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        credentials_volume("credentials", NAME),
        Volume {
            name: "run".into(),
            host_path: Some(HostPathVolumeSource {
                path: run.clone(),
                type_: Some("DirectoryOrCreate".into()),
            }),
            ..Volume::default()
        },
    ];
    let mut template = PodTemplateSpec {
        spec: Some(PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![container],
            enable_service_links: Some(false),
            host_network: Some(true),
            init_containers: closes_vxlan.map(|container| vec![container]),
            node_selector: on_linux(),
            priority_class_name: Some("system-node-critical".into()),
            service_account_name: Some(ACCOUNT.into()),
            tolerations: tolerate_all(),
            volumes: Some(volumes),
            ..PodSpec::default()
        }),
        ..PodTemplateSpec::default()
    };
    label_template(&mut template, ACCOUNT, digest);
    template
}
