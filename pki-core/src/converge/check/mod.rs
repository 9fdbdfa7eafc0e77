//! Every certificate that there is, on disk and as served: how long it lasts, who uses it, what is wrong with it.
//!
//! Unlike the inventory this reads whatever it is pointed at: other people's trees, kubelets' own files, DER, every
//! user of a kubeconfig. It changes nothing.

mod content;
mod endpoint;
mod finding;
mod gather;
mod identity;
mod judge;
mod known;
mod live;

use std::path::PathBuf;

use time::OffsetDateTime;

pub use endpoint::{EndpointCheck, OnDisk, Target, check_endpoints};
pub use finding::{Finding, Level, Thresholds};
pub use identity::{IdentityFileError, identity_of_file};
pub use live::{live_endpoints, live_endpoints_here};

use super::problem::Problem;
use crate::cluster::blueprint::ArtifactId;
use crate::cluster::consumer::Consumer;
use crate::x509::Certificate;

/// What was found on disk.
#[derive(Debug, Default)]
pub struct CheckedFiles {
    /// Each certificate once, the first to end first.
    pub certificates: Vec<CheckedCertificate>,
    /// What could not be told.
    pub unknown: Vec<Problem>,
}

/// One certificate, wherever it is.
#[derive(Debug)]
pub struct CheckedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Where it is: at least one place.
    pub places: Vec<FoundAt>,
    /// Which artifact of a cluster or, by its file name, of kubeadm's layout it is.
    pub artifact: Option<ArtifactId>,
    /// Which authority it is to follow: it is in that one's file, and trusted beside it.
    pub succeeds: Option<ArtifactId>,
    /// Who reads it.
    pub consumers: Vec<Consumer>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Where a certificate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundAt {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub part: FilePart,
}

/// Where in a file a certificate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilePart {
    /// So many certificates stand before it: 0 is the leaf's place.
    Position(usize),
    /// So many certificates stand before it, and it is above none of them: a further CA in a file that begins with one, as in
    /// a trust bundle or, of a CA's successor, in that one's file.
    Further(usize),
    /// A kubeconfig embeds it as the certificate of this user.
    Client(String),
    /// A kubeconfig embeds it as what it trusts of this cluster.
    Authority(String),
}

impl CheckedFiles {
    /// Reads `paths`, files and directories, and judges what is there at `now`.
    pub fn read(paths: &[PathBuf], thresholds: &Thresholds, now: OffsetDateTime) -> Self {
        let gathered = gather::gather(paths);
        let known = known::Known::of(paths);
        let mut unknown = gathered.unknown;
        unknown.extend(known.problems());
        if gathered.sightings.is_empty() && unknown.is_empty() {
            let paths: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            unknown.push(Problem::new(
                format!("no certificate below {}", paths.join(", ")),
                "name files with certificates, or directories of them",
            ));
        }
        Self {
            certificates: judge::judge(gathered.sightings, &known, thresholds, now),
            unknown,
        }
    }

    /// The authorities among them.
    pub fn authorities(&self) -> impl Iterator<Item = &CheckedCertificate> {
        self.certificates
            .iter()
            .filter(|checked| checked.certificate.is_ca)
    }
}

impl CheckedCertificate {
    /// The gravest finding's level.
    pub fn level(&self) -> Level {
        finding::gravest(&self.findings)
    }

    /// What people call it: the artifact it is, or whose successor, else whom it is for.
    pub fn name(&self) -> String {
        match (&self.artifact, &self.succeeds) {
            (Some(artifact), _) => artifact.to_string(),
            (None, Some(authority)) => format!("{authority} (successor)"),
            (None, None) => {
                let subject = &self.certificate.subject;
                let name = subject.common_name().map(str::to_owned);
                name.unwrap_or_else(|| subject.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
