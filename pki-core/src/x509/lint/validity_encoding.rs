//! Dates are UTCTime through 2049 and GeneralizedTime from 2050.

use x509_parser::time::ASN1Time;

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "validity-encoding",
    cites: "RFC 5280 section 4.1.2.5",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let validity = &subject.tbs.validity;
    // UTCTime cannot say 2050, so only the other direction can be wrong.
    let wrong = |time: &ASN1Time| time.is_generalizedtime() && time.to_datetime().year() < 2050;
    let (end, time) = if wrong(&validity.not_before) {
        ("notBefore", validity.not_before)
    } else if wrong(&validity.not_after) {
        ("notAfter", validity.not_after)
    } else {
        return None;
    };
    Some(format!("{end} {time} is GeneralizedTime before 2050"))
}

#[cfg(test)]
super::bad_fixture!("validity-encoding");
