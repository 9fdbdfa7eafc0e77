//! What all machines are doing, on standard error: on a terminal a line for each that turns, elsewhere a line for each thing.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use installer::fleet::Watcher;

use super::output::{self, GOOD, STRONG, WEAK};

/// One view of all machines.
pub struct FleetProgress {
    /// On a terminal.
    bars: Option<MultiProgress>,
    by_node: Mutex<BTreeMap<String, ProgressBar>>,
}

impl FleetProgress {
    /// Begins.
    pub fn begin() -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            by_node: Mutex::default(),
        }
    }
}

impl Watcher for FleetProgress {
    fn now(&self, node: &str, what: &str) {
        let Some(bars) = &self.bars else {
            output::talk(&format!("{node}: {}\n", output::printable(what)));
            return;
        };
        let mut by_node = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = by_node.entry(node.to_owned()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(format!("{STRONG}{node}{STRONG:#}  {what}"));
    }

    fn done(&self, node: &str, what: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        let line = format!("{node}: {what} {WEAK}{seconds:.1} s{WEAK:#}");
        let Some(bars) = &self.bars else {
            output::talk(&format!("{line}\n"));
            return;
        };
        let mut by_node = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = by_node.remove(node) {
            bar.finish_and_clear();
        }
        // Nowhere to tell of a failure.
        let _ = bars.println(format!("{GOOD}·{GOOD:#} {line}"));
    }
}

impl Drop for FleetProgress {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}
