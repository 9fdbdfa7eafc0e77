//! How long to wait before a service is started again. Pure.

use std::time::Duration;

/// The first wait: a kubelet that was killed once is back before anybody notices.
const FIRST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(10);
/// A service that ran that long begins with the first wait again.
const STEADY: Duration = Duration::from_secs(30);

/// Waits that double, up to ten seconds.
pub struct Backoff(Duration);

impl Backoff {
    /// From the beginning.
    pub fn new() -> Self {
        Self(FIRST)
    }

    /// The service ended after it had run that long.
    pub fn ran(&mut self, time: Duration) {
        if time >= STEADY {
            *self = Self::new();
        }
    }

    /// How long to wait now.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_ten_seconds_and_forgets() {
        let mut backoff = Backoff::new();
        let mut waits = Vec::new();
        for _ in 0..9 {
            backoff.ran(Duration::from_secs(29));
            waits.push(backoff.next_wait().as_millis());
        }
        let wanted = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
        assert_eq!(waits, wanted);
        backoff.ran(Duration::from_secs(30));
        assert_eq!(backoff.next_wait(), FIRST);
    }
}
