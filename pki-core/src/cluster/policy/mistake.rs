//! What can be wrong in a policy.

use std::fmt;

use crate::x509::LifetimeError;

/// Every mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// In the order of the file; at least one.
    pub mistakes: Vec<PolicyMistake>,
}

/// One mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMistake {
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The field, such as `common-names`.
    pub field: &'static str,
    /// What is wrong with it.
    pub fact: PolicyFact,
}

/// What is wrong at a place of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFact {
    /// Not TOML, a field that does not exist, one that is missing, or a value of the wrong type.
    #[error("{0}")]
    Form(String),
    /// A word that is none of those which may stand there.
    #[error("{word:?} is none of {known}")]
    UnknownWord {
        /// The word.
        word: String,
        /// What it may be.
        known: String,
    },
    /// A `*` that does not end its pattern, braces around no known word, or two words in one pattern.
    #[error("{0:?} is no pattern")]
    Pattern(String),
    /// Not a DNS name, with or without a dot before it.
    #[error("{0:?} is neither a DNS name nor a dot and the domain that names may be below")]
    DnsName(String),
    /// Not an address or a CIDR.
    #[error("{0:?} is neither an address nor a CIDR")]
    Address(String),
    /// Not a lifetime.
    #[error("{value}: {error}")]
    Lifetime {
        /// The text.
        value: String,
        /// What is wrong with it.
        error: LifetimeError,
    },
    /// A list that may not be empty.
    #[error("an empty list")]
    Empty,
    /// A policy that lets nobody have anything.
    #[error(
        "neither common-names nor dns, addresses, emails or uris: nobody could have a certificate"
    )]
    Nobody,
}

impl PolicyMistake {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.fact {
            PolicyFact::Pattern(_) => {
                "write the text itself, a beginning and *, or one word in braces: {node}, {user}, {name}; in groups \
                 {user-groups}"
                    .into()
            }
            PolicyFact::DnsName(_) => {
                "such as db.corp.example, .corp.example, .{domain}, or {node}".into()
            }
            PolicyFact::Address(_) => {
                "such as 192.0.2.7, 10.0.0.0/8, {service-cidrs}, or {node}".into()
            }
            PolicyFact::Lifetime { .. } => "write a number and a unit, such as 90d or 1y".into(),
            PolicyFact::Nobody => "add common-names = [\"*\"]".into(),
            PolicyFact::Form(_) | PolicyFact::UnknownWord { .. } | PolicyFact::Empty => {
                return None;
            }
        })
    }

    /// As `policy.toml:7: usages: "peer" is none of server, client`.
    pub fn display<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            if !self.field.is_empty() {
                write!(f, " {}:", self.field)?;
            }
            write!(f, " {}", self.fact)
        })
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self
            .mistakes
            .iter()
            .map(|mistake| mistake.display("policy").to_string());
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
