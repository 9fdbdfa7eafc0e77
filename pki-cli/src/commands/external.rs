//! A CA whose key is elsewhere: `kpki plan --csr-dir` and `kpki apply --signed`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::converge::external::{Request, Signed};
use pki_core::converge::outputs::{self, Outputs, OutputsError};
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use pki_core::x509::{Certificate, SigningRequest};
use ring::rand::SystemRandom;
use serde::Serialize;
use time::OffsetDateTime;

use super::apply::{self, tell_of_recovery};
use super::places::Places;
use crate::arguments;
use crate::cluster::Cluster;
use crate::files;
use crate::output::errors::{self, Failure};
use crate::output::style::{GOOD, STRONG, WARNING, WEAK};
use crate::output::words::{count, list};
use crate::output::{Outcome, json};

/// Writes a request for each certificate that waits for somebody else's signature. The keys come first: a request whose
/// key was lost would bring a certificate that nobody can use.
pub fn requests(cluster: &Cluster, dir: &Path, as_json: bool) -> Result<Outcome, Failure> {
    let mut store = Store::open(&cluster.dir, &cluster.authorities)?;
    tell_of_recovery(&store);
    let inventory = cluster.inventory()?;
    let plan = Plan::new(&cluster.blueprint, &inventory, OffsetDateTime::now_utc());
    let made = plan.requests(&SystemRandom::new()).map_err(Failure::new)?;
    let path = |request: &Request| dir.join(format!("{}.csr", request.name));
    let mut new = Vec::new();
    let mut failures = Vec::new();
    for request in &made.requests {
        match standing(&path(request), &request.request)? {
            Standing::Same => {}
            Standing::Other => failures.push(OutputsError::Exists(path(request)).into()),
            Standing::None => new.push((path(request), request.request.pem())),
        }
    }
    if !failures.is_empty() {
        return Err(Failure::all(failures));
    }
    if !made.keys.is_empty() {
        made.keys.commit(&mut store)?;
    }
    if !new.is_empty() {
        outputs::make_directory(dir)?;
    }
    let mut outputs = Outputs::default();
    for (path, pem) in new {
        outputs.create(path, pem.into_bytes(), FileMode::PUBLIC);
    }
    outputs.commit()?;
    let entries: Vec<_> = made
        .requests
        .iter()
        .map(|request| RequestDocument {
            artifact: request.artifact.to_string(),
            authority: request.authority.to_string(),
            file: path(request).display().to_string(),
            key_file: cluster.path(&request.key).display().to_string(),
            key_is_new: request.key_is_new,
            subject: request.request.subject.to_string(),
            names: request
                .request
                .sans
                .iter()
                .map(ToString::to_string)
                .collect(),
            pem: request.request.pem(),
        })
        .collect();
    if as_json {
        let places = Places::of(cluster);
        let document = RequestsDocument {
            places,
            requests: entries,
        };
        return Ok(Outcome::fine(json::document(&document)));
    }
    Ok(Outcome::fine(text(cluster, dir, &entries)))
}

fn text(cluster: &Cluster, dir: &Path, entries: &[RequestDocument]) -> String {
    if entries.is_empty() {
        return format!(
            "{GOOD}no request is needed{GOOD:#}: no certificate waits for a CA key that is not here\n"
        );
    }
    let mut text = String::new();
    for entry in entries {
        let _ = writeln!(
            text,
            "{STRONG}{}{STRONG:#} {WEAK}(to be signed by {}){WEAK:#}",
            entry.artifact, entry.authority
        );
        let names = match &entry.names[..] {
            [] => String::new(),
            names => format!(", for {}", list(names)),
        };
        let _ = writeln!(text, "           {}{names}", entry.subject);
        let again = if entry.key_is_new {
            ""
        } else {
            ", with the key that waits already"
        };
        let _ = writeln!(text, "           {}{again}", entry.file);
    }
    let _ = writeln!(
        text,
        "\n{GOOD}done{GOOD:#}: {} in {}; their keys wait in {}. With the certificates: kpki apply{} --signed DIR",
        count(entries.len(), "request"),
        dir.display(),
        cluster.dir.join("pending").display(),
        cluster.dir_flag()
    );
    text
}

enum Standing {
    None,
    /// An earlier request for the same key and the same names.
    Same,
    Other,
}

