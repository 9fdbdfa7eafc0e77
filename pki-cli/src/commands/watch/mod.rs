//! `kpki watch`.

mod figures;
mod server;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use pki_core::cluster::consumer::{Need, consumers};
use pki_core::converge::cluster_directory::ClusterDirectory;
use pki_core::converge::watch::{Clock, Jump, Look, Watch};
use ring::rand::{SecureRandom, SystemRandom};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use time::{Duration, OffsetDateTime};

use crate::arguments;
use crate::commands::check::{THRESHOLDS, Wanted, check};
use crate::output::errors::{Failure, printable};
use crate::output::words::{list, until};
use crate::output::{Outcome, talk};
use figures::Figures;

/// How often it looks at the clock on the wall: the longest that a clock which was put goes unnoticed.
const GLANCE: Duration = Duration::seconds(10);

/// What wakes it before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Reread,
    Stop,
}

pub fn run(arguments: &arguments::Watch) -> Result<Outcome, Failure> {
    // From the first moment on: a signal that comes while it begins is not lost.
    let calls = calls()?;
    let started = Instant::now();
    let clock = Clock::new(OffsetDateTime::now_utc(), Duration::ZERO);
    let tree = &arguments.tree;
    let rng = SystemRandom::new();
    let watch = Watch::new(
        &tree.dir,
        tree.ca_dir.as_deref(),
        arguments.every.duration(),
        jitter(&rng),
        clock,
    )?;
    let figures = Figures::default();
    if let Some(address) = arguments.listen {
        let address = server::serve(address, figures.clone())?;
        tell(&format!("figures at http://{address}/metrics"));
    }
    tell(&format!("watching {}", tree.dir.display()));
    Daemon {
        arguments,
        watch,
        rng,
        started,
        figures,
    }
    .stay(&calls);
    tell("stopped");
    Ok(Outcome::fine(String::new()))
}

struct Daemon<'a> {
    arguments: &'a arguments::Watch,
    watch: Watch,
    rng: SystemRandom,
    started: Instant,
    figures: Figures,
}

impl Daemon<'_> {
    fn stay(&mut self, calls: &Receiver<Call>) {
        loop {
            let pause = self.look();
            match self.wait(calls, pause) {
                None => {}
                Some(Call::Stop) => return,
                Some(Call::Reread) => match self.watch.reread() {
                    Ok(()) => tell("read cluster.toml anew"),
                    Err(error) => {
                        self.figures.error();
                        for problem in error.problems() {
                            tell_problem(&problem.fact, problem.hint.as_deref());
                        }
                        tell("keeping to cluster.toml as it was");
                    }
                },
            }
        }
    }

    /// One look, told of in words and figures. How long to wait for the next one.
    fn look(&mut self) -> Duration {
        let now = OffsetDateTime::now_utc();
        let look = self.watch.look(now, self.since_start(), &self.rng);
        self.tell(&look, now);
        let mut paths = vec![self.arguments.tree.dir.clone()];
        paths.extend(self.arguments.check.iter().cloned());
        let checked = check(Wanted {
            paths,
            servers: Vec::new(),
            only_servers: false,
            live: false,
            client: None,
            patience: std::time::Duration::ZERO,
            thresholds: THRESHOLDS,
            now,
        });
        self.figures.update(&look, &checked);
        look.pause
    }

    fn tell(&self, look: &Look, now: OffsetDateTime) {
        match look.jump {
            Some(Jump::Forward(by)) => {
                tell(&format!("the clock was put forward by {}", seconds(by)))
            }
            Some(Jump::Back(by)) => tell(&format!("the clock was put back by {}", seconds(by))),
            None => {}
        }
        let cluster = self.watch.cluster();
        for done in look
            .renewed
            .iter()
            .filter(|done| done.certificate.is_some())
        {
            let certificate = done.certificate.iter();
            let valid = certificate.map(|c| until(c.validity.not_after, now));
            let needs = needs(cluster, &done.artifact);
            tell(&format!(
                "renewed {}, valid until {}{needs}",
                done.artifact,
                list(valid)
            ));
        }
        for problem in &look.problems {
            tell_problem(&problem.fact, problem.hint.as_deref());
        }
    }

    /// Waits, in pieces: a machine that slept, or a clock that was put, ends it.
    fn wait(&self, calls: &Receiver<Call>, pause: Duration) -> Option<Call> {
        let until = self.since_start() + pause;
        loop {
            let left = until - self.since_start();
            if !left.is_positive() {
                return None;
            }
            let piece = left.min(GLANCE).unsigned_abs();
            match calls.recv_timeout(piece) {
                Ok(call) => return Some(call),
                // Nobody is left to tell of signals, and so of the one to stop: better to be started anew.
                Err(RecvTimeoutError::Disconnected) => return Some(Call::Stop),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self
                .watch
                .clock_jumped(OffsetDateTime::now_utc(), self.since_start())
            {
                return None;
            }
        }
    }

    fn since_start(&self) -> Duration {
        Duration::try_from(self.started.elapsed()).unwrap_or(Duration::MAX)
    }
}

/// What the readers of a renewed artifact need, where they need anything.
fn needs(cluster: &ClusterDirectory, id: &pki_core::cluster::blueprint::ArtifactId) -> String {
    let Some(artifact) = cluster.blueprint.artifact(id) else {
        return String::new();
    };
    let needs = consumers(&cluster.blueprint, artifact);
    let needs = needs
        .iter()
        .filter(|consumer| consumer.need != Need::Nothing);
    let needs: Vec<_> = needs
        .map(|consumer| format!("; {consumer} needs {}", consumer.need))
        .collect();
    needs.concat()
}

/// Signals, one by one, on a thread that does nothing else.
fn calls() -> Result<Receiver<Call>, Failure> {
    let failed = |error: std::io::Error| Failure::new(format_args!("signals: {error}"));
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT]).map_err(failed)?;
    let (send, receive) = mpsc::channel();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                let call = if signal == SIGHUP {
                    Call::Reread
                } else {
                    Call::Stop
                };
                if send.send(call).is_err() {
                    return;
                }
            }
        })
        .map_err(failed)?;
    Ok(receive)
}

/// This watch's share of chance, from 0 to 1.
fn jitter(rng: &dyn SecureRandom) -> f64 {
    let mut bytes = [0; 4];
    // Without randomness nothing can be issued either; that is told when it is tried.
    let _ = rng.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

fn seconds(by: Duration) -> String {
    format!("{} s", by.whole_seconds())
}

fn tell(text: &str) {
    talk(&format!("{}\n", printable(text)));
}

fn tell_problem(fact: &str, hint: Option<&str>) {
    Failure::new(fact).maybe_hint(hint).print();
}
