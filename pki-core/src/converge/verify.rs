//! Verify: every trust edge of the cluster as a TLS handshake in memory, with the files that are on
//! disk and under the names that clients really dial.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::inventory::{Found, Inventory};
use crate::cluster::Root;
use crate::cluster::blueprint::{
    Artifact, ArtifactId, Blueprint, Content, Part, Placement, TrustEdge,
};
use crate::cluster::spec::NodeName;
use crate::x509::{
    Agreed, AuthorityFile, Certificate, DialedName, HandshakeError, Identity, IdentityError,
    TrustAnchors, TrustAnchorsError, handshake,
};

/// What came of every handshake.
#[derive(Debug)]
pub struct Verification {
    /// One entry for each edge and each name that is dialled over it.
    pub checks: Vec<EdgeCheck>,
}

/// One handshake.
#[derive(Debug)]
pub struct EdgeCheck {
    /// The edge.
    pub edge: TrustEdge,
    /// The name or address that the client dialled; `None` where the edge could not be tried at all.
    pub dialed: Option<DialedName>,
    /// What the two sides agreed on, or why they did not.
    pub result: Result<Agreed, EdgeFault>,
}

/// Why an edge does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EdgeFault {
    /// A file that one side needs is not there, or holds something else.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it, in words.
        reason: String,
    },
    /// A certificate and a key that do not belong together.
    #[error("{artifact}: {source}")]
    Identity {
        /// Whose.
        artifact: ArtifactId,
        /// Why.
        source: Box<IdentityError>,
    },
    /// Certificates that cannot be trusted for anything.
    #[error("{authority}: {source}")]
    Anchors {
        /// Which authority's.
        authority: ArtifactId,
        /// Why.
        source: Box<TrustAnchorsError>,
    },
    /// One side refused the other.
    #[error("{0}")]
    Handshake(Box<HandshakeError>),
}

impl Verification {
    /// The handshakes that failed.
    pub fn failures(&self) -> impl Iterator<Item = &EdgeCheck> {
        self.checks.iter().filter(|check| check.result.is_err())
    }
}

/// Shakes hands over every edge of the blueprint at the moment `now`.
pub fn verify(blueprint: &Blueprint, inventory: &Inventory, now: OffsetDateTime) -> Verification {
    let mut verifier = Verifier {
        blueprint,
        inventory,
        identities: HashMap::new(),
        anchors: HashMap::new(),
    };
    let mut checks = Vec::new();
    for edge in blueprint.edges() {
        match verifier.ends(edge) {
            Ok(ends) => checks.extend(edge.dials.iter().map(|dialed| EdgeCheck {
                edge: edge.clone(),
                dialed: Some(dialed.clone()),
                result: ends.shake(dialed, now),
            })),
            Err(fault) => {
                checks.push(EdgeCheck {
                    edge: edge.clone(),
                    dialed: None,
                    result: Err(fault),
                });
            }
        }
    }
    Verification { checks }
}

/// Both sides of an edge, read.
struct Ends {
    server: Identity,
    server_trusts: Option<TrustAnchors>,
    client: Option<Identity>,
    client_trusts: TrustAnchors,
}

impl Ends {
    fn shake(&self, dialed: &DialedName, now: OffsetDateTime) -> Result<Agreed, EdgeFault> {
        let client = self.client.as_ref();
        let server_trusts = self.server_trusts.as_ref();
        handshake(
            &self.server,
            server_trusts,
            client,
            &self.client_trusts,
            dialed,
            now,
        )
        .map_err(|error| EdgeFault::Handshake(Box::new(error)))
    }
}

/// Reads each identity and each set of anchors once: a large cluster has many edges between few files.
struct Verifier<'a> {
    blueprint: &'a Blueprint,
    inventory: &'a Inventory,
    identities: HashMap<(ArtifactId, Option<NodeName>), Result<Identity, EdgeFault>>,
    anchors: HashMap<(Vec<ArtifactId>, Option<NodeName>), Result<TrustAnchors, EdgeFault>>,
}

