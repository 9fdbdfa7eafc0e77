//! Keeping a cluster's certificates valid, look by look: all that a daemon does but its waiting.
//!
//! A look reads what is on disk, renews what is due, and says when the next one is needed. Time comes from outside:
//! the clock on the wall, which certificates go by and which may jump, and the time since the start, which may not.

mod clock;
mod due;

use std::path::{Path, PathBuf};

use ring::rand::SecureRandom;
use time::{Duration, OffsetDateTime};

pub use clock::{Clock, Jump};
pub use due::due;

use super::apply::Done;
use super::cluster_directory::{ClusterDirectory, ReadError};
use super::inventory::Inventory;
use super::plan::{Obstacle, Plan, Renewal, check_clock};
use super::problem::Problem;
use super::store::{Store, StoreError};
use crate::cluster::blueprint::ArtifactId;
use crate::x509::Validity;

/// How long a clock that jumped has to keep its time before anything is issued by it: a time server that corrects it
/// in steps is done by then.
pub const SETTLING: Duration = Duration::MINUTE;
/// How soon what failed is tried again. Doubled each time, up to the usual pause.
const RETRY: Duration = Duration::MINUTE;

/// A cluster that is watched.
#[derive(Debug)]
pub struct Watch {
    dir: PathBuf,
    ca_dir: Option<PathBuf>,
    cluster: ClusterDirectory,
    pause: Duration,
    jitter: f64,
    clock: Clock,
    /// Until when, by the time since the start, nothing is issued.
    settled: Duration,
    /// Whether the clock was put back: what it let us issue before may not be valid yet.
    put_back: bool,
    failures: u32,
}

/// What came of a look.
#[derive(Debug)]
pub struct Look {
    /// By how much the clock has jumped since the last one.
    pub jump: Option<Jump>,
    /// What was renewed.
    pub renewed: Vec<Done>,
    /// What went wrong, or is wrong and stays so.
    pub problems: Vec<Problem>,
    /// How long until the next look; less when something calls.
    pub pause: Duration,
}

