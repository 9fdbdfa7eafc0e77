//! `kpki ca import`: proven, then kept byte for byte.

use pki_core::converge::ca_files::CaFiles;
use pki_core::x509::{Authority, AuthorityError, Certificate};
use time::OffsetDateTime;

use super::report::Report;
use crate::arguments::CaImport;
use crate::authority;
use crate::files::read;
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::passphrase;

pub fn run(arguments: &CaImport) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let certificate = read(&arguments.certificate)?;
    let key = read(&arguments.key)?;
    let chain = Certificate::from_pem_chain(&certificate).map_err(|error| {
        Failure::new(format_args!("{}: {error}", arguments.certificate.display()))
            .hint("name the CA's certificate as PEM; those above it may follow it in the same file")
    })?;
    let opened = passphrase::open_key(&key, &arguments.key, arguments.passphrase_file.as_deref())?;
    let signer = authority::signer(&opened.key)?;
    Authority::load(chain, signer, now).map_err(|error| {
        let path = match error {
            AuthorityError::KeyMismatch { .. } => &arguments.key,
            _ => &arguments.certificate,
        };
        authority::refused(path, &error)
    })?;
    let files = CaFiles::at(&arguments.out)?;
    files.create(&certificate, key)?;
    Ok(Report::read(&files)?.outcome(arguments.json))
}
