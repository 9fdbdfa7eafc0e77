//! The cluster's DNS server, at the addresses that the spec chose, over UDP, TCP and TLS.

use std::net::IpAddr;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapVolumeSource, Container, ContainerPort, EnvVar, HTTPGetAction, KeyToPath,
    PodAffinityTerm, PodAntiAffinity, PodSecurityContext, PodSpec, PodTemplateSpec, Probe,
    ResourceRequirements, SeccompProfile, Secret, SecretVolumeSource, Service, ServiceAccount,
    ServicePort, ServiceSpec, Sysctl, Toleration, Volume, VolumeMount, WeightedPodAffinityTerm,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pki_core::cluster::spec::{Host, Role};
use zeroize::{Zeroize, Zeroizing};

use super::object::{
    CA_KEY, CREDENTIALS, Manifest, amounts, app, config_map, credentials_volume, label_template,
    locked, on_linux, selector, texts,
};
use super::rbac::{bind, service_account};
use super::{corefile, identity};
use crate::desired::NodeSpec;
use crate::desired::digest::Digest;

/// Its name in the folder.
pub(super) const FILE: &str = "coredns.yaml";

const NAME: &str = "coredns";
/// The Service's name and its pods' label, which the tools of a decade look for.
const SERVICE: &str = "kube-dns";
const TLS_SECRET: &str = "coredns-tls";
const ROLE: &str = "system:coredns";
/// The account in its container, which the host does not have: 5 and the port.
const ACCOUNT: i64 = 50053;

/// All of the file.
pub(super) fn manifest(spec: &NodeSpec, image: &str) -> Zeroizing<String> {
    let mut manifest = Manifest::new(FILE);
    manifest.add(&ServiceAccount {
        metadata: manifest.metadata(NAME),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    });
    manifest.add(&ClusterRole {
        metadata: manifest.cluster_metadata(ROLE),
        rules: Some(vec![
            watch("", &["services", "pods", "namespaces"]),
            watch("discovery.k8s.io", &["endpointslices"]),
        ]),
        ..ClusterRole::default()
    });
    manifest.add(&bind(
        manifest.cluster_metadata(ROLE),
        ROLE,
        vec![service_account(NAME)],
    ));
    let certificate = spec.file("pki/cluster-dns.crt");
    let key = spec.file("pki/cluster-dns.key");
    let tls = certificate.zip(key);
    let (config, config_digest) = config_map(
        manifest.metadata(NAME),
        [
            ("Corefile", corefile::text(spec, tls.is_some()).as_str()),
            (CA_KEY, &identity::trusted(spec)),
        ],
    );
    manifest.add(&config);
    let mut digest = Digest::new();
    digest.field(config_digest.as_bytes());
    if let Some((certificate, key)) = tls {
        // A new key has a new certificate, so the digest of the public part says it all.
        digest.field(certificate.contents.secret_bytes());
        let data = [("tls.crt", certificate), ("tls.key", key)].map(|(name, file)| {
            let bytes = file.contents.secret_bytes().to_vec();
            (name.to_owned(), ByteString(bytes))
        });
        let mut secret = Secret {
            metadata: manifest.metadata(TLS_SECRET),
            type_: Some("kubernetes.io/tls".into()),
            data: Some(data.into()),
            ..Secret::default()
        };
        manifest.add(&secret);
        let values = secret.data.iter_mut().flat_map(|data| data.values_mut());
        values.for_each(|value| value.0.zeroize());
    }
    manifest.add(&service(&manifest, spec, tls.is_some()));
    let replicas = replicas(spec);
    if replicas > 1 {
        manifest.add(&PodDisruptionBudget {
            metadata: manifest.metadata(NAME),
            spec: Some(PodDisruptionBudgetSpec {
                min_available: Some(IntOrString::Int(1)),
                selector: Some(selector(SERVICE)),
                ..PodDisruptionBudgetSpec::default()
            }),
            ..PodDisruptionBudget::default()
        });
    }
    manifest.add(&Deployment {
        metadata: manifest.metadata(NAME),
        spec: DeploymentSpec {
            replicas: Some(replicas),
            revision_history_limit: Some(2),
            selector: selector(SERVICE),
            // The new one answers before the old one stops.
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: template(spec, image, tls.is_some(), &digest.finish()),
            ..DeploymentSpec::default()
        },
        ..Deployment::default()
    });
    manifest.finish()
}

