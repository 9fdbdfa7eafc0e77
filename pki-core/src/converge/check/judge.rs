//! From places to certificates, and what is wrong with each. Pure.

use std::collections::HashMap;

use rayon::prelude::*;
use time::OffsetDateTime;

use super::content::KeyBeside;
use super::gather::Sighting;
use super::known::Known;
use super::{CheckedCertificate, Finding, Thresholds};
use crate::x509::{Certificate, signature_valid};

/// Each certificate once, with all its places and findings; the first to end first.
pub(super) fn judge(
    sightings: Vec<Sighting>,
    known: &Known,
    thresholds: &Thresholds,
    now: OffsetDateTime,
) -> Vec<CheckedCertificate> {
    let mut all = once_each(sightings, known);
    let judged: Vec<_> = {
        let issuers = Issuers::of(&all);
        all.par_iter()
            .map(|one| {
                let time = Finding::of_time(&one.certificate, thresholds, now);
                let mut findings: Vec<_> = time.into_iter().collect();
                findings.extend(issuers.finding(&one.certificate));
                findings
            })
            .collect()
    };
    for (one, mut findings) in all.iter_mut().zip(judged) {
        findings.append(&mut one.findings);
        one.findings = findings;
    }
    let order = |one: &CheckedCertificate| one.certificate.validity.not_after;
    all.sort_by(|one, other| (order(one), &one.places).cmp(&(order(other), &other.places)));
    all
}

fn once_each(sightings: Vec<Sighting>, known: &Known) -> Vec<CheckedCertificate> {
    let mut all: Vec<CheckedCertificate> = Vec::new();
    let mut index: HashMap<Vec<u8>, usize> = HashMap::new();
    for sighting in sightings {
        let findings = of_key(&sighting);
        let der = sighting.certificate.der();
        let place = match index.get(der) {
            Some(place) => *place,
            None => {
                index.insert(der.to_vec(), all.len());
                all.push(CheckedCertificate {
                    certificate: sighting.certificate,
                    places: Vec::new(),
                    artifact: None,
                    succeeds: None,
                    consumers: Vec::new(),
                    findings: Vec::new(),
                });
                all.len() - 1
            }
        };
        let one = &mut all[place];
        for finding in findings {
            if !one.findings.contains(&finding) {
                one.findings.push(finding);
            }
        }
        if !one.places.contains(&sighting.at) {
            one.places.push(sighting.at);
        }
    }
    for one in &mut all {
        one.places.sort();
        name(one, known);
    }
    all
}

/// Its artifact and readers, by the first place that tells. Not by that of an authority in a leaf's chain or
/// kubeconfig: those are the leaf's files.
fn name(one: &mut CheckedCertificate, known: &Known) {
    use super::FilePart::{Authority, Further, Position};
    let own = |part: &super::FilePart| !matches!(part, Authority(_) | Position(1..));
    for place in one.places.iter().filter(|place| own(&place.part)) {
        if let Some(file) = known.at(&place.path) {
            let name = match place.part {
                Further(_) if file.is_authority => Some(&mut one.succeeds),
                // One of those in a bundle has a file of its own, which tells.
                Further(_) => None,
                _ => Some(&mut one.artifact),
            };
            if let Some(name @ None) = name {
                *name = Some(file.artifact.clone());
            }
            for consumer in &file.consumers {
                if !one.consumers.contains(consumer) {
                    one.consumers.push(consumer.clone());
                }
            }
        }
    }
    one.consumers.sort();
}

fn of_key(sighting: &Sighting) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &sighting.key {
        Some((path, KeyBeside::Public(key))) if *key != sighting.certificate.public_key => {
            findings.push(Finding::KeyMismatch { path: path.clone() });
        }
        Some((path, KeyBeside::Unusable(reason))) => findings.push(Finding::KeyUnusable {
            path: path.clone(),
            reason: reason.clone(),
        }),
        _ => {}
    }
    if let Some((path, mode)) = &sighting.exposed {
        findings.push(Finding::KeyExposed {
            path: path.clone(),
            mode: *mode,
        });
    }
    findings
}

/// The authorities that are here, by their name.
struct Issuers<'a>(HashMap<&'a [u8], Vec<&'a Certificate>>);

impl<'a> Issuers<'a> {
    fn of(all: &'a [CheckedCertificate]) -> Self {
        let mut issuers: HashMap<_, Vec<_>> = HashMap::new();
        for one in all.iter().filter(|one| one.certificate.is_ca) {
            let certificate = &one.certificate;
            let named = issuers.entry(certificate.subject.der()).or_default();
            named.push(certificate);
        }
        Self(issuers)
    }

    /// What is wrong between a certificate and its issuer. Nothing is known where that is not here.
    fn finding(&self, certificate: &Certificate) -> Option<Finding> {
        if certificate.is_self_issued() {
            return None;
        }
        let named = self.0.get(certificate.issuer.der())?;
        let signers = named
            .iter()
            .filter(|issuer| signature_valid(certificate, issuer));
        let Some(issuer_end) = signers.map(|issuer| issuer.validity.not_after).max() else {
            return Some(Finding::ForeignIssuer {
                issuer: certificate.issuer.clone(),
            });
        };
        let not_after = certificate.validity.not_after;
        (not_after > issuer_end).then_some(Finding::OutlivesIssuer {
            not_after,
            issuer_end,
        })
    }
}
