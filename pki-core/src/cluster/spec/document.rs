//! The spec as somebody wrote it, unchecked: the config type. `check` makes the domain type of
//! it, `read` fills it from TOML, a [`super::SpecBuilder`] from anything else.
//! Its JSON schema is the schema of `cluster.toml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{NodeName, Place, ProfileReference, Role, Written};
use crate::x509::KeyAlgorithm;

/// One text or an array of them, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// One role or an array of them, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Roles {
    One(Role),
    Many(Vec<Role>),
}

const ALGORITHMS: [&str; KeyAlgorithm::ALL.len()] = {
    let mut words = [""; KeyAlgorithm::ALL.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = KeyAlgorithm::ALL[index].as_str();
        index += 1;
    }
    words
};

/// cluster.toml: what a Kubernetes cluster's PKI shall be like.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename = "ClusterSpec", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Document {
    /// The cluster's name, in kubeconfigs. A DNS label.
    #[schemars(default, with = "String", extend("default" = super::DEFAULT_NAME))]
    pub(super) name: Option<Written>,
    /// The DNS domain of the cluster's Services.
    #[schemars(default, with = "String", extend("default" = super::DEFAULT_DOMAIN))]
    pub(super) domain: Option<Written>,
    /// Where Services get their addresses: one CIDR, or one of each family. The first one's
    /// family is the cluster's own.
    #[schemars(with = "OneOrMany")]
    pub(super) service_cidr: Vec<Written>,
    /// The addresses of the cluster DNS Service, at most one in each service CIDR. Default:
    /// network + 10, or the last usable address of a range too small for it.
    #[schemars(default, with = "OneOrMany")]
    pub(super) cluster_dns: Vec<Written>,
    /// Where pods get their addresses, for each family of the service CIDRs. Default:
    /// 10.244.0.0/16 for IPv4, fd00:10:244::/56 for IPv6.
    #[schemars(default, with = "OneOrMany")]
    pub(super) pod_cidr: Vec<Written>,
    /// Where clients reach the API server: a DNS name or an address, and a port (6443). Default:
    /// the first control-plane node's address.
    #[schemars(default, with = "String")]
    pub(super) endpoint: Option<Written>,
    /// Further DNS names and addresses of the API server.
    #[schemars(default, with = "OneOrMany")]
    pub(super) san: Vec<Written>,
    /// Which certificates there are: kubeadm, hardened, external-etcd, makecerts, or the path of a
    /// profile of your own (with a `/`, or ending in .toml).
    #[schemars(default, with = "String", extend("default" = ProfileReference::SHIPPED[0]))]
    pub(super) profile: Option<Written>,
    /// What kind of keys.
    #[schemars(default, with = "String", extend("enum" = ALGORITHMS, "default" = ALGORITHMS[0]))]
    pub(super) key_algorithm: Option<Written>,
    /// How long certificates last: 90d, 1y. Default: as the profile says.
    #[schemars(default, with = "String")]
    pub(super) validity: Option<Written>,
    /// How long authorities last. Default: as the profile says.
    #[schemars(default, with = "String")]
    pub(super) ca_validity: Option<Written>,
    /// The directory of the authorities' certificates and keys, when it is not ca/ beside this
    /// file.
    #[schemars(default, with = "String")]
    pub(super) ca_dir: Option<Written>,
    /// The machines.
    pub(super) node: Vec<NodeDocument>,
    /// People (or programs) with a kubeconfig of their own.
    #[schemars(default)]
    pub(super) user: Vec<UserDocument>,
    /// How single certificates differ, by their id in the profile.
    #[schemars(default)]
    pub(super) certificate: BTreeMap<String, CertificateDocument>,
    /// How single authorities differ, by their id in the profile.
    #[schemars(default)]
    pub(super) authority: BTreeMap<String, AuthorityDocument>,
}

/// A machine, unchecked.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename = "Node", description = "A machine of the cluster.")]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NodeDocument {
    #[schemars(skip)]
    pub(super) place: Place,
    /// Its name: a DNS name in lower case, at most 52 characters.
    #[schemars(with = "String", extend("maxLength" = NodeName::MAX_LENGTH))]
    pub(super) name: Option<Written>,
    /// Where the other machines reach it, the preferred address first.
    #[schemars(with = "OneOrMany")]
    pub(super) addresses: Vec<Written>,
    /// What runs on it. Default: everything on the only node, otherwise worker.
    #[schemars(default, with = "Roles")]
    pub(super) roles: Vec<Written>,
    /// Further DNS names and addresses that its servers answer to.
    #[schemars(default, with = "OneOrMany")]
    pub(super) san: Vec<Written>,
    /// Where `kinstall cluster` reaches it by SSH: user@host:port. Default: root at addresses[0].
    #[schemars(default, with = "String")]
    pub(super) ssh: Option<Written>,
}

