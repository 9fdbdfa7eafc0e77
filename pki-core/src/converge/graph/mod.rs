//! The cluster as a graph: authorities, what each issued, who presents it to whom and who trusts that, with the time that is
//! left. Nodes with the same roles are one column, however many they are, so that a picture of fifty nodes can be read. Pure.

mod connections;
mod expiry;

use time::OffsetDateTime;

pub use connections::{Connection, End};
pub use expiry::{Expiry, State};

use super::inventory::Inventory;
use super::plan::source;
use crate::cluster::blueprint::{
    Artifact, ArtifactId, AuthorityEntry, Blueprint, Content, Owner, Part,
};
use crate::cluster::consumer::consumers;
use crate::cluster::spec::{ClusterSpec, NodeName, Role};
use crate::x509::Certificate;

/// A cluster, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The cluster's name.
    pub cluster: String,
    /// How many nodes it has.
    pub nodes: usize,
    /// The moment that it is looked at.
    pub now: OffsetDateTime,
    /// Where things are, in the order of the spec.
    pub columns: Vec<Column>,
    /// Who issues.
    pub authorities: Vec<Authority>,
    /// What they issue: one for each kind of certificate, authority and column.
    pub cards: Vec<Card>,
    /// What is secret and has no end: service-account keys, encryption configurations.
    pub secrets: Vec<Secret>,
    /// Who dials whom.
    pub connections: Vec<Connection>,
}

/// Where certificates are: nodes of the same roles, or people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Nodes, and what they all are.
    Nodes {
        /// Which.
        names: Vec<NodeName>,
        /// Their roles.
        roles: Vec<Role>,
    },
    /// Those who have a kubeconfig of their own.
    People,
}

/// A CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Which.
    pub id: ArtifactId,
    /// Its subject, as it is or else as it is wanted.
    pub subject: String,
    /// Who issued it, where that was another.
    pub issuer: Option<String>,
    /// Whether its certificate was given.
    pub imported: bool,
    /// How it stands.
    pub expiry: Expiry,
    /// Where its certificate was found, as people read it.
    pub path: String,
    /// Whether its key is at hand.
    pub has_key: bool,
    /// The CAs in its file that are to follow it, the next first: whoever trusts it trusts them, too.
    pub successors: Vec<Successor>,
    /// The nodes that hold its certificate.
    pub certificate_on: Vec<NodeName>,
    /// The nodes that hold its key, too.
    pub key_on: Vec<NodeName>,
    /// The programs that trust it: their peers present what it issued.
    pub trusted_by: Vec<String>,
}

/// A CA that is to follow another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// Its subject.
    pub subject: String,
    /// Who issued it, where that was another.
    pub issuer: Option<String>,
    /// How it stands.
    pub expiry: Expiry,
}

/// Certificates of one kind, one authority and one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the profile calls them; `user` for those of people.
    pub name: String,
    /// The word for their kind: `certificate` or `kubeconfig`.
    pub kind: &'static str,
    /// Which authority issues them.
    pub issuer: ArtifactId,
    /// The column, as an index of [`Graph::columns`].
    pub column: usize,
    /// The programs that present them.
    pub used_by: Vec<String>,
    /// Each of them.
    pub members: Vec<Member>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub artifact: ArtifactId,
    /// Its subject, as it is or else as it is wanted.
    pub subject: String,
    /// Where it was found or else should be, as people read it.
    pub path: String,
    /// How it stands.
    pub expiry: Expiry,
}

/// Something secret without an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Which.
    pub id: ArtifactId,
    /// The word for its kind.
    pub kind: &'static str,
    /// The nodes that hold it.
    pub on: Vec<NodeName>,
    /// Whether it is there.
    pub is_there: bool,
}

