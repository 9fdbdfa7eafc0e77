//! A word about work that takes longer than a blink, on standard error and only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Something turns until this is dropped.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins, where the work is `long` enough and somebody looks.
    pub fn begin(long: bool, message: &'static str) -> Self {
        if !long || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
