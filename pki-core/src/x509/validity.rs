//! From when until when a certificate is valid.

use std::fmt;

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::Lifetime;

/// How far before `now` a certificate begins, so that a peer whose clock is a little behind accepts
/// it at once. Counted from now and not from the CA's own beginning (kubernetes#113618, #118922).
pub const BACKDATE: Duration = Duration::minutes(5);

/// Both ends are included (RFC 5280 section 4.1.2.5), in whole seconds, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first second.
    pub not_before: OffsetDateTime,
    /// The last second.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// From five minutes before `now` for `lifetime` after it, ending no later than `limit` (the
    /// issuer's own end).
    pub fn new(now: OffsetDateTime, lifetime: Lifetime, limit: Option<OffsetDateTime>) -> Self {
        let now = now
            .to_offset(time::UtcOffset::UTC)
            .replace_nanosecond(0)
            .unwrap_or(now);
        let wanted = now + lifetime.duration() - Duration::SECOND;
        let not_after = limit.map_or(wanted, |limit| wanted.min(limit));
        Self {
            not_before: now - BACKDATE,
            not_after,
        }
    }

    /// Whether `now` lies within, both ends included.
    pub fn contains(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && !self.is_over(now)
    }

    /// Whether the last second is over.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        // Never `not_after + 1 s`: 99991231235959Z means "no end" (RFC 5280 section 4.1.2.5), and no
        // moment follows it.
        now - self.not_after >= Duration::SECOND
    }

    /// How long is left at `now`; negative once it is over.
    pub fn left(&self, now: OffsetDateTime) -> Duration {
        self.not_after - now + Duration::SECOND
    }

    /// The whole length.
    pub fn length(&self) -> Duration {
        self.left(self.not_before)
    }
}

/// As `2026-11-23T10:00:00Z/2027-11-23T09:59:59Z` (ISO 8601 interval).
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            rfc3339(self.not_before),
            rfc3339(self.not_after)
        )
    }
}

/// A moment in errors, as certificates are shown everywhere.
pub(super) fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn begins_before_now_and_ends_with_the_issuer_at_the_latest() {
        let now = datetime!(2026-11-23 10:00:00.7 UTC);
        let day = Lifetime::days(1);
        let free = Validity::new(now, day, None);
        assert_eq!(
            free.to_string(),
            "2026-11-23T09:55:00Z/2026-11-24T09:59:59Z"
        );
        let limit = datetime!(2026-11-23 12:00 UTC);
        assert_eq!(Validity::new(now, day, Some(limit)).not_after, limit);
        assert_eq!(
            Validity::new(now, day, Some(datetime!(2030-01-01 0:00 UTC))),
            free
        );
    }

    #[test]
    fn both_ends_are_included() {
        let validity = Validity::new(datetime!(2026-11-23 10:00 UTC), Lifetime::days(1), None);
        assert!(validity.contains(datetime!(2026-11-23 9:55 UTC)));
        assert!(!validity.contains(datetime!(2026-11-23 9:54:59 UTC)));
        assert!(validity.contains(datetime!(2026-11-24 9:59:59.9 UTC)));
        assert!(!validity.contains(datetime!(2026-11-24 10:00 UTC)));
        assert!(validity.is_over(datetime!(2026-11-24 10:00 UTC)));
        assert_eq!(
            validity.left(datetime!(2026-11-24 9:59:58 UTC)),
            Duration::seconds(2)
        );
    }

    #[test]
    fn no_end_at_all_is_the_last_second_of_the_year_9999() {
        let endless = Validity {
            not_before: datetime!(2026-11-23 10:00 UTC),
            not_after: datetime!(9999-12-31 23:59:59 UTC),
        };
        let now = datetime!(2026-11-23 10:00 UTC);
        assert!(endless.contains(now) && !endless.is_over(now));
        assert_eq!(endless.left(now), endless.length());
    }
}
