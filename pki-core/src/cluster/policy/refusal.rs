//! Why a request is refused.

use crate::x509::{KeyAlgorithm, KeyUsage, Lifetime};

/// Every reason why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Refused {
    /// At least one.
    pub reasons: Vec<Refusal>,
}

/// One reason why a request is refused: what it asks for, and what it might have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Refusal {
    /// Whoever made it does not hold the key, or changed it since (RFC 2986 section 4.2).
    #[error("it is not signed by the key in it (signature algorithm {algorithm})")]
    Signature { algorithm: String },
    /// A key too weak, or of a kind that no component of a cluster verifies.
    #[error("its key is none that may be certified: {has}, not {wanted}")]
    Key { has: String, wanted: String },
    #[error("it asks to be a CA: a policy gives leaf certificates only")]
    Authority,
    /// RFC 5280 section 4.2: who does not know a critical extension must not go on.
    #[error("it asks for the critical extension {0}, which is not known here")]
    CriticalExtension(String),
    #[error("it has no common name")]
    NoCommonName,
    /// Kubernetes reads the last one, others read the first.
    #[error("it has {} common names, {}: which one is meant depends on the reader", .0.len(), quoted(.0))]
    CommonNames(Vec<String>),
    #[error("the common name is {has:?}: policy {policy} gives {wanted}")]
    CommonName {
        has: String,
        policy: String,
        wanted: String,
    },
    #[error("the common name is {name:?}: {owner} has that name")]
    NameTaken { name: String, owner: String },
    #[error("the common name is {name:?}: cluster.toml has no node {node:?}")]
    NoNode { name: String, node: String },
    #[error("the common name is {name:?}: cluster.toml has no user {user:?}")]
    NoUser { name: String, user: String },
    #[error(
        "the common name is {name:?}: the requester is {requester}, who may ask for {wanted:?} only"
    )]
    Requester {
        name: String,
        requester: String,
        wanted: String,
    },
    #[error(
        "the subject has {attribute}: a certificate of this cluster has common name and groups (O) only"
    )]
    Attribute { attribute: String },
    /// Text that looks like another, or ends where a careless reader stops.
    #[error("{what} {text:?} {fault}")]
    Text {
        what: &'static str,
        text: String,
        fault: &'static str,
    },
    #[error("it asks for group {group:?}: policy {policy} gives {wanted}")]
    Group {
        group: String,
        policy: String,
        wanted: String,
    },
    #[error(
        "it asks for group {group:?}: {owner} is in it, which makes it one of the cluster's own"
    )]
    GroupTaken { group: String, owner: String },
    #[error("it asks for group {0:?} twice")]
    GroupTwice(String),
    #[error("it lacks group {group:?}, which policy {policy} demands")]
    GroupMissing { group: String, policy: String },
    #[error("the alternative name {0} is no valid name")]
    OddName(String),
    #[error("it asks for {name}: policy {policy} gives {wanted}")]
    Name {
        name: String,
        policy: String,
        wanted: String,
    },
    #[error("it asks for {name}: {owner} answers to that")]
    ServerTaken { name: String, owner: String },
    #[error("it asks for the wildcard {name}: policy {policy} gives none")]
    Wildcard { name: String, policy: String },
    #[error("it asks for no DNS name and no address, and policy {0} is for servers")]
    NoNames(String),
    #[error("it asks for the usage {usage}: policy {policy} gives {wanted}")]
    Usage {
        usage: String,
        policy: String,
        wanted: String,
    },
    #[error("it does not ask for the usage {usage}, which its signer demands")]
    UsageMissing { usage: &'static str },
    #[error("it asks for the key usage {}: a leaf has digitalSignature, an RSA server keyEncipherment as well", .0)]
    KeyUsage(KeyUsage),
    /// Shorter than ten minutes is refused by the API server too.
    #[error("it asks to expire after {0} seconds: at least 600 make sense")]
    Expiration(i64),
    #[error("policy {policy} speaks of the cluster, and no cluster.toml is at hand")]
    NoCluster { policy: String },
    #[error("signer {signer:?} is not the one that policy {policy} is for, {wanted:?}")]
    Signer {
        signer: String,
        policy: String,
        wanted: String,
    },
    #[error("there is no policy for signer {0:?}")]
    NoPolicy(String),
    #[error("it was {0}")]
    Condition(String),
    #[error("it is not approved")]
    NotApproved,
    #[error("it has a certificate already")]
    AlreadySigned,
}

impl Refusal {
    /// A word for the kind of reason, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Signature { .. } => "signature",
            Self::Key { .. } => "key",
            Self::Authority => "ca",
            Self::CriticalExtension(_) => "critical-extension",
            Self::NoCommonName => "no-common-name",
            Self::CommonNames(_) => "common-names",
            Self::CommonName { .. } => "common-name",
            Self::NameTaken { .. } => "name-taken",
            Self::NoNode { .. } => "no-node",
            Self::NoUser { .. } => "no-user",
            Self::Requester { .. } => "requester",
            Self::Attribute { .. } => "attribute",
            Self::Text { .. } => "text",
            Self::Group { .. } => "group",
            Self::GroupTaken { .. } => "group-taken",
            Self::GroupTwice(_) => "group-twice",
            Self::GroupMissing { .. } => "group-missing",
            Self::OddName(_) => "odd-name",
            Self::Name { .. } => "name",
            Self::ServerTaken { .. } => "server-taken",
            Self::Wildcard { .. } => "wildcard",
            Self::NoNames(_) => "no-names",
            Self::Usage { .. } => "usage",
            Self::UsageMissing { .. } => "usage-missing",
            Self::KeyUsage(_) => "key-usage",
            Self::Expiration(_) => "expiration",
            Self::NoCluster { .. } => "no-cluster",
            Self::Signer { .. } => "signer",
            Self::NoPolicy(_) => "no-policy",
            Self::Condition(_) => "condition",
            Self::NotApproved => "not-approved",
            Self::AlreadySigned => "already-signed",
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Signature { .. } => "make the request anew, with the key that is to be certified",
            Self::Key { .. } => "make a key with kpki csr, or openssl genpkey",
            Self::NoNode { .. } => "add the node to cluster.toml, if it is one",
            Self::NoUser { .. } => {
                "add a [[user]] to cluster.toml, or name another policy with --policy"
            }
            Self::CommonName { .. } | Self::Group { .. } | Self::Name { .. } => {
                "change the request, or name another policy with --policy"
            }
            Self::NoCluster { .. } => "name the cluster with --dir, or a policy without {words}",
            Self::NoPolicy(_) | Self::Signer { .. } => "name the policy with --policy",
            Self::NotApproved => "look at it, then kubectl certificate approve NAME",
            _ => return None,
        })
    }

    pub(super) fn weak_key(has: &str, allowed: &[KeyAlgorithm]) -> Self {
        let words: Vec<_> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
        Self::Key {
            has: has.to_owned(),
            wanted: words.join(", "),
        }
    }
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
    quoted.join(" and ")
}

/// The shortest life that the API server lets a request ask for
/// (pkg/apis/certificates/validation, minimum expirationSeconds).
pub(super) const SHORTEST: Lifetime = Lifetime::minutes(10);
