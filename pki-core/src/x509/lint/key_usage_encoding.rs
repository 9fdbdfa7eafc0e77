//! The bits of keyUsage are encoded without trailing zeros, of which DER knows only one form.

use super::{Rule, Severity, Subject, id};
use crate::x509::hex;

pub(super) const RULE: Rule = Rule {
    name: "key-usage-encoding",
    cites: "ITU-T X.690 section 11.2.2; zlint e_superfluous_ku_encoding",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let value = subject.extension(id::KEY_USAGE)?.value;
    // BIT STRING, its length, how many bits of the last byte are unused, the bits.
    let [_, _, unused, bits @ ..] = value else {
        return Some(format!("{} is no bit string", hex(value)));
    };
    let minimal = match bits.last() {
        None => *unused == 0,
        Some(last) => *last != 0 && last.trailing_zeros() == u32::from(*unused),
    };
    (!minimal).then(|| format!("{} has trailing zero bits", hex(value)))
}

#[cfg(test)]
super::bad_fixture!("key-usage-encoding");
