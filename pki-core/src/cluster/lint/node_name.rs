//! A node's name in `system:node:NAME` is a DNS subdomain in lower case, as the names of all nodes are,
//! of at most 52 characters, which is what 64 leave.

use super::node_of;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "node-name",
    cites: "KEP-279; RFC 1123 section 2.1; microk8s#4635",
    severity: Severity::Error,
    check,
};

/// 64, the upper bound of a common name (RFC 5280 appendix A.1), without `system:node:`.
const LONGEST: usize = 52;

fn check(subject: &Subject<'_>) -> Option<String> {
    let node = node_of(subject)?;
    if node.len() > LONGEST {
        let length = node.len();
        return Some(format!(
            "the node name {node:?} has {length} characters, more than {LONGEST}"
        ));
    }
    // Not DnsName: a node may be called by its address, and never by a wildcard.
    let valid = node.split('.').all(is_label);
    (!valid).then(|| format!("{node:?} is no node name"))
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| inner(byte) || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("node-name");
