//! No extension stands twice: programs differ in which of two they believe.

use x509_parser::extensions::X509Extension;

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "extension-duplicate",
    cites: "RFC 5280 section 4.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let extensions = subject.tbs.extensions();
    let repeated = |(at, extension): &(usize, &X509Extension<'_>)| {
        let mut before = extensions[..*at].iter();
        before.any(|earlier| earlier.oid == extension.oid)
    };
    let (_, extension) = extensions.iter().enumerate().find(repeated)?;
    Some(format!("{} stands twice", extension.oid))
}

#[cfg(test)]
super::bad_fixture!("extension-duplicate");
