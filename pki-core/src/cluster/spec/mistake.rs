//! What is wrong with a spec: every mistake with its place, and the fix apart from the fact.

use std::fmt;

use super::{Fact, Place};

/// Everything that is wrong with a spec, in the order of the file, then of the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was written.
    pub place: Place,
    /// The field it is about, as a path in the file: `service-cidr`, `node.cp1.addresses`. Empty
    /// when it is about the file as a whole.
    pub field: String,
    /// The value that was found there.
    pub value: Option<String>,
    /// What is wrong with it.
    pub fact: Fact,
}

impl Mistake {
    /// What would mend it, as a sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        self.fact.hint(self)
    }

    /// The mistake on one line, a line number prefixed by the `file` it belongs to:
    /// `cluster.toml:7: service-cidr 10.3.0.0/33: prefix longer than 32`.
    pub fn display<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        Shown {
            mistake: self,
            file: Some(file),
        }
    }

    /// How a person would write `value` for `field`, in the manner of this mistake's place.
    pub(super) fn setting(&self, field: &str, value: &str) -> String {
        match self.place {
            Place::Line(_) => format!("{field} = \"{value}\""),
            Place::Flag(_) | Place::Nowhere => format!("--{field} {value}"),
        }
    }
}

struct Shown<'a> {
    mistake: &'a Mistake,
    file: Option<&'a str>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake {
            place,
            field,
            value,
            fact,
        } = self.mistake;
        let mut subject = field.as_str();
        match (place, self.file) {
            (Place::Line(line), Some(file)) => write!(f, "{file}:{line}: ")?,
            (Place::Line(line), None) => write!(f, "line {line}: ")?,
            // "--node: node.cp1.addresses 127.0.0.1", but not "--domain: domain corp.example".
            (Place::Flag(flag), _) if flag.trim_start_matches('-') == field => subject = flag,
            (Place::Flag(flag), _) => write!(f, "{flag}: ")?,
            (Place::Nowhere, _) => {}
        }
        f.write_str(subject)?;
        if let Some(value) = value {
            if !subject.is_empty() {
                f.write_str(" ")?;
            }
            write!(f, "{}", printable(value))?;
        }
        if !subject.is_empty() || value.is_some() {
            f.write_str(": ")?;
        }
        write!(f, "{fact}")
    }
}

/// A value fit for one line of a terminal: a spec from somebody else must not move the cursor.
fn printable(value: &str) -> String {
    const SHOWN: usize = 120;
    let mut text: String = value
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    if text.is_empty() {
        text.push_str("\"\"");
    }
    text
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown {
            mistake: self,
            file: None,
        }
        .fmt(f)
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(place: Place, field: &str, value: &str) -> Mistake {
        Mistake {
            place,
            field: field.into(),
            value: Some(value.into()),
            fact: Fact::PrefixTooLong { limit: 32 },
        }
    }

    #[test]
    fn the_place_comes_first() {
        let line = mistake(Place::Line(7), "service-cidr", "10.3.0.0/33");
        assert_eq!(
            line.display("cluster.toml").to_string(),
            "cluster.toml:7: service-cidr 10.3.0.0/33: prefix longer than 32"
        );
        let flag = mistake(
            Place::Flag("--service-cidr".into()),
            "service-cidr",
            "10.3.0.0/33",
        );
        assert_eq!(
            flag.display("cluster.toml").to_string(),
            "--service-cidr 10.3.0.0/33: prefix longer than 32"
        );
        let part = mistake(Place::Flag("--node".into()), "node.cp1.addresses", "x");
        assert_eq!(
            part.to_string(),
            "--node: node.cp1.addresses x: prefix longer than 32"
        );
    }

    #[test]
    fn a_value_cannot_move_the_cursor() {
        let hostile = mistake(Place::Nowhere, "name", "a\u{1b}[2J\nb");
        assert_eq!(
            hostile.to_string(),
            "name a\\u{1b}[2J\\nb: prefix longer than 32"
        );
    }
}
