//! `kpki revoke` and `kpki crl`.

use pki_core::converge::ca_files::{CaFilesError, Register};
use pki_core::x509::{Certificate, RevocationReason, SerialNumber, Validity, signature_valid};
use serde::Serialize;
use time::OffsetDateTime;

use crate::arguments::{Crl, Revoke};
use crate::authority;
use crate::files::read;
use crate::output::errors::{self, Failure};
use crate::output::preview::would_write;
use crate::output::style::GOOD;
use crate::output::words::{count, list, moment, until};
use crate::output::{Outcome, json};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RevokedDocument {
    dry_run: bool,
    authority: String,
    serial: String,
    subject: Option<String>,
    reason: RevocationReason,
    at: String,
    /// Whether it had been revoked before; then nothing changed.
    before: bool,
}

pub fn run(arguments: &Revoke) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let reason: RevocationReason = arguments.reason.parse().map_err(|error| {
        Failure::new(format_args!("--reason: {error}")).hint(format_args!(
            "choose one of {}",
            list(RevocationReason::ALL)
        ))
    })?;
    let files = authority::files(arguments.ca.as_deref())?;
    let chain = files.read_chain()?;
    let (serial, subject) = match (&arguments.certificate, &arguments.serial) {
        (Some(path), _) => {
            let certificate = certificate(path, &chain[0])?;
            (
                certificate.serial.clone(),
                Some(certificate.subject.to_string()),
            )
        }
        (None, text) => (serial(text.as_deref().unwrap_or_default())?, None),
    };
    let revoke = |register: &mut Register| {
        let known = register
            .issued
            .iter()
            .any(|entry| entry.serial == serial.to_string());
        let news = register.revoke(&serial, subject, reason, now);
        let entry = register
            .revocation_of(&serial.to_string())
            .expect("it is revoked by now")
            .clone();
        (entry, !news, known)
    };
    let (entry, before, known) = if arguments.dry_run {
        revoke(&mut files.read_register()?)
    } else {
        files.change_register(|register| Ok::<_, Failure>(revoke(register)))?
    };
    if !known && arguments.certificate.is_none() {
        errors::warn(format_args!(
            "{} has no certificate with the serial {serial}: {} all the same",
            files.register().display(),
            if arguments.dry_run {
                "it would be revoked"
            } else {
                "revoked"
            },
        ));
    }
    let document = RevokedDocument {
        dry_run: arguments.dry_run,
        authority: chain[0].subject.to_string(),
        serial: entry.serial,
        subject: entry.subject,
        reason: entry.reason,
        at: moment(entry.at),
        before,
    };
    if arguments.json {
        return Ok(Outcome::fine(json::document(&document)));
    }
    let whom = document.subject.as_deref().unwrap_or("a certificate");
    let whom = errors::printable(whom);
    let ca = arguments
        .ca
        .as_ref()
        .map(|ca| {
            format!(
                " --ca {}",
                crate::output::words::shell(&ca.to_string_lossy())
            )
        })
        .unwrap_or_default();
    let text = if before {
        format!(
            "{GOOD}nothing to do{GOOD:#}: {whom} ({serial}) is revoked since {}\n",
            document.at
        )
    } else if arguments.dry_run {
        let files = would_write(&[files.register()]);
        format!("{GOOD}would revoke{GOOD:#} {whom} ({serial}), {reason}\n{files}")
    } else {
        format!(
            "{GOOD}revoked{GOOD:#} {whom} ({serial}), {reason}\n\nNext:\n  kpki crl{ca}  # the list that verifiers read; Kubernetes components read none\n"
        )
    };
    Ok(Outcome::fine(text))
}

/// The certificate in `path`, proven to be of the CA.
fn certificate(path: &std::path::Path, authority: &Certificate) -> Result<Certificate, Failure> {
    let mut chain = Certificate::from_pem_chain(&read(path)?).map_err(|error| {
        Failure::new(format_args!("{}: {error}", path.display()))
            .hint("name a certificate as PEM, or give its --serial")
    })?;
    let certificate = chain.remove(0);
    let ours = certificate.issuer.der() == authority.subject.der()
        && signature_valid(&certificate, authority);
    if !ours {
        return Err(Failure::new(format_args!(
            "{}: {} did not issue the certificate of {}, but {}",
            path.display(),
            authority.subject,
            certificate.subject,
            certificate.issuer
        ))
        .hint("name the CA that issued it with --ca"));
    }
    Ok(certificate)
}

fn serial(text: &str) -> Result<SerialNumber, Failure> {
    text.parse().map_err(|error| {
        Failure::new(format_args!("--serial {text}: {error}"))
            .hint("kpki inspect shows the serial of a certificate")
    })
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListDocument {
    dry_run: bool,
    file: String,
    issuer: String,
    number: u64,
    this_update: String,
    next_update: String,
    revoked: usize,
}

pub fn write_list(arguments: &Crl) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let lifetime = authority::lifetime("--validity", &arguments.validity)?;
    let files = authority::files(arguments.ca.as_deref())?;
    let authority = authority::load(&files, arguments.passphrase_file.as_deref(), now)?;
    let (number, validity, revoked) = if arguments.dry_run {
        let register = files.read_register()?;
        let validity = authority
            .list_validity(lifetime, now)
            .map_err(CaFilesError::from)?;
        (register.list_number + 1, validity, register.revoked.len())
    } else {
        let written = files.write_list(&authority, lifetime, now)?;
        let validity = Validity {
            not_before: written.this_update,
            not_after: written.next_update,
        };
        (written.number, validity, written.revoked.len())
    };
    let document = ListDocument {
        dry_run: arguments.dry_run,
        file: files.list().display().to_string(),
        issuer: authority.certificate().subject.to_string(),
        number,
        this_update: moment(validity.not_before),
        next_update: moment(validity.not_after),
        revoked,
    };
    if arguments.json {
        return Ok(Outcome::fine(json::document(&document)));
    }
    let list = format!(
        "{}: number {number} of {}, {} revoked, until {}\n",
        document.file,
        document.issuer,
        count(revoked, "certificate"),
        until(validity.not_after, now)
    );
    Ok(Outcome::fine(if arguments.dry_run {
        let files = would_write(&[files.list(), files.register()]);
        format!("{GOOD}would sign{GOOD:#} {list}{files}")
    } else {
        format!("{GOOD}wrote{GOOD:#} {list}")
    }))
}
