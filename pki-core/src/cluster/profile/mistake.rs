//! What can be wrong in a profile.

use std::fmt;

use crate::x509::LifetimeError;

/// Every mistake in a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ProfileError {
    /// In the order of the file; at least one.
    pub mistakes: Vec<ProfileMistake>,
}

/// One mistake in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileMistake {
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The field or the identifier, such as `certificate.apiserver.issuer`.
    pub field: String,
    /// What is wrong with it.
    pub fact: ProfileFact,
}

/// What is wrong at a place of a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFact {
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
    /// An identifier that is defined nowhere in the profile.
    #[error("{id:?} is no {kind} of this profile")]
    Undefined {
        /// The identifier.
        id: String,
        /// What it should be.
        kind: &'static str,
    },
    /// One identifier for two things.
    #[error("{0:?} is already the name of something else in this profile")]
    Repeated(String),
    /// An identifier with characters that cannot stand in names and paths.
    #[error("{0:?} is not made of lower-case letters, digits and hyphens")]
    Identifier(String),
    /// A path that cannot be below a node's directory.
    #[error("{0}")]
    Path(String),
    /// Two things on one path of one node.
    #[error("{path} is already the file of {other}")]
    SamePath {
        /// The path.
        path: String,
        /// What else is there.
        other: String,
    },
    /// Not a lifetime.
    #[error("{value}: {error}")]
    Lifetime {
        /// The text.
        value: String,
        /// What is wrong with it.
        error: LifetimeError,
    },
    /// Something that differs from node to node in what is the same for the whole cluster.
    #[error("{0:?} differs from node to node, but this certificate is one for the whole cluster")]
    NeedsNode(String),
    /// A server that nobody can verify, since it has no alternative names.
    #[error("a server certificate without alternative names")]
    ServerWithoutNames,
    /// A list that may not be empty.
    #[error("an empty list")]
    Empty,
    /// A profile that makes nothing.
    #[error("a profile without an authority")]
    NoAuthority,
}

impl ProfileMistake {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.fact {
            ProfileFact::Undefined { kind, .. } => format!("define it as a table, [{kind}.ID]"),
            ProfileFact::Identifier(_) => "such as etcd-server".into(),
            ProfileFact::Lifetime { .. } => "write a number and a unit, such as 90d or 1y".into(),
            ProfileFact::NeedsNode(_) => "take it out, or set scope = \"node\"".into(),
            ProfileFact::ServerWithoutNames => {
                "add sans = [\"node-name\", \"node-addresses\"]".into()
            }
            ProfileFact::Path(_) => {
                "name a path below /etc/kubernetes, such as pki/apiserver".into()
            }
            ProfileFact::NoAuthority => "add [authority.ca] with a common-name and a file".into(),
            ProfileFact::Form(_)
            | ProfileFact::UnknownWord { .. }
            | ProfileFact::Repeated(_)
            | ProfileFact::SamePath { .. }
            | ProfileFact::Empty => return None,
        })
    }

    /// As `profile.toml:7: certificate.apiserver.issuer: "x" is no authority of this profile`.
    pub fn display<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            if self.field.is_empty() {
                write!(f, " {}", self.fact)
            } else {
                write!(f, " {}: {}", self.field, self.fact)
            }
        })
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            write!(
                f,
                "{}{}",
                if index == 0 { "" } else { "\n" },
                mistake.display("profile")
            )?;
        }
        Ok(())
    }
}