impl Watch {
    /// Begins to watch the cluster in `dir`. It is looked at once in `pause` or, when something is due, sooner. `jitter`
    /// between 0 and 1 is this watch's share of chance: what is due is renewed so much later.
    ///
    /// # Errors
    /// When its spec cannot be read.
    pub fn new(
        dir: &Path,
        ca_dir: Option<&Path>,
        pause: Duration,
        jitter: f64,
        clock: Clock,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            dir: dir.to_owned(),
            ca_dir: ca_dir.map(Path::to_owned),
            cluster: ClusterDirectory::read(dir, ca_dir)?,
            pause,
            jitter: jitter.clamp(0.0, 1.0),
            clock,
            settled: Duration::ZERO,
            put_back: false,
            failures: 0,
        })
    }

    /// The cluster as its spec was when it was last read.
    pub fn cluster(&self) -> &ClusterDirectory {
        &self.cluster
    }

    /// Reads the spec anew. When it has mistakes, what was read before stays.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn reread(&mut self) -> Result<(), ReadError> {
        self.cluster = ClusterDirectory::read(&self.dir, self.ca_dir.as_deref())?;
        Ok(())
    }

    /// Whether the clock says another time than it would if nobody had put it. Nothing else is done.
    pub fn clock_jumped(&self, now: OffsetDateTime, since_start: Duration) -> bool {
        self.clock.jump(now, since_start).is_some()
    }

    /// Looks at `now`, when `since_start` has passed, and renews what is due.
    pub fn look(
        &mut self,
        now: OffsetDateTime,
        since_start: Duration,
        rng: &(dyn SecureRandom + Sync),
    ) -> Look {
        let jump = self.clock.see(now, since_start);
        if let Some(jump) = jump {
            self.settled = since_start + SETTLING;
            self.put_back |= matches!(jump, Jump::Back(_));
        }
        let mut look = Look {
            jump,
            renewed: Vec::new(),
            problems: Vec::new(),
            pause: self.pause,
        };
        match self.work(now, since_start, rng, &mut look) {
            Ok(next) => {
                self.failures = 0;
                look.pause = self.pause.min(next);
            }
            Err(problems) => {
                look.problems.extend(problems);
                let doubled = RETRY * 2_i32.pow(self.failures.min(16));
                look.pause = self.pause.min(doubled);
                self.failures += 1;
            }
        }
        look
    }

    /// How long until there is something to do.
    fn work(
        &mut self,
        now: OffsetDateTime,
        since_start: Duration,
        rng: &(dyn SecureRandom + Sync),
        look: &mut Look,
    ) -> Result<Duration, Vec<Problem>> {
        check_clock(now).map_err(|error| vec![problem(&error, Some(error.hint()))])?;
        let inventory = self.inventory()?;
        let moment = self.moment(&inventory);
        let invalid = self.invalid(&inventory, now);
        let early = invalid.iter().any(|(_, over)| !over);
        let renews = moment.is_some_and(|moment| moment <= now)
            || invalid.iter().any(|(_, over)| *over)
            || (early && self.put_back);
        if !renews {
            look.problems.extend(invalid.iter().map(stays));
            return Ok(moment.map_or(self.pause, |moment| moment - now));
        }
        if since_start < self.settled {
            look.problems.extend(invalid.iter().map(stays));
            return Ok(self.settled - since_start);
        }
        self.renew(now, rng, look)?;
        let inventory = self.inventory()?;
        look.problems
            .extend(self.invalid(&inventory, now).iter().map(stays));
        if !look.problems.is_empty() {
            // What could be done was; what could not is tried again.
            return Err(Vec::new());
        }
        self.put_back = false;
        let moment = self.moment(&inventory);
        Ok(moment.map_or(self.pause, |moment| (moment - now).max(RETRY)))
    }

    /// Renews all that is due, in one transaction; leaves that another clock has made for later too, when this one was
    /// put back.
    fn renew(
        &self,
        now: OffsetDateTime,
        rng: &(dyn SecureRandom + Sync),
        look: &mut Look,
    ) -> Result<(), Vec<Problem>> {
        let mut store = Store::open(&self.cluster.dir, &self.cluster.authorities)
            .map_err(|error| vec![of_store(&error)])?;
        if let Some(recovery) = store.recovered() {
            look.problems.push(problem(&recovery, None::<&str>));
        }
        // What others did in the meantime counts.
        let inventory = self.inventory()?;
        let early = self.invalid(&inventory, now);
        let early: Vec<_> = early.iter().filter(|(_, over)| !over).collect();
        let mut renewals = vec![Renewal::within(due::SHARE)];
        if self.put_back && !early.is_empty() {
            let names: Vec<_> = early
                .iter()
                .map(|(artifact, _)| artifact.to_string())
                .collect();
            let named = Renewal::named(&self.cluster.blueprint, &names);
            renewals.push(named.map_err(|error| vec![problem(&error, Some(error.hint()))])?);
        }
        for renewal in renewals {
            let inventory = self.inventory()?;
            let mut plan = Plan::renewal(&self.cluster.blueprint, &inventory, now, &renewal);
            for step in plan.take_obstructed() {
                match step.obstacle {
                    // Told where it begins.
                    None | Some(Obstacle::AuthorityObstructed { .. }) => {}
                    Some(obstacle) => look.problems.push(Problem::new(
                        format!("{} is not renewed: {obstacle}", step.artifact),
                        obstacle.hint(),
                    )),
                }
            }
            let changes = plan.execute(rng);
            let changes = changes.map_err(|error| vec![problem(&error, error.hint())])?;
            let applied = changes
                .commit(&mut store)
                .map_err(|error| vec![of_store(&error)])?;
            look.renewed.extend(applied.done);
        }
        Ok(())
    }

    fn inventory(&self) -> Result<Inventory, Vec<Problem>> {
        let inventory = self.cluster.inventory();
        inventory.map_err(|error| vec![problem(&error, error.hint())])
    }

    /// When the first certificate is to be renewed.
    fn moment(&self, inventory: &Inventory) -> Option<OffsetDateTime> {
        let certificates = self.certificates(inventory);
        certificates
            .map(|(_, validity)| due(&validity, self.jitter))
            .min()
    }

    /// Which certificates are not valid now, and whether they are over.
    fn invalid(&self, inventory: &Inventory, now: OffsetDateTime) -> Vec<(ArtifactId, bool)> {
        self.certificates(inventory)
            .filter(|(_, validity)| !validity.contains(now))
            .map(|(artifact, validity)| (artifact, validity.is_over(now)))
            .collect()
    }

    /// Each certificate that kpki renews, with its life.
    fn certificates(&self, inventory: &Inventory) -> impl Iterator<Item = (ArtifactId, Validity)> {
        let artifacts = self.cluster.blueprint.artifacts().iter();
        artifacts.filter_map(|artifact| {
            let found = super::plan::source::certificates(artifact, inventory)?;
            let validity = found.chain.first()?.validity;
            artifact
                .is_renewable()
                .then(|| (artifact.id.clone(), validity))
        })
    }
}

fn stays((artifact, over): &(ArtifactId, bool)) -> Problem {
    let state = if *over { "over" } else { "not valid yet" };
    Problem {
        fact: format!("{artifact} is {state}"),
        hint: None,
    }
}

fn of_store(error: &StoreError) -> Problem {
    problem(error, error.hint())
}

fn problem(fact: &impl ToString, hint: Option<impl ToString>) -> Problem {
    Problem {
        fact: fact.to_string(),
        hint: hint.map(|hint| hint.to_string()),
    }
}

#[cfg(test)]
mod tests;
