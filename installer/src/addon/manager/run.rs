//! Passes, as long as the node lives.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::connect;
use super::folder::Folder;
use super::reconcile::{Away, reconcile};
use super::state::{Report, State};
use crate::desired::layout;

/// How often an API server is asked that was never there yet: the first Service should not wait for us.
const FIRST: Duration = Duration::from_millis(100);
/// How soon after a failure it is tried again, at first and at last.
const SOON: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_secs(5);
/// The same for objects that are refused: that mends itself rarely.
const LATEST: Duration = Duration::from_secs(60);
/// How often it is looked whether somebody changed an object.
const EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether somebody changed the folder.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps what `folder` says, with the credentials of `kubeconfig`, until `stop` is done: on a real node, whose service's
/// log gets a line for each change.
pub async fn run(folder: &Path, kubeconfig: &Path, stop: impl Future<Output = ()>) {
    let manager = Manager {
        folder,
        kubeconfig,
        state: &state_file(),
    };
    let say = |line: &str| {
        // Where nobody listens there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    manager.keep(say, stop).await;
}

/// What is told of the last pass, on a real node.
pub fn state_file() -> PathBuf {
    Path::new(layout::RUN).join("addons.json")
}

/// Done when this process is told to end: SIGTERM or SIGINT.
///
/// # Panics
/// When the system takes no handler for them.
pub fn ended() -> impl Future<Output = ()> {
    let of = |kind| signal(kind).expect("signals that may be handled");
    let mut terminate = of(SignalKind::terminate());
    let mut interrupt = of(SignalKind::interrupt());
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// One addon manager.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// Its credentials.
    pub kubeconfig: &'a Path,
    /// Where it tells of its last pass.
    pub state: &'a Path,
}

impl Manager<'_> {
    /// Makes passes until `stop` is done. What changes is `said`, a line at a time.
    pub async fn keep(self, mut said: impl FnMut(&str), stop: impl Future<Output = ()>) {
        let Self {
            folder,
            kubeconfig,
            state,
        } = self;
        let mut stop = std::pin::pin!(stop);
        let mut backoff = Backoff::default();
        let mut last = None;
        loop {
            // Taken before the folder is read: what changes meanwhile is seen next time.
            let fingerprint = Folder::fingerprint(folder).unwrap_or_default();
            let passed = tokio::select! {
                () = &mut stop => return,
                passed = pass(folder, kubeconfig) => passed,
            };
            let wait = backoff.after(&passed);
            let (away, report) = match passed {
                Ok(report) => (None, report),
                Err(Away(reason)) => (Some(reason), Report::default()),
            };
            let outcome = words(away.as_deref(), &report);
            if last.as_ref() != Some(&outcome) {
                outcome.iter().for_each(|line| said(line));
                last = Some(outcome);
            }
            let now = State {
                time: OffsetDateTime::now_utc().unix_timestamp(),
                fingerprint: fingerprint.clone(),
                away,
                report,
            };
            if let Err(error) = now.write(state) {
                said(&format!("{}: {error}", state.display()));
            }
            let until = Instant::now() + wait;
            while Instant::now() < until {
                let look = until.min(Instant::now() + LOOK);
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep_until(look) => {}
                }
                if Folder::fingerprint(folder).unwrap_or_default() != fingerprint {
                    break;
                }
            }
        }
    }
}

async fn pass(folder: &Path, kubeconfig: &Path) -> Result<Report, Away> {
    // A new client each time: its certificate may have been renewed, and a pass a minute costs a handshake.
    let client = connect(kubeconfig)
        .await
        .map_err(|error| Away(error.to_string()))?;
    reconcile(&client, folder).await
}

/// What is worth a line in a log.
fn words(away: Option<&str>, report: &Report) -> Vec<String> {
    use super::state::Change;
    if let Some(away) = away {
        return vec![format!("the API server is away: {away}")];
    }
    let changed = report.applied.iter().filter_map(|one| match one.change {
        Change::None => None,
        Change::Created => Some(format!("created {}", one.what)),
        Change::Changed => Some(format!("changed {}", one.what)),
    });
    let pruned = report.pruned.iter().map(|what| format!("removed {what}"));
    let failed = report.failed.iter();
    let failed = failed.map(|one| format!("failed {}: {}", one.what, one.reason));
    let fine = report.is_fine().then(|| {
        let count = report.applied.len();
        format!("{count} objects are as wanted")
    });
    changed.chain(pruned).chain(failed).chain(fine).collect()
}

/// How long to wait after a pass.
#[derive(Debug, Default)]
struct Backoff {
    was_there: bool,
    failures: u32,
}

impl Backoff {
    fn after(&mut self, passed: &Result<Report, Away>) -> Duration {
        let (fine, limit) = match passed {
            Err(_) if !self.was_there => return FIRST,
            Err(_) => (false, LATE),
            Ok(report) => {
                self.was_there = true;
                (report.is_fine(), LATEST)
            }
        };
        if fine {
            self.failures = 0;
            return EVERY;
        }
        let wait = SOON * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        wait.min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addon::manager::Failure;

    fn refused() -> Result<Report, Away> {
        let failed = vec![Failure {
            what: "x".into(),
            reason: "y".into(),
        }];
        Ok(Report {
            failed,
            ..Report::default()
        })
    }

    #[test]
    fn an_api_server_that_was_never_there_is_asked_often() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert_eq!(backoff.after(&Err(Away("no".into()))), FIRST);
        }
    }

    #[test]
    fn one_that_went_is_asked_less_and_less() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(&Ok(Report::default())), EVERY);
        let waits: Vec<_> = (0..8)
            .map(|_| backoff.after(&Err(Away("no".into()))).as_millis())
            .collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        assert_eq!(backoff.after(&Ok(Report::default())), EVERY);
        assert_eq!(backoff.after(&Err(Away("no".into()))), SOON);
    }

    #[test]
    fn what_is_refused_is_tried_ever_more_rarely() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..30).map(|_| backoff.after(&refused())).collect();
        assert_eq!(waits[0], SOON);
        assert_eq!(waits[29], LATEST);
        assert!(waits.is_sorted());
    }
}
