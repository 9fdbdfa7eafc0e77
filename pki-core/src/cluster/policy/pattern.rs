//! The patterns of a policy: which texts, names and addresses it lets through.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Ground;
use crate::cluster::spec::{Node, User};
use crate::x509::{DnsName, SubjectAltName};

/// A word in braces, which stands for names of the spec or of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `{node}`: the name of a node of the spec.
    Node,
    /// `{user}`: the name of a user of the spec.
    User,
    /// `{user-groups}`: the groups of the user that the common name names.
    UserGroups,
    /// `{name}`: one of the alternative names that the request asks for.
    Name,
}

const WORDS: [(&str, Word); 4] = [
    ("node", Word::Node),
    ("user", Word::User),
    ("user-groups", Word::UserGroups),
    ("name", Word::Name),
];

/// A pattern for common names, groups, mailboxes and URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPattern {
    /// The text itself.
    Exact(String),
    /// A beginning and `*`: anything that begins so, and has more.
    Prefix(String),
    /// `BEFORE{word}AFTER`.
    Word {
        before: String,
        word: Word,
        after: String,
    },
}

impl TextPattern {
    /// Reads one; `None` when it is none, or has a word that may not stand there.
    pub fn read(text: &str, words: &[Word]) -> Option<Self> {
        if let Some((before, rest)) = text.split_once('{') {
            let (name, after) = rest.split_once('}')?;
            let (_, word) = WORDS.into_iter().find(|(known, _)| *known == name)?;
            let plain = |text: &str| !text.contains(['{', '}', '*']);
            let whole = plain(before) && plain(after) && words.contains(&word);
            return whole.then(|| Self::Word {
                before: before.to_owned(),
                word,
                after: after.to_owned(),
            });
        }
        if text.is_empty() || text.contains('}') {
            return None;
        }
        match text.strip_suffix('*') {
            Some(prefix) if !prefix.contains('*') => Some(Self::Prefix(prefix.to_owned())),
            None if !text.contains('*') => Some(Self::Exact(text.to_owned())),
            _ => None,
        }
    }

    /// What stands where the word is, if `text` fits around it.
    pub fn around<'a>(&self, text: &'a str, wanted: Word) -> Option<&'a str> {
        match self {
            Self::Word {
                before,
                word,
                after,
            } if *word == wanted => text
                .strip_prefix(before.as_str())?
                .strip_suffix(after.as_str()),
            _ => None,
        }
    }

    /// Whether it lets this text through without a look at the spec. `*` gives away no name that
    /// means something to Kubernetes by itself: those begin with `system:`, however it is written.
    pub fn lets_through(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Prefix(prefix) => {
                let rest = text.strip_prefix(prefix.as_str());
                let system = |text: &str| {
                    let head = text.get(..SYSTEM.len());
                    head.is_some_and(|head| head.eq_ignore_ascii_case(SYSTEM))
                };
                rest.is_some_and(|rest| !rest.is_empty()) && (system(prefix) || !system(text))
            }
            Self::Word { .. } => false,
        }
    }

    pub fn is_prefix(&self) -> bool {
        matches!(self, Self::Prefix(_))
    }

    pub fn is_about(&self, wanted: Word) -> bool {
        matches!(self, Self::Word { word, .. } if *word == wanted)
    }
}

/// How names begin that Kubernetes keeps for itself.
const SYSTEM: &str = "system:";

/// As it is written.
impl std::fmt::Display for TextPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Prefix(text) => write!(f, "{text}*"),
            Self::Word {
                before,
                word,
                after,
            } => {
                let name = WORDS.into_iter().find(|(_, known)| known == word);
                write!(
                    f,
                    "{before}{{{}}}{after}",
                    name.map_or("", |(name, _)| name)
                )
            }
        }
    }
}

/// Which DNS names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DnsPattern {
    /// This one.
    Exact(DnsName),
    /// Any below this one, written with a dot before it.
    Below(DnsName),
    /// `.{domain}`: any below the cluster's domain.
    BelowDomain,
    /// `{node}`: those of the node that asks.
    Node,
}

impl DnsPattern {
    pub fn read(text: &str) -> Option<Self> {
        let name = |text: &str| DnsName::new(text).ok().filter(|name| !name.is_wildcard());
        match (text, text.strip_prefix('.')) {
            ("{node}", _) => Some(Self::Node),
            (".{domain}", _) => Some(Self::BelowDomain),
            (_, Some(domain)) => name(domain).map(Self::Below),
            (text, None) => name(text).map(Self::Exact),
        }
    }

    /// `name` without its `*.`, if it has one.
    pub fn lets_through(
        &self,
        name: &str,
        node: Option<&Node>,
        ground: Option<&Ground<'_>>,
    ) -> bool {
        let below = |domain: &DnsName| {
            let rest = name.strip_suffix(domain.as_str());
            rest.is_some_and(|rest| rest.ends_with('.'))
        };
        match self {
            Self::Exact(exact) => exact.as_str() == name,
            Self::Below(domain) => below(domain),
            Self::BelowDomain => ground.is_some_and(|ground| below(ground.spec.domain())),
            Self::Node => node.is_some_and(|node| {
                let own = node.sans().iter().filter_map(|san| match san {
                    SubjectAltName::Dns(own) => Some(own.as_str()),
                    _ => None,
                });
                node.name().as_str() == name || own.into_iter().any(|own| own == name)
            }),
        }
    }
}

impl std::fmt::Display for DnsPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(f),
            Self::Below(domain) => write!(f, ".{domain}"),
            Self::BelowDomain => f.write_str(".{domain}"),
            Self::Node => f.write_str("{node}"),
        }
    }
}

/// Which addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressPattern {
    /// Those of this CIDR, or this one.
    Within(IpNet),
    /// `{service-cidrs}`: those that Services have.
    ServiceCidrs,
    /// `{node}`: those of the node that asks.
    Node,
}

impl AddressPattern {
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "{node}" => Some(Self::Node),
            "{service-cidrs}" => Some(Self::ServiceCidrs),
            text => {
                let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
                text.parse().ok().or_else(one).map(Self::Within)
            }
        }
    }

    pub fn lets_through(
        &self,
        address: IpAddr,
        node: Option<&Node>,
        ground: Option<&Ground<'_>>,
    ) -> bool {
        match self {
            Self::Within(range) => range.contains(&address),
            Self::ServiceCidrs => ground.is_some_and(|ground| {
                let mut ranges = ground.spec.service_cidrs().iter();
                ranges.any(|range| range.contains(&address))
            }),
            Self::Node => node.is_some_and(|node| {
                node.addresses().contains(&address)
                    || node.sans().contains(&SubjectAltName::Ip(address))
            }),
        }
    }
}

impl std::fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Within(range) if range.prefix_len() == range.max_prefix_len() => {
                range.addr().fmt(f)
            }
            Self::Within(range) => range.fmt(f),
            Self::ServiceCidrs => f.write_str("{service-cidrs}"),
            Self::Node => f.write_str("{node}"),
        }
    }
}

/// Whom of the spec a common name means.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asker<'a> {
    pub node: Option<&'a Node>,
    pub user: Option<&'a User>,
}
