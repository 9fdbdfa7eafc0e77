//! The cluster's certificates: those on disk here, and those that servers serve now.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pki_core::cluster::blueprint::ArtifactId;
use pki_core::converge::check::{
    CheckedCertificate, CheckedFiles, EndpointCheck, Level, Thresholds, check_endpoints,
    live_endpoints,
};
use pki_core::converge::cluster_directory::ClusterDirectory;
use pki_core::converge::dial::DialError;
use serde::Serialize;
use time::OffsetDateTime;

use super::{Server, Silent};
use crate::machine::Problem;

/// One handshake with a server on the same network takes milliseconds.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// As `kpki check` has it: less left of a long life is worth a word.
const WARN: &str = "30d";
const CRITICAL: &str = "7d";

/// A certificate, on disk or as it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterCertificate {
    /// What it is, as `node1/apiserver`.
    pub name: String,
    /// Whose it is; none where it is the cluster's.
    pub node: Option<String>,
    /// The file; none for one that is served.
    pub file: Option<PathBuf>,
    /// The server; none for one on disk.
    pub server: Option<String>,
    /// Whole days that it still lasts; negative when it has ended.
    pub days_left: i64,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// What is wrong with it.
    pub findings: Vec<String>,
}

/// What was seen.
pub(super) struct Certificates {
    pub certificates: Vec<ClusterCertificate>,
    pub servers: Vec<Server>,
    pub unreadable: Vec<Problem>,
}

/// Reads all certificates of the directory, and dials all servers of cluster.toml, 32 at once, each for three seconds at
/// most.
pub(super) fn see(cluster: &ClusterDirectory, now: OffsetDateTime) -> Certificates {
    let thresholds = Thresholds {
        warn: WARN.parse().expect("a lifetime"),
        critical: CRITICAL.parse().expect("a lifetime"),
    };
    let mut places = vec![cluster.dir.clone()];
    // Where it is elsewhere; it may be away.
    if !cluster.authorities.starts_with(&cluster.dir) && cluster.authorities.is_dir() {
        places.push(cluster.authorities.clone());
    }
    let files = CheckedFiles::read(&places, &thresholds, now);
    let targets = live_endpoints(cluster);
    let checks = check_endpoints(targets, &files, &thresholds, HANDSHAKE, now);
    let on_disk = files.certificates.iter().map(|one| of_file(one, now));
    let served = checks.iter().filter_map(|one| of_server(one, now));
    let mut certificates: Vec<_> = on_disk.chain(served).collect();
    certificates.sort_by(|one, next| (one.not_after, &one.name).cmp(&(next.not_after, &next.name)));
    Certificates {
        certificates,
        servers: checks.iter().map(server).collect(),
        unreadable: files.unknown,
    }
}

fn of_file(one: &CheckedCertificate, now: OffsetDateTime) -> ClusterCertificate {
    let findings = one.findings.iter();
    let findings = findings.filter(|finding| finding.level() > Level::Fine);
    ClusterCertificate {
        name: one.name(),
        node: node(one.artifact.as_ref()),
        file: one.places.first().map(|place| place.path.clone()),
        server: None,
        days_left: one.certificate.validity.left(now).whole_days(),
        not_after: one.certificate.validity.not_after.unix_timestamp(),
        findings: findings.map(ToString::to_string).collect(),
    }
}

fn of_server(one: &EndpointCheck, now: OffsetDateTime) -> Option<ClusterCertificate> {
    let certificate = one.served.as_ref().ok()?.certificate();
    let artifact = one.target.artifact.as_ref();
    let name = artifact.map_or_else(|| "endpoint".to_owned(), ToString::to_string);
    Some(ClusterCertificate {
        name,
        node: node(artifact),
        file: None,
        server: Some(one.target.address.to_string()),
        days_left: certificate.validity.left(now).whole_days(),
        not_after: certificate.validity.not_after.unix_timestamp(),
        findings: one.findings.iter().map(ToString::to_string).collect(),
    })
}

fn server(one: &EndpointCheck) -> Server {
    let artifact = one.target.artifact.as_ref();
    Server {
        node: node(artifact),
        name: artifact.map_or_else(|| "endpoint".to_owned(), |artifact| artifact.name.clone()),
        address: one.target.address.to_string(),
        silent: one.served.as_ref().err().map(|error| match error {
            DialError::Connect { source, .. }
                if source.kind() == io::ErrorKind::ConnectionRefused =>
            {
                Silent::Refused
            }
            other => Silent::Nothing(other.to_string()),
        }),
    }
}

fn node(artifact: Option<&ArtifactId>) -> Option<String> {
    artifact?.on_node().map(ToString::to_string)
}
