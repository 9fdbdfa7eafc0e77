//! `kpki makecerts`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::converge::makecerts::Outcome as Became;
use pki_core::converge::makecerts::{Batch, Done, Kind, Operations, of_arguments, of_lines};
use pki_core::x509::inspect::CertificateReport;
use ring::rand::SystemRandom;
use serde::Serialize;
use time::OffsetDateTime;

use crate::arguments::Makecerts;
use crate::files;
use crate::output::errors::{self, Failure};
use crate::output::style::{GOOD, STRONG, WEAK};
use crate::output::words::{count, list, until};
use crate::output::{Outcome, json};
use crate::passphrase;

pub fn run(arguments: &Makecerts) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let operations = read(arguments)?;
    let options = arguments.options();
    let level = arguments.logging.log_level.as_str();
    for warning in operations.warnings.iter().filter(|_| level != "error") {
        errors::warn(warning);
    }
    let file = arguments.authority.passphrase_file.as_deref();
    let ask = |key: &Path| passphrase::known(key, file).map_err(Failure::into_problem);
    let batch = Batch::plan(&operations.list, &options, &ask, now, &SystemRandom::new())
        .map_err(Failure::problems)?;
    refuse_plain_key(&batch, file)?;
    let written = batch.files().map(|(path, _)| path.to_owned()).collect();
    let waits = batch.waits();
    let done = if arguments.dry_run {
        batch.done
    } else {
        batch.commit()?
    };
    let warnings = done.iter().flat_map(|done| {
        let place = if done.place.is_empty() {
            "the authority"
        } else {
            &done.place
        };
        done.warnings
            .iter()
            .map(move |warning| format!("{place}: {warning}"))
    });
    for warning in warnings.filter(|_| level != "error") {
        errors::warn(warning);
    }
    let text = if arguments.json || arguments.logging.log_format == "json" {
        json::document(&Document::new(
            arguments.dry_run,
            written,
            waits,
            &done,
            now,
        ))
    } else if matches!(level, "warn" | "error") {
        String::new()
    } else {
        text(arguments.dry_run, &written, waits, &done, now)
    };
    Ok(Outcome::with_attention(text, waits))
}

/// Who names a passphrase expects no key that lies there without one.
fn refuse_plain_key(batch: &Batch, passphrase_file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = passphrase_file else {
        return Ok(());
    };
    let authority = batch.done.iter().find(|done| done.kind == Kind::RootCa);
    let makes_key = |(path, mode): (&Path, FileMode)| {
        let its_own = authority.is_some_and(|done| done.files.iter().any(|file| file == path));
        its_own && mode == FileMode::PRIVATE_KEY
    };
    if !batch.files().any(makes_key) {
        return Ok(());
    }
    let fact = "the CA is not there, and one that is made here has a key without a passphrase";
    Err(
        Failure::new(format_args!("--passphrase-file {}: {fact}", file.display()))
            .hint("make it before: kpki ca new NAME --passphrase-file FILE"),
    )
}

fn read(arguments: &Makecerts) -> Result<Operations, Failure> {
    let given = arguments.arguments();
    if !given.is_empty() {
        return of_arguments(&given).map_err(Failure::problems);
    }
    if arguments.no_stdin {
        return Ok(Operations::default());
    }
    let bytes = files::read_stdin()?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        Failure::new(format_args!("line {line}: not UTF-8")).hint("write the operations in UTF-8")
    })?;
    of_lines(text).map_err(Failure::problems)
}

fn text(
    dry_run: bool,
    written: &[PathBuf],
    waits: bool,
    all: &[Done],
    now: OffsetDateTime,
) -> String {
    let mut text = String::new();
    let shown = |files: &[PathBuf]| list(files.iter().map(|path| path.display()));
    for done in all {
        let kind = done.kind.as_str();
        let _ = match &done.outcome {
            Became::Issued(certificate) | Became::Loaded(certificate) => writeln!(
                text,
                "{STRONG}{kind:12}{STRONG:#}{} {WEAK}({}){WEAK:#}, valid until {}",
                shown(&done.files),
                certificate.subject,
                until(certificate.validity.not_after, now)
            ),
            Became::Requested(subject) => writeln!(
                text,
                "{STRONG}{kind:12}{STRONG:#}{} {WEAK}({subject}){WEAK:#}",
                shown(&done.files)
            ),
            Became::Left(path) => writeln!(
                text,
                "{STRONG}{kind:12}{STRONG:#}{} is there already and stays as it is",
                path.display()
            ),
            Became::Waits if done.kind == Kind::RootCa => writeln!(
                text,
                "{STRONG}{kind:12}{STRONG:#}{}: have the request signed",
                shown(&done.files)
            ),
            Became::Waits => writeln!(
                text,
                "{STRONG}{kind:12}{STRONG:#}{} waits for the CA's certificate",
                done.place
            ),
        };
    }
    let number = count(written.len(), "file");
    let _ = match (dry_run, waits) {
        (true, _) => writeln!(text, "\nwould write {number}: {}", shown(written)),
        (false, true) => writeln!(
            text,
            "\n{number} written; put the CA's certificate beside its key, and run the same again"
        ),
        (false, false) => writeln!(text, "\n{GOOD}done{GOOD:#}: {number} written"),
    };
    text
}

/// What was done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    dry_run: bool,
    /// Whether operations wait for the CA's certificate.
    waits: bool,
    files: Vec<String>,
    operations: Vec<OperationDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct OperationDocument {
    operation: &'static str,
    place: String,
    outcome: &'static str,
    files: Vec<String>,
    certificate: Option<CertificateReport>,
    warnings: Vec<String>,
}

impl Document {
    fn new(
        dry_run: bool,
        written: Vec<PathBuf>,
        waits: bool,
        all: &[Done],
        now: OffsetDateTime,
    ) -> Self {
        let path = |path: &PathBuf| path.display().to_string();
        let operation = |done: &Done| {
            let (outcome, certificate) = match &done.outcome {
                Became::Issued(certificate) => ("issued", Some(certificate)),
                Became::Loaded(certificate) => ("loaded", Some(certificate)),
                Became::Requested(_) => ("requested", None),
                Became::Left(_) => ("left", None),
                Became::Waits => ("waits", None),
            };
            OperationDocument {
                operation: done.kind.as_str(),
                place: done.place.clone(),
                outcome,
                files: match &done.outcome {
                    Became::Left(there) => vec![path(there)],
                    _ => done.files.iter().map(path).collect(),
                },
                certificate: certificate
                    .map(|certificate| CertificateReport::new(certificate, now)),
                warnings: done.warnings.clone(),
            }
        };
        Self {
            dry_run,
            waits,
            files: written.iter().map(path).collect(),
            operations: all.iter().map(operation).collect(),
        }
    }
}
