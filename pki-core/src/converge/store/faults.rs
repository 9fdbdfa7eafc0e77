//! Failing on purpose: lets a test stop the store at any one of its effects.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::io::Errno;

/// A fault to inject, counted in effects on the disk from 1.
///
/// Without one (the only way a program opens a store) it is a test of one pointer per system call.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<State>>);

struct State {
    taken: AtomicUsize,
    at: usize,
    fault: Fault,
    dead: AtomicBool,
}

enum Fault {
    None,
    Die,
    Fail(Errno),
}

impl Faults {
    /// Nothing fails.
    pub fn none() -> Self {
        Self(None)
    }

    /// Nothing fails, but effects are counted.
    pub fn count() -> Self {
        Self::new(0, Fault::None)
    }

    /// From the `n`th effect on nothing reaches the disk any more, not even cleaning up: what the
    /// disk sees of SIGKILL.
    pub fn die_at(n: usize) -> Self {
        Self::new(n, Fault::Die)
    }

    /// The `n`th effect, and only that, fails with this errno.
    pub fn fail_at(n: usize, errno: i32) -> Self {
        Self::new(n, Fault::Fail(Errno::from_raw_os_error(errno)))
    }

    /// How many effects were asked for so far.
    pub fn taken(&self) -> usize {
        match &self.0 {
            Some(state) => state.taken.load(Ordering::Relaxed),
            None => 0,
        }
    }

    /// One effect is about to happen.
    #[inline]
    pub(in crate::converge) fn step(&self) -> Result<(), Errno> {
        match &self.0 {
            None => Ok(()),
            Some(state) => state.step(),
        }
    }

    fn new(at: usize, fault: Fault) -> Self {
        Self(Some(Arc::new(State {
            taken: AtomicUsize::new(0),
            at,
            fault,
            dead: AtomicBool::new(false),
        })))
    }
}

impl State {
    fn step(&self) -> Result<(), Errno> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(Errno::CANCELED);
        }
        if self.taken.fetch_add(1, Ordering::Relaxed) + 1 != self.at {
            return Ok(());
        }
        match self.fault {
            Fault::None => Ok(()),
            Fault::Fail(errno) => Err(errno),
            Fault::Die => {
                self.dead.store(true, Ordering::Relaxed);
                Err(Errno::CANCELED)
            }
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Faults({} taken)", self.taken())
    }
}

#[cfg(test)]
mod tests {
    use super::{Errno, Faults};

    #[test]
    fn the_dead_do_nothing_more() {
        let faults = Faults::die_at(2);
        assert_eq!(faults.step(), Ok(()));
        assert_eq!(faults.step(), Err(Errno::CANCELED));
        assert_eq!(faults.step(), Err(Errno::CANCELED));
    }

    #[test]
    fn a_failure_passes() {
        let faults = Faults::fail_at(1, Errno::NOSPC.raw_os_error());
        assert_eq!(faults.step(), Err(Errno::NOSPC));
        assert_eq!(faults.step(), Ok(()));
        assert_eq!(faults.taken(), 2);
    }
}
