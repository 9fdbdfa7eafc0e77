//! Noticing that somebody has put the clock on the wall.

use time::{Duration, OffsetDateTime};

/// Slewing changes a clock by half a thousandth (adjtime(3)); a minute of it stays far below this.
const TOLERANCE: Duration = Duration::seconds(5);

/// The clock on the wall, and the time since the start when it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    wall: OffsetDateTime,
    since_start: Duration,
}

/// By how much a clock has been put. A machine that slept looks like one whose clock was put forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// It is later than it should be.
    Forward(Duration),
    /// It is earlier than it should be.
    Back(Duration),
}

impl Clock {
    /// A clock that says `wall` when `since_start` has passed.
    pub const fn new(wall: OffsetDateTime, since_start: Duration) -> Self {
        Self { wall, since_start }
    }

    /// By how much it has been put since it was last seen.
    pub fn jump(&self, wall: OffsetDateTime, since_start: Duration) -> Option<Jump> {
        let off = (wall - self.wall) - (since_start - self.since_start);
        if off.abs() <= TOLERANCE {
            None
        } else if off.is_negative() {
            Some(Jump::Back(-off))
        } else {
            Some(Jump::Forward(off))
        }
    }

    /// The same, and remembers what it says now.
    pub fn see(&mut self, wall: OffsetDateTime, since_start: Duration) -> Option<Jump> {
        let jump = self.jump(wall, since_start);
        *self = Self::new(wall, since_start);
        jump
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn jumps_both_ways_are_seen_once_and_slewing_is_none() {
        let start = datetime!(2026-12-01 0:00 UTC);
        let mut clock = Clock::new(start, Duration::ZERO);
        let (hour, day) = (Duration::HOUR, Duration::DAY);
        assert_eq!(clock.see(start + hour + Duration::seconds(2), hour), None);
        assert_eq!(
            clock.see(start + day, hour * 2),
            Some(Jump::Forward(Duration::hours(22) - Duration::seconds(2)))
        );
        assert_eq!(clock.see(start + day + hour, hour * 3), None);
        assert_eq!(clock.see(start, hour * 3), Some(Jump::Back(day + hour)));
        assert_eq!(clock.see(start + hour, hour * 4), None);
    }
}
