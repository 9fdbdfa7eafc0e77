//! A component that the kubelet runs by itself, from a file.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, ExecAction, HTTPGetAction, HostPathVolumeSource, Pod,
    PodSecurityContext, PodSpec, Probe, ResourceRequirements, SeccompProfile, SecurityContext,
    TCPSocketAction, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pki_core::cluster::FileMode;

use super::images;
use super::make;
use crate::addon::yaml;
use crate::desired::{Contents, Owner, Resource, Stage, layout};

/// The value of the class `system-node-critical` (pkg/apis/scheduling/types.go). A static pod is admitted before there is
/// an API server that could look the class up.
const PRIORITY: i32 = 2_000_001_000;
/// SHA-256 over the files that the component reads: with another, the kubelet makes another pod.
const INPUTS: &str = "kinstall.internal/inputs";

/// A static pod of one container, by what tells it from the others.
#[derive(Debug)]
pub(super) struct StaticPod<'a> {
    /// When its manifest is written.
    pub(super) stage: Stage,
    /// The component, its container, its program and its file.
    pub(super) name: &'static str,
    /// The full name of the image.
    pub(super) image: &'a str,
    /// What calls the program, where it is not called by itself: a program and its first arguments.
    pub(super) called_by: Vec<String>,
    /// What the program is called with.
    pub(super) arguments: Vec<String>,
    /// Who runs it.
    pub(super) owner: Owner,
    /// The directory that it sees as `/etc/kubernetes`.
    pub(super) credentials: PathBuf,
    /// Over what is in there.
    pub(super) inputs: String,
    /// Directories that it writes to, at the same path.
    pub(super) writes: Vec<&'static str>,
    /// Where its health is asked for.
    pub(super) health: Health,
    /// Processor and memory that are kept for it.
    pub(super) requests: (&'static str, &'static str),
    /// How long it may take to end, in seconds.
    pub(super) grace: i64,
}

/// How a component's health is asked for, on loopback.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) how: How,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum How {
    /// What a program in its container finds out, called so, for whether it lives and whether it is ready. That program
    /// is a process more each time, and a component that needs it is asked less often.
    Exec {
        live: Vec<String>,
        ready: Vec<String>,
    },
    /// A path for whether it lives, and one for whether it is ready.
    Http {
        /// `HTTP` or `HTTPS`; the kubelet checks no certificate.
        scheme: &'static str,
        live: &'static str,
        ready: &'static str,
    },
}

