//! Where a machine is reached by SSH.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::parse_port;
use super::{Fact, Host, address};

/// What one would type after `ssh`: `[USER@]HOST[:PORT]`. What is left out is ssh's own to choose, by its configuration.
///
/// Nothing in it can be taken for an option of ssh, or for a word of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshDestination {
    user: Option<String>,
    host: Host,
    port: Option<u16>,
}

impl SshDestination {
    /// As long as a user's name may be (useradd(8)).
    pub const USER_LIMIT: usize = 32;

    /// root at an address, where cluster.toml says nothing else.
    pub(super) fn root_at(address: IpAddr) -> Self {
        Self {
            user: Some("root".to_owned()),
            host: Host::Ip(address),
            port: None,
        }
    }

    /// The user to log in as.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The machine: a name, which may be an alias of ssh's configuration, or an address.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

/// An IPv6 address is in brackets where a port follows (RFC 3986 section 3.2.2).
impl fmt::Display for SshDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match (&self.host, self.port) {
            (Host::Ip(IpAddr::V6(address)), Some(port)) => write!(f, "[{address}]:{port}"),
            (host, Some(port)) => write!(f, "{host}:{port}"),
            (host, None) => host.fmt(f),
        }
    }
}

impl FromStr for SshDestination {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        if text.contains("://") {
            return Err(Fact::NotSshDestination);
        }
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(checked_user(user)?), rest),
            None => (None, text),
        };
        let (host, port) = host_and_port(rest)?;
        let port = port.map(parse_port).transpose()?;
        Ok(Self { user, host, port })
    }
}

/// Letters, digits, `.`, `_` and `-`, with a letter or `_` first: so it is no option, and no shell sees more in it.
fn checked_user(user: &str) -> Result<String, Fact> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fine = user.starts_with(first)
        && user.chars().all(more)
        && user.len() <= SshDestination::USER_LIMIT;
    match fine {
        true => Ok(user.to_owned()),
        false => Err(Fact::NotSshUser),
    }
}

fn host_and_port(text: &str) -> Result<(Host, Option<&str>), Fact> {
    // A bare IPv6 address has no port: "fd00::1:22" would be ambiguous otherwise.
    if let Ok(found) = text.parse::<Ipv6Addr>() {
        return Ok((Host::Ip(address::reachable(found.into())?), None));
    }
    let Some(rest) = text.strip_prefix('[') else {
        return match text.split_once(':') {
            Some((host, port)) => Ok((host.parse()?, Some(port))),
            None => Ok((text.parse()?, None)),
        };
    };
    let (inner, after) = rest.split_once(']').ok_or(Fact::NotSshDestination)?;
    let found: Ipv6Addr = inner.parse().map_err(|_| Fact::NotSshDestination)?;
    let host = Host::Ip(address::reachable(found.into())?);
    match after {
        "" => Ok((host, None)),
        _ => match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None => Err(Fact::NotSshDestination),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::DnsNameError;

    #[test]
    fn every_form_of_a_destination() {
        for (text, user, port) in [
            ("cp1", None, None),
            ("cp1.corp.example:2222", None, Some(2222)),
            ("root@192.0.2.11", Some("root"), None),
            ("root@192.0.2.11:22", Some("root"), Some(22)),
            ("_a.b-c@fd00::1", Some("_a.b-c"), None),
            ("fd00::1:22", None, None),
            ("root@[fd00::1]:22", Some("root"), Some(22)),
        ] {
            let destination: SshDestination = text.parse().unwrap();
            assert_eq!((destination.user(), destination.port()), (user, port));
            assert_eq!(destination.to_string(), text);
        }
        let brackets: SshDestination = "[fd00::1]".parse().unwrap();
        assert_eq!(brackets.to_string(), "fd00::1");
    }

    #[test]
    fn nothing_is_taken_for_an_option_or_a_word_of_a_shell() {
        for (text, fact) in [
            ("", Fact::DnsName(DnsNameError::Empty)),
            ("-oProxyCommand=id", Fact::DnsName(DnsNameError::Capitals)),
            ("-v", Fact::DnsName(DnsNameError::LabelHyphen("-v".into()))),
            (
                "root@-v",
                Fact::DnsName(DnsNameError::LabelHyphen("-v".into())),
            ),
            ("-oProxyCommand=id@cp1", Fact::NotSshUser),
            ("-l@cp1", Fact::NotSshUser),
            ("@cp1", Fact::NotSshUser),
            ("a b@cp1", Fact::NotSshUser),
            ("$(id)@cp1", Fact::NotSshUser),
            ("root@evil@cp1", Fact::NotSshUser),
            ("1@cp1", Fact::NotSshUser),
            ("ä@cp1", Fact::NotSshUser),
            ("abcdefghijklmnopqrstuvwxyz1234567@cp1", Fact::NotSshUser),
            ("cp1;id", Fact::DnsName(DnsNameError::Character(';'))),
            ("cp1 -v", Fact::DnsName(DnsNameError::Character(' '))),
            ("cp1%h", Fact::DnsName(DnsNameError::Character('%'))),
            ("ssh://cp1", Fact::NotSshDestination),
            ("[fd00::1", Fact::NotSshDestination),
            ("[fd00::1]22", Fact::NotSshDestination),
            ("[192.0.2.1]:22", Fact::NotSshDestination),
            ("cp1:0", Fact::NotPort),
            ("cp1:ssh", Fact::NotPort),
            ("cp1:", Fact::NotPort),
            ("*.corp.example", Fact::Wildcard),
            ("0.0.0.0", Fact::Unspecified),
        ] {
            assert_eq!(text.parse::<SshDestination>(), Err(fact), "{text}");
        }
    }
}
