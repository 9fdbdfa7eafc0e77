//! From a node's certificates and kubeconfigs to the spec that would make them.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use super::manifests::Manifests;
use super::{ImportError, ImportHints};
use crate::cluster::blueprint::{ArtifactId, Blueprint, Content};
use crate::cluster::profile::Profile;
use crate::cluster::spec::{
    AuthorityDocument, CertificateDocument, ClusterSpec, NodeDocument, SpecBuilder, Written,
};
use crate::cluster::{Kubeconfig, Location};
use crate::converge::inventory::{Found, Inventory};
use crate::x509::{AttributeKind, Certificate, KeyAlgorithm, SubjectAltName};

/// Where kubeadm keeps its authorities, by their names in the profile.
const AUTHORITIES: [(&str, &str); 3] = [
    ("ca", "pki/ca.crt"),
    ("etcd-ca", "pki/etcd/ca.crt"),
    ("front-proxy-ca", "pki/front-proxy-ca.crt"),
];

pub(super) fn spec(
    source: &Path,
    inventory: &Inventory,
    manifests: &Manifests,
    hints: &ImportHints,
) -> Result<ClusterSpec, ImportError> {
    let tree = Tree { source, inventory };
    let apiserver = tree.certificate("pki/apiserver.crt")?;
    let service_cidrs = tree.service_cidrs(apiserver, manifests, hints)?;
    let etcd = tree.certificate("pki/etcd/server.crt").ok();
    let node = tree.node(apiserver, etcd, &service_cidrs)?;
    let profile = if etcd.is_some() {
        "kubeadm"
    } else {
        "external-etcd"
    };
    let mut builder = ClusterSpec::builder().profile(profile);
    if let Some(domain) = domain(apiserver) {
        builder = builder.domain(domain);
    }
    if let Some(config) = tree.kubeconfig("admin.conf") {
        builder = builder.name(&config.cluster);
        if let Some((_, endpoint)) = config.server.split_once("://") {
            builder = builder.endpoint(endpoint);
        }
    }
    if let Some(algorithm) = apiserver.public_key.algorithm() {
        builder = builder.key_algorithm(algorithm);
    }
    builder = builder.validity(lifetime(apiserver));
    builder = builder.service_cidrs(service_cidrs);
    let pods = said(&hints.pod_cidrs, &manifests.pod_cidrs);
    if !pods.is_empty() {
        builder = builder.pod_cidrs(pods);
    }
    if !hints.cluster_dns.is_empty() {
        builder = builder.cluster_dns(hints.cluster_dns.iter().cloned());
    }
    for (id, path) in AUTHORITIES {
        if let Ok(certificate) = tree.certificate(path) {
            builder = authority(builder, id, certificate, apiserver.public_key.algorithm());
            if id == "ca" {
                builder = builder.ca_validity(lifetime(certificate));
            }
        }
    }
    if let Some(Found::PrivateKey(key)) = tree.found("pki/sa.key")
        && Some(key.algorithm()) != apiserver.public_key.algorithm()
    {
        let differs = CertificateDocument::default().key_algorithm(key.algorithm());
        builder = builder.certificate("sa", differs);
    }
    builder = builder.node(node);
    let first = builder.clone().build()?;
    Ok(tree.with_extra_names(builder, &first)?.build()?)
}

struct Tree<'a> {
    source: &'a Path,
    inventory: &'a Inventory,
}

