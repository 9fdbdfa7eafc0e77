//! A person (or program) with a kubeconfig of their own.

use std::fmt;
use std::str::FromStr;

use super::Fact;
use crate::x509::Lifetime;

/// The upper bound of a common name and of an organization (RFC 5280 appendix A.1,
/// ub-common-name and ub-organization-name).
pub(super) const NAME_LIMIT: usize = 64;

/// The group whose members may do everything, whatever RBAC says: the API server lets them pass
/// without asking, so that only a new CA takes it from them again (kubeadm#2414).
pub(super) const UNREVOCABLE_GROUP: &str = "system:masters";

/// A user: the certificate's common name, its organizations (which Kubernetes reads as groups) and
/// how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub(super) name: UserName,
    pub(super) groups: Vec<String>,
    pub(super) validity: Option<Lifetime>,
}

impl User {
    /// Their name.
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// Their groups, each one `O=`, in the order of the spec.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// How long their certificate lasts, where they have a wish of their own.
    pub fn validity(&self) -> Option<Lifetime> {
        self.validity
    }
}

/// A user's name, fit for a common name and for the file `users/<name>.conf`: letters, digits and
/// `.`, `_`, `@`, `-`, beginning with a letter or digit, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        let first = text.chars().next().ok_or(Fact::Empty)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
        if !first.is_ascii_alphanumeric() {
            return Err(Fact::UserNameCharacter(first));
        }
        if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
            return Err(Fact::UserNameCharacter(bad));
        }
        within_limit(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for UserName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A text that may stand in a certificate's subject: a group or an authority's common name.
/// Kubernetes compares groups letter by letter, so blanks at the ends, which X.520 matching would
/// ignore and no eye would see, are refused.
pub(super) fn subject_text(text: &str) -> Result<String, Fact> {
    if text.is_empty() {
        return Err(Fact::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(Fact::ControlCharacter);
    }
    if text.trim() != text {
        return Err(Fact::OuterBlanks);
    }
    within_limit(text)?;
    Ok(text.to_owned())
}

fn within_limit(text: &str) -> Result<(), Fact> {
    match text.chars().count() {
        length if length > NAME_LIMIT => Err(Fact::SubjectTooLong { length }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_file_names() {
        for name in ["alice", "bob@corp.example", "Eve_2", "7"] {
            assert_eq!(name.parse::<UserName>().unwrap().as_str(), name);
        }
        for (name, fact) in [
            ("", Fact::Empty),
            (".hidden", Fact::UserNameCharacter('.')),
            ("../alice", Fact::UserNameCharacter('.')),
            ("a/b", Fact::UserNameCharacter('/')),
            ("a:b", Fact::UserNameCharacter(':')),
            ("zoë", Fact::UserNameCharacter('ë')),
            (&"a".repeat(65), Fact::SubjectTooLong { length: 65 }),
        ] {
            assert_eq!(name.parse::<UserName>(), Err(fact), "{name}");
        }
    }

    #[test]
    fn texts_of_a_subject() {
        assert_eq!(subject_text("Größe"), Ok("Größe".to_owned()));
        assert_eq!(subject_text("system:masters"), Ok("system:masters".into()));
        for (text, fact) in [
            ("", Fact::Empty),
            ("a\nb", Fact::ControlCharacter),
            (" dev", Fact::OuterBlanks),
            (&"g".repeat(65), Fact::SubjectTooLong { length: 65 }),
        ] {
            assert_eq!(subject_text(text), Err(fact), "{text}");
        }
    }
}
