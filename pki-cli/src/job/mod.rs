//! Jobs that keep certificates valid, as files for what runs them. Pure.

mod cron;
mod kubernetes;
mod systemd;

use std::path::{Path, PathBuf};

pub use kubernetes::InCluster;

use crate::arguments::Every;

/// By which a file of ours is known.
pub const MARK: &str = "# Made by kpki schedule";

/// What is to be done, how often, and on which files. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the job is called.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// The cluster whose certificates are renewed.
    pub renews: Option<Cluster>,
    /// What is checked: at least one path.
    pub checks: Vec<PathBuf>,
    /// The file for Prometheus' textfile collector.
    pub prometheus: Option<PathBuf>,
    /// How often.
    pub every: Every,
    /// Whose files they are, where not root's.
    pub user: Option<u32>,
}

/// Where a cluster's files are.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub dir: PathBuf,
    pub authorities: PathBuf,
    /// Whether cluster.toml does not say so itself.
    pub authorities_given: bool,
}

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    pub name: String,
    pub contents: String,
}

impl Job {
    /// A service and its timer.
    pub fn systemd(&self) -> Vec<JobFile> {
        systemd::files(self)
    }

    /// A file for `/etc/cron.d`.
    pub fn cron(&self) -> Vec<JobFile> {
        cron::files(self)
    }

    /// A CronJob, and the account that it runs as.
    pub fn kubernetes(&self, place: &InCluster) -> Vec<JobFile> {
        kubernetes::files(self, place)
    }

    fn description(&self) -> String {
        match &self.renews {
            Some(cluster) => format!("renews certificates in {}", cluster.dir.display()),
            None => {
                let paths: Vec<_> = self
                    .checks
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!("checks certificates in {}", paths.join(" and "))
            }
        }
    }

    /// The words after the program's name that renew what is near its end.
    fn renew(&self) -> Option<Vec<String>> {
        let cluster = self.renews.as_ref()?;
        let mut words = vec!["renew".to_owned(), "--dir".into(), text(&cluster.dir)];
        if cluster.authorities_given {
            words.extend(["--ca-dir".into(), text(&cluster.authorities)]);
        }
        words.extend(["--if-within".into(), "33%".into()]);
        Some(words)
    }

    /// The words after the program's name that check everything.
    fn check(&self) -> Vec<String> {
        let mut words = vec!["check".to_owned(), "--quiet".into()];
        if let Some(file) = &self.prometheus {
            words.extend(["--prometheus".into(), text(file)]);
        }
        words.extend(self.checks.iter().map(|path| text(path)));
        words
    }

    /// The directories that the job writes to.
    fn writes(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        if let Some(cluster) = &self.renews {
            all.push(cluster.dir.clone());
            if !cluster.authorities.starts_with(&cluster.dir) {
                all.push(cluster.authorities.clone());
            }
        }
        let parent = self.prometheus.as_deref().and_then(Path::parent);
        all.extend(parent.map(Path::to_owned));
        all
    }

    /// When runs of this job begin, in minutes from the beginning of the day or hour: another moment for each job, so
    /// that not all of a data centre's begin at once. FNV-1a of its name and place.
    fn offset(&self, period: u32) -> u32 {
        let mut hash: u32 = 0x811c_9dc5;
        for byte in self.description().bytes().chain(self.name.bytes()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        hash % period
    }

    /// `minute hour day month weekday`.
    fn cron_schedule(&self) -> String {
        match self.every {
            Every::Hourly => format!("{} * * * *", self.offset(60)),
            Every::Daily | Every::Weekly => {
                let minute = self.offset(24 * 60);
                let days = if self.every == Every::Daily { "*" } else { "1" };
                format!("{} {} * * {days}", minute % 60, minute / 60)
            }
        }
    }

    /// How many seconds later than its time a run may begin.
    fn jitter(&self) -> u32 {
        match self.every {
            Every::Hourly => 10 * 60,
            Every::Daily => 3 * 3600,
            Every::Weekly => 12 * 3600,
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
