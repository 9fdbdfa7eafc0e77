//! The blueprint: spec x profile, the exact list of what is wanted on disk. Pure.

mod artifact;
mod constraints;
mod edge;
mod error;

use std::collections::HashMap;
use std::net::IpAddr;

pub use artifact::{
    Artifact, ArtifactId, AuthorityEntry, CertificateEntry, Content, KubeconfigEntry, Owner, Part,
    Placement,
};
pub use edge::TrustEdge;
pub use error::{BlueprintError, BlueprintFact};

use super::location::{Location, RelativePath, Root};
use super::profile::{CertificateRule, KubeconfigRule, Profile, SecretRule, ServerChoice};
use super::spec::{CertificateOverride, ClusterSpec, Node, NodeName, Role, User};
use crate::x509::{DistinguishedName, KeyAlgorithm, LeafRequest, Lifetime, NameConstraints, Usage};

/// Everything wanted of a cluster's PKI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    artifacts: Vec<Artifact>,
    /// Where each artifact is in the list: a large cluster has tens of thousands.
    index: HashMap<ArtifactId, usize>,
    edges: Vec<TrustEdge>,
}

impl Blueprint {
    /// Applies a profile to a spec.
    ///
    /// # Errors
    /// When the spec speaks of certificates or authorities that the profile does not have, or a
    /// certificate is to outlive its authority.
    pub fn new(spec: &ClusterSpec, profile: &Profile) -> Result<Self, BlueprintError> {
        error::check(spec, profile)?;
        let draft = Draft { spec, profile };
        let mut artifacts = draft.certificates();
        artifacts.extend(draft.kubeconfigs());
        artifacts.extend(draft.users());
        // The constraints of an authority follow from what it is to issue, so authorities come last
        // here and first in the list.
        let mut all = draft.authorities(&artifacts);
        all.extend(draft.bundles());
        all.extend(artifacts);
        all.extend(draft.service_accounts());
        all.extend(draft.encryptions());
        let ids = all.iter().map(|artifact| artifact.id.clone());
        let blueprint = Self {
            index: ids.zip(0..).collect(),
            artifacts: all,
            edges: profile
                .edges
                .iter()
                .flat_map(|rule| edge::expand(rule, spec, profile))
                .collect(),
        };
        error::check_lifetimes(&blueprint)?;
        Ok(blueprint)
    }

    /// Every artifact: authorities first, then what they issue.
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// The artifact of that name.
    pub fn artifact(&self, id: &ArtifactId) -> Option<&Artifact> {
        self.index.get(id).map(|place| &self.artifacts[*place])
    }

    /// Every TLS relation.
    pub fn edges(&self) -> &[TrustEdge] {
        &self.edges
    }

    /// The part of it that is in one node's tree, with the homes of the authorities that have a certificate there: all that
    /// a machine can be asked for that was given its own tree and nothing else. Every TLS relation is still there.
    #[must_use]
    pub fn of_node(&self, node: &NodeName) -> Self {
        let tree = format!("nodes/{node}/");
        let is_here = |placement: &Placement| {
            let Location { root, path } = &placement.location;
            *root == Root::Tree && path.as_str().starts_with(&tree)
        };
        let here = self.artifacts.iter();
        let here = here.filter(|artifact| artifact.placements.iter().any(is_here));
        let artifacts: Vec<_> = here
            .map(|artifact| {
                let mut artifact = artifact.clone();
                artifact.placements.retain(|placement| {
                    placement.location.root == Root::Authorities || is_here(placement)
                });
                artifact
            })
            .collect();
        let ids = artifacts.iter().map(|artifact| artifact.id.clone());
        Self {
            index: ids.zip(0..).collect(),
            artifacts,
            edges: self.edges.clone(),
        }
    }
}

struct Draft<'a> {
    spec: &'a ClusterSpec,
    profile: &'a Profile,
}

