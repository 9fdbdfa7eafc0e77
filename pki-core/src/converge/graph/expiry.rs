//! How a certificate stands at a moment: what a picture shows as colour.

use std::fmt;

use time::OffsetDateTime;

use crate::converge::plan::{Drift, time_drift};
use crate::x509::{Certificate, Validity};

/// In the last tenth of its life a certificate should long have been renewed: renewal is due from the last third on.
const LATE: i32 = 10;

/// From fine to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Valid, and not near its end.
    Fine,
    /// In the last third of its life: the next apply renews it.
    Due,
    /// In the last tenth of its life: whatever should renew it does not.
    Late,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// There is no certificate, or none that can be read.
    Missing,
}

/// A certificate's time and what that means at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What it means.
    pub state: State,
    /// From when until when; `None` where there is no certificate.
    pub validity: Option<Validity>,
}

impl Expiry {
    /// Looks at a certificate at the moment `now`.
    pub fn of(certificate: Option<&Certificate>, now: OffsetDateTime) -> Self {
        let Some(validity) = certificate.map(|certificate| certificate.validity) else {
            return Self {
                state: State::Missing,
                validity: None,
            };
        };
        let state = match time_drift(&validity, now) {
            None => State::Fine,
            Some(Drift::Expired { .. }) => State::Expired,
            Some(Drift::NotYetValid { .. }) => State::NotYetValid,
            Some(_) if validity.left(now) * LATE < validity.length() => State::Late,
            Some(_) => State::Due,
        };
        Self {
            state,
            validity: Some(validity),
        }
    }

    /// Its last second.
    pub fn not_after(&self) -> Option<OffsetDateTime> {
        self.validity.map(|validity| validity.not_after)
    }
}

impl State {
    /// All of them, from fine to worst.
    pub const ALL: [Self; 6] = [
        Self::Fine,
        Self::Due,
        Self::Late,
        Self::NotYetValid,
        Self::Expired,
        Self::Missing,
    ];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Due => "due",
            Self::Late => "late",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::Missing => "missing",
        }
    }

    /// In words, for a legend.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "valid",
            Self::Due => "last third of its life",
            Self::Late => "last tenth of its life",
            Self::NotYetValid => "not yet valid",
            Self::Expired => "expired",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
