//! `kpki ca`.

mod import;
mod new;
mod report;

use std::path::Path;

use pki_core::converge::ca_files::CaFiles;
use pki_core::x509::Certificate;
use time::OffsetDateTime;

use crate::arguments::{Ca, CaCommand, CaList, CaShow};
use crate::authority;
use crate::files;
use crate::output::Outcome;
use crate::output::errors::Failure;
use report::Report;

pub fn run(arguments: &Ca) -> Result<Outcome, Failure> {
    match &arguments.command {
        CaCommand::New(arguments) => new::run(arguments),
        CaCommand::Import(arguments) => import::run(arguments),
        CaCommand::Show(arguments) => show(arguments),
        CaCommand::List(arguments) => list(arguments),
    }
}

fn show(arguments: &CaShow) -> Result<Outcome, Failure> {
    let files = authority::files(arguments.ca.as_deref())?;
    let report = Report::read(&files)?;
    Ok(report.outcome(arguments.json))
}

/// Every file below that begins with a CA's certificate.
fn list(arguments: &CaList) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let mut reports = Vec::new();
    for path in files::below(&arguments.dir)? {
        if !is_authority(&path) {
            continue;
        }
        reports.push(Report::read(&CaFiles::at(&path)?)?);
    }
    if reports.is_empty() {
        return Err(
            Failure::new(format_args!("no CA in {}", arguments.dir.display()))
                .hint("name another directory, or make one: kpki ca new NAME"),
        );
    }
    Ok(report::table(&reports, now, arguments.json))
}

/// Content tells what a file is. What cannot be read is none of ours: a list is no inspection.
fn is_authority(path: &Path) -> bool {
    let named_so = path
        .extension()
        .is_some_and(|ending| ending == "crt" || ending == "pem");
    named_so
        && std::fs::read(path)
            .ok()
            .and_then(|text| Certificate::from_pem_chain(&text).ok())
            .is_some_and(|chain| chain[0].is_ca)
}