impl Draft<'_> {
    fn certificates(&self) -> Vec<Artifact> {
        self.profile
            .certificates
            .iter()
            .flat_map(|rule| self.certificate(rule))
            .collect()
    }

    fn certificate(&self, rule: &CertificateRule) -> Vec<Artifact> {
        let parts = [(Part::Certificate, ".crt"), (Part::PrivateKey, ".key")];
        let content = |node: Option<&Node>| {
            let overrides = self.spec.certificate_override(&rule.id);
            let mut sans: Vec<_> = rule
                .sans
                .iter()
                .flat_map(|source| source.names(self.spec, node))
                .collect();
            // More names make sense only where there are names: on servers.
            if rule.usages.contains(&Usage::Server) {
                sans.extend(
                    overrides
                        .into_iter()
                        .flat_map(CertificateOverride::sans)
                        .cloned(),
                );
            }
            edge::dedup(&mut sans);
            Content::Certificate(CertificateEntry {
                issuer: ArtifactId::cluster(&rule.issuer),
                request: LeafRequest {
                    subject: subject(&rule.common_name, &rule.organizations, node),
                    sans,
                    usages: rule.usages.clone(),
                    lifetime: self.lifetime(overrides, rule.validity),
                    key_algorithm: self.algorithm(overrides, rule.key_algorithm),
                },
            })
        };
        let nodes: Vec<_> = self.nodes(&rule.on).collect();
        if rule.per_node {
            nodes
                .into_iter()
                .map(|node| Artifact {
                    id: ArtifactId::node(node.name(), &rule.id),
                    content: content(Some(node)),
                    placements: placements(&parts, &rule.file, &[node]),
                })
                .collect()
        } else if nodes.is_empty() {
            Vec::new()
        } else {
            vec![Artifact {
                id: ArtifactId::cluster(&rule.id),
                content: content(None),
                placements: placements(&parts, &rule.file, &nodes),
            }]
        }
    }

    fn kubeconfigs(&self) -> Vec<Artifact> {
        let of = |rule: &KubeconfigRule, node: &Node| {
            let overrides = self.spec.certificate_override(&rule.id);
            let client = subject(&rule.common_name, &rule.organizations, Some(node));
            Artifact {
                id: ArtifactId::node(node.name(), &rule.id),
                content: Content::Kubeconfig(KubeconfigEntry {
                    trusts: rule.trusts.iter().map(ArtifactId::cluster).collect(),
                    server: match rule.server {
                        ServerChoice::Node => self.node_url(node),
                        ServerChoice::Nearest if node.has(Role::ControlPlane) => {
                            self.node_url(node)
                        }
                        ServerChoice::Endpoint | ServerChoice::Nearest => {
                            self.spec.endpoint().url()
                        }
                    },
                    cluster: self.spec.name().to_owned(),
                    user: client.common_name().unwrap_or_default().to_owned(),
                    client: CertificateEntry {
                        issuer: ArtifactId::cluster(&rule.issuer),
                        request: LeafRequest {
                            subject: client,
                            sans: Vec::new(),
                            usages: vec![Usage::Client],
                            lifetime: self.lifetime(overrides, rule.validity),
                            key_algorithm: self.algorithm(overrides, rule.key_algorithm),
                        },
                    },
                }),
                placements: placements(&[(Part::Whole, "")], &rule.file, &[node]),
            }
        };
        let rules = self.profile.kubeconfigs.iter();
        rules
            .flat_map(|rule| self.nodes(&rule.on).map(move |node| of(rule, node)))
            .collect()
    }

    fn users(&self) -> Vec<Artifact> {
        let Some(rule) = &self.profile.user else {
            return Vec::new();
        };
        let of = |user: &User| Artifact {
            id: ArtifactId {
                owner: Owner::User(user.name().clone()),
                name: user.name().to_string(),
            },
            content: Content::Kubeconfig(KubeconfigEntry {
                trusts: rule.trusts.iter().map(ArtifactId::cluster).collect(),
                server: self.spec.outside_endpoint().url(),
                cluster: self.spec.name().to_owned(),
                user: user.name().to_string(),
                client: CertificateEntry {
                    issuer: ArtifactId::cluster(&rule.issuer),
                    request: LeafRequest {
                        subject: DistinguishedName::new(user.name().as_str(), user.groups()),
                        sans: Vec::new(),
                        usages: vec![Usage::Client],
                        lifetime: user.validity().unwrap_or_else(|| self.lifetime(None, None)),
                        key_algorithm: self.spec.key_algorithm(),
                    },
                },
            }),
            placements: vec![Placement {
                part: Part::Whole,
                location: Location::tree(format!("users/{}.conf", user.name()))
                    .expect("a user's name is a file name"),
                mode: Part::Whole.mode(),
            }],
        };
        self.spec.users().iter().map(of).collect()
    }

    fn authorities(&self, issued: &[Artifact]) -> Vec<Artifact> {
        let rules = self.profile.authorities.iter();
        rules
            .map(|rule| {
                let id = ArtifactId::cluster(&rule.id);
                let overrides = self.spec.authority_override(&rule.id);
                let own = |get: fn(&super::spec::AuthorityOverride) -> Option<Lifetime>| {
                    overrides.and_then(get)
                };
                let name_constraints = if rule.name_constraints {
                    let leaves = issued.iter().filter_map(|artifact| artifact.content.leaf());
                    let mine = leaves.filter(|leaf| leaf.issuer == id);
                    constraints::derive(self.spec, mine.flat_map(|leaf| &leaf.request.sans))
                } else {
                    NameConstraints::default()
                };
                let common_name = overrides
                    .and_then(|own| own.common_name())
                    .unwrap_or(&rule.common_name);
                let entry = AuthorityEntry {
                    imported: overrides.is_some_and(|own| own.is_imported()),
                    subject: DistinguishedName::new(common_name, &[] as &[&str]),
                    key_algorithm: overrides
                        .and_then(|own| own.key_algorithm())
                        .or(rule.key_algorithm)
                        .unwrap_or(self.spec.key_algorithm()),
                    lifetime: own(super::spec::AuthorityOverride::validity)
                        .or(self.spec.ca_validity())
                        .or(rule.validity)
                        .unwrap_or(self.profile.ca_validity),
                    path_length: rule.path_length,
                    name_constraints,
                };
                let mut all = home(&rule.file);
                let certificates: Vec<_> = self.nodes(&rule.certificate_on).collect();
                all.extend(placements(
                    &[(Part::Certificate, ".crt")],
                    &rule.file,
                    &certificates,
                ));
                let keys: Vec<_> = self.nodes(&rule.key_on).collect();
                all.extend(placements(&[(Part::PrivateKey, ".key")], &rule.file, &keys));
                Artifact {
                    id,
                    content: Content::Authority(entry),
                    placements: all,
                }
            })
            .collect()
    }

    fn bundles(&self) -> Vec<Artifact> {
        let rules = self.profile.bundles.iter();
        rules
            .map(|rule| Artifact {
                id: ArtifactId::cluster(&rule.id),
                content: Content::TrustBundle(
                    rule.authorities.iter().map(ArtifactId::cluster).collect(),
                ),
                placements: placements(
                    &[(Part::Certificate, "")],
                    &rule.file,
                    &self.nodes(&rule.on).collect::<Vec<_>>(),
                ),
            })
            .filter(|artifact| !artifact.placements.is_empty())
            .collect()
    }

    fn service_accounts(&self) -> Vec<Artifact> {
        let parts = [(Part::PublicKey, ".pub"), (Part::PrivateKey, ".key")];
        self.secrets(&self.profile.service_accounts, &parts, |rule| {
            let overrides = self.spec.certificate_override(&rule.id);
            let wanted = self.algorithm(overrides, None);
            // Kubernetes signs tokens with RSA or ECDSA only (pkg/serviceaccount/jwt.go).
            let able = if wanted == KeyAlgorithm::Ed25519 {
                KeyAlgorithm::EcdsaP256
            } else {
                wanted
            };
            Content::ServiceAccount(able)
        })
    }

    fn encryptions(&self) -> Vec<Artifact> {
        self.secrets(&self.profile.encryptions, &[(Part::Whole, "")], |_| {
            Content::Encryption
        })
    }

    fn secrets(
        &self,
        rules: &[SecretRule],
        parts: &[(Part, &str)],
        content: impl Fn(&SecretRule) -> Content,
    ) -> Vec<Artifact> {
        rules
            .iter()
            .map(|rule| Artifact {
                id: ArtifactId::cluster(&rule.id),
                content: content(rule),
                placements: placements(
                    parts,
                    &rule.file,
                    &self.nodes(&rule.on).collect::<Vec<_>>(),
                ),
            })
            .filter(|artifact| !artifact.placements.is_empty())
            .collect()
    }

    fn nodes<'b>(&'b self, on: &'b [Role]) -> impl Iterator<Item = &'b Node> {
        self.spec
            .nodes()
            .iter()
            .filter(move |node| on.iter().any(|role| node.has(*role)))
    }

    fn lifetime(
        &self,
        overrides: Option<&CertificateOverride>,
        rule: Option<Lifetime>,
    ) -> Lifetime {
        overrides
            .and_then(CertificateOverride::validity)
            .or(self.spec.validity())
            .or(rule)
            .unwrap_or(self.profile.validity)
    }

    fn algorithm(
        &self,
        overrides: Option<&CertificateOverride>,
        rule: Option<KeyAlgorithm>,
    ) -> KeyAlgorithm {
        overrides
            .and_then(CertificateOverride::key_algorithm)
            .or(rule)
            .unwrap_or(self.spec.key_algorithm())
    }

    /// The API server on the node itself.
    fn node_url(&self, node: &Node) -> String {
        let address = self.spec.preferred_address(node);
        let port = self.spec.apiserver_port(node);
        match address {
            IpAddr::V4(address) => format!("https://{address}:{port}"),
            IpAddr::V6(address) => format!("https://[{address}]:{port}"),
        }
    }
}

