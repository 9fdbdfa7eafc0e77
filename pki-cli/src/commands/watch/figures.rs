//! What a watch has seen and done, for Prometheus.

use std::sync::{Arc, Mutex, PoisonError};

use pki_core::converge::watch::Look;

use crate::commands::check::Checked;
use crate::output::metrics::{self, Metrics};

/// Shared between the watch and who serves it.
#[derive(Clone, Default)]
pub struct Figures(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    looks: u64,
    renewed: u64,
    errors: u64,
    jumps: u64,
    problems: i64,
    next: i64,
    of_check: String,
}

impl Figures {
    /// Something went wrong outside of a look.
    pub fn error(&self) {
        self.with(|state| state.errors += 1);
    }

    /// After a look.
    pub fn update(&self, look: &Look, checked: &Checked) {
        let of_check = metrics::of_check(checked);
        self.with(|state| {
            state.looks += 1;
            state.renewed += look.renewed.len() as u64;
            state.errors += look.problems.len() as u64;
            state.jumps += u64::from(look.jump.is_some());
            state.problems = i64::try_from(look.problems.len()).unwrap_or(i64::MAX);
            state.next = (checked.now + look.pause).unix_timestamp();
            state.of_check = of_check;
        });
    }

    /// As Prometheus reads them.
    pub fn text(&self) -> String {
        self.with(|state| {
            let mut text = Metrics(state.of_check.clone());
            text.counter(
                "kpki_watch_looks_total",
                "Looks since the start.",
                state.looks,
            );
            text.counter(
                "kpki_watch_renewed_total",
                "Certificates renewed since the start.",
                state.renewed,
            );
            text.counter(
                "kpki_watch_errors_total",
                "What went wrong, or was found wrong, since the start.",
                state.errors,
            );
            text.counter(
                "kpki_watch_clock_jumps_total",
                "How often the clock was put since the start.",
                state.jumps,
            );
            text.single(
                "kpki_watch_problems",
                "What was wrong at the last look, and stayed so.",
                state.problems,
            );
            text.single(
                "kpki_watch_next_look_timestamp_seconds",
                "When it looks again. Alert when this is long past.",
                state.next,
            );
            text.0
        })
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