impl Graph {
    /// Looks at the cluster at the moment `now`.
    pub fn new(
        spec: &ClusterSpec,
        blueprint: &Blueprint,
        inventory: &Inventory,
        now: OffsetDateTime,
    ) -> Self {
        let view = View {
            blueprint,
            inventory,
            now,
        };
        let columns = columns(spec);
        let cards = view.cards(&columns);
        let connections = connections::of(blueprint, &columns, &cards);
        Self {
            cluster: spec.name().to_owned(),
            nodes: spec.nodes().len(),
            now,
            authorities: view.authorities(&connections),
            secrets: view.secrets(),
            connections,
            cards,
            columns,
        }
    }

    /// The cards of an authority in a column, in the order of the profile.
    pub fn cards_of<'a>(
        &'a self,
        authority: &'a ArtifactId,
        column: usize,
    ) -> impl Iterator<Item = &'a Card> {
        self.cards
            .iter()
            .filter(move |card| card.issuer == *authority && card.column == column)
    }

    /// Every certificate with its state: authorities and their successors first, then what they issued.
    pub fn expiries(&self) -> impl Iterator<Item = &Expiry> {
        let members = self.cards.iter().flat_map(|card| &card.members);
        let authorities = self.authorities.iter().flat_map(|authority| {
            let successors = authority.successors.iter().map(|one| &one.expiry);
            std::iter::once(&authority.expiry).chain(successors)
        });
        authorities.chain(members.map(|member| &member.expiry))
    }
}

impl Card {
    /// The one that stands worst, and of those the one that ends first.
    pub fn worst(&self) -> Expiry {
        let all = self.members.iter().map(|member| member.expiry);
        let order = |expiry: &Expiry| {
            let end = expiry.not_after().map(OffsetDateTime::unix_timestamp);
            (expiry.state, end.map(std::cmp::Reverse))
        };
        all.max_by_key(order)
            .expect("a card is made of its members")
    }
}

/// The nodes by their roles, in the order of their first, then the people.
fn columns(spec: &ClusterSpec) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for node in spec.nodes() {
        let same = columns.iter_mut().find_map(|column| match column {
            Column::Nodes { names, roles } if roles == node.roles() => Some(names),
            _ => None,
        });
        match same {
            Some(names) => names.push(node.name().clone()),
            None => columns.push(Column::Nodes {
                names: vec![node.name().clone()],
                roles: node.roles().to_vec(),
            }),
        }
    }
    if !spec.users().is_empty() {
        columns.push(Column::People);
    }
    columns
}

/// The column that an artifact is in: its owner's, and for one of the whole cluster that of its first file.
fn column_of(columns: &[Column], artifact: &Artifact) -> Option<usize> {
    let named = |name: &str| {
        columns.iter().position(|column| match column {
            Column::Nodes { names, .. } => names.iter().any(|node| node.as_str() == name),
            Column::People => false,
        })
    };
    match &artifact.id.owner {
        Owner::Node(node) => named(node.as_str()),
        Owner::User(_) => columns
            .iter()
            .position(|column| matches!(column, Column::People)),
        Owner::Cluster => named(artifact.placements.first()?.location.node()?),
    }
}

struct View<'a> {
    blueprint: &'a Blueprint,
    inventory: &'a Inventory,
    now: OffsetDateTime,
}

