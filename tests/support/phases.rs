//! Several things to show on one machine that is expensive to make: each is tried, whatever became of the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::record::note;

/// What was tried so far. Dropping it without [`Phases::finish`] loses what failed.
#[derive(Debug, Default)]
#[must_use]
pub struct Phases {
    failed: Vec<&'static str>,
}

impl Phases {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tries one. What it panics with is printed, as ever.
    pub fn show(&mut self, what: &'static str, phase: impl FnOnce()) {
        let began = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(phase));
        let seconds = began.elapsed().as_secs_f64();
        match result {
            Ok(()) => note(&format!("{what}: ok in {seconds:.1} s")),
            Err(_) => {
                note(&format!("{what}: FAILED after {seconds:.1} s"));
                self.failed.push(what);
            }
        }
    }

    /// Panics with the names of those that failed.
    pub fn finish(self) {
        assert!(self.failed.is_empty(), "failed: {}", self.failed.join("; "));
    }
}