impl StaticPod<'_> {
    /// The file in the kubelet's folder.
    pub(super) fn resource(&self) -> Resource {
        make::file(
            self.stage,
            &format!("the kubelet runs {} by itself", self.name),
            Path::new(layout::MANIFESTS).join(format!("{}.yaml", self.name)),
            Contents::new(yaml::document(&self.pod()).as_bytes()),
            FileMode::SECRET,
            Owner::ROOT,
        )
    }

    fn pod(&self) -> Pod {
        let name = || self.name.to_owned();
        Pod {
            metadata: ObjectMeta {
                name: Some(name()),
                namespace: Some("kube-system".into()),
                // As kubeadm's, for those who look for them.
                labels: Some(
                    [
                        ("component".into(), name()),
                        ("tier".into(), "control-plane".into()),
                    ]
                    .into(),
                ),
                annotations: Some([(INPUTS.into(), self.inputs.clone())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                automount_service_account_token: Some(false),
                containers: vec![self.container()],
                enable_service_links: Some(false),
                host_network: Some(true),
                priority: Some(PRIORITY),
                priority_class_name: Some("system-node-critical".into()),
                security_context: Some(PodSecurityContext {
                    run_as_non_root: Some(true),
                    run_as_user: Some(self.owner.user.into()),
                    run_as_group: Some(self.owner.group.into()),
                    seccomp_profile: Some(SeccompProfile {
                        type_: "RuntimeDefault".into(),
                        ..SeccompProfile::default()
                    }),
                    ..PodSecurityContext::default()
                }),
                termination_grace_period_seconds: Some(self.grace),
                volumes: Some(self.volumes()),
                ..PodSpec::default()
            }),
            ..Pod::default()
        }
    }

    fn container(&self) -> Container {
        let quantity = |text: &str| Quantity(text.into());
        Container {
            name: self.name.into(),
            image: Some(self.image.into()),
            image_pull_policy: Some("Never".into()),
            command: Some(self.command()),
            args: Some(self.arguments.clone()),
            ports: Some(vec![ContainerPort {
                name: Some("probe-port".into()),
                container_port: self.health.port.into(),
                protocol: Some("TCP".into()),
                ..ContainerPort::default()
            }]),
            // Asked once a second until it answers, for up to four minutes (kubeadm's patience), so that what waits for
            // it waits no longer than it must; from then on seldom.
            startup_probe: Some(self.health.startup()),
            liveness_probe: Some(self.health.liveness()),
            readiness_probe: Some(self.health.readiness()),
            resources: Some(ResourceRequirements {
                requests: Some(
                    [
                        ("cpu".into(), quantity(self.requests.0)),
                        ("memory".into(), quantity(self.requests.1)),
                    ]
                    .into(),
                ),
                ..ResourceRequirements::default()
            }),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                capabilities: Some(Capabilities {
                    drop: Some(vec!["ALL".into()]),
                    ..Capabilities::default()
                }),
                read_only_root_filesystem: Some(true),
                ..SecurityContext::default()
            }),
            // What it said last is seen with `kubectl describe` when it crashes.
            termination_message_policy: Some("FallbackToLogsOnError".into()),
            volume_mounts: Some(self.mounts()),
            ..Container::default()
        }
    }

    fn command(&self) -> Vec<String> {
        let mut command = self.called_by.clone();
        command.push(images::entrypoint(self.name));
        command
    }

    fn mounts(&self) -> Vec<VolumeMount> {
        let mount = |name: String, path: &str, read_only| VolumeMount {
            name,
            mount_path: path.into(),
            read_only: Some(read_only),
            ..VolumeMount::default()
        };
        let mut mounts = vec![mount("credentials".into(), layout::KUBERNETES, true)];
        for (number, path) in self.writes.iter().enumerate() {
            mounts.push(mount(format!("data-{number}"), path, false));
        }
        mounts
    }

    fn volumes(&self) -> Vec<Volume> {
        let volume = |name: String, path: &Path| Volume {
            name,
            host_path: Some(HostPathVolumeSource {
                path: path.display().to_string(),
                // It has to be there, with its owner: one that the kubelet made would be root's.
                type_: Some("Directory".into()),
            }),
            ..Volume::default()
        };
        let mut volumes = vec![volume("credentials".into(), &self.credentials)];
        for (number, path) in self.writes.iter().enumerate() {
            volumes.push(volume(format!("data-{number}"), Path::new(path)));
        }
        volumes
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Alive,
    Ready,
}

impl Health {
    fn liveness(&self) -> Probe {
        match self.how {
            // kubeadm's patience.
            How::Http { .. } => self.probe(Asked::Alive, 10, 8),
            How::Exec { .. } => Probe {
                // One that hangs does not hear that it should end.
                termination_grace_period_seconds: Some(10),
                ..self.probe(Asked::Alive, 10, 4)
            },
        }
    }

    fn readiness(&self) -> Probe {
        match self.how {
            How::Http { .. } => self.probe(Asked::Ready, 2, 3),
            How::Exec { .. } => self.probe(Asked::Ready, 5, 2),
        }
    }

    /// Whether it began. Where others run a program in the container, this only connects: a program each second would take
    /// from the start what it looks for.
    fn startup(&self) -> Probe {
        let probe = self.probe(Asked::Alive, 1, 240);
        match &self.how {
            How::Exec { .. } => Probe {
                exec: None,
                tcp_socket: Some(TCPSocketAction {
                    host: Some(self.address.to_string()),
                    port: IntOrString::Int(self.port.into()),
                }),
                ..probe
            },
            How::Http { .. } => probe,
        }
    }

    fn probe(&self, asked: Asked, period: i32, failures: i32) -> Probe {
        let host = Some(self.address.to_string());
        let port = IntOrString::Int(self.port.into());
        let mut probe = Probe {
            period_seconds: Some(period),
            failure_threshold: Some(failures),
            timeout_seconds: Some(15),
            ..Probe::default()
        };
        match &self.how {
            How::Exec { live, ready } => {
                let command = if asked == Asked::Alive { live } else { ready };
                probe.exec = Some(ExecAction {
                    command: Some(command.clone()),
                });
            }
            How::Http {
                scheme,
                live,
                ready,
            } => {
                let path = if asked == Asked::Alive { live } else { ready };
                probe.http_get = Some(HTTPGetAction {
                    host,
                    path: Some((*path).into()),
                    port,
                    scheme: Some((*scheme).into()),
                    ..HTTPGetAction::default()
                });
            }
        }
        probe
    }
}
