//! What differs between a certificate and the wish for it.

use time::OffsetDateTime;

use super::Drift;
use crate::cluster::blueprint::AuthorityEntry;
use crate::x509::{
    Certificate, ExtendedKeyUsage, KeyUsage, LeafRequest, NameConstraints, SubjectAltName, Validity,
};

/// Renewal is due when less than one third of the life is left: time enough to notice and mend a
/// failing renewal job, at any length of life (Let's Encrypt and cert-manager use the same share).
fn is_due(validity: &Validity, now: OffsetDateTime) -> bool {
    validity.left(now) * 3 < validity.length()
}

/// What time alone has done to a certificate, whosever it is.
pub(in crate::converge) fn time(validity: &Validity, now: OffsetDateTime) -> Option<Drift> {
    let not_after = validity.not_after;
    if validity.is_over(now) {
        Some(Drift::Expired { not_after })
    } else if !validity.contains(now) {
        Some(Drift::NotYetValid {
            not_before: validity.not_before,
        })
    } else {
        is_due(validity, now).then_some(Drift::Expiring { not_after })
    }
}

/// Everything in `has` that is not as `wanted`, apart from time and issuer.
pub(in crate::converge) fn leaf(has: &Certificate, wanted: &LeafRequest) -> Vec<Drift> {
    let mut drifts = Vec::new();
    if !has.subject.same_attributes(&wanted.subject) {
        drifts.push(Drift::Subject {
            has: has.subject.to_string(),
            wanted: wanted.subject.to_string(),
        });
    }
    let missing: Vec<SubjectAltName> = wanted
        .sans
        .iter()
        .filter(|san| !has.sans.contains(san))
        .cloned()
        .collect();
    if !missing.is_empty() {
        drifts.push(Drift::NamesMissing(missing));
    }
    let extra = has
        .sans
        .iter()
        .filter(|san| !wanted.sans.contains(san))
        .map(ToString::to_string);
    let extra: Vec<_> = extra.chain(has.odd_sans.iter().cloned()).collect();
    if !extra.is_empty() {
        drifts.push(Drift::NamesExtra(extra));
    }
    drifts.extend(usages(has, wanted));
    if has.public_key.algorithm() != Some(wanted.key_algorithm) {
        drifts.push(Drift::Algorithm {
            has: has.public_key.to_string(),
            wanted: wanted.key_algorithm,
        });
    }
    drifts
}

fn usages(has: &Certificate, wanted: &LeafRequest) -> Option<Drift> {
    let known = |usage: &ExtendedKeyUsage| match usage {
        ExtendedKeyUsage::Known(known) => wanted.usages.contains(known),
        ExtendedKeyUsage::Other(_) => false,
    };
    let same = has.extended_key_usages.iter().all(known)
        && wanted.usages.iter().all(|usage| has.allows(*usage))
        // Without digitalSignature no TLS 1.3 handshake works; further bits do no harm.
        && has.key_usage.is_none_or(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE))
        && !has.is_ca;
    let mut words: Vec<_> = has
        .extended_key_usages
        .iter()
        .map(ToString::to_string)
        .collect();
    if has.is_ca {
        words.push("CA".into());
    }
    if !has
        .key_usage
        .is_none_or(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE))
    {
        words.push("no digitalSignature".into());
    }
    let has = if words.is_empty() {
        "none".into()
    } else {
        words.join(", ")
    };
    (!same).then(|| Drift::Usages {
        has,
        wanted: wanted.usages.clone(),
    })
}

/// What only a new CA can mend: its name and its key are what everybody trusts.
pub(super) fn authority_identity(has: &Certificate, wanted: &AuthorityEntry) -> Vec<Drift> {
    let mut drifts = Vec::new();
    if !has.subject.same_attributes(&wanted.subject) {
        drifts.push(Drift::Subject {
            has: has.subject.to_string(),
            wanted: wanted.subject.to_string(),
        });
    }
    if has.public_key.algorithm() != Some(wanted.key_algorithm) {
        drifts.push(Drift::Algorithm {
            has: has.public_key.to_string(),
            wanted: wanted.key_algorithm,
        });
    }
    drifts
}

/// What a certificate anew under the same key mends.
pub(super) fn authority_constraints(has: &Certificate, wanted: &AuthorityEntry) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut differ = |what, has: String, wanted: String| {
        drifts.push(Drift::Constraint { what, has, wanted });
    };
    if !has.is_ca {
        differ("basicConstraints", "not a CA".into(), "a CA".into());
    }
    let signs = KeyUsage::KEY_CERT_SIGN;
    if !has.key_usage.is_some_and(|usage| usage.contains(signs)) {
        let has = has
            .key_usage
            .map_or("absent".into(), |usage| usage.to_string());
        differ("the key usage", has, "keyCertSign, cRLSign".into());
    }
    let length =
        |length: Option<u32>| length.map_or("unlimited".into(), |length| length.to_string());
    if has.path_length != wanted.path_length.map(u32::from) {
        differ(
            "the path length",
            length(has.path_length),
            length(wanted.path_length.map(u32::from)),
        );
    }
    let none = NameConstraints::default();
    let constraints = has.name_constraints.as_ref().unwrap_or(&none);
    if !constraints.same(&wanted.name_constraints) {
        let shown = |constraints: &NameConstraints| {
            if constraints.is_empty() {
                "unconstrained".into()
            } else {
                constraints.to_string()
            }
        };
        differ(
            "the permitted names",
            shown(constraints),
            shown(&wanted.name_constraints),
        );
    }
    drifts
}
