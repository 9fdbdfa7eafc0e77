//! What is proven of a certificate before it is installed.

use time::{Duration, OffsetDateTime};

use crate::cluster::blueprint::{ArtifactId, CertificateEntry};
use crate::converge::plan::{Drift, compare};
use crate::x509::lint::{self, Finding, Severity};
use crate::x509::{Authority, Certificate, Lifetime, signature_valid};

/// Why a signed certificate is not installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No key in `pending/` is the one it certifies.
    #[error("no request waits for it: it certifies another key than those in pending/")]
    NotAsked,
    /// Two certificates for one key.
    #[error("{0} has a certificate for {1} already")]
    Twice(String, ArtifactId),
    /// The certificate of its authority is not here, so nothing can be proven.
    #[error("the certificate of authority {0} is nowhere")]
    NoAuthority(ArtifactId),
    /// The authority is none, or its time is over.
    #[error("authority {authority}: {reason}")]
    Authority {
        /// Which.
        authority: ArtifactId,
        /// Why.
        reason: String,
    },
    /// Somebody else signed it.
    #[error("it is issued by {has:?}, not by authority {wanted} ({subject})")]
    Issuer {
        /// The issuer's name.
        has: String,
        /// The wanted authority.
        wanted: ArtifactId,
        /// Its name.
        subject: String,
    },
    /// The signature is not its authority's, whatever it says.
    #[error("its signature is not that of authority {0}")]
    Signature(ArtifactId),
    /// It is not what was asked for.
    #[error(transparent)]
    Differs(Box<Drift>),
    /// It lasts longer than the blueprint lets it.
    #[error("it lasts {has}, and at most {wanted} is wanted")]
    TooLong {
        /// How long it lasts.
        has: String,
        /// How long it may.
        wanted: Lifetime,
    },
    /// It breaks a rule.
    #[error("{0}")]
    Lint(Finding),
    /// It cannot be read again.
    #[error("{0}")]
    Damaged(String),
}

/// An authority may backdate, and rounds to days: so much longer than wanted is no fault.
const SLACK: Duration = Duration::days(1);

/// Everything that is wrong with `certificate` as the leaf that `entry` wants.
pub fn faults(
    certificate: &Certificate,
    entry: &CertificateEntry,
    issuer: &Certificate,
    now: OffsetDateTime,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let authority = || entry.issuer.clone();
    if let Err(error) = Authority::check(issuer, now) {
        let reason = error.to_string();
        faults.push(Fault::Authority {
            authority: authority(),
            reason,
        });
    }
    let named = certificate.issuer.der() == issuer.subject.der();
    if !named {
        faults.push(Fault::Issuer {
            has: certificate.issuer.to_string(),
            wanted: authority(),
            subject: issuer.subject.to_string(),
        });
    } else if !signature_valid(certificate, issuer) {
        faults.push(Fault::Signature(authority()));
    }
    let validity = &certificate.validity;
    let mut drifts = compare::leaf(certificate, &entry.request);
    drifts.extend(compare::time(validity, now));
    if validity.not_after > issuer.validity.not_after {
        let authority = entry.issuer.to_string();
        drifts.push(Drift::OutlivesAuthority { authority });
    }
    let differs = |drift| Fault::Differs(Box::new(drift));
    faults.extend(drifts.into_iter().map(differs));
    let wanted = entry.request.lifetime;
    if validity.length() > wanted.duration() + SLACK {
        let days = validity.length().whole_days();
        let has = format!("{days} days");
        faults.push(Fault::TooLong { has, wanted });
    }
    let rules = [lint::RULES, crate::cluster::lint::RULES];
    // Of a stranger as its issuer only that is told, above.
    match lint::lint(certificate, named.then_some(issuer), &rules) {
        Ok(findings) => {
            let errors = findings
                .into_iter()
                .filter(|found| found.severity == Severity::Error);
            faults.extend(errors.map(Fault::Lint));
        }
        Err(error) => faults.push(Fault::Damaged(error.to_string())),
    }
    faults
}
