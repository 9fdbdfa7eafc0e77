//! `kpki lint`.

mod collect;
mod report;

use std::path::PathBuf;

use pki_core::cluster::lint as cluster_lint;
use pki_core::x509::lint::{self, Severity};
use pki_core::x509::{Certificate, signature_valid};

use crate::arguments::{Lint, Tree};
use crate::cluster::Cluster;
use crate::output::errors::Failure;
use crate::output::{Outcome, json};
use collect::{Collection, Held};
use report::Document;
pub use report::Entry;

pub fn run(arguments: &Lint) -> Result<Outcome, Failure> {
    let collection = match &arguments.paths[..] {
        [] => collect::collect(&own(arguments))?,
        named => collect::collect(named)?,
    };
    let entries = findings(&collection)?;
    let document = Document::new(collection.once_each().count(), entries);
    let attention = document.worst() == Some(Severity::Error);
    let text = if arguments.json {
        json::document(&document)
    } else {
        document.text()
    };
    Ok(Outcome::with_attention(text, attention))
}

/// What the rules say of a cluster's own certificates, for the report; nothing where there are none.
pub fn own_findings(cluster: &Cluster) -> Result<Vec<Entry>, Failure> {
    let paths: Vec<_> = [&cluster.dir, &cluster.authorities]
        .into_iter()
        .filter(|path| path.is_dir())
        .cloned()
        .collect();
    findings(&collect::below(&paths)?)
}

/// The findings about each certificate, then those about all together.
fn findings(collection: &Collection) -> Result<Vec<Entry>, Failure> {
    let mut entries: Vec<Entry> = collection.damaged.iter().map(Entry::damaged).collect();
    for held in collection.once_each() {
        let issuer = issuer(&held.certificate, collection);
        let findings = lint::lint(
            &held.certificate,
            issuer,
            &[lint::RULES, cluster_lint::RULES],
        );
        let findings = findings
            .map_err(|error| Failure::new(format_args!("{}: {error}", held.file.display())))?;
        entries.extend(
            findings
                .into_iter()
                .map(|finding| Entry::new(held, finding)),
        );
    }
    entries.extend(together(collection));
    Ok(entries)
}

/// The cluster's directory, and that of its authorities where it is elsewhere.
fn own(arguments: &Lint) -> Vec<PathBuf> {
    let mut paths = vec![arguments.dir.clone()];
    let tree = Tree {
        dir: arguments.dir.clone(),
        ca_dir: None,
    };
    // Certificates can be held against the rules also where cluster.toml makes no sense.
    if let Ok(cluster) = Cluster::open(&tree) {
        let inside = cluster.authorities.starts_with(&arguments.dir);
        if !inside && cluster.authorities.is_dir() {
            paths.push(cluster.authorities.clone());
        }
    }
    paths
}

/// The issuer among the certificates at hand: by name and key identifier, else by name and signature.
fn issuer<'a>(certificate: &Certificate, collection: &'a Collection) -> Option<&'a Certificate> {
    if certificate.is_self_issued() {
        return None;
    }
    let named = || {
        collection
            .once_each()
            .map(|held| &held.certificate)
            .filter(|other| other.subject.der() == certificate.issuer.der())
    };
    let wanted = certificate.authority_key_identifier.as_ref()?;
    named()
        .find(|other| other.subject_key_identifier.as_ref() == Some(wanted))
        .or_else(|| named().find(|other| signature_valid(certificate, other)))
}

/// The rules for several certificates, with the CAs told by where kubeadm's layout has them.
fn together(collection: &Collection) -> Vec<Entry> {
    let names: Vec<String> = collection
        .all
        .iter()
        .map(|held| held.file.display().to_string())
        .collect();
    let set: Vec<_> = names
        .iter()
        .zip(&collection.all)
        .map(|(name, held)| (name.as_str(), &held.certificate))
        .collect();
    let front_proxy = names
        .iter()
        .find(|name| name.rsplit('/').next() == Some("front-proxy-ca.crt"));
    let dir = front_proxy.and_then(|name| name.strip_suffix("front-proxy-ca.crt"));
    let beside = |file: &str| dir.map(|dir| format!("{dir}{file}"));
    let (client, etcd) = (beside("ca.crt"), beside("etcd/ca.crt"));
    let roles = cluster_lint::set::Roles {
        client_ca: client.as_deref(),
        front_proxy_ca: front_proxy.map(String::as_str),
        etcd_ca: etcd.as_deref(),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (name, finding) in cluster_lint::set::lint(&set, roles) {
        let held = collection
            .all
            .iter()
            .find(|held: &&Held| held.file.display().to_string() == name);
        if let Some(held) = held {
            entries.push(Entry::new(held, finding));
        }
    }
    entries
}
