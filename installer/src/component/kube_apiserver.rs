//! kube-apiserver, as a static pod.

use std::net::SocketAddr;

use pki_core::cluster::spec::{IpFamily, Role};

use super::address::{any, list, loopback, url};
use super::arguments::Arguments;
use super::credentials::Credentials;
use super::make::{self, PRIVATE};
use super::static_pod::{Health, How, StaticPod};
use super::tree::CLIENT_CA;
use super::{ComponentError, Images, accounts, admission, audit_policy, etcd, images, tls};
use crate::desired::layout::APISERVER_ACCOUNT;
use crate::desired::{DirectoryContents, NodeSpec, Resource, Stage};

const NAME: &str = "kube-apiserver";
/// Where the audit log is.
const AUDIT: &str = "/var/log/kubernetes/audit";

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let owner = accounts::owner(spec, APISERVER_ACCOUNT);
    let mut credentials = Credentials::new(spec, NAME, owner);
    let arguments = arguments(spec, &mut credentials)?;
    let pod = StaticPod {
        name: NAME,
        stage: Stage::ControlPlane,
        image: &images.kube_apiserver,
        called_by: vec![],
        arguments,
        owner,
        credentials: credentials.directory(),
        inputs: credentials.digest(),
        writes: vec![AUDIT],
        health: Health {
            address: loopback(spec),
            port: spec.cluster.apiserver_port(&spec.node),
            how: health(spec, &mut credentials)?,
        },
        requests: ("250m", "256Mi"),
        grace: 30,
    };
    let mut resources = vec![
        make::directory(
            Stage::Files,
            "who asked the API server for what",
            AUDIT,
            PRIVATE,
            owner,
            DirectoryContents::Ours,
        ),
        pod.resource(),
    ];
    resources.extend(credentials.resources());
    Ok(resources)
}

/// Nobody is anonymous here, and a static pod may hold no token, so the kubelet itself can ask nothing: a program in the
/// container does, with the pair that the API server has for kubelets. Whoever has a certificate may ask for health
/// (`system:public-info-viewer`).
fn health(spec: &NodeSpec, credentials: &mut Credentials<'_>) -> Result<How, ComponentError> {
    let server = SocketAddr::new(loopback(spec), spec.cluster.apiserver_port(&spec.node));
    let files = [
        credentials.file("pki/ca.crt")?,
        credentials.file("pki/apiserver-kubelet-client.crt")?,
        credentials.file("pki/apiserver-kubelet-client.key")?,
    ];
    let asks = |path: &str| {
        let mut command = vec![
            images::tool(images::PROBE),
            server.to_string(),
            path.to_owned(),
        ];
        command.extend(files.iter().cloned());
        command
    };
    Ok(How::Exec {
        // Started again it would have no etcd either.
        live: asks("/livez?exclude=etcd"),
        ready: asks("/readyz"),
    })
}

