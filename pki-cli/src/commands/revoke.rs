//! `kpki revoke` and `kpki crl`.

use pki_core::x509::{Certificate, RevocationReason, SerialNumber, signature_valid};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::arguments::{Crl, Revoke};
use crate::authority;
use crate::files::read;
use crate::output::errors::{self, Failure};
use crate::output::style::GOOD;
use crate::output::words::{count, list, until};
use crate::output::{Outcome, json};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RevokedDocument {
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
    let (entry, before, known) = files.change_register(|register| {
        let known = register
            .issued
            .iter()
            .any(|entry| entry.serial == serial.to_string());
        let news = register.revoke(&serial, subject, reason, now);
        let entry = register
            .revocation_of(&serial.to_string())
            .expect("it is revoked by now")
            .clone();
        Ok::<_, Failure>((entry, !news, known))
    })?;
    if !known && arguments.certificate.is_none() {
        errors::warn(format_args!(
            "{} has no certificate with the serial {serial}: revoked all the same",
            files.register().display()
        ));
    }
    let document = RevokedDocument {
        authority: chain[0].subject.to_string(),
        serial: entry.serial,
        subject: entry.subject,
        reason: entry.reason,
        at: entry.at.format(&Rfc3339).unwrap_or_default(),
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
    let written = files.write_list(&authority, lifetime, now)?;
    let document = ListDocument {
        file: files.list().display().to_string(),
        issuer: written.issuer.to_string(),
        number: written.number,
        this_update: written.this_update.format(&Rfc3339).unwrap_or_default(),
        next_update: written.next_update.format(&Rfc3339).unwrap_or_default(),
        revoked: written.revoked.len(),
    };
    if arguments.json {
        return Ok(Outcome::fine(json::document(&document)));
    }
    Ok(Outcome::fine(format!(
        "{GOOD}wrote{GOOD:#} {}: number {} of {}, {} revoked, until {}\n",
        document.file,
        document.number,
        document.issuer,
        count(document.revoked, "certificate"),
        until(written.next_update, now)
    )))
}
