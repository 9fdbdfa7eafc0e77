//! What a blueprint is made of: the things wanted on disk.

use std::fmt;

use crate::cluster::file_mode::FileMode;
use crate::cluster::location::Location;
use crate::cluster::spec::{NodeName, UserName};
use crate::x509::{DistinguishedName, KeyAlgorithm, LeafRequest, Lifetime, NameConstraints};

/// One thing wanted on disk, in one or more places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Which.
    pub id: ArtifactId,
    /// What is to be in it.
    pub content: Content,
    /// The files it consists of. Where it is kept in several places, the first ones are its home and
    /// the others are copies.
    pub placements: Vec<Placement>,
}

/// The name of an artifact: what the profile calls it, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactId {
    /// Whose it is.
    pub owner: Owner,
    /// The identifier in the profile, or the user's name.
    pub name: String,
}

/// Whose an artifact is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// There is one for the cluster.
    Cluster,
    /// Each node has its own.
    Node(NodeName),
    /// It is a person's.
    User(UserName),
}

/// What is to be in an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A CA's certificate and key.
    Authority(AuthorityEntry),
    /// A certificate and its key.
    Certificate(CertificateEntry),
    /// A client certificate, its key, a server and its CA in one file.
    Kubeconfig(KubeconfigEntry),
    /// The certificates of several CAs in one file.
    TrustBundle(Vec<ArtifactId>),
    /// The key pair that service-account tokens are signed and verified with.
    ServiceAccount(KeyAlgorithm),
    /// The keys that etcd's content is encrypted with.
    Encryption,
}

/// A CA as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityEntry {
    /// Whether its certificate is given: then only that it can sign is wanted of it, and the rest of
    /// this entry says nothing.
    pub imported: bool,
    /// The subject.
    pub subject: DistinguishedName,
    /// The kind of key.
    pub key_algorithm: KeyAlgorithm,
    /// How long it lasts.
    pub lifetime: Lifetime,
    /// How many CAs may be below it.
    pub path_length: Option<u8>,
    /// What it may issue for.
    pub name_constraints: NameConstraints,
}

/// A leaf certificate as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateEntry {
    /// The authority that issues it.
    pub issuer: ArtifactId,
    /// Subject, names, usages, lifetime and kind of key.
    pub request: LeafRequest,
}

/// A kubeconfig as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigEntry {
    /// The client certificate.
    pub client: CertificateEntry,
    /// The authorities that the server's certificate may come from.
    pub trusts: Vec<ArtifactId>,
    /// The server's URL.
    pub server: String,
    /// How the file calls the cluster.
    pub cluster: String,
    /// How the file calls the user.
    pub user: String,
}

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Which part of the artifact is in it.
    pub part: Part,
    /// Where it is.
    pub location: Location,
    /// Its permission bits.
    pub mode: FileMode,
}

/// Which part of an artifact a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The certificate, with those above it where its issuer is no root; or a bundle of them.
    Certificate,
    /// The private key.
    PrivateKey,
    /// The public key.
    PublicKey,
    /// All in one file.
    Whole,
}

impl Part {
    /// Keys and what embeds them are 0600, the rest may be read by anybody.
    pub(super) const fn mode(self) -> FileMode {
        match self {
            Self::PrivateKey | Self::Whole => FileMode::SECRET,
            Self::Certificate | Self::PublicKey => FileMode::PUBLIC,
        }
    }
}

impl ArtifactId {
    /// One that the cluster has one of.
    pub fn cluster(name: impl Into<String>) -> Self {
        Self {
            owner: Owner::Cluster,
            name: name.into(),
        }
    }

    /// A node's own.
    pub fn node(node: &NodeName, name: impl Into<String>) -> Self {
        Self {
            owner: Owner::Node(node.clone()),
            name: name.into(),
        }
    }

    /// The node it belongs to.
    pub fn on_node(&self) -> Option<&NodeName> {
        match &self.owner {
            Owner::Node(node) => Some(node),
            _ => None,
        }
    }
}

/// As `ca`, `cp1/apiserver`, `user/alice`.
impl fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Owner::Cluster => f.pad(&self.name),
            Owner::Node(node) => f.pad(&format!("{node}/{}", self.name)),
            Owner::User(_) => f.pad(&format!("user/{}", self.name)),
        }
    }
}

impl Artifact {
    /// Whether its certificate is ours to renew: that of a leaf, or of an authority that was not imported.
    pub fn is_renewable(&self) -> bool {
        match &self.content {
            Content::Authority(entry) => !entry.imported,
            content => content.leaf().is_some(),
        }
    }
}

impl Content {
    /// The leaf certificate in it, if it has one.
    pub fn leaf(&self) -> Option<&CertificateEntry> {
        match self {
            Self::Certificate(entry) => Some(entry),
            Self::Kubeconfig(entry) => Some(&entry.client),
            _ => None,
        }
    }

    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Authority(_) => "authority",
            Self::Certificate(_) => "certificate",
            Self::Kubeconfig(_) => "kubeconfig",
            Self::TrustBundle(_) => "trust bundle",
            Self::ServiceAccount(_) => "service-account key pair",
            Self::Encryption => "encryption configuration",
        }
    }
}