impl View<'_> {
    fn authorities(&self, connections: &[Connection]) -> Vec<Authority> {
        let of = |artifact: &Artifact| match &artifact.content {
            Content::Authority(entry) => {
                let trusted_by = connections::trusting(connections, &artifact.id);
                Some(self.authority(artifact, entry, trusted_by))
            }
            _ => None,
        };
        self.blueprint.artifacts().iter().filter_map(of).collect()
    }

    fn authority(
        &self,
        artifact: &Artifact,
        entry: &AuthorityEntry,
        trusted_by: Vec<String>,
    ) -> Authority {
        let (certificate, path) = self.found(artifact);
        let issuer = certificate.filter(|certificate| !certificate.is_self_issued());
        let key = certificate
            .and_then(|certificate| source::key_of(certificate, artifact, self.inventory));
        Authority {
            id: artifact.id.clone(),
            subject: match certificate {
                Some(certificate) => certificate.subject.to_string(),
                None => entry.subject.to_string(),
            },
            issuer: issuer.map(|certificate| certificate.issuer.to_string()),
            imported: entry.imported,
            expiry: Expiry::of(certificate, self.now),
            path,
            has_key: key.is_some(),
            successors: source::certificates(artifact, self.inventory)
                .iter()
                .flat_map(|found| found.authority().successors())
                .map(|certificate| Successor {
                    subject: certificate.subject.to_string(),
                    issuer: (!certificate.is_self_issued()).then(|| certificate.issuer.to_string()),
                    expiry: Expiry::of(Some(certificate), self.now),
                })
                .collect(),
            certificate_on: nodes_with(artifact, Some(Part::Certificate)),
            key_on: nodes_with(artifact, Some(Part::PrivateKey)),
            trusted_by,
        }
    }

    fn cards(&self, columns: &[Column]) -> Vec<Card> {
        let mut cards: Vec<Card> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for artifact in self.blueprint.artifacts() {
            let (Some(entry), Some(column)) =
                (artifact.content.leaf(), column_of(columns, artifact))
            else {
                continue;
            };
            let name = match &artifact.id.owner {
                Owner::User(_) => "user",
                _ => artifact.id.name.as_str(),
            };
            let (certificate, path) = self.found(artifact);
            let member = Member {
                artifact: artifact.id.clone(),
                subject: match certificate {
                    Some(certificate) => certificate.subject.to_string(),
                    None => entry.request.subject.to_string(),
                },
                path,
                expiry: Expiry::of(certificate, self.now),
            };
            let place = *places
                .entry((name, &entry.issuer, column))
                .or_insert_with(|| {
                    cards.push(Card {
                        name: name.to_owned(),
                        kind: artifact.content.kind(),
                        issuer: entry.issuer.clone(),
                        column,
                        used_by: programs(self.blueprint, artifact),
                        members: Vec::new(),
                    });
                    cards.len() - 1
                });
            cards[place].members.push(member);
        }
        cards
    }

    fn secrets(&self) -> Vec<Secret> {
        let of = |artifact: &Artifact| match &artifact.content {
            Content::ServiceAccount(_) | Content::Encryption => Some(Secret {
                id: artifact.id.clone(),
                kind: artifact.content.kind(),
                on: nodes_with(artifact, None),
                is_there: source::files(artifact, self.inventory).next().is_some(),
            }),
            _ => None,
        };
        self.blueprint.artifacts().iter().filter_map(of).collect()
    }

    /// An artifact's certificate where there is one, and where it is or should be.
    fn found<'b>(&'b self, artifact: &'b Artifact) -> (Option<&'b Certificate>, String) {
        match source::certificates(artifact, self.inventory) {
            Some(found) => (found.chain.first(), self.inventory.shown(found.at)),
            None => {
                let home = artifact.placements.first();
                let path = home.map(|placement| self.inventory.shown(&placement.location));
                (None, path.unwrap_or_default())
            }
        }
    }
}

/// The programs that read an artifact, each once.
fn programs(blueprint: &Blueprint, artifact: &Artifact) -> Vec<String> {
    let mut names: Vec<_> = consumers(blueprint, artifact)
        .iter()
        .map(|consumer| consumer.component.to_string())
        .collect();
    names.dedup();
    names
}

/// The nodes that hold a part of an artifact, or any part.
fn nodes_with(artifact: &Artifact, part: Option<Part>) -> Vec<NodeName> {
    let mut nodes: Vec<NodeName> = artifact
        .placements
        .iter()
        .filter(|placement| part.is_none_or(|part| placement.part == part))
        .filter_map(|placement| placement.location.node()?.parse().ok())
        .collect();
    nodes.dedup();
    nodes
}

#[cfg(test)]
mod tests;
