//! Kinds of leaf that people ask for by one word: usages, lifetime and names that go with it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{DistinguishedName, DnsName, LeafRequest, Lifetime, SubjectAltName, Usage};

/// A kind of leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preset {
    /// A server, for a year.
    #[default]
    Server,
    /// A client, for a year.
    Client,
    /// A server that also dials out, for a year.
    Peer,
    /// A client in front of a keyboard, for a working day of 8 hours.
    Person,
    /// A server and client on this machine, for a week.
    Test,
}

/// A word that is no preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {0:?}")]
pub struct UnknownPreset(pub String);

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Server,
        Self::Client,
        Self::Peer,
        Self::Person,
        Self::Test,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Peer => "peer",
            Self::Person => "person",
            Self::Test => "test",
        }
    }

    /// What it may be used for.
    pub const fn usages(self) -> &'static [Usage] {
        match self {
            Self::Server => &[Usage::Server],
            Self::Client | Self::Person => &[Usage::Client],
            Self::Peer | Self::Test => &[Usage::Server, Usage::Client],
        }
    }

    /// How long it lasts.
    pub fn lifetime(self) -> Lifetime {
        match self {
            Self::Server | Self::Client | Self::Peer => Lifetime::years(1),
            Self::Person => Lifetime::minutes(8 * 60),
            Self::Test => Lifetime::days(7),
        }
    }

    fn further_names(self) -> Vec<SubjectAltName> {
        match self {
            Self::Test => {
                let localhost = DnsName::new("localhost").map(SubjectAltName::Dns);
                localhost
                    .into_iter()
                    .chain([
                        SubjectAltName::Ip(Ipv4Addr::LOCALHOST.into()),
                        SubjectAltName::Ip(Ipv6Addr::LOCALHOST.into()),
                    ])
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The wish for such a leaf. `name` becomes the common name and, of a server, the first alternative name where
    /// it has the form of one: clients look there only (RFC 9525 section 2).
    ///
    /// ```
    /// use pki_core::x509::Preset;
    ///
    /// let request = Preset::Peer.request("db.test", &["team"], &[], None);
    /// assert_eq!(request.subject.to_string(), "O=team, CN=db.test");
    /// assert_eq!(request.sans.len(), 1);
    /// ```
    pub fn request(
        self,
        name: &str,
        organizations: &[impl AsRef<str>],
        names: &[SubjectAltName],
        usages: Option<&[Usage]>,
    ) -> LeafRequest {
        let usages = usages.unwrap_or(self.usages());
        let own = usages
            .contains(&Usage::Server)
            .then(|| name.parse::<SubjectAltName>().ok())
            .flatten();
        let mut sans = Vec::new();
        for san in own
            .into_iter()
            .chain(names.iter().cloned())
            .chain(self.further_names())
        {
            if !sans.contains(&san) {
                sans.push(san);
            }
        }
        LeafRequest {
            subject: DistinguishedName::new(name, organizations),
            sans,
            ..LeafRequest::client(name)
        }
        .for_usages(usages)
        .with_lifetime(self.lifetime())
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        let preset = Self::ALL.into_iter().find(|preset| preset.as_str() == text);
        preset.ok_or_else(|| UnknownPreset(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_name_is_its_first_alternative_name_and_a_client_s_is_none() {
        let none: [&str; 0] = [];
        let extra = ["192.0.2.7".parse().unwrap(), "db.test".parse().unwrap()];
        let names = |request: LeafRequest| -> Vec<String> {
            request.sans.iter().map(ToString::to_string).collect()
        };
        let server = Preset::Server.request("db.test", &none, &extra, None);
        assert_eq!(names(server), ["db.test", "192.0.2.7"]);
        let client = Preset::Client.request("db.test", &none, &[], None);
        assert_eq!(names(client), none);
        let turned = Preset::Client.request("db.test", &none, &[], Some(&[Usage::Server]));
        assert_eq!(names(turned), ["db.test"]);
        let test = Preset::Test.request("a b", &none, &[], None);
        assert_eq!(names(test), ["localhost", "127.0.0.1", "::1"]);
    }

    #[test]
    fn each_is_read_by_its_word() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
        assert!("ca".parse::<Preset>().is_err());
    }
}
