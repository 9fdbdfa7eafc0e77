//! The spec: what the user wants of a cluster's PKI, as `cluster.toml` says it.
//!
//! A text becomes a `Document` (`read`, unchecked, each value with its place), the document
//! becomes a [`ClusterSpec`] (`check`, all mistakes at once), and nothing changes it from then on.

mod address;
mod builder;
mod check;
pub mod cidr;
mod difference;
mod document;
mod endpoint;
mod fact;
mod family;
mod flag;
mod mistake;
mod nearest;
mod node;
mod overrides;
mod place;
mod profile_reference;
mod read;
mod ssh;
mod user;
mod warning;
mod write;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

pub use builder::SpecBuilder;
pub use difference::Difference;
pub use document::{AuthorityDocument, CertificateDocument, NodeDocument, UserDocument};
pub use endpoint::{Endpoint, Host};
pub use fact::{Fact, Range};
pub use family::IpFamily;
pub use mistake::{Mistake, SpecError};
pub use node::{Node, NodeName, Role};
pub use overrides::{AuthorityOverride, CertificateOverride};
pub use place::{Place, Written};
pub use profile_reference::ProfileReference;
pub use ssh::SshDestination;
pub use user::{User, UserName};
pub use warning::Warning;

use crate::x509::{DnsName, KeyAlgorithm, Lifetime, SubjectAltName};
use place::Places;

const DEFAULT_NAME: &str = "kubernetes";
const DEFAULT_DOMAIN: &str = "cluster.local";

/// A cluster as its owner wants it: checked, complete and unchanging. What the owner left open is
/// filled in, except the lifetimes, which are the profile's to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSpec {
    name: String,
    domain: DnsName,
    service_cidrs: Vec<IpNet>,
    cluster_dns: Vec<IpAddr>,
    pod_cidrs: Vec<IpNet>,
    endpoint: Endpoint,
    sans: Vec<SubjectAltName>,
    profile: ProfileReference,
    key_algorithm: KeyAlgorithm,
    validity: Option<Lifetime>,
    ca_validity: Option<Lifetime>,
    ca_dir: Option<PathBuf>,
    nodes: Vec<Node>,
    users: Vec<User>,
    certificates: BTreeMap<String, CertificateOverride>,
    authorities: BTreeMap<String, AuthorityOverride>,
    places: Places,
}

