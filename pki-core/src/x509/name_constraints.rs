//! What an authority may issue for.

use std::fmt;

use ipnet::IpNet;

use super::DnsName;

/// Permitted subtrees of the nameConstraints extension (RFC 5280 section 4.2.1.10). Where a kind has none,
/// every name of that kind is permitted. A DNS subtree permits the name itself and all below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NameConstraints {
    /// Permitted dNSName subtrees.
    pub dns: Vec<DnsName>,
    /// Permitted iPAddress ranges.
    pub addresses: Vec<IpNet>,
}

impl NameConstraints {
    /// Whether there is no constraint at all; such an extension must not be written.
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.addresses.is_empty()
    }

    /// Whether both permit the same, in whatever order they say it.
    pub fn same(&self, other: &Self) -> bool {
        fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
            let mut list = list.to_vec();
            list.sort_unstable();
            list.dedup();
            list
        }
        sorted(&self.dns) == sorted(&other.dns)
            && sorted(&self.addresses) == sorted(&other.addresses)
    }
}

impl fmt::Display for NameConstraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dns = self.dns.iter().map(ToString::to_string);
        let all: Vec<_> = dns
            .chain(self.addresses.iter().map(ToString::to_string))
            .collect();
        f.pad(&all.join(", "))
    }
}
