//! A serial number is a positive integer of at most 20 bytes.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "serial-number",
    cites: "RFC 5280 section 4.1.2.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let raw = subject.tbs.raw_serial();
    if raw.first().is_none_or(|byte| byte & 0x80 != 0) || raw.iter().all(|byte| *byte == 0) {
        return Some(format!("{} is not positive", crate::x509::hex(raw)));
    }
    (raw.len() > 20).then(|| format!("{} bytes are more than 20", raw.len()))
}

#[cfg(test)]
super::bad_fixture!("serial-number");