/// Its four pairs it reads again: its serving pair and the aggregator's (apiserver's dynamiccertificates), the pair for kubelets
/// (client-go's `ReloadTLSFiles`) and the one for etcd (at each handshake; etcd's transport/listener.go). CAs are read once here and
/// there, keys of tokens and of encryption always.
fn arguments(
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<Vec<String>, ComponentError> {
    let mut arguments = Arguments::new();
    where_it_is(&mut arguments, spec);
    who_is_who(&mut arguments, spec, credentials)?;
    what_is_allowed(&mut arguments, credentials);
    whom_it_talks_to(&mut arguments, spec, credentials)?;
    Ok(arguments.finish())
}

fn where_it_is(arguments: &mut Arguments, spec: &NodeSpec) {
    arguments
        .flag("advertise-address", spec.address())
        .flag("bind-address", any(spec))
        .flag("secure-port", spec.cluster.apiserver_port(&spec.node))
        .flag(
            "service-cluster-ip-range",
            list(spec.cluster.service_cidrs()),
        )
        .flag("tls-min-version", tls::MIN_VERSION)
        .flag("tls-cipher-suites", list(tls::SUITES))
        .flag("profiling", false);
}

fn who_is_who(
    arguments: &mut Arguments,
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<(), ComponentError> {
    let domain = spec.cluster.domain();
    arguments
        .flag("anonymous-auth", false)
        .flag("tls-cert-file", credentials.reread("pki/apiserver.crt")?)
        .flag(
            "tls-private-key-file",
            credentials.reread("pki/apiserver.key")?,
        )
        .flag("client-ca-file", credentials.first(&CLIENT_CA)?)
        .flag(
            "requestheader-client-ca-file",
            credentials.file("pki/front-proxy-ca.crt")?,
        )
        .flag("requestheader-allowed-names", "front-proxy-client")
        .flag("requestheader-username-headers", "X-Remote-User")
        .flag("requestheader-group-headers", "X-Remote-Group")
        .flag("requestheader-extra-headers-prefix", "X-Remote-Extra-")
        .flag(
            "service-account-issuer",
            format!("https://kubernetes.default.svc.{domain}"),
        )
        .flag("service-account-key-file", credentials.file("pki/sa.pub")?)
        .flag(
            "service-account-signing-key-file",
            credentials.file("pki/sa.key")?,
        )
        // A pod's token lasts the hour that it says.
        .flag("service-account-extend-token-expiration", false)
        .flag("service-account-lookup", true);
    Ok(())
}

fn what_is_allowed(arguments: &mut Arguments, credentials: &mut Credentials<'_>) {
    arguments
        .flag("authorization-mode", "Node,RBAC")
        // Not AlwaysPullImages (CIS 1.2.11, not scored): the node's own images come from no registry.
        .flag(
            "enable-admission-plugins",
            "NodeRestriction,DenyServiceExternalIPs",
        )
        .flag(
            "admission-control-config-file",
            credentials.text("admission.yaml", admission::CONFIGURATION),
        )
        // kube-proxy and network addons are privileged; Pod Security says who else may be.
        .flag("allow-privileged", true)
        .flag(
            "audit-policy-file",
            credentials.text("audit-policy.yaml", audit_policy::POLICY),
        )
        .flag("audit-log-path", format!("{AUDIT}/audit.log"))
        // Days, files, megabytes: CIS 1.2.17 to 1.2.19.
        .flag("audit-log-maxage", 30)
        .flag("audit-log-maxbackup", 10)
        .flag("audit-log-maxsize", 100);
}

fn whom_it_talks_to(
    arguments: &mut Arguments,
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<(), ComponentError> {
    if spec.file("pki/etcd/ca.crt").is_none() && spec.file("pki/ca.crt").is_some() {
        return Err(ComponentError::SharedAuthority);
    }
    arguments
        .flag("etcd-servers", list(etcd_servers(spec)?))
        .flag("etcd-cafile", credentials.file("pki/etcd/ca.crt")?)
        .flag(
            "etcd-certfile",
            credentials.reread("pki/apiserver-etcd-client.crt")?,
        )
        .flag(
            "etcd-keyfile",
            credentials.reread("pki/apiserver-etcd-client.key")?,
        )
        .flag(
            "encryption-provider-config",
            credentials.file("pki/encryption-config.yaml")?,
        )
        .flag(
            "kubelet-client-certificate",
            credentials.reread("pki/apiserver-kubelet-client.crt")?,
        )
        .flag(
            "kubelet-client-key",
            credentials.reread("pki/apiserver-kubelet-client.key")?,
        )
        .flag(
            "kubelet-certificate-authority",
            credentials.file("pki/ca.crt")?,
        )
        .flag(
            "kubelet-preferred-address-types",
            "InternalIP,ExternalIP,Hostname",
        )
        .flag(
            "proxy-client-cert-file",
            credentials.reread("pki/front-proxy-client.crt")?,
        )
        .flag(
            "proxy-client-key-file",
            credentials.reread("pki/front-proxy-client.key")?,
        );
    Ok(())
}

/// The node's own etcd where it has one, as kubeadm does: the two are upgraded together. Else all.
fn etcd_servers(spec: &NodeSpec) -> Result<Vec<String>, ComponentError> {
    let server = |address| url("https", address, etcd::CLIENT_PORT);
    // The profile external-etcd is for members on machines of their own: the API server dials no loopback there.
    if spec.has(Role::Etcd) {
        return Ok(vec![server(loopback(spec))]);
    }
    let family: IpFamily = spec.cluster.family();
    let nodes = spec.cluster.nodes_with(Role::Etcd);
    let servers: Vec<_> = nodes
        .filter_map(|node| node.address(family))
        .map(server)
        .collect();
    if servers.is_empty() {
        return Err(ComponentError::NoEtcd);
    }
    Ok(servers)
}
