//! A fact and what to do about it, as every program tells its user.

use std::io;
use std::path::Path;

use crate::cluster::blueprint::{BlueprintError, BlueprintFact};
use crate::cluster::profile::ProfileError;
use crate::cluster::spec::{ClusterSpec, Place, SpecError};

/// A fact, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, with the value and the place.
    pub fact: String,
    /// What would mend it, where that is known.
    pub hint: Option<String>,
}

impl Problem {
    /// One with something to do about it.
    pub fn new(fact: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            fact: fact.into(),
            hint: Some(hint.into()),
        }
    }

    /// A file or directory that the system does not let us have.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let text = error.to_string();
        // The number helps nobody who has the words.
        let words = text.split(" (os error").next().unwrap_or_default();
        let hint = match error.kind() {
            io::ErrorKind::PermissionDenied => Some("run as the owner of it, or as root"),
            io::ErrorKind::NotFound => Some("look at its name, and at the current directory"),
            io::ErrorKind::IsADirectory => Some("name a file"),
            io::ErrorKind::NotADirectory => Some("name a directory"),
            _ => None,
        };
        Self {
            fact: format!("{}: {words}", path.display()),
            hint: hint.map(str::to_owned),
        }
    }

    /// Every mistake of a spec that was read from `file` and from flags.
    pub fn of_spec(error: &SpecError, file: &str) -> Vec<Self> {
        let mistakes = error.mistakes.iter();
        mistakes
            .map(|mistake| Self {
                fact: mistake.display(file).to_string(),
                hint: mistake.hint(),
            })
            .collect()
    }

    /// Every mistake of a profile.
    pub fn of_profile(error: &ProfileError, file: &str) -> Vec<Self> {
        let mistakes = error.mistakes.iter();
        mistakes
            .map(|mistake| Self {
                fact: mistake.display(file).to_string(),
                hint: mistake.hint(),
            })
            .collect()
    }

    /// Every reason why a spec and a profile do not fit, with the place in the spec. One setting can be
    /// wrong for many certificates; then one of them stands for all.
    pub fn of_blueprint(error: &BlueprintError, spec: &ClusterSpec, file: &str) -> Vec<Self> {
        let mut seen = Vec::new();
        let facts = error.facts.iter().filter(|fact| match fact {
            BlueprintFact::Unknown { .. } => true,
            BlueprintFact::OutlivesAuthority {
                lifetime,
                authority_lifetime,
                ..
            } => {
                let news = !seen.contains(&(*lifetime, *authority_lifetime));
                seen.push((*lifetime, *authority_lifetime));
                news
            }
        });
        let problem = |fact: &BlueprintFact| {
            let fields = match fact {
                BlueprintFact::Unknown { kind, id, .. } => vec![format!("{kind}.{id}")],
                BlueprintFact::OutlivesAuthority { artifact, .. } => vec![
                    format!("certificate.{}.validity", artifact.name),
                    format!("user.{}.validity", artifact.name),
                    "validity".into(),
                    "ca-validity".into(),
                ],
            };
            let places = fields.iter().map(|field| spec.place(field));
            let place = places.into_iter().find(|place| *place != Place::Nowhere);
            let fact_at = match place {
                Some(Place::Line(line)) => format!("{file}:{line}: {fact}"),
                Some(Place::Flag(flag)) => format!("{flag}: {fact}"),
                _ => fact.to_string(),
            };
            Self::new(fact_at, fact.hint())
        };
        facts.map(problem).collect()
    }
}
