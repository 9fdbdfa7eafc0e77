//! Whether a node could start with the files of its tree. Pure.

use std::fmt;

use pki_core::cluster::blueprint::{Artifact, ArtifactId, Blueprint, Part};
use pki_core::cluster::spec::NodeName;
use pki_core::converge::inventory::{Found, Inventory};
use pki_core::converge::plan::{Drift, Plan};
use pki_core::converge::verify::{EdgeFault, verify};
use pki_core::x509::{Certificate, DialedName, IdentityError, PublicKey};
use time::OffsetDateTime;

use crate::desired::{NeededFile, NodeNeeds};
use crate::machine::node_source::own;

/// What came of a check.
#[derive(Debug)]
pub struct Report {
    /// How many files the node needs.
    pub files: usize,
    /// How many handshakes were tried.
    pub handshakes: usize,
    /// What is wrong, or soon will be.
    pub findings: Vec<Finding>,
    /// The TLS relations that need files of other machines, which are not here.
    pub untried: Vec<Untried>,
}

/// Something wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How wrong.
    pub severity: Severity,
    /// What.
    pub fact: Fact,
}

/// How wrong something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The node does not start with it, or not as what it should be.
    Fault,
    /// The node starts, and still it should be mended.
    Warning,
}

/// What is wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fact {
    /// An artifact is not as it is wanted.
    #[error("{artifact}: {drift}")]
    Drift {
        /// Which artifact.
        artifact: ArtifactId,
        /// How it differs.
        drift: Drift,
    },
    /// A handshake with the node's files failed.
    #[error("{edge}{}: {fault}", .dialed.as_ref().map(|name| format!(" at {name}")).unwrap_or_default())]
    Edge {
        /// Which TLS relation.
        edge: String,
        /// What the client dialled.
        dialed: Option<DialedName>,
        /// Why it failed.
        fault: EdgeFault,
    },
}

/// A TLS relation that could not be tried here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untried {
    /// Which.
    pub edge: String,
    /// The file that is not here.
    pub path: String,
}

/// Checks the files and the TLS relations of `node` at the moment `now`.
pub fn check(
    blueprint: &Blueprint,
    inventory: &Inventory,
    node: &NodeName,
    now: OffsetDateTime,
) -> Report {
    let needs = NodeNeeds::new(blueprint, node);
    let files: Vec<_> = needs.files().collect();
    let mut findings = Vec::new();
    let one_artifact =
        |one: &NeededFile<'_>, next: &NeededFile<'_>| std::ptr::eq(one.artifact, next.artifact);
    let own = own::blueprint(blueprint, inventory, node);
    let plan = Plan::new(&own, inventory, now);
    for files in files.chunk_by(one_artifact) {
        let artifact = files[0].artifact;
        // Artifacts of the node alone are the plan's business; of those that are everywhere, only the
        // copies on this node are ours.
        let drifts = if artifact.id.on_node() == Some(node) {
            let step = plan
                .steps()
                .iter()
                .find(|step| step.artifact == artifact.id);
            step.map(|step| step.reasons.clone()).unwrap_or_default()
        } else {
            copies(files, inventory, now)
        };
        findings.extend(
            drifts
                .into_iter()
                .filter_map(|drift| finding(artifact, drift)),
        );
    }
    let mut report = Report {
        files: files.len(),
        handshakes: 0,
        findings,
        untried: Vec::new(),
    };
    report.shake_hands(&needs, blueprint, inventory, node, now);
    report.findings.sort_by_key(|finding| finding.severity);
    report
}

impl Report {
    /// Whether the node could start.
    pub fn is_fine(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Fault)
    }

    fn shake_hands(
        &mut self,
        needs: &NodeNeeds<'_>,
        blueprint: &Blueprint,
        inventory: &Inventory,
        node: &NodeName,
        now: OffsetDateTime,
    ) {
        let own = format!("nodes/{node}/");
        let checks = verify(blueprint, inventory, now).checks;
        for check in checks
            .into_iter()
            .filter(|check| needs.is_end_of(&check.edge))
        {
            let edge = check.edge.name;
            match check.result {
                Err(EdgeFault::File { path, .. }) if !path.starts_with(&own) => {
                    self.untried.push(Untried { edge, path });
                    continue;
                }
                // Told already, as a file that is missing or makes no sense.
                Err(EdgeFault::File { .. }) => continue,
                // Told already, as a key that does not belong to the certificate.
                Err(EdgeFault::Identity { artifact, source })
                    if matches!(*source, IdentityError::KeyMismatch { .. })
                        && artifact.on_node().is_none_or(|owner| owner == node) =>
                {
                    continue;
                }
                Err(fault) => self.findings.push(Finding {
                    severity: Severity::Fault,
                    fact: Fact::Edge {
                        edge,
                        dialed: check.dialed,
                        fault,
                    },
                }),
                Ok(_) => {}
            }
            self.handshakes += 1;
        }
    }
}

/// What is wrong with this node's files of an artifact that others have too.
fn copies(files: &[NeededFile<'_>], inventory: &Inventory, now: OffsetDateTime) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut public: Option<PublicKey> = None;
    for file in files {
        let placement = file.placement;
        let path = placement.location.path.to_string();
        let Some(found) = inventory.at(&placement.location) else {
            drifts.push(Drift::Missing { path });
            continue;
        };
        let (key, certificate): (Option<&PublicKey>, Option<&Certificate>) =
            match (placement.part, &found.content) {
                (Part::Certificate, Found::Certificates(chain)) => {
                    (Some(&chain[0].public_key), chain.first())
                }
                (Part::PrivateKey, Found::PrivateKey(key)) => (Some(key.public_key()), None),
                (Part::PublicKey, Found::PublicKey(key)) => (Some(key), None),
                (Part::Whole, Found::Encryption(_)) => (None, None),
                (_, other) => {
                    let reason = other.describe();
                    drifts.push(Drift::Unusable { path, reason });
                    continue;
                }
            };
        if found.mode != placement.mode {
            drifts.push(Drift::Mode {
                path: path.clone(),
                has: found.mode,
                wanted: placement.mode,
            });
        }
        if let Some(certificate) = certificate {
            let validity = &certificate.validity;
            let (not_before, not_after) = (validity.not_before, validity.not_after);
            if validity.is_over(now) {
                drifts.push(Drift::Expired { not_after });
            } else if !validity.contains(now) {
                drifts.push(Drift::NotYetValid { not_before });
            }
        }
        match (&public, key) {
            (Some(first), Some(key)) if first != key => drifts.push(Drift::KeyMismatch { path }),
            (None, Some(key)) => public = Some(key.clone()),
            _ => {}
        }
    }
    drifts
}

fn finding(artifact: &Artifact, drift: Drift) -> Option<Finding> {
    let severity = match drift {
        // What that authority lacks is told at the authority.
        Drift::AuthorityReplaced { .. } => return None,
        Drift::Expiring { .. }
        | Drift::OutlivesAuthority { .. }
        | Drift::NamesExtra(_)
        | Drift::Algorithm { .. }
        | Drift::Context { .. } => Severity::Warning,
        _ => Severity::Fault,
    };
    let artifact = artifact.id.clone();
    Some(Finding {
        severity,
        fact: Fact::Drift { artifact, drift },
    })
}

impl Fact {
    /// A word for its kind, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Drift { drift, .. } => drift.code(),
            Self::Edge { .. } => "handshake",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
        })
    }
}
