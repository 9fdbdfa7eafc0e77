//! A URI is absolute and in ASCII: a scheme, a colon and something after it.

use super::{Rule, Severity, Subject};
use crate::x509::SubjectAltName;

pub(super) const RULE: Rule = Rule {
    name: "san-uri",
    cites: "RFC 5280 section 4.2.1.6; RFC 3986 section 3",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    subject.details.sans.iter().find_map(|san| {
        let SubjectAltName::Uri(text) = san else {
            return None;
        };
        let whole = text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.split_once(':').is_some_and(|(scheme, rest)| {
                is_scheme(scheme) && !rest.trim_start_matches('/').is_empty()
            });
        (!whole).then(|| format!("uniformResourceIdentifier {text:?} is not absolute"))
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
super::bad_fixture!("san-uri");
