//! How long a certificate lasts, as people write it: `90d`, `1y`.

use std::fmt;
use std::str::FromStr;

use time::Duration;

/// A positive length of time in whole seconds, written as a number and a unit: `s`, `m`, `h`, `d`
/// (24 hours), `w` (7 days), `y` (365 days, as kubeadm counts a year).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lifetime(i64);

/// Why a text is no [`Lifetime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// Not a whole number followed by one unit.
    #[error("not a number followed by s, m, h, d, w or y")]
    Form,
    /// Zero.
    #[error("a lifetime of nothing")]
    Zero,
    /// Over 100 years.
    #[error("more than 100 years")]
    TooLong,
}

const UNITS: [(char, i64); 6] = [
    ('y', 365 * 86_400),
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

impl Lifetime {
    /// So many days of 24 hours. Panics outside 1 to 36,500 days: for constants in code.
    pub const fn days(days: i64) -> Self {
        assert!(days > 0 && days <= 36_500);
        Self(days * 86_400)
    }

    /// So many years of 365 days. Panics outside 1 to 100: for constants in code.
    pub const fn years(years: i64) -> Self {
        Self::days(years * 365)
    }

    /// So many minutes. Panics outside 1 minute to 100 years: for constants in code.
    pub const fn minutes(minutes: i64) -> Self {
        assert!(minutes > 0 && minutes <= 36_500 * 24 * 60);
        Self(minutes * 60)
    }

    /// So many seconds, as a program says it; `None` outside 1 second to 100 years.
    pub const fn seconds(seconds: i64) -> Option<Self> {
        if seconds > 0 && seconds <= 36_500 * 86_400 {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// As a duration, to add to a moment.
    pub const fn duration(self) -> Duration {
        Duration::seconds(self.0)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Weeks read worse than days ("90d" is a phrase of the trade, "12w6d" is not), so never weeks.
        let (unit, seconds) = UNITS
            .into_iter()
            .filter(|(unit, _)| *unit != 'w')
            .find(|(_, seconds)| self.0 % seconds == 0)
            .unwrap_or(('s', 1));
        f.pad(&format!("{}{unit}", self.0 / seconds))
    }
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.chars().next_back().ok_or(LifetimeError::Form)?;
        let (_, seconds) = UNITS
            .into_iter()
            .find(|(u, _)| *u == unit)
            .ok_or(LifetimeError::Form)?;
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(LifetimeError::Form);
        }
        let number: i64 = digits.parse().map_err(|_| LifetimeError::TooLong)?;
        match number.checked_mul(seconds) {
            Some(0) => Err(LifetimeError::Zero),
            Some(total) if total <= 100 * 365 * 86_400 => Ok(Self(total)),
            _ => Err(LifetimeError::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["1y", "10y", "90d", "8h", "30m", "45s", "400d"] {
            assert_eq!(text.parse::<Lifetime>().unwrap().to_string(), text);
        }
        assert_eq!("2w".parse::<Lifetime>().unwrap().to_string(), "14d");
        assert_eq!("365d".parse::<Lifetime>().unwrap(), Lifetime::years(1));
    }

    #[test]
    fn refuses_what_has_no_meaning() {
        for (text, error) in [
            ("", LifetimeError::Form),
            ("1", LifetimeError::Form),
            ("d", LifetimeError::Form),
            ("-1d", LifetimeError::Form),
            ("1.5d", LifetimeError::Form),
            ("1é", LifetimeError::Form),
            ("0d", LifetimeError::Zero),
            ("101y", LifetimeError::TooLong),
            ("99999999999999999999y", LifetimeError::TooLong),
        ] {
            assert_eq!(text.parse::<Lifetime>(), Err(error), "{text}");
        }
    }
}
