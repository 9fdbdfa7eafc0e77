//! What can be wrong with a value, and what would mend it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::nearest::nearest;
use super::{IpFamily, Mistake, NodeName, ProfileReference, Role};
use crate::x509::{
    DnsNameError, KeyAlgorithm, Lifetime, LifetimeError, SubjectAltNameError, UnknownKeyAlgorithm,
};

/// One of the address ranges of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// A service CIDR.
    Service,
    /// A pod CIDR.
    Pod,
    /// A pod CIDR that nobody chose.
    DefaultPod,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Service => "service CIDR",
            Self::Pod => "pod CIDR",
            Self::DefaultPod => "default pod CIDR",
        })
    }
}

/// What is wrong with a value: the fact alone. [`Mistake`] says of which value and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fact {
    /// The file is no TOML.
    #[error("{0}")]
    Syntax(String),
    /// A number where a text belongs, and the like.
    #[error("{found}, where {wanted} belongs")]
    Type {
        /// What belongs there.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A field that a spec does not have.
    #[error("unknown field")]
    UnknownField {
        /// Those it has at this place.
        known: Vec<String>,
    },
    /// An id that the profile does not have.
    #[error("the profile has no such {kind}")]
    UnknownId {
        /// "certificate" or "authority".
        kind: &'static str,
        /// Those it has.
        known: Vec<String>,
    },
    /// A required field is absent.
    #[error("not given")]
    Missing,
    /// A text of no characters.
    #[error("empty")]
    Empty,
    /// The same a second time.
    #[error("given twice")]
    Repeated,
    /// A character that is none: line feed, escape, NUL.
    #[error("it has a control character")]
    ControlCharacter,
    /// Blanks at the beginning or the end.
    #[error("it begins or ends with a blank")]
    OuterBlanks,
    /// Too long for a certificate's subject.
    #[error("{length} characters, where a certificate's subject has room for 64")]
    SubjectTooLong {
        /// How long it is.
        length: usize,
    },

    /// No DNS name.
    #[error(transparent)]
    DnsName(#[from] DnsNameError),
    /// `*.` where one host belongs.
    #[error("a wildcard cannot stand here")]
    Wildcard,
    /// A name of several labels where one belongs.
    #[error("a name with dots, where a single label belongs")]
    NotLabel,
    /// A cluster domain that leaves no room for names in it.
    #[error("{length} characters, more than {limit}, which leave room for kubernetes.default.svc.")]
    DomainTooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// An email address or a URI.
    #[error("neither a DNS name nor an address")]
    SanKind,
    /// No email address or URI either.
    #[error("{0}")]
    San(SubjectAltNameError),

    /// No CIDR at all.
    #[error("not a CIDR")]
    NotCidr,
    /// An address alone.
    #[error("an address without a prefix length, not a CIDR")]
    PrefixMissing,
    /// A prefix longer than the addresses of the family.
    #[error("prefix longer than {limit}")]
    PrefixTooLong {
        /// The longest of the family.
        limit: u8,
    },
    /// Address bits right of the prefix.
    #[error("host bits are set")]
    HostBits {
        /// The range of this prefix length.
        masked: IpNet,
        /// The largest range that begins at this address, where it is of use.
        exact: Option<IpNet>,
    },
    /// Fewer addresses than Kubernetes wants.
    #[error("too small: {addresses} addresses, and {least} are needed")]
    CidrTooSmall {
        /// How many it has.
        addresses: u128,
        /// How many are needed.
        least: u128,
    },
    /// More addresses than Kubernetes wants for Services.
    #[error("too large: the prefix is shorter than {shortest}")]
    ServiceCidrTooLarge {
        /// The shortest prefix.
        shortest: u8,
    },
    /// More than two.
    #[error("one more than the two that a cluster can have")]
    MoreThanTwo,
    /// A second one of a family.
    #[error("a second {family} one; a cluster has at most one of each family")]
    SecondOfFamily {
        /// The family.
        family: IpFamily,
    },
    /// Two ranges share addresses.
    #[error("overlaps the {range} {cidr}")]
    Overlap {
        /// What the other one is.
        range: Range,
        /// The other one.
        cidr: IpNet,
        /// A pod CIDR that is free.
        free: Option<IpNet>,
    },
    /// A service CIDR has a family that the pods have not.
    #[error("no {family} pod CIDR beside the {family} service CIDR")]
    PodFamilyMissing {
        /// The family.
        family: IpFamily,
    },

    /// No address at all.
    #[error("not an IP address")]
    NotAddress,
    /// IPv4 in the clothes of IPv6.
    #[error("an IPv4-mapped IPv6 address")]
    Mapped(Ipv4Addr),
    /// `0.0.0.0` or `::`.
    #[error("the unspecified address, which nobody can dial")]
    Unspecified,
    /// `127.0.0.1` and the like.
    #[error("a loopback address, which no other machine can dial")]
    Loopback,
    /// A group address.
    #[error("a multicast address")]
    Multicast,
    /// `255.255.255.255`.
    #[error("the broadcast address")]
    LimitedBroadcast,
    /// `169.254.0.0/16` or `fe80::/10`.
    #[error("a link-local address, which the kubelet refuses")]
    LinkLocal,
    /// Another node has it.
    #[error("node {node} has this address already")]
    AddressTaken {
        /// The other node.
        node: String,
    },
    /// A machine's address in a range of the cluster's own.
    #[error("inside the {range} {cidr}")]
    InsideRange {
        /// What the range is.
        range: Range,
        /// The range.
        cidr: IpNet,
        /// A pod CIDR that is free.
        free: Option<IpNet>,
    },

    /// A cluster DNS address that no Service can have.
    #[error("outside of the service CIDR {}", list(.cidrs, " and "))]
    OutsideServiceCidrs {
        /// The service CIDRs.
        cidrs: Vec<IpNet>,
        /// The address it would have by default.
        default: Option<IpAddr>,
    },
    /// The first address of all.
    #[error("the network address of {cidr}, which no Service gets")]
    NetworkAddress {
        /// The service CIDR.
        cidr: IpNet,
        /// The address it would have by default.
        default: IpAddr,
    },
    /// Network + 1.
    #[error("the first address of {cidr}, which is the kubernetes Service's")]
    KubernetesService {
        /// The service CIDR.
        cidr: IpNet,
        /// The address it would have by default.
        default: IpAddr,
    },
    /// The last IPv4 address.
    #[error("the broadcast address of {cidr}, which no Service gets")]
    BroadcastAddress {
        /// The service CIDR.
        cidr: IpNet,
        /// The address it would have by default.
        default: IpAddr,
    },

    /// Neither host nor host and port.
    #[error("not a host, or host:port")]
    NotEndpoint,
    /// A scheme before the host.
    #[error("a URL, where host:port belongs")]
    EndpointIsUrl {
        /// Its host and port.
        bare: String,
    },
    /// The API server's port on loopback, where not every node has an API server.
    #[error("an API server's own port, and node {0} has none")]
    NoApiServerThere(NodeName),
    /// No port.
    #[error("the port is not a number from 1 to 65535")]
    NotPort,

    /// Neither host, nor user, host and port.
    #[error("not [USER@]HOST[:PORT]")]
    NotSshDestination,
    /// No name of a user, or an option of ssh.
    #[error("what is before the @ is no name of a user")]
    NotSshUser,

    /// A node name that leaves no room for `system:node:`.
    #[error("{length} characters, more than {}", NodeName::MAX_LENGTH)]
    NodeNameTooLong {
        /// How long it is.
        length: usize,
    },
    /// Not `NAME=ADDRESS`.
    #[error("not NAME=ADDRESS")]
    NodeFlag,
    /// No role.
    #[error("unknown role")]
    UnknownRole,
    /// Nobody does this job.
    #[error("none has the role {role}")]
    NoNodeWithRole {
        /// The job.
        role: Role,
    },
    /// A character that a user's name cannot have there.
    #[error("{0:?} cannot stand there in a user's name")]
    UserNameCharacter(char),

    /// No profile.
    #[error("unknown profile")]
    UnknownProfile,
    /// No key algorithm.
    #[error("unknown key algorithm")]
    UnknownKeyAlgorithm,
    /// No lifetime.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// A certificate would outlive its authority.
    #[error("longer than its authority's {authority}")]
    OutlivesAuthority {
        /// The authority's lifetime.
        authority: Lifetime,
    },
    /// A setting for what an imported authority brings along.
    #[error("the authority is imported, so this is taken as found")]
    TakenAsFound,
}

impl From<UnknownKeyAlgorithm> for Fact {
    fn from(_: UnknownKeyAlgorithm) -> Self {
        Self::UnknownKeyAlgorithm
    }
}

impl From<SubjectAltNameError> for Fact {
    fn from(error: SubjectAltNameError) -> Self {
        match error {
            SubjectAltNameError::Dns(name) => Self::DnsName(name),
            other => Self::San(other),
        }
    }
}

impl Fact {
    /// What would mend `mistake`, whose fact this is.
    pub(super) fn hint(&self, mistake: &Mistake) -> Option<String> {
        let value = mistake.value.as_deref().unwrap_or_default();
        let key = mistake.field.rsplit('.').next().unwrap_or_default();
        let free_pods = |free: &Option<IpNet>| {
            let free = (*free)?.to_string();
            Some(format!(
                "give pods another range: {}",
                mistake.setting("pod-cidr", &free)
            ))
        };
        Some(match self {
            Self::Syntax(_) => {
                "this is TOML: key = \"text\", key = [\"one\", \"two\"], [table], [[node]]".into()
            }
            Self::MoreThanTwo => "leave one out: dual stack is one of IPv4 and one of IPv6".into(),
            Self::Type { wanted, .. } => match *wanted {
                "true or false" => format!("{key} = true"),
                "a table" => format!("write [{}] and its settings below it", mistake.field),
                "a table of tables" => format!("write [{key}.ID] and its settings below it"),
                "an array of tables" => format!("write [[{key}]], with two brackets"),
                _ if value.is_empty() => format!("{key} = \"...\""),
                _ => format!(
                    "put it in quotes: {key} = \"{}\"",
                    value.trim_matches(['\'', '"'])
                ),
            },
            Self::UnknownField { known } | Self::UnknownId { known, .. } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                did_you_mean(key, &known)
            }
            Self::UnknownRole => did_you_mean(value, &Role::ALL.map(Role::as_str)),
            Self::UnknownKeyAlgorithm => {
                did_you_mean(value, &KeyAlgorithm::ALL.map(KeyAlgorithm::as_str))
            }
            Self::UnknownProfile => format!(
                "{}; a file of your own has a / in its path, or ends in .toml",
                did_you_mean(value, &ProfileReference::SHIPPED)
            ),
            Self::Missing => match key {
                "service-cidr" => {
                    "--service-cidr 10.3.0.0/24, or service-cidr = \"10.3.0.0/24\" in the spec"
                        .into()
                }
                "node" => "name a machine: [[node]] with name and addresses, or --node \
                           NAME=ADDRESS"
                    .into(),
                "addresses" => "at least one address at which the other machines reach it".into(),
                _ => format!("{key} = \"...\""),
            },
            Self::Empty => "leave it out, or say something".into(),
            Self::Repeated => "leave one of the two out".into(),
            Self::ControlCharacter => "it must fit on one line".into(),
            Self::OuterBlanks => format!("write it without: {}", value.trim()),
            Self::SubjectTooLong { .. } => "choose a shorter one".into(),
            Self::DnsName(error) => match error {
                DnsNameError::Capitals => {
                    format!("write it in lower case: {}", value.to_lowercase())
                }
                DnsNameError::IsAddress if value.parse::<IpAddr>().is_ok() => {
                    "a DNS name belongs here".into()
                }
                DnsNameError::IsAddress => "neither a whole IP address nor a name: a name's last \
                                            part has at least one letter"
                    .into(),
                DnsNameError::Character('_') => {
                    format!("use a hyphen: {}", value.replace('_', "-"))
                }
                DnsNameError::LabelLength(label) if label.is_empty() && value.ends_with('.') => {
                    format!(
                        "write it without the last dot: {}",
                        value.trim_end_matches('.')
                    )
                }
                _ => "a DNS name has letters a-z, digits and hyphens, in parts of at most 63 \
                      between dots"
                    .into(),
            },
            Self::Wildcard => "name one host; wildcards may stand in san only".into(),
            Self::NotLabel => match value.split('.').next() {
                Some(label) if !label.is_empty() => format!("for example {label}"),
                _ => return None,
            },
            Self::DomainTooLong { .. } => "choose a shorter domain".into(),
            Self::SanKind | Self::San(_) => {
                "only DNS names and IP addresses can be dialled; leave it out".into()
            }
            Self::NotCidr => {
                "a CIDR is an address, a slash and a prefix length: 10.3.0.0/24".into()
            }
            Self::PrefixMissing if value.contains(':') => format!("for example {value}/112"),
            Self::PrefixMissing => format!("for example {value}/24"),
            Self::PrefixTooLong { limit: 32 } => "for example /24".into(),
            Self::PrefixTooLong { .. } => "for example /112".into(),
            Self::HostBits {
                masked,
                exact: None,
            } => format!("did you mean {masked}?"),
            Self::HostBits {
                masked,
                exact: Some(exact),
            } => format!("did you mean {masked}, or the largest that begins there, {exact}?"),
            Self::CidrTooSmall { least, .. } => {
                let needed = least.next_power_of_two().trailing_zeros();
                let bits = if value.contains(':') { 128 } else { 32 };
                format!("use /{} or a shorter prefix", bits - needed)
            }
            Self::ServiceCidrTooLarge { shortest } => format!("use /{shortest} or a longer prefix"),
            Self::SecondOfFamily { family } => {
                let other = match family {
                    IpFamily::V4 => IpFamily::V6,
                    IpFamily::V6 => IpFamily::V4,
                };
                format!("leave one out, or make it {other} for dual stack")
            }
            Self::Overlap { free, .. } | Self::InsideRange { free, .. } => {
                return free_pods(free).or_else(|| {
                    Some("choose ranges that neither overlap nor hold a machine".into())
                });
            }
            Self::PodFamilyMissing { family } => {
                let example = match family {
                    IpFamily::V4 => super::check::POD_CIDRS_V4[0],
                    IpFamily::V6 => super::check::POD_CIDRS_V6[0],
                };
                format!("add {example}")
            }
            Self::NotAddress if value.contains('/') => "write the address without a prefix".into(),
            Self::NotAddress => "an IP address belongs here, such as 192.0.2.10 or fd00::10".into(),
            Self::Mapped(v4) => format!("write it as IPv4: {v4}"),
            Self::Unspecified
            | Self::Loopback
            | Self::Multicast
            | Self::LimitedBroadcast
            | Self::LinkLocal => "use an address of one machine, or a range of such".into(),
            Self::AddressTaken { node } => format!("correct it here or at node {node}"),
            Self::OutsideServiceCidrs { default: None, .. } => {
                "choose an address in a service CIDR, or leave it out".into()
            }
            Self::OutsideServiceCidrs {
                default: Some(default),
                ..
            }
            | Self::NetworkAddress { default, .. }
            | Self::KubernetesService { default, .. }
            | Self::BroadcastAddress { default, .. } => {
                format!("for example {default}, the default")
            }
            Self::NotEndpoint => {
                "for example api.corp.example:6443, 192.0.2.1 or [fd00::1]:6443".into()
            }
            Self::EndpointIsUrl { bare } => format!("write {bare}"),
            Self::NoApiServerThere(_) => format!(
                "write port {}: on a loopback address, each node has a load balancer there",
                super::Endpoint::LOCAL_BALANCER_PORT
            ),
            Self::NotPort if key == "ssh" => "for example root@192.0.2.11:22".into(),
            Self::NotPort => "for example 6443".into(),
            Self::NotSshDestination => {
                "for example root@192.0.2.11, cp1.corp.example:2222 or root@[fd00::1]:22".into()
            }
            Self::NotSshUser => {
                "a name has letters, digits and . _ -, begins with a letter, and has at most 32 \
                 characters"
                    .into()
            }
            Self::NodeNameTooLong { .. } => {
                "system:node: and the name must fit into 64 characters; choose a shorter one".into()
            }
            Self::NodeFlag => {
                "for example --node cp1=192.168.1.10,fd00::10:control-plane,etcd".into()
            }
            Self::NoNodeWithRole { role } => {
                format!("give it to one: roles = [\"{role}\"], or --node NAME=ADDRESS:{role}")
            }
            Self::UserNameCharacter(_) => {
                "a name has letters a-z, digits and . _ @ -, and begins with a letter or digit"
                    .into()
            }
            Self::Lifetime(LifetimeError::TooLong) => "10y is usual for an authority".into(),
            Self::Lifetime(_) => "for example 8h, 90d or 1y".into(),
            Self::OutlivesAuthority { authority } => {
                format!("use {authority} or less, or a longer lifetime of the authority")
            }
            Self::TakenAsFound => format!("leave out {key}, or imported"),
        })
    }
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(word) => format!("did you mean {word}?"),
        None if known.is_empty() => "there is none".into(),
        None => format!("known here are {}", known.join(", ")),
    }
}

/// `one`, `one and two`.
fn list(items: &[IpNet], between: &str) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(between)
}
