//! The kubelet: its configuration and its service.

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::Role;
use serde_json::{Value, json};

use super::address::{any, list};
use super::arguments::Arguments;
use super::containerd::search_path;
use super::make;
use super::tree::{self, CLIENT_CA};
use super::{ComponentError, pod_network, tls};
use crate::addon::yaml;
use crate::desired::digest::Digest;
use crate::desired::{
    CgroupVersion, Contents, DirectoryContents, InitSystem, NodeSpec, Owner, Resource, Service,
    Stage, TreeFile, layout,
};

const NAME: &str = "kubelet";
/// The kubelet's own default.
const MAX_PODS: u64 = 110;

pub(super) fn resources(spec: &NodeSpec) -> Result<Vec<Resource>, ComponentError> {
    let files = Files::new(spec)?;
    let masks = pod_network::node_masks(spec)?;
    let max_pods = pod_network::pods(&masks).min(MAX_PODS);
    let configuration = yaml::document(&configuration(spec, &files, max_pods));
    let program = spec.programs.named(NAME);
    let mut inputs = Digest::new();
    inputs.field(program.digest.as_bytes());
    inputs.field(configuration.as_bytes());
    for (path, file) in files.read_once() {
        inputs.field(path.as_bytes());
        inputs.field(file.contents.secret_bytes());
    }
    let mut arguments = Arguments::new();
    arguments
        .flag("config", layout::KUBELET_CONFIG)
        .flag("kubeconfig", at_home(files.kubeconfig.0))
        // It renews what it logs in with by itself, and from then on reads that and not its kubeconfig. One folder for
        // each kubeconfig: when kpki makes another one, perhaps of another CA, that counts.
        .flag(
            "cert-dir",
            format!(
                "{}/pki/{}",
                layout::KUBELET,
                &files.kubeconfig.1.contents.digest()[..12]
            ),
        )
        // The name in its certificate, whatever the machine's is.
        .flag("hostname-override", spec.node.name())
        .flag("node-ip", list(spec.addresses()));
    let mut after = vec!["containerd".to_owned()];
    if spec.cluster.has_local_balancer() {
        after.push(super::BALANCER.into());
    }
    Ok(vec![
        make::directory(
            Stage::Files,
            "the kubelet's own, and the volumes of pods",
            layout::KUBELET,
            // As it makes it itself.
            FileMode::new(0o750).expect("permission bits"),
            Owner::ROOT,
            DirectoryContents::Ours,
        ),
        make::file(
            Stage::Files,
            "the kubelet's configuration",
            layout::KUBELET_CONFIG,
            Contents::new(configuration.as_bytes()),
            FileMode::SECRET,
            Owner::ROOT,
        ),
        make::service(
            Stage::ControlPlane,
            "the kubelet runs this node's pods",
            Service {
                name: NAME.into(),
                description: "the kubelet, which runs this node's pods".into(),
                program: program.path.clone(),
                arguments: arguments.finish(),
                environment: [("PATH".into(), search_path(spec, &[]))].into(),
                after,
                inputs: inputs.finish(),
                stop_seconds: 30,
            },
        ),
    ])
}

/// What it reads of the node's tree.
struct Files<'a> {
    kubeconfig: (&'static str, &'a TreeFile),
    client_ca: (&'static str, &'a TreeFile),
    certificate: &'static str,
    key: &'static str,
}

impl<'a> Files<'a> {
    fn new(spec: &'a NodeSpec) -> Result<Self, ComponentError> {
        Ok(Self {
            kubeconfig: tree::first(spec, NAME, &["kubelet.conf"])?,
            client_ca: tree::first(spec, NAME, &CLIENT_CA)?,
            certificate: tree::first(spec, NAME, &["pki/kubelet.crt"])?.0,
            key: tree::first(spec, NAME, &["pki/kubelet.key"])?.0,
        })
    }

    /// Its serving pair it reads again when that changes (`ReloadKubeletServerCertificateFile`, pkg/kubelet/kubelet.go).
    fn read_once(&self) -> [(&'static str, &'a TreeFile); 2] {
        [self.kubeconfig, self.client_ca]
    }
}

fn at_home(path: &str) -> String {
    format!("{}/{path}", layout::KUBERNETES)
}

fn configuration(spec: &NodeSpec, files: &Files<'_>, max_pods: u64) -> Value {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        // Who may ask it.
        "address": any(spec).to_string(),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": at_home(files.client_ca.0) },
        },
        "authorization": { "mode": "Webhook" },
        "readOnlyPort": 0,
        "tlsCertFile": at_home(files.certificate),
        "tlsPrivateKeyFile": at_home(files.key),
        "tlsMinVersion": tls::MIN_VERSION,
        "tlsCipherSuites": tls::SUITES,
        "rotateCertificates": true,
        // kpki makes its serving certificate.
        "serverTLSBootstrap": false,
        "enableProfilingHandler": false,
        "enableDebugFlagsHandler": false,
        // How long an idle `kubectl exec` stays open (CIS 4.2.5: not for ever).
        "streamingConnectionIdleTimeout": "1h0m0s",
        // What it runs.
        "staticPodPath": layout::MANIFESTS,
        "containerRuntimeEndpoint": format!("unix://{}", layout::CONTAINERD_SOCKET),
        "cgroupDriver": match spec.facts.init {
            InitSystem::Systemd => "systemd",
            InitSystem::Supervisor => "cgroupfs",
        },
        "failCgroupV1": spec.facts.cgroups != CgroupVersion::V1,
        "maxPods": max_pods,
        // A pod that forks without end ends itself and nobody else.
        "podPidsLimit": 4096,
        "seccompDefault": true,
        "protectKernelDefaults": true,
        "makeIPTablesUtilChains": true,
        // Inside its own directory, so that nothing is left elsewhere.
        "volumePluginDir": format!("{}/volume-plugins", layout::KUBELET),
        // A component that ended because another was not there yet is back five seconds after it at the latest, not
        // five minutes (KEP-4603).
        "crashLoopBackOff": { "maxContainerRestartPeriod": "5s" },
        // At a node's first start the API server refuses the static pods' mirrors for a moment (it has not made
        // their priority class yet); the kubelet tries again at its next round only, a minute later by default.
        "syncFrequency": "10s",
        "eventRecordQPS": 50,
        // What it tells pods.
        "clusterDNS": spec.cluster.cluster_dns().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "clusterDomain": spec.cluster.domain().as_str(),
        "resolvConf": spec.facts.resolv_conf.display().to_string(),
    });
    if !spec.facts.has_sys_resource {
        // It may not lower its own score, and would say so every five minutes.
        configuration["oomScoreAdj"] = json!(0);
    }
    if spec.has(Role::ControlPlane) && !spec.has(Role::Worker) {
        configuration["registerWithTaints"] = json!([
            { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }
        ]);
    }
    configuration
}
