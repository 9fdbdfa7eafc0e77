//! The attributes of a subject are not empty and not longer than their upper bound, counted in
//! characters. A node's name has to leave its common name within 64 (microk8s#4635).

use super::{Rule, Severity, Subject};
use crate::x509::AttributeKind;

pub(super) const RULE: Rule = Rule {
    name: "attribute-length",
    cites: "RFC 5280 appendix A.1 (ub-common-name and the others)",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    subject
        .details
        .subject
        .attributes()
        .iter()
        .find_map(|attribute| {
            let bound = upper_bound(&attribute.kind)?;
            let value = attribute.value.as_str();
            if value.is_empty() {
                return Some(format!("{} is empty", attribute.kind));
            }
            // There are never more characters than bytes.
            if value.len() <= bound {
                return None;
            }
            let length = value.chars().count();
            (length > bound).then(|| {
                format!(
                    "{} has {length} characters, more than {bound}",
                    attribute.kind
                )
            })
        })
}

fn upper_bound(kind: &AttributeKind) -> Option<usize> {
    match kind {
        AttributeKind::CommonName
        | AttributeKind::Organization
        | AttributeKind::OrganizationalUnit
        | AttributeKind::SerialNumber => Some(64),
        AttributeKind::Country => Some(2),
        AttributeKind::Locality | AttributeKind::StateOrProvince => Some(128),
        AttributeKind::EmailAddress => Some(255),
        AttributeKind::DomainComponent | AttributeKind::UserId | AttributeKind::Other(_) => None,
    }
}

#[cfg(test)]
super::bad_fixture!("attribute-length");
