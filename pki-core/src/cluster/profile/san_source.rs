//! Where a certificate's alternative names come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::cluster::spec::{ClusterSpec, Node};
use crate::x509::{DnsName, SubjectAltName};

/// One word of a profile's `sans` and `dials`, which stands for names of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SanSource {
    /// The node's own name.
    NodeName,
    /// The node's addresses.
    NodeAddresses,
    /// What the spec adds for this node (`san` of its `[[node]]`).
    NodeSans,
    /// `kubernetes`, `kubernetes.default`, `.svc` and `.svc.DOMAIN`.
    KubernetesService,
    /// The first address of every service CIDR: that of the `kubernetes` Service.
    ServiceAddresses,
    /// The endpoint's host.
    Endpoint,
    /// What the spec adds for the API server (`san`).
    Extra,
    /// `localhost`, `127.0.0.1`, `::1`.
    Localhost,
    /// `kube-dns`, `kube-dns.kube-system`, `.svc` and `.svc.DOMAIN`.
    ClusterDnsService,
    /// The cluster DNS addresses.
    ClusterDnsAddresses,
    /// A fixed name or address, written `literal:NAME`.
    Literal(SubjectAltName),
}

const WORDS: [(&str, SanSource); 10] = [
    ("node-name", SanSource::NodeName),
    ("node-addresses", SanSource::NodeAddresses),
    ("node-sans", SanSource::NodeSans),
    ("kubernetes-service", SanSource::KubernetesService),
    ("service-addresses", SanSource::ServiceAddresses),
    ("endpoint", SanSource::Endpoint),
    ("extra", SanSource::Extra),
    ("localhost", SanSource::Localhost),
    ("cluster-dns-service", SanSource::ClusterDnsService),
    ("cluster-dns-addresses", SanSource::ClusterDnsAddresses),
];

impl SanSource {
    /// Every word, for a hint.
    pub(super) fn words() -> String {
        WORDS
            .iter()
            .map(|(word, _)| *word)
            .chain(["literal:NAME"])
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Whether it means something only on a certain node.
    pub fn needs_node(&self) -> bool {
        matches!(self, Self::NodeName | Self::NodeAddresses | Self::NodeSans)
    }

    /// The names it stands for. `node` is `None` for what is issued once for the whole cluster.
    pub fn names(&self, spec: &ClusterSpec, node: Option<&Node>) -> Vec<SubjectAltName> {
        let addresses = |list: &[IpAddr]| list.iter().copied().map(SubjectAltName::Ip).collect();
        match (self, node) {
            (Self::NodeName, Some(node)) => vec![SubjectAltName::Dns(node.name().dns_name())],
            (Self::NodeAddresses, Some(node)) => addresses(node.addresses()),
            (Self::NodeSans, Some(node)) => node.sans().to_vec(),
            (Self::NodeName | Self::NodeAddresses | Self::NodeSans, None) => Vec::new(),
            (Self::KubernetesService, _) => service_names("kubernetes", "default", spec.domain()),
            (Self::ServiceAddresses, _) => addresses(&spec.service_addresses()),
            (Self::Endpoint, _) => vec![SubjectAltName::from(spec.endpoint().host())],
            (Self::Extra, _) => spec.sans().to_vec(),
            (Self::Localhost, _) => vec![
                SubjectAltName::Dns(dns("localhost")),
                SubjectAltName::Ip(Ipv4Addr::LOCALHOST.into()),
                SubjectAltName::Ip(Ipv6Addr::LOCALHOST.into()),
            ],
            (Self::ClusterDnsService, _) => service_names("kube-dns", "kube-system", spec.domain()),
            (Self::ClusterDnsAddresses, _) => addresses(spec.cluster_dns()),
            (Self::Literal(san), _) => vec![san.clone()],
        }
    }
}

impl FromStr for SanSource {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        if let Some(name) = word.strip_prefix("literal:") {
            return name.parse().map(Self::Literal).map_err(drop);
        }
        WORDS
            .into_iter()
            .find(|(known, _)| *known == word)
            .map(|(_, source)| source)
            .ok_or(())
    }
}

/// A Service's names as pods look it up, from the shortest to the full one.
fn service_names(service: &str, namespace: &str, domain: &DnsName) -> Vec<SubjectAltName> {
    [
        service.to_owned(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.{domain}"),
    ]
    .into_iter()
    .map(|name| SubjectAltName::Dns(dns(name)))
    .collect()
}

fn dns(name: impl Into<String>) -> DnsName {
    DnsName::new(name).expect("the spec leaves room for these labels before its domain")
}
