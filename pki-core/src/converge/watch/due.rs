//! When a certificate is renewed: at two thirds of its life, and a little later by chance.

use time::{Duration, OffsetDateTime};

use crate::converge::plan::Within;
use crate::x509::Validity;

/// What is renewed together with the first that is due.
pub(super) const SHARE: Within = Within::Share(33);
/// By how much of a life chance may put it off: eleven days of a year.
const CHANCE: f64 = 0.03;

/// The moment at which a certificate is due, for a watch whose share of chance is `jitter` (0 to 1). Authorities and
/// directories that began at the same moment would all be renewed in the same second otherwise.
pub fn due(validity: &Validity, jitter: f64) -> OffsetDateTime {
    let life = validity.length();
    // Just inside the last 33 percent, so that what is due is also what is renewed.
    let share = 0.67 + CHANCE * jitter.clamp(0.0, 1.0);
    let after = Duration::seconds((life * share).whole_seconds() + 1);
    let moment = validity.not_before.checked_add(after);
    moment.unwrap_or(validity.not_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn two_thirds_and_a_little_by_chance() {
        let validity = Validity {
            not_before: datetime!(2026-01-01 0:00 UTC),
            not_after: datetime!(2026-04-10 23:59:59 UTC),
        };
        assert_eq!(validity.length(), Duration::days(100));
        let after = |jitter| due(&validity, jitter) - validity.not_before;
        assert_eq!(after(0.0), Duration::days(67) + Duration::SECOND);
        assert_eq!(after(1.0), Duration::days(70) + Duration::SECOND);
        assert!(after(0.5) > after(0.4));
        let endless = Validity {
            not_before: datetime!(2026-01-01 0:00 UTC),
            not_after: datetime!(9999-12-31 23:59:59 UTC),
        };
        assert!(due(&endless, 1.0) < endless.not_after);
    }
}