fn subject(common_name: &str, organizations: &[String], node: Option<&Node>) -> DistinguishedName {
    let fill = |text: &str| match node {
        Some(node) => text.replace("{node}", node.name().as_str()),
        None => text.to_owned(),
    };
    let organizations: Vec<_> = organizations.iter().map(|text| fill(text)).collect();
    DistinguishedName::new(&fill(common_name), &organizations)
}

/// Where an authority is kept: in the CA directory, under the path it has in a node's `pki` folder, so
/// that a kubeadm `pki` folder can stand there as it is.
fn home(file: &RelativePath) -> Vec<Placement> {
    let inner = file.as_str().strip_prefix("pki/").unwrap_or(file.as_str());
    [(Part::Certificate, ".crt"), (Part::PrivateKey, ".key")]
        .into_iter()
        .map(|(part, ending)| Placement {
            part,
            location: Location::authorities(format!("{inner}{ending}"))
                .expect("it is part of a checked path"),
            mode: part.mode(),
        })
        .collect()
}

/// The files of an artifact below each of `nodes`.
fn placements(parts: &[(Part, &str)], file: &RelativePath, nodes: &[&Node]) -> Vec<Placement> {
    let of = |node: &Node| {
        let node = node.name().clone();
        parts.iter().map(move |(part, ending)| Placement {
            part: *part,
            location: Location::tree(format!("nodes/{node}/{file}{ending}"))
                .expect("a node's name and a checked path make a checked path"),
            mode: part.mode(),
        })
    };
    nodes.iter().flat_map(|node| of(node)).collect()
}
