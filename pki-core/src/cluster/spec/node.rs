//! A machine of the cluster.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Fact, IpFamily, SshDestination};
use crate::x509::{DnsName, SubjectAltName};

/// One machine: its name, its addresses and what runs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub(super) name: NodeName,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) roles: Vec<Role>,
    pub(super) sans: Vec<SubjectAltName>,
    pub(super) ssh: Option<SshDestination>,
}

impl Node {
    /// Its name in Kubernetes, in its certificates and of its directory.
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// Where the other machines reach it; at least one, the preferred first.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Its first address of that family.
    pub fn address(&self, family: IpFamily) -> Option<IpAddr> {
        self.addresses
            .iter()
            .copied()
            .find(|address| IpFamily::from(*address) == family)
    }

    /// What runs on it, in the order of [`Role::ALL`]; at least one.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether it has that role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Names and addresses besides its own that its servers answer to.
    pub fn sans(&self) -> &[SubjectAltName] {
        &self.sans
    }

    /// Where it is reached by SSH, as far as the spec says.
    pub fn ssh(&self) -> Option<&SshDestination> {
        self.ssh.as_ref()
    }

    /// Where it is reached by SSH: as the spec says, else root at its first address.
    pub fn ssh_destination(&self) -> SshDestination {
        let default = || SshDestination::root_at(self.addresses[0]);
        self.ssh.clone().unwrap_or_else(default)
    }
}

/// A node's name: a DNS name in lower case (a Node object's name is a DNS-1123 subdomain) that
/// leaves room for `system:node:` in a common name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName(String);

impl NodeName {
    /// A common name has at most 64 characters (RFC 5280 appendix A.1, ub-common-name), and the
    /// kubelet's is `system:node:` and the node's name (microk8s#4635).
    pub const MAX_LENGTH: usize = 64 - "system:node:".len();

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a DNS name, for a SAN.
    pub fn dns_name(&self) -> DnsName {
        DnsName::new(self.0.as_str()).expect("a node name was checked to be a DNS name")
    }
}

impl FromStr for NodeName {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        let name = DnsName::new(text)?;
        if name.is_wildcard() {
            return Err(Fact::Wildcard);
        }
        let length = text.chars().count();
        if length > Self::MAX_LENGTH {
            return Err(Fact::NodeNameTooLong { length });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for NodeName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What runs on a node.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Role {
    /// API server, controller manager and scheduler.
    ControlPlane,
    /// A member of the etcd cluster.
    Etcd,
    /// A kubelet for the cluster's pods.
    Worker,
}

impl Role {
    /// Every role, in the order in which roles are listed.
    pub const ALL: [Self; 3] = [Self::ControlPlane, Self::Etcd, Self::Worker];

    /// The word for it in a spec, on a command line and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Etcd => "etcd",
            Self::Worker => "worker",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Fact;

    fn from_str(word: &str) -> Result<Self, Fact> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or(Fact::UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::DnsNameError;

    #[test]
    fn node_names() {
        let longest = "n".repeat(52);
        for name in ["cp1", "worker-3.rack7.corp.example", &longest] {
            assert_eq!(name.parse::<NodeName>().unwrap().as_str(), name);
        }
        for (name, fact) in [
            ("CP1", Fact::DnsName(DnsNameError::Capitals)),
            ("cp_1", Fact::DnsName(DnsNameError::Character('_'))),
            ("../cp1", Fact::DnsName(DnsNameError::Character('/'))),
            ("", Fact::DnsName(DnsNameError::Empty)),
            ("10.0.0.1", Fact::DnsName(DnsNameError::IsAddress)),
            ("*.cp1", Fact::Wildcard),
            (&"n".repeat(53), Fact::NodeNameTooLong { length: 53 }),
        ] {
            assert_eq!(name.parse::<NodeName>(), Err(fact), "{name}");
        }
        assert_eq!(format!("system:node:{longest}").len(), 64);
    }

    #[test]
    fn every_role_reads_back_from_its_own_word() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("master".parse::<Role>(), Err(Fact::UnknownRole));
    }
}
