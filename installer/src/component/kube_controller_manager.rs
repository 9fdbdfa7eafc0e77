//! kube-controller-manager, as a static pod.

use std::net::Ipv4Addr;

use pki_core::cluster::spec::{IpFamily, Role};
use pki_core::x509::Certificate;

use super::address::list;
use super::arguments::Arguments;
use super::credentials::Credentials;
use super::static_pod::{Health, How, StaticPod};
use super::tree::CLIENT_CA;
use super::{ComponentError, Images, accounts, pod_network, tls};
use crate::desired::layout::CONTROLLER_MANAGER_ACCOUNT;
use crate::desired::{NodeSpec, Resource, Stage};

const NAME: &str = "kube-controller-manager";
const PORT: u16 = 10257;

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let owner = accounts::owner(spec, CONTROLLER_MANAGER_ACCOUNT);
    let mut credentials = Credentials::new(spec, NAME, owner);
    let arguments = arguments(spec, &mut credentials)?;
    let pod = StaticPod {
        name: NAME,
        stage: Stage::Controllers,
        image: &images.kube_controller_manager,
        called_by: vec![],
        arguments,
        owner,
        credentials: credentials.directory(),
        inputs: credentials.digest(),
        writes: vec![],
        // It knows no other path.
        health: health(PORT, "/healthz", "/healthz"),
        requests: ("100m", "96Mi"),
        grace: 10,
    };
    let mut resources = vec![pod.resource()];
    resources.extend(credentials.resources());
    Ok(resources)
}

/// Controller manager and scheduler answer about their health, and about nothing else, to whoever asks on loopback: IPv4's,
/// also in a cluster of IPv6, since every machine has it and CIS 1.3.7 and 1.4.2 know no other.
pub(super) fn health(port: u16, live: &'static str, ready: &'static str) -> Health {
    Health {
        address: Ipv4Addr::LOCALHOST.into(),
        port,
        how: How::Http {
            scheme: "HTTPS",
            live,
            ready,
        },
    }
}

/// Whether controller manager and scheduler hold a Lease while they work.
///
/// With one control plane node they do not: whoever is killed would find its own Lease and wait 15 seconds for it to run
/// out, and whoever cannot renew it while the API server restarts ends itself. There cannot be two at work: a second one
/// on the same machine does not get the port. With more nodes, upstream's times are kept: they have to outlast an API
/// server that restarts.
pub fn elects_leader(spec: &NodeSpec) -> bool {
    spec.cluster.nodes_with(Role::ControlPlane).count() > 1
}

/// Flags that the controller manager and the scheduler share.
pub(super) fn common(
    arguments: &mut Arguments,
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
    kubeconfig: &'static str,
) -> Result<(), ComponentError> {
    let kubeconfig = credentials.file(kubeconfig)?;
    arguments
        .flag("bind-address", Ipv4Addr::LOCALHOST)
        .flag("kubeconfig", &kubeconfig)
        .flag("authentication-kubeconfig", &kubeconfig)
        .flag("authorization-kubeconfig", &kubeconfig)
        .flag("client-ca-file", credentials.first(&CLIENT_CA)?)
        .flag(
            "requestheader-client-ca-file",
            credentials.file("pki/front-proxy-ca.crt")?,
        )
        .flag("tls-min-version", tls::MIN_VERSION)
        .flag("tls-cipher-suites", list(tls::SUITES))
        .flag("profiling", false)
        .flag("leader-elect", elects_leader(spec));
    Ok(())
}

fn arguments(
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<Vec<String>, ComponentError> {
    let mut arguments = Arguments::new();
    common(&mut arguments, spec, credentials, "controller-manager.conf")?;
    arguments
        .flag("cluster-name", spec.cluster.name())
        .flag("use-service-account-credentials", true)
        // With an account for each of its forty controllers it asks some 150 times before the last of them works. By
        // upstream's 20 a second (after 30 at once) that is five seconds more.
        .flag("kube-api-qps", 100)
        .flag("kube-api-burst", 200)
        .flag("root-ca-file", credentials.file("pki/ca.crt")?)
        .flag(
            "service-account-private-key-file",
            credentials.file("pki/sa.key")?,
        )
        // CIS 1.3.1 wants one that fits the machine; upstream's 12500 pods' remains are some 100 MB in etcd.
        .flag("terminated-pod-gc-threshold", 1000);
    sign(&mut arguments, spec, credentials)?;
    allocate(&mut arguments, spec)?;
    Ok(arguments.finish())
}

/// The pair that it signs requests for certificates with: kubelets', when they renew what they log in with.
fn sign(
    arguments: &mut Arguments,
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<(), ComponentError> {
    if spec.file("pki/client-ca.key").is_some() {
        // Only what this CA is for: a server's certificate of it would be trusted by nobody.
        let certificate = signing_certificate(
            spec,
            credentials,
            "pki/client-ca.crt",
            "pki/signing/client-ca.crt",
        )?;
        let key = credentials.file("pki/client-ca.key")?;
        arguments
            .flag("cluster-signing-kubelet-client-cert-file", &certificate)
            .flag("cluster-signing-kubelet-client-key-file", &key)
            .flag(
                "cluster-signing-kube-apiserver-client-cert-file",
                certificate,
            )
            .flag("cluster-signing-kube-apiserver-client-key-file", key);
    } else if spec.file("pki/ca.key").is_some() {
        arguments
            .flag(
                "cluster-signing-cert-file",
                signing_certificate(spec, credentials, "pki/ca.crt", "pki/signing/ca.crt")?,
            )
            .flag("cluster-signing-key-file", credentials.file("pki/ca.key")?);
    }
    // Neither: whoever keeps the CA elsewhere signs elsewhere.
    Ok(())
}

/// The certificate of a CA that it signs with. A CA that is to be followed has its successor in its file, too, for those who
/// trust both; for signing the controller manager takes a file of one certificate only, and does not start with another
/// (Kubernetes 1.37 pkg/controller/certificates/signer/ca_provider.go, setCA).
fn signing_certificate(
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
    path: &'static str,
    alone: &'static str,
) -> Result<String, ComponentError> {
    let file = spec.file(path).map(|file| file.contents.secret_bytes());
    let all = file.and_then(|bytes| Certificate::from_pem_chain(bytes).ok());
    match all.as_deref() {
        Some([own, _, ..]) => Ok(credentials.text(alone, &own.pem())),
        _ => credentials.file(path),
    }
}

fn allocate(arguments: &mut Arguments, spec: &NodeSpec) -> Result<(), ComponentError> {
    let masks = pod_network::node_masks(spec)?;
    arguments
        .flag(
            "service-cluster-ip-range",
            list(spec.cluster.service_cidrs()),
        )
        .flag("allocate-node-cidrs", true)
        .flag("cluster-cidr", list(masks.iter().map(|(cidr, _)| cidr)));
    for (cidr, mask) in &masks {
        // It refuses the flags of a family in a cluster of one (cmd/kube-controller-manager/app/core.go).
        let flag = match (masks.len(), IpFamily::from(*cidr)) {
            (1, _) => "node-cidr-mask-size",
            (_, IpFamily::V4) => "node-cidr-mask-size-ipv4",
            (_, IpFamily::V6) => "node-cidr-mask-size-ipv6",
        };
        arguments.flag(flag, mask);
    }
    Ok(())
}