/// What is at the place of a request. A request is signed anew each time, so the bytes tell nothing.
fn standing(path: &Path, wanted: &SigningRequest) -> Result<Standing, Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(Standing::None);
    }
    let same = |found: &SigningRequest| {
        found.public_key == wanted.public_key
            && found.subject.der() == wanted.subject.der()
            && found.sans == wanted.sans
            && found.extended_key_usages == wanted.extended_key_usages
    };
    let found = SigningRequest::from_pem(&files::read(path)?);
    Ok(match found {
        Ok(found) if same(&found) => Standing::Same,
        _ => Standing::Other,
    })
}

/// Installs what came back.
pub fn take_back(
    cluster: &Cluster,
    dir: &Path,
    arguments: &arguments::Apply,
    now: OffsetDateTime,
) -> Result<Outcome, Failure> {
    let signed = read_all(dir)?;
    let mut store = Store::open(&cluster.dir, &cluster.authorities)?;
    tell_of_recovery(&store);
    let inventory = cluster.inventory()?;
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let taken = plan.take_back(&signed).map_err(|refused| {
        Failure::all(refused.faults.iter().map(|(name, fault)| {
            Failure::new(format_args!("{name}: {fault}"))
                .hint("nothing was installed; have it signed as it was asked for")
        }))
    })?;
    if taken.changes.is_empty() {
        let hint = match taken.missing.len() {
            0 => "kpki plan tells what there is to do",
            _ => {
                "kpki plan --csr-dir DIR makes requests; name the directory of the certificates for them"
            }
        };
        return Err(Failure::new(format_args!(
            "{}: no certificate that is waited for",
            dir.display()
        ))
        .hint(hint));
    }
    if arguments.dry_run {
        let proven = taken
            .changes
            .done()
            .iter()
            .map(|done| done.artifact.to_string());
        let document = ProvenDocument {
            places: Places::of(cluster),
            proven: proven.collect(),
            missing: taken.missing.iter().map(ToString::to_string).collect(),
        };
        let text = if arguments.json {
            json::document(&document)
        } else {
            format!(
                "{GOOD}proven{GOOD:#}: {}; not installed\n",
                list(&document.proven)
            )
        };
        return Ok(Outcome::with_attention(text, !taken.missing.is_empty()));
    }
    let applied = taken.changes.commit(&mut store)?;
    if !taken.missing.is_empty() {
        errors::warn(format_args!(
            "still without a certificate: {}",
            list(&taken.missing)
        ));
    }
    let mut outcome = apply::report(cluster, &applied, now, arguments.json);
    if !taken.missing.is_empty() {
        outcome.code = errors::THEIRS;
    }
    if !arguments.json && taken.missing.is_empty() && plan.steps().len() > applied.done.len() {
        let flag = cluster.dir_flag();
        let _ = writeln!(
            outcome.text,
            "{WARNING}left{WARNING:#}: kpki plan{flag} has more to do"
        );
    }
    Ok(outcome)
}

/// Every file with certificates. Requests and whatever else is there are passed over.
fn read_all(dir: &Path) -> Result<Vec<Signed>, Failure> {
    let mut signed = Vec::new();
    let mut failures = Vec::new();
    let paths: Vec<PathBuf> = files::below(dir)?;
    for path in paths {
        let bytes = files::read(&path)?;
        let is_pem = String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----");
        let named = path
            .extension()
            .is_some_and(|ending| ["crt", "cer", "der"].iter().any(|known| ending == *known));
        let name = path.display().to_string();
        let read = match (is_pem, named) {
            (true, _) => Certificate::from_pem_chain(&bytes),
            (false, true) => Certificate::from_der(&bytes).map(|one| vec![one]),
            (false, false) => continue,
        };
        match read {
            Ok(certificates) => signed.push(Signed { name, certificates }),
            Err(error) => failures.push(
                Failure::new(format_args!("{name}: {error}"))
                    .hint("name a directory of certificates, PEM or DER"),
            ),
        }
    }
    if failures.is_empty() {
        Ok(signed)
    } else {
        Err(Failure::all(failures))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RequestsDocument {
    #[serde(flatten)]
    places: Places,
    requests: Vec<RequestDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ProvenDocument {
    #[serde(flatten)]
    places: Places,
    proven: Vec<String>,
    missing: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RequestDocument {
    artifact: String,
    authority: String,
    file: String,
    key_file: String,
    key_is_new: bool,
    subject: String,
    names: Vec<String>,
    pem: String,
}