impl Verifier<'_> {
    fn ends(&mut self, edge: &TrustEdge) -> Result<Ends, EdgeFault> {
        let client = match &edge.client {
            Some(id) => Some(self.identity(id, edge.client_node.as_ref())?),
            None => None,
        };
        let client_trusts = if edge.client_trusts.is_empty() {
            self.embedded_anchors(edge)?
        } else {
            self.anchors(&edge.client_trusts, edge.client_node.as_ref())?
        };
        let server_trusts = if edge.server_trusts.is_empty() {
            None
        } else {
            Some(self.anchors(&edge.server_trusts, edge.server_node.as_ref())?)
        };
        let server = self.identity(&edge.server, edge.server_node.as_ref())?;
        Ok(Ends {
            server,
            server_trusts,
            client,
            client_trusts,
        })
    }

    fn identity(
        &mut self,
        id: &ArtifactId,
        node: Option<&NodeName>,
    ) -> Result<Identity, EdgeFault> {
        let key = (id.clone(), node.cloned());
        if let Some(known) = self.identities.get(&key) {
            return known.clone();
        }
        let made = self.read_identity(id, node);
        self.identities.insert(key, made.clone());
        made
    }

    fn read_identity(
        &self,
        id: &ArtifactId,
        node: Option<&NodeName>,
    ) -> Result<Identity, EdgeFault> {
        let artifact = self.artifact(id)?;
        let at = |part: Part| self.found(artifact, part, node);
        let (chain, key) = if artifact
            .placements
            .iter()
            .any(|placement| placement.part == Part::Whole)
        {
            let (path, file) = at(Part::Whole)?;
            (
                part(&path, file.certificates(), file)?,
                part(&path, file.private_key(), file)?,
            )
        } else {
            let (path, file) = at(Part::Certificate)?;
            let chain = part(&path, file.certificates(), file)?;
            let (path, file) = at(Part::PrivateKey)?;
            (chain, part(&path, file.private_key(), file)?)
        };
        Identity::new(chain.to_vec(), key).map_err(|source| EdgeFault::Identity {
            artifact: id.clone(),
            source: Box::new(source),
        })
    }

    fn anchors(
        &mut self,
        ids: &[ArtifactId],
        node: Option<&NodeName>,
    ) -> Result<TrustAnchors, EdgeFault> {
        let key = (ids.to_vec(), node.cloned());
        if let Some(known) = self.anchors.get(&key) {
            return known.clone();
        }
        let made = self.read_anchors(ids, node);
        self.anchors.insert(key, made.clone());
        made
    }

    fn read_anchors(
        &self,
        ids: &[ArtifactId],
        node: Option<&NodeName>,
    ) -> Result<TrustAnchors, EdgeFault> {
        let mut certificates: Vec<Certificate> = Vec::new();
        for id in ids {
            let artifact = self.artifact(id)?;
            let (path, file) = self.found(artifact, Part::Certificate, node)?;
            let all = part(&path, file.certificates(), file)?;
            match artifact.content {
                Content::Authority(_) => {
                    certificates.extend(AuthorityFile::of(all).trusted().cloned());
                }
                _ => certificates.extend_from_slice(all),
            }
        }
        anchors(&ids[0], &certificates)
    }

    /// What a kubeconfig itself says it trusts.
    fn embedded_anchors(&self, edge: &TrustEdge) -> Result<TrustAnchors, EdgeFault> {
        let id = edge.client.as_ref().unwrap_or(&edge.server);
        let (path, file) =
            self.found(self.artifact(id)?, Part::Whole, edge.client_node.as_ref())?;
        let trusted = match file {
            Found::Kubeconfig(config) => config.trusts.embedded(),
            _ => None,
        };
        anchors(id, part(&path, trusted, file)?)
    }

    fn artifact(&self, id: &ArtifactId) -> Result<&Artifact, EdgeFault> {
        let missing = || EdgeFault::File {
            path: id.to_string(),
            reason: "not in the blueprint".into(),
        };
        self.blueprint.artifact(id).ok_or_else(missing)
    }

    /// The file of a part that a process on `node` reads: the node's own copy, and for people, pods and
    /// servers that may run anywhere the artifact's home, or a copy while the home is away.
    fn found<'b>(
        &'b self,
        artifact: &'b Artifact,
        part: Part,
        node: Option<&NodeName>,
    ) -> Result<(String, &'b Found), EdgeFault> {
        let of_part = || {
            artifact
                .placements
                .iter()
                .filter(|placement| placement.part == part)
        };
        let prefix = node.map(|node| format!("nodes/{node}/"));
        let own = of_part().find(|placement| {
            placement.location.root == Root::Tree
                && prefix
                    .as_ref()
                    .is_some_and(|prefix| placement.location.path.as_str().starts_with(prefix))
        });
        let missing = |path: String| EdgeFault::File {
            path,
            reason: "missing".into(),
        };
        let there = |placement: &&Placement| self.inventory.at(&placement.location).is_some();
        let placement = own
            .or_else(|| of_part().find(there))
            .or_else(|| of_part().next())
            .ok_or_else(|| missing(artifact.id.to_string()))?;
        let path = self.inventory.shown(&placement.location);
        match self.inventory.at(&placement.location) {
            Some(file) => Ok((path, &file.content)),
            None => Err(missing(path)),
        }
    }
}

fn anchors(id: &ArtifactId, certificates: &[Certificate]) -> Result<TrustAnchors, EdgeFault> {
    TrustAnchors::new(certificates).map_err(|source| EdgeFault::Anchors {
        authority: id.clone(),
        source: Box::new(source),
    })
}

/// A part of a file, or what the file is instead.
fn part<'a, T: ?Sized>(path: &str, part: Option<&'a T>, file: &Found) -> Result<&'a T, EdgeFault> {
    part.ok_or_else(|| EdgeFault::File {
        path: path.to_owned(),
        reason: file.describe(),
    })
}
