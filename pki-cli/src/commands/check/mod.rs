//! `kpki check`.

mod document;
mod report;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pki_core::cluster::spec::IpFamily;
use pki_core::converge::check::{
    CheckedFiles, EndpointCheck, Level, Target, Thresholds, check_endpoints, identity_of_file,
    live_endpoints, live_endpoints_here,
};
use pki_core::converge::cluster_directory::{ClusterDirectory, SPEC};
use pki_core::converge::dial::ServerAddress;
use pki_core::converge::problem::Problem;
use pki_core::converge::{host, marked_file};
use pki_core::x509::{Identity, Lifetime};
use time::OffsetDateTime;

use crate::arguments;
use crate::output::errors::Failure;
use crate::output::{Outcome, json, metrics};

/// What a person's directory is called, and where a node has its files.
pub const HERE: &str = "kubernetes";
pub const ON_A_NODE: [&str; 2] = ["/etc/kubernetes", "/var/lib/kubelet/pki"];

/// How soon an end is near, where nobody says otherwise; --warn and --critical have the same defaults.
pub const THRESHOLDS: Thresholds = Thresholds {
    warn: Lifetime::days(30),
    critical: Lifetime::days(7),
};

/// What came of a check.
pub struct Checked {
    pub files: CheckedFiles,
    pub endpoints: Vec<EndpointCheck>,
    pub now: OffsetDateTime,
}

pub fn run(arguments: &arguments::Check) -> Result<Outcome, Failure> {
    let client = match &arguments.client {
        Some(path) => {
            let identity = identity_of_file(path);
            Some(identity.map_err(|error| Failure::new(&error).hint(error.hint()))?)
        }
        None => None,
    };
    let thresholds = Thresholds {
        warn: arguments.warn,
        critical: arguments.critical,
    };
    let (paths, servers) = sort(&arguments.targets);
    let now = OffsetDateTime::now_utc();
    let patience = Duration::try_from(arguments.timeout.duration()).unwrap_or(Duration::MAX);
    let checked = check(Wanted {
        only_servers: paths.is_empty() && !servers.is_empty() && !arguments.live,
        paths,
        servers,
        live: arguments.live,
        client,
        patience,
        thresholds,
        now,
    });
    let mut unknown = checked.tell_unknown();
    if let Some(path) = &arguments.prometheus {
        let text = metrics::of_check(&checked);
        if let Err(error) = marked_file::write(path, &text, metrics::MARK) {
            Failure::new(&error).maybe_hint(error.hint()).print();
            unknown = true;
        }
    }
    let attention = checked.level() != Level::Fine;
    let text = if arguments.json {
        json::document(&document::Document::new(&checked))
    } else if arguments.quiet && !attention && !unknown {
        String::new()
    } else {
        report::text(&checked)
    };
    Ok(Outcome::of_check(text, attention, unknown))
}

/// What is to be looked at.
pub struct Wanted {
    pub paths: Vec<PathBuf>,
    pub servers: Vec<ServerAddress>,
    /// Whether the certificates on disk serve only to compare with.
    pub only_servers: bool,
    pub live: bool,
    pub client: Option<Identity>,
    pub patience: Duration,
    pub thresholds: Thresholds,
    pub now: OffsetDateTime,
}

/// Reads, dials and judges.
pub fn check(wanted: Wanted) -> Checked {
    let (thresholds, now) = (wanted.thresholds, wanted.now);
    let (paths, named) = if wanted.paths.is_empty() {
        (default_paths(), false)
    } else {
        (wanted.paths, true)
    };
    let mut files = CheckedFiles::read(&paths, &thresholds, now);
    let mut targets: Vec<_> = wanted
        .servers
        .into_iter()
        .map(|address| Target {
            address,
            artifact: None,
            client: wanted.client.clone(),
        })
        .collect();
    if wanted.live {
        targets.extend(live(&paths, &mut files, wanted.client.as_ref()));
    }
    let endpoints = check_endpoints(targets, &files, &thresholds, wanted.patience, now);
    if wanted.only_servers && !named {
        files = CheckedFiles::default();
    }
    Checked {
        files,
        endpoints,
        now,
    }
}

impl Checked {
    /// The gravest level of all.
    pub fn level(&self) -> Level {
        let files = self.files.certificates.iter().map(|one| one.level());
        let served = self.endpoints.iter().map(EndpointCheck::level);
        files.chain(served).max().unwrap_or(Level::Fine)
    }

    /// What could not be told, each with its hint.
    pub fn unknown(&self) -> impl Iterator<Item = Failure> {
        let files = self.files.unknown.iter();
        let files =
            files.map(|problem| Failure::new(&problem.fact).maybe_hint(problem.hint.as_deref()));
        let silent = self.endpoints.iter().filter_map(|endpoint| {
            let error = endpoint.served.as_ref().err()?;
            Some(Failure::new(error).hint(error.hint()))
        });
        files.chain(silent)
    }

    /// Tells it on standard error. Whether there is any.
    fn tell_unknown(&self) -> bool {
        let all: Vec<_> = self.unknown().collect();
        if all.is_empty() {
            return false;
        }
        Failure::all(all).print();
        true
    }
}

/// Which words are paths and which are servers. What is there under that name is a path.
fn sort(targets: &[String]) -> (Vec<PathBuf>, Vec<ServerAddress>) {
    let (mut paths, mut servers) = (Vec::new(), Vec::new());
    for target in targets {
        let path = Path::new(target);
        match target.parse() {
            Ok(server) if !path.exists() && !target.contains('/') => servers.push(server),
            _ => paths.push(path.to_owned()),
        }
    }
    (paths, servers)
}

/// A person's directory, or the node's.
fn default_paths() -> Vec<PathBuf> {
    if Path::new(HERE).exists() {
        return vec![HERE.into()];
    }
    let there: Vec<_> = ON_A_NODE.iter().map(PathBuf::from).collect();
    let found: Vec<_> = there.iter().filter(|path| path.exists()).cloned().collect();
    // Where neither is, it is worth a word that both are missing.
    if found.is_empty() { there } else { found }
}

/// Under which this host reaches itself.
fn addresses() -> Vec<IpAddr> {
    let mut all = host::addresses(IpFamily::V4).unwrap_or_default();
    all.push(Ipv4Addr::LOCALHOST.into());
    all.push(Ipv6Addr::LOCALHOST.into());
    all
}

/// The servers of the clusters in `paths`, or of this node.
fn live(paths: &[PathBuf], files: &mut CheckedFiles, client: Option<&Identity>) -> Vec<Target> {
    let mut targets = Vec::new();
    for dir in paths.iter().filter(|path| path.join(SPEC).is_file()) {
        // What is wrong with its cluster.toml was told when the files were read.
        if let Ok(cluster) = ClusterDirectory::read(dir, None) {
            targets.extend(live_endpoints(&cluster));
        }
    }
    if targets.is_empty() {
        targets = live_endpoints_here(files, &addresses());
    }
    if targets.is_empty() {
        files.unknown.push(Problem::new(
            "--live: no server is known",
            "name the cluster's directory, or the servers as HOST:PORT",
        ));
    }
    if let Some(client) = client {
        for target in &mut targets {
            target.client = Some(client.clone());
        }
    }
    targets
}
