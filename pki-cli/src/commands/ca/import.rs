//! `kpki ca import`: proven, then kept byte for byte.

use pki_core::converge::ca_files::{CaFiles, Register};
use pki_core::x509::{Authority, AuthorityError, Certificate};
use time::OffsetDateTime;

use super::report::{KeyState, Report};
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
    let loaded = Authority::load(chain, signer, now).map_err(|error| {
        let path = match error {
            AuthorityError::KeyMismatch { .. } => &arguments.key,
            _ => &arguments.certificate,
        };
        authority::refused(path, &error)
    })?;
    let files = CaFiles::at(&arguments.out)?;
    let report = if arguments.dry_run {
        files.prove_free()?;
        let state = KeyState::found(opened.was_encrypted);
        let (own, above) = (&loaded.chain()[0], &loaded.chain()[1..]);
        Report::new(&files, own, above, state, &Register::default()).with_identity(own)
    } else {
        files.create(&certificate, key)?;
        Report::read(&files)?
    };
    let paths = [files.certificate(), files.key()];
    Ok(report.written(&paths, arguments.dry_run, arguments.json))
}
