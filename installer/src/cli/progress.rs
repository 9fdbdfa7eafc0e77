//! What an installation is doing, on standard error and only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use installer::install::Watcher;

use super::output::{GOOD, WEAK};

/// A line for each thing that was waited for, and something that turns for the one that is.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins, where somebody looks.
    pub fn begin() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }
}

impl Watcher for Progress {
    fn now(&mut self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what.to_owned());
        }
    }

    fn done(&mut self, what: &str, took: Duration) {
        if let Some(bar) = &self.0 {
            let seconds = took.as_secs_f64();
            bar.println(format!(
                "{GOOD}✓{GOOD:#} {what} {WEAK}{seconds:.1} s{WEAK:#}"
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