impl<'a> Tree<'a> {
    fn found(&self, path: &str) -> Option<&'a Found> {
        let location = Location::tree(path).ok()?;
        self.inventory.at(&location).map(|file| &file.content)
    }

    fn certificate(&self, path: &str) -> Result<&'a Certificate, ImportError> {
        let failed = |reason: String| ImportError::File {
            path: self.source.join(path),
            reason,
        };
        match self.found(path) {
            Some(Found::Certificates(chain)) => Ok(&chain[0]),
            Some(other) => Err(failed(other.describe())),
            None => Err(failed("missing".into())),
        }
    }

    fn kubeconfig(&self, path: &str) -> Option<&'a Kubeconfig> {
        match self.found(path)? {
            Found::Kubeconfig(config) => Some(config),
            _ => None,
        }
    }

    /// The node's name and addresses: the kubelet's user and etcd's certificate tell them best.
    fn node(
        &self,
        apiserver: &Certificate,
        etcd: Option<&Certificate>,
        service_cidrs: &[Written],
    ) -> Result<NodeDocument, ImportError> {
        let kubelet = self.kubeconfig("kubelet.conf");
        let user = kubelet.map(|config| match config.chain.embedded() {
            Some(chain) => chain[0].subject.common_name().unwrap_or_default(),
            None => &config.user,
        });
        let name = user
            .and_then(|user| user.strip_prefix("system:node:"))
            .or_else(|| etcd.and_then(|certificate| certificate.subject.common_name()))
            .ok_or_else(|| ImportError::File {
                path: self.source.join("kubelet.conf"),
                reason: "without it or etcd's certificate the node's name cannot be told".into(),
            })?;
        let services: Vec<IpNet> = service_cidrs
            .iter()
            .filter_map(|cidr| cidr.text().parse().ok())
            .collect();
        let addresses = addresses(etcd.unwrap_or(apiserver))
            .filter(|address| !services.iter().any(|cidr| cidr.contains(address)));
        let node = NodeDocument::new(name).addresses(addresses.map(|address| address.to_string()));
        Ok(if etcd.is_some() {
            node
        } else {
            node.roles(["control-plane", "worker"])
        })
    }

    fn service_cidrs(
        &self,
        apiserver: &Certificate,
        manifests: &Manifests,
        hints: &ImportHints,
    ) -> Result<Vec<Written>, ImportError> {
        let found = said(&hints.service_cidrs, &manifests.service_cidrs);
        if !found.is_empty() {
            return Ok(found);
        }
        Err(ImportError::NoServiceCidr {
            path: self.source.join("pki/apiserver.crt"),
            addresses: addresses(apiserver)
                .map(|address| address.to_string())
                .collect(),
        })
    }

    /// Names that the spec so far does not lead to: those of the API server and of other certificates.
    fn with_extra_names(
        &self,
        mut builder: SpecBuilder,
        first: &ClusterSpec,
    ) -> Result<SpecBuilder, ImportError> {
        let blueprint = Blueprint::new(first, &profile(first))?;
        let node = first.nodes()[0].name();
        for (id, path) in [
            ("apiserver", "pki/apiserver.crt"),
            ("etcd-server", "pki/etcd/server.crt"),
            ("etcd-peer", "pki/etcd/peer.crt"),
        ] {
            let Ok(certificate) = self.certificate(path) else {
                continue;
            };
            let artifact = blueprint.artifact(&ArtifactId::node(node, id));
            let Some(Content::Certificate(entry)) = artifact.map(|artifact| &artifact.content)
            else {
                continue;
            };
            let wanted = &entry.request.sans;
            let service = |san: &&SubjectAltName| match san {
                // The first address of a service CIDR that is no longer the cluster's is no name to keep.
                SubjectAltName::Ip(address) => !first
                    .service_cidrs()
                    .iter()
                    .any(|cidr| cidr.contains(address)),
                _ => true,
            };
            let extra: Vec<_> = certificate
                .sans
                .iter()
                .filter(|san| !wanted.contains(san))
                .filter(service)
                .map(ToString::to_string)
                .collect();
            if extra.is_empty() {
                continue;
            }
            builder = if id == "apiserver" {
                builder.sans(extra)
            } else {
                builder.certificate(id, CertificateDocument::default().sans(extra))
            };
        }
        Ok(builder)
    }
}

/// The shipped profile that the spec so far names.
pub(super) fn profile(spec: &ClusterSpec) -> Profile {
    Profile::shipped(&spec.profile().to_string()).unwrap_or_else(Profile::kubeadm)
}

/// What the user says wins over what the manifests say.
fn said(hints: &[Written], manifests: &[String]) -> Vec<Written> {
    if hints.is_empty() {
        manifests.iter().map(Written::from).collect()
    } else {
        hints.to_vec()
    }
}

/// An authority whose name is one common name can be renewed by kpki; any other is kept as it is.
fn authority(
    builder: SpecBuilder,
    id: &str,
    certificate: &Certificate,
    cluster: Option<KeyAlgorithm>,
) -> SpecBuilder {
    let ours = match certificate.subject.attributes() {
        [attribute] if attribute.kind == AttributeKind::CommonName => {
            Some(attribute.value.as_str())
        }
        _ => None,
    };
    let algorithm = certificate.public_key.algorithm();
    match (ours, algorithm) {
        (Some(name), Some(algorithm)) if certificate.is_self_issued() => {
            let mut document = AuthorityDocument::default();
            let other_name = Profile::kubeadm().authority_common_name(id) != Some(name);
            if other_name {
                document = document.common_name(name);
            }
            let other_algorithm = Some(algorithm) != cluster;
            if other_algorithm {
                document = document.key_algorithm(algorithm);
            }
            if other_name || other_algorithm {
                builder.authority(id, document)
            } else {
                builder
            }
        }
        _ => builder.authority(id, AuthorityDocument::imported()),
    }
}

/// The domain after `kubernetes.default.svc.`.
fn domain(apiserver: &Certificate) -> Option<&str> {
    apiserver.sans.iter().find_map(|san| match san {
        SubjectAltName::Dns(name) => name.as_str().strip_prefix("kubernetes.default.svc."),
        _ => None,
    })
}

/// The certificate's addresses other than loopback.
fn addresses(certificate: &Certificate) -> impl Iterator<Item = IpAddr> {
    certificate.sans.iter().filter_map(|san| match san {
        SubjectAltName::Ip(address) if !address.is_loopback() => Some(*address),
        _ => None,
    })
}

/// How long a certificate lasts, in days: makers backdate by minutes.
fn lifetime(certificate: &Certificate) -> String {
    format!("{}d", certificate.validity.length().whole_days().max(1))
}