impl ClusterSpec {
    /// Reads and checks a `cluster.toml`.
    ///
    /// # Errors
    /// [`SpecError`] lists every mistake with its line.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        SpecBuilder::from_toml(text).build()
    }

    /// Begins with nothing.
    pub fn builder() -> SpecBuilder {
        SpecBuilder::default()
    }

    /// The spec as a `cluster.toml` that says everything, also what was left open.
    /// [`ClusterSpec::from_toml`] makes the same spec of it.
    pub fn to_toml(&self) -> String {
        write::write(self)
    }

    /// The JSON schema of `cluster.toml`, for editors.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(document::Document).to_value()
    }

    /// What is allowed but worth a word.
    pub fn warnings(&self) -> Vec<Warning> {
        warning::warnings(self)
    }

    /// What `other` says differently, in the order of cluster.toml.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        difference::between(self, other)
    }

    /// The cluster's name: a DNS label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The DNS domain of Services, short enough for `kubernetes.default.svc.` before it.
    pub fn domain(&self) -> &DnsName {
        &self.domain
    }

    /// One CIDR, or one of each family; the first one's family is the cluster's own.
    pub fn service_cidrs(&self) -> &[IpNet] {
        &self.service_cidrs
    }

    /// The family of the first service CIDR, hence of the `kubernetes` Service.
    pub fn family(&self) -> IpFamily {
        self.service_cidrs[0].into()
    }

    /// The first address of each service CIDR; pods dial the first of them to reach the API server.
    pub fn service_addresses(&self) -> Vec<IpAddr> {
        self.service_cidrs
            .iter()
            .map(|cidr| cidr::first_address(*cidr))
            .collect()
    }

    /// The addresses of the cluster DNS Service, at most one of each family.
    pub fn cluster_dns(&self) -> &[IpAddr] {
        &self.cluster_dns
    }

    /// At least one CIDR of each family that the service CIDRs have.
    pub fn pod_cidrs(&self) -> &[IpNet] {
        &self.pod_cidrs
    }

    /// Where clients on the cluster's machines reach the API server, and others as well where it is no loopback address.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where people reach the API server from elsewhere: the endpoint, or where that is a loopback address, the first control-plane
    /// node.
    pub fn outside_endpoint(&self) -> Endpoint {
        let first = self.nodes_with(Role::ControlPlane).next();
        match first {
            Some(node) if self.endpoint.is_loopback() => {
                Endpoint::new(Host::Ip(self.preferred_address(node)))
            }
            _ => self.endpoint.clone(),
        }
    }

    /// Where others reach `node`: at its address in the family of the first service CIDR, or where it has none, its first.
    pub fn preferred_address(&self, node: &Node) -> IpAddr {
        node.address(self.family()).unwrap_or(node.addresses()[0])
    }

    /// Whether each node is to have a load balancer of its own: the endpoint is a loopback address, and not an API server's there.
    pub fn has_local_balancer(&self) -> bool {
        self.endpoint.is_loopback() && self.endpoint.port() != Endpoint::DEFAULT_PORT
    }

    /// The port that the API server of `node` listens on: the endpoint's, where that is this very node by an address, its name or a
    /// further name of its own (`san`), else the default one: then a load balancer is in front of it, which may have another.
    pub fn apiserver_port(&self, node: &Node) -> u16 {
        let here = match self.endpoint.host() {
            Host::Ip(address) => node.addresses().contains(address),
            Host::Dns(name) => {
                let own = |san: &SubjectAltName| *san == SubjectAltName::Dns(name.clone());
                *name == node.name().dns_name() || node.sans().iter().any(own)
            }
        };
        if here {
            self.endpoint.port()
        } else {
            Endpoint::DEFAULT_PORT
        }
    }

    /// Further names and addresses of the API server.
    pub fn sans(&self) -> &[SubjectAltName] {
        &self.sans
    }

    /// Which profile.
    pub fn profile(&self) -> &ProfileReference {
        &self.profile
    }

    /// The kind of key where nothing more special is said.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }

    /// How long certificates last; `None` leaves it to the profile.
    pub fn validity(&self) -> Option<Lifetime> {
        self.validity
    }

    /// How long authorities last; `None` leaves it to the profile.
    pub fn ca_validity(&self) -> Option<Lifetime> {
        self.ca_validity
    }

    /// Where the authorities are kept, when not in `ca/` beside the spec.
    pub fn ca_dir(&self) -> Option<&Path> {
        self.ca_dir.as_deref()
    }

    /// The directory of CA certificates and keys of the cluster in `dir`: `given` for one run, else what the
    /// spec says, relative to `base`, the directory of its file, else `ca` in `dir`.
    pub fn authorities_dir(&self, dir: &Path, base: &Path, given: Option<&Path>) -> PathBuf {
        match (given, self.ca_dir()) {
            (Some(given), _) => given.to_owned(),
            (None, Some(written)) => base.join(written),
            (None, None) => dir.join("ca"),
        }
    }

    /// The machines, in the order of the spec; at least one, and one with the control plane.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The machine of that name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name.as_str() == name)
    }

    /// The machines with that role.
    pub fn nodes_with(&self, role: Role) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.has(role))
    }

    /// The people.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// How the certificate with that id in the profile differs.
    pub fn certificate_override(&self, id: &str) -> Option<&CertificateOverride> {
        self.certificates.get(id)
    }

    /// Every certificate that differs, by its id.
    pub fn certificate_overrides(&self) -> impl Iterator<Item = (&str, &CertificateOverride)> {
        self.certificates.iter().map(|(id, o)| (id.as_str(), o))
    }

    /// How the authority with that id in the profile differs.
    pub fn authority_override(&self, id: &str) -> Option<&AuthorityOverride> {
        self.authorities.get(id)
    }

    /// Every authority that differs, by its id.
    pub fn authority_overrides(&self) -> impl Iterator<Item = (&str, &AuthorityOverride)> {
        self.authorities.iter().map(|(id, o)| (id.as_str(), o))
    }

    /// Where a field was written, by its path: `profile`, `node.cp1`, `certificate.apiserver`.
    pub fn place(&self, field: &str) -> Place {
        self.places.of(field)
    }

    /// A mistake in a field that only a later stage can see, such as an id that the profile does
    /// not have, with the place where the field was written.
    pub fn mistake(&self, field: &str, value: Option<&str>, fact: Fact) -> Mistake {
        Mistake {
            place: self.place(field),
            field: field.to_owned(),
            value: value.map(str::to_owned),
            fact,
        }
    }
}
