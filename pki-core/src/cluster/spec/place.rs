//! Where a value was written, so that a mistake in it can be found again.

use std::collections::BTreeMap;
use std::fmt;

/// Where a value was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A line of the spec file, counted from one.
    Line(usize),
    /// A flag of the command line, with its dashes: `--service-cidr`.
    Flag(String),
    /// Nowhere a person could look: derived, or given by a program.
    #[default]
    Nowhere,
}

/// A value as somebody wrote it, together with where. Anything that can be shown as text becomes
/// one, so a caller may hand over an `IpNet` as well as a `&str`.
#[derive(Clone, Debug)]
pub struct Written {
    text: String,
    place: Place,
}

impl Written {
    /// A value given by the flag of that name.
    pub fn flag(flag: impl Into<String>, value: impl fmt::Display) -> Self {
        Self::at(Place::Flag(flag.into()), value)
    }

    /// A value at a place.
    pub fn at(place: Place, value: impl fmt::Display) -> Self {
        Self {
            text: value.to_string(),
            place,
        }
    }

    /// The value as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it was written.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl<T: fmt::Display> From<T> for Written {
    fn from(value: T) -> Self {
        Self::at(Place::Nowhere, value)
    }
}

/// The place of each field of a spec. Two specs that say the same are equal wherever it was
/// written, hence the `PartialEq` that finds no difference.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

impl Places {
    pub(super) fn note(&mut self, field: impl Into<String>, place: &Place) {
        self.0.insert(field.into(), place.clone());
    }

    pub(super) fn of(&self, field: &str) -> Place {
        self.0.get(field).cloned().unwrap_or_default()
    }
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Places {}
