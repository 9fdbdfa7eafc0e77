//! Name constraints derived from the spec: what an authority issues for, and nothing else.

use ipnet::IpNet;

use crate::cluster::spec::ClusterSpec;
use crate::x509::{DnsName, NameConstraints, SubjectAltName};

/// The domain, the service CIDRs, and whatever of `names` those do not cover.
pub(super) fn derive<'a>(
    spec: &ClusterSpec,
    names: impl Iterator<Item = &'a SubjectAltName>,
) -> NameConstraints {
    let mut constraints = NameConstraints {
        dns: vec![spec.domain().clone()],
        addresses: spec.service_cidrs().to_vec(),
    };
    let mut names: Vec<_> = names.collect();
    // Shorter names first, so that a name which covers another is there when the other comes.
    names.sort_by_key(|name| (name.to_string().len(), (*name).clone()));
    for name in names {
        match name {
            SubjectAltName::Dns(name) => {
                let bare = name.as_str().strip_prefix("*.").unwrap_or(name.as_str());
                if !constraints
                    .dns
                    .iter()
                    .any(|subtree| is_below(bare, subtree.as_str()))
                {
                    constraints.dns.extend(DnsName::new(bare).ok());
                }
            }
            SubjectAltName::Ip(address) => {
                if !constraints
                    .addresses
                    .iter()
                    .any(|range| range.contains(address))
                {
                    constraints.addresses.push(IpNet::from(*address));
                }
            }
            SubjectAltName::Email(_) | SubjectAltName::Uri(_) => {}
        }
    }
    constraints.dns.sort_unstable();
    constraints.addresses.sort_unstable();
    constraints
}

/// Whether `name` is `subtree` or ends in it after a dot (RFC 5280 section 4.2.1.10).
fn is_below(name: &str, subtree: &str) -> bool {
    name.strip_suffix(subtree)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