/// A user, unchecked.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(
    rename = "User",
    description = "A user with a kubeconfig of their own."
)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UserDocument {
    #[schemars(skip)]
    pub(super) place: Place,
    /// Their name: letters, digits and . _ @ -, at most 64 characters.
    #[schemars(with = "String", extend("maxLength" = super::user::NAME_LIMIT))]
    pub(super) name: Option<Written>,
    /// The Kubernetes groups they are in.
    #[schemars(default, with = "OneOrMany")]
    pub(super) groups: Vec<Written>,
    /// How long their certificate lasts.
    #[schemars(default, with = "String")]
    pub(super) validity: Option<Written>,
}

/// How one certificate differs, unchecked.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename = "Certificate", description = "How one certificate differs.")]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CertificateDocument {
    #[schemars(skip)]
    pub(super) place: Place,
    /// Its own kind of key.
    #[schemars(default, with = "String", extend("enum" = ALGORITHMS))]
    pub(super) key_algorithm: Option<Written>,
    /// Its own lifetime.
    #[schemars(default, with = "String")]
    pub(super) validity: Option<Written>,
    /// Names and addresses besides those of the profile.
    #[schemars(default, with = "OneOrMany")]
    pub(super) san: Vec<Written>,
}

/// How one authority differs, unchecked.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename = "Authority", description = "How one authority differs.")]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AuthorityDocument {
    #[schemars(skip)]
    pub(super) place: Place,
    /// Whether its certificate is given, not made: its subject, algorithm and lifetime are then
    /// taken as found.
    #[schemars(default)]
    pub(super) imported: bool,
    /// Its own kind of key.
    #[schemars(default, with = "String", extend("enum" = ALGORITHMS))]
    pub(super) key_algorithm: Option<Written>,
    /// Its own lifetime.
    #[schemars(default, with = "String")]
    pub(super) validity: Option<Written>,
    /// Its own common name.
    #[schemars(default, with = "String", extend("maxLength" = super::user::NAME_LIMIT))]
    pub(super) common_name: Option<Written>,
}

/// Turns what a caller has at hand into what was written.
pub(super) fn written<T: Into<Written>>(values: impl IntoIterator<Item = T>) -> Vec<Written> {
    values.into_iter().map(Into::into).collect()
}

impl NodeDocument {
    /// A node of that name.
    pub fn new(name: impl Into<Written>) -> Self {
        let name = name.into();
        Self {
            place: name.place().clone(),
            name: Some(name),
            addresses: Vec::new(),
            roles: Vec::new(),
            san: Vec::new(),
            ssh: None,
        }
    }

    /// With these addresses, the preferred one first.
    #[must_use]
    pub fn addresses<T: Into<Written>>(mut self, addresses: impl IntoIterator<Item = T>) -> Self {
        self.addresses = written(addresses);
        self
    }

    /// With these roles instead of the default.
    #[must_use]
    pub fn roles<T: Into<Written>>(mut self, roles: impl IntoIterator<Item = T>) -> Self {
        self.roles = written(roles);
        self
    }

    /// With these further names and addresses.
    #[must_use]
    pub fn sans<T: Into<Written>>(mut self, sans: impl IntoIterator<Item = T>) -> Self {
        self.san = written(sans);
        self
    }

    /// Reached there by SSH.
    #[must_use]
    pub fn ssh(mut self, destination: impl Into<Written>) -> Self {
        self.ssh = Some(destination.into());
        self
    }
}

impl UserDocument {
    /// A user of that name.
    pub fn new(name: impl Into<Written>) -> Self {
        let name = name.into();
        Self {
            place: name.place().clone(),
            name: Some(name),
            groups: Vec::new(),
            validity: None,
        }
    }

    /// In these groups.
    #[must_use]
    pub fn groups<T: Into<Written>>(mut self, groups: impl IntoIterator<Item = T>) -> Self {
        self.groups = written(groups);
        self
    }

    /// With a certificate that lasts so long.
    #[must_use]
    pub fn validity(mut self, validity: impl Into<Written>) -> Self {
        self.validity = Some(validity.into());
        self
    }
}

impl CertificateDocument {
    /// With its own kind of key.
    #[must_use]
    pub fn key_algorithm(mut self, algorithm: impl Into<Written>) -> Self {
        self.key_algorithm = Some(algorithm.into());
        self
    }

    /// With its own lifetime.
    #[must_use]
    pub fn validity(mut self, validity: impl Into<Written>) -> Self {
        self.validity = Some(validity.into());
        self
    }

    /// With these further names and addresses.
    #[must_use]
    pub fn sans<T: Into<Written>>(mut self, sans: impl IntoIterator<Item = T>) -> Self {
        self.san = written(sans);
        self
    }
}

impl AuthorityDocument {
    /// One whose certificate is given, not made.
    pub fn imported() -> Self {
        Self {
            imported: true,
            ..Self::default()
        }
    }

    /// With its own kind of key.
    #[must_use]
    pub fn key_algorithm(mut self, algorithm: impl Into<Written>) -> Self {
        self.key_algorithm = Some(algorithm.into());
        self
    }

    /// With its own lifetime.
    #[must_use]
    pub fn validity(mut self, validity: impl Into<Written>) -> Self {
        self.validity = Some(validity.into());
        self
    }

    /// With its own common name.
    #[must_use]
    pub fn common_name(mut self, name: impl Into<Written>) -> Self {
        self.common_name = Some(name.into());
        self
    }
}
