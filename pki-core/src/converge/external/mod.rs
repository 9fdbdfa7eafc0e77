//! An authority whose key is elsewhere: the plan yields signing requests, whose keys wait in the tree, and takes the signed
//! certificates back.
//!
//! A key waits at `pending/` in the cluster's directory, mode 0600, and nobody reads it there. Its certificate is installed
//! in one transaction: certificate and key in their places, as every pair is, and the waiting key gone.

mod pending;
mod proof;
mod requests;
mod take_back;

pub(super) use pending::at as pending_at;
pub use proof::Fault;
pub use requests::{Request, Requests, RequestsError};
pub use take_back::{Refused, Signed, TakenBack};

use super::plan::{Obstacle, Plan, Step};
use crate::cluster::blueprint::{Artifact, CertificateEntry};
use crate::x509::PrivateKey;

/// A leaf that only a key which is not here could issue.
pub(super) struct Waiting<'a> {
    pub step: &'a Step,
    pub artifact: &'a Artifact,
    pub entry: &'a CertificateEntry,
    /// The key that waits for its certificate, if a request was made.
    pub key: Option<&'a PrivateKey>,
}

/// The leaves of a plan that wait for somebody else's signature, in the order of the plan.
pub(super) fn waiting<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = Waiting<'p>> {
    let steps = plan
        .obstacles()
        .filter(|(_, obstacle)| matches!(obstacle, Obstacle::KeyAbsent { .. }));
    steps.filter_map(|(step, _)| {
        let artifact = plan.blueprint.artifact(&step.artifact)?;
        let entry = artifact.content.leaf()?;
        Some(Waiting {
            step,
            artifact,
            entry,
            key: pending::key(artifact, entry, plan.inventory),
        })
    })
}

/// Whether requests are out, or could be made, for leaves of this plan.
pub fn is_wanted(plan: &Plan<'_>) -> bool {
    waiting(plan).next().is_some()
}

/// The artifacts whose keys wait for their certificates.
pub fn are_out(plan: &Plan<'_>) -> usize {
    waiting(plan)
        .filter(|waiting| waiting.key.is_some())
        .count()
}