fn watch(group: &str, resources: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(resources.iter().map(ToString::to_string).collect()),
        verbs: vec!["list".into(), "watch".into()],
        ..PolicyRule::default()
    }
}

/// One where there is one node: a second would only take its memory.
fn replicas(spec: &NodeSpec) -> i32 {
    let nodes = spec.cluster.nodes().iter();
    let runs_pods = |role: &Role| matches!(role, Role::ControlPlane | Role::Worker);
    let nodes = nodes.filter(|node| node.roles().iter().any(runs_pods));
    if nodes.count() > 1 { 2 } else { 1 }
}

fn ports(tls: bool) -> Vec<(&'static str, i32, &'static str)> {
    let mut ports = vec![("dns", 53, "UDP"), ("dns-tcp", 53, "TCP")];
    if tls {
        ports.push(("dns-tls", 853, "TCP"));
    }
    ports
}

fn service(manifest: &Manifest, spec: &NodeSpec, tls: bool) -> Service {
    let addresses = spec.cluster.cluster_dns();
    let family = |address: &IpAddr| if address.is_ipv4() { "IPv4" } else { "IPv6" }.to_owned();
    let policy = if addresses.len() > 1 {
        "RequireDualStack"
    } else {
        "SingleStack"
    };
    let mut metadata = manifest.metadata(SERVICE);
    let labels = metadata.labels.get_or_insert_default();
    labels.extend(app(SERVICE));
    labels.extend(texts([
        ("kubernetes.io/cluster-service", "true"),
        ("kubernetes.io/name", "CoreDNS"),
    ]));
    let ports = ports(tls)
        .into_iter()
        .map(|(name, port, protocol)| ServicePort {
            name: Some(name.into()),
            port,
            protocol: Some(protocol.into()),
            target_port: Some(IntOrString::String(name.into())),
            ..ServicePort::default()
        });
    Service {
        metadata,
        spec: Some(ServiceSpec {
            cluster_ip: addresses.first().map(ToString::to_string),
            cluster_ips: Some(addresses.iter().map(ToString::to_string).collect()),
            ip_families: Some(addresses.iter().map(family).collect()),
            ip_family_policy: Some(policy.into()),
            ports: Some(ports.collect()),
            selector: Some(app(SERVICE)),
            type_: Some("ClusterIP".into()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn template(spec: &NodeSpec, image: &str, tls: bool, digest: &str) -> PodTemplateSpec {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.into(),
        mount_path: path.into(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let mut mounts = vec![
        mount("config", "/etc/coredns"),
        mount("credentials", CREDENTIALS),
    ];
    let mut volumes = vec![
        Volume {
            name: "config".into(),
            config_map: Some(ConfigMapVolumeSource {
                name: NAME.into(),
                items: Some(vec![KeyToPath {
                    key: "Corefile".into(),
                    path: "Corefile".into(),
                    ..KeyToPath::default()
                }]),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        credentials_volume("credentials", NAME),
    ];
    if tls {
        mounts.push(mount("tls", corefile::TLS_DIRECTORY));
        volumes.push(Volume {
            name: "tls".into(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(TLS_SECRET.into()),
                // Its group, fsGroup, reads it.
                default_mode: Some(0o440),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    let container_ports = ports(tls)
        .into_iter()
        .map(|(name, port, protocol)| ContainerPort {
            name: Some(name.into()),
            container_port: port,
            protocol: Some(protocol.into()),
            ..ContainerPort::default()
        });
    let container = Container {
        name: NAME.into(),
        image: Some(image.into()),
        image_pull_policy: Some("Never".into()),
        args: Some(vec!["-conf".into(), "/etc/coredns/Corefile".into()]),
        env: api_server(spec),
        liveness_probe: Some(probe("/health", corefile::HEALTH_PORT, 10)),
        // Each second, so that names are served at most that much later than they could be. A busy machine may
        // miss several: the answer to "did it start" never changes back.
        readiness_probe: Some(Probe {
            failure_threshold: Some(10),
            ..probe("/ready", corefile::READY_PORT, 1)
        }),
        ports: Some(container_ports.collect()),
        resources: Some(ResourceRequirements {
            requests: amounts([("cpu", "100m"), ("memory", "70Mi")]),
            limits: amounts([("memory", "170Mi")]),
            ..ResourceRequirements::default()
        }),
        security_context: Some(locked(&[])),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    let mut template = PodTemplateSpec {
        spec: Some(PodSpec {
            affinity: Some(apart()),
            automount_service_account_token: Some(false),
            containers: vec![container],
            // The node's own resolv.conf, for what is not the cluster's.
            dns_policy: Some("Default".into()),
            enable_service_links: Some(false),
            node_selector: on_linux(),
            priority_class_name: Some("system-cluster-critical".into()),
            security_context: Some(PodSecurityContext {
                fs_group: Some(ACCOUNT),
                run_as_group: Some(ACCOUNT),
                run_as_non_root: Some(true),
                run_as_user: Some(ACCOUNT),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".into(),
                    localhost_profile: None,
                }),
                // Ports 53 and 853 without NET_BIND_SERVICE. Not ports above 1023 behind the Service: owners'
                // NetworkPolicies, which see the pod's port, say 53.
                sysctls: Some(vec![Sysctl {
                    name: "net.ipv4.ip_unprivileged_port_start".into(),
                    value: "0".into(),
                }]),
                ..PodSecurityContext::default()
            }),
            service_account_name: Some(NAME.into()),
            tolerations: Some(tolerations()),
            volumes: Some(volumes),
            ..PodSpec::default()
        }),
        ..PodTemplateSpec::default()
    };
    label_template(&mut template, SERVICE, digest);
    template
}

/// The API server by its own address, so that the first start does not wait for kube-proxy. A name that only the
/// host can resolve, from its hosts file, would not do in a pod, nor would the host's loopback address: there it stays the
/// service address.
fn api_server(spec: &NodeSpec) -> Option<Vec<EnvVar>> {
    let endpoint = spec.cluster.endpoint();
    match endpoint.host() {
        Host::Ip(_) if !endpoint.is_loopback() => Some(super::flannel::api_server(endpoint)),
        _ => None,
    }
}

/// Also on a node that is not ready yet: it may become so while the pod is made.
fn tolerations() -> Vec<Toleration> {
    let tolerate = |key: &str| Toleration {
        key: Some(key.into()),
        operator: Some("Exists".into()),
        effect: Some("NoSchedule".into()),
        ..Toleration::default()
    };
    vec![
        tolerate("node-role.kubernetes.io/control-plane"),
        tolerate("node.kubernetes.io/not-ready"),
        Toleration {
            effect: None,
            ..tolerate("CriticalAddonsOnly")
        },
    ]
}

/// On different nodes, where there are several.
fn apart() -> Affinity {
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![
                WeightedPodAffinityTerm {
                    weight: 100,
                    pod_affinity_term: PodAffinityTerm {
                        label_selector: Some(selector(SERVICE)),
                        topology_key: "kubernetes.io/hostname".into(),
                        ..PodAffinityTerm::default()
                    },
                },
            ]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

fn probe(path: &str, port: u16, period: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::Int(port.into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(5),
        ..Probe::default()
    }
}
