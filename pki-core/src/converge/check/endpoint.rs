//! What servers serve, held against what is on disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use time::OffsetDateTime;

use super::finding::{self, Finding, Level, Thresholds};
use super::{CheckedCertificate, CheckedFiles, FilePart};
use crate::cluster::blueprint::ArtifactId;
use crate::cluster::consumer::{Consumer, Need};
use crate::converge::dial::{DialError, Served, ServerAddress, dial};
use crate::x509::{Certificate, Identity, TrustAnchors, Usage};

/// Dialling waits for the network, not for the machine.
const AT_ONCE: usize = 32;

/// A server to look at.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it is.
    pub address: ServerAddress,
    /// What it should serve, where that is known.
    pub artifact: Option<ArtifactId>,
    /// Whose certificate is shown to it if it asks.
    pub client: Option<Identity>,
}

/// What came of looking at a server.
#[derive(Debug)]
pub struct EndpointCheck {
    /// Which server.
    pub target: Target,
    /// What it serves.
    pub served: Result<Served, DialError>,
    /// Whether that is what is on disk.
    pub on_disk: OnDisk,
    /// Who serves, by the file.
    pub consumers: Vec<Consumer>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Whether what is served is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDisk {
    /// The same certificate.
    Same(PathBuf),
    /// Another one for the same subject.
    Other(PathBuf),
    /// Nothing like it is there.
    Nothing,
}

/// Dials all `targets`, each for no longer than `patience`.
pub fn check_endpoints(
    targets: Vec<Target>,
    files: &CheckedFiles,
    thresholds: &Thresholds,
    patience: Duration,
    now: OffsetDateTime,
) -> Vec<EndpointCheck> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = targets.get(index) else {
                return done;
            };
            let served = dial(&target.address, target.client.as_ref(), patience);
            done.push((index, served));
        }
    };
    let mut served: Vec<_> = thread::scope(|scope| {
        let workers = targets.len().min(AT_ONCE);
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().flat_map(|thread| thread.join());
        joined.flatten().collect()
    });
    served.sort_by_key(|(index, _)| *index);
    let anchors = anchors(files);
    targets
        .into_iter()
        .zip(served)
        .map(|(target, (_, served))| {
            let mut check = EndpointCheck {
                target,
                served,
                on_disk: OnDisk::Nothing,
                consumers: Vec::new(),
                findings: Vec::new(),
            };
            check.compare(files);
            check.judge(anchors.as_ref(), thresholds, now);
            check
        })
        .collect()
}

/// Every authority on disk. One that no verifier takes as an anchor is told of as a certificate.
fn anchors(files: &CheckedFiles) -> Option<TrustAnchors> {
    let usable =
        |certificate: &&Certificate| TrustAnchors::new(std::slice::from_ref(*certificate)).is_ok();
    let all: Vec<_> = files
        .authorities()
        .map(|checked| &checked.certificate)
        .filter(usable)
        .cloned()
        .collect();
    TrustAnchors::new(&all).ok()
}

impl EndpointCheck {
    /// The gravest finding's level.
    pub fn level(&self) -> Level {
        finding::gravest(&self.findings)
    }

    /// Finds the file of what is served, or of what should be.
    fn compare(&mut self, files: &CheckedFiles) {
        let Ok(served) = &self.served else { return };
        let leaf = served.certificate();
        let wanted = |checked: &&CheckedCertificate| match &self.target.artifact {
            Some(artifact) => checked.artifact.as_ref() == Some(artifact),
            None => {
                let certificate = &checked.certificate;
                certificate.subject == leaf.subject
                    && certificate.issuer == leaf.issuer
                    && certificate.sans == leaf.sans
                    && certificate.allows(Usage::Server)
            }
        };
        let same = files.certificates.iter().find(|c| c.certificate == *leaf);
        // The newest, where there are several.
        let other = || {
            let all = files.certificates.iter().filter(wanted);
            all.max_by_key(|checked| checked.certificate.validity.not_before)
        };
        let Some(found) = same.or_else(other) else {
            return;
        };
        self.consumers = found.consumers.clone();
        let path = home(found).to_owned();
        if same.is_some() {
            self.on_disk = OnDisk::Same(path);
            return;
        }
        let needs: Vec<_> = found
            .consumers
            .iter()
            .map(|consumer| match consumer.need {
                Need::Nothing => {
                    format!("{consumer} reads it anew by itself, within a minute or so")
                }
                need => format!("{consumer} needs {need}"),
            })
            .collect();
        self.on_disk = OnDisk::Other(path.clone());
        self.findings.push(Finding::NotOnDisk {
            path,
            needs: (!needs.is_empty()).then(|| needs.join(", ")),
        });
    }

    fn judge(
        &mut self,
        anchors: Option<&TrustAnchors>,
        thresholds: &Thresholds,
        now: OffsetDateTime,
    ) {
        let Ok(served) = &self.served else { return };
        let time = Finding::of_time(served.certificate(), thresholds, now);
        let its_time_is_told = time.as_ref().is_some_and(|finding| {
            matches!(
                finding,
                Finding::Expired { .. } | Finding::NotYetValid { .. }
            )
        });
        self.findings.extend(time);
        if let Some(Err(fault)) =
            anchors.map(|anchors| served.verify(anchors, &self.target.address.host, now))
            && !its_time_is_told
        {
            self.findings.push(Finding::Refused(Box::new(fault)));
        }
        // That it wants a certificate is no fault of the one who has none to show.
        if let (Some(reason), Some(_)) = (&served.refusal, &self.target.client) {
            let reason = reason.clone();
            self.findings.push(Finding::ClientRefused { reason });
        }
    }
}

/// The file that a certificate is the leaf of.
fn home(checked: &CheckedCertificate) -> &Path {
    let leaf = |place: &&super::FoundAt| place.part == FilePart::Position(0);
    let place = checked.places.iter().find(leaf);
    &place.unwrap_or(&checked.places[0]).path
}
