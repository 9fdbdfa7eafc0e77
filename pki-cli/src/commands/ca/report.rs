//! A CA in words and for programs.

use std::path::PathBuf;

use pki_core::converge::ca_files::{CaFiles, Register};
use pki_core::x509::{AuthorityFile, Certificate, Details, PrivateKey, PrivateKeyError};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::files;
use crate::output::errors::Failure;
use crate::output::preview::would_write;
use crate::output::table::{Cell, Table};
use crate::output::words::{list, until};
use crate::output::{Outcome, json};

/// What can be told of a CA without its key.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    certificate: String,
    subject: String,
    issuer: String,
    kind: Kind,
    /// Absent: it is not issued, and each run draws another.
    serial: Option<String>,
    sha256: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    not_before: OffsetDateTime,
    #[serde(serialize_with = "rfc3339")]
    not_after: OffsetDateTime,
    key_algorithm: String,
    key: KeyState,
    path_length: Option<u32>,
    permitted_dns: Vec<String>,
    permitted_cidrs: Vec<String>,
    above: Vec<String>,
    /// CAs in the same file that are trusted beside it, and follow it.
    successors: Vec<String>,
    issued: usize,
    revoked: usize,
    list_number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Root,
    Intermediate,
}

/// What is in the file beside the certificate.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    Plain,
    Encrypted,
    Absent,
    Unreadable,
    Foreign,
}

/// A CA that was written, or would be.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Written<'a> {
    dry_run: bool,
    files: Vec<String>,
    #[serde(flatten)]
    report: &'a Report,
}

impl KeyState {
    /// One that belongs to its certificate.
    pub const fn found(encrypted: bool) -> Self {
        if encrypted {
            Self::Encrypted
        } else {
            Self::Plain
        }
    }

    pub fn of(files: &CaFiles, certificate: &Details) -> Self {
        let path = files.key();
        if !path.exists() {
            return Self::Absent;
        }
        let Ok(text) = files::read(&path) else {
            return Self::Unreadable;
        };
        match PrivateKey::from_pem(&text) {
            Ok(key) if *key.public_key() == certificate.public_key => Self::Plain,
            Ok(_) => Self::Foreign,
            Err(PrivateKeyError::Encrypted) => Self::Encrypted,
            Err(_) => Self::Unreadable,
        }
    }

    /// After the kind of key; `wanted`: before it is there.
    const fn words(self, wanted: bool) -> &'static str {
        match self {
            Self::Plain if wanted => "",
            Self::Encrypted if wanted => ", under a passphrase",
            Self::Plain => ", there",
            Self::Encrypted => ", there, under a passphrase",
            Self::Absent => ", not there",
            Self::Unreadable => ", there, but cannot be read",
            Self::Foreign => ", there, but it belongs to another certificate",
        }
    }
}

impl Report {
    pub fn read(files: &CaFiles) -> Result<Self, Failure> {
        let chain = files.read_chain()?;
        let register = files.read_register()?;
        let own = &chain[0];
        if !own.is_ca {
            let path = files.certificate();
            return Err(Failure::new(format_args!(
                "{}: the certificate of {} is not a CA's",
                path.display(),
                own.subject
            ))
            .hint("kpki inspect shows any certificate"));
        }
        let state = KeyState::of(files, own);
        let file = AuthorityFile::of(&chain);
        let above = &file.chain()[1..];
        let mut report = Self::new(files, own, above, state, &register).with_identity(own);
        let successors = file.successors();
        report.successors = successors.map(|one| one.subject.to_string()).collect();
        Ok(report)
    }

    /// One that is not issued yet.
    pub fn new(
        files: &CaFiles,
        own: &Details,
        above: &[Certificate],
        key: KeyState,
        register: &Register,
    ) -> Self {
        let permitted = own.name_constraints.clone().unwrap_or_default();
        let kind = if own.subject.der() == own.issuer.der() {
            Kind::Root
        } else {
            Kind::Intermediate
        };
        Self {
            certificate: files.certificate().display().to_string(),
            subject: own.subject.to_string(),
            issuer: own.issuer.to_string(),
            kind,
            serial: None,
            sha256: None,
            not_before: own.validity.not_before,
            not_after: own.validity.not_after,
            key_algorithm: own.public_key.to_string(),
            key,
            path_length: own.path_length,
            permitted_dns: permitted.dns.iter().map(ToString::to_string).collect(),
            permitted_cidrs: permitted
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect(),
            above: above.iter().map(|c| c.subject.to_string()).collect(),
            successors: Vec::new(),
            issued: register.issued.len(),
            revoked: register.revoked.len(),
            list_number: register.list_number,
        }
    }

    /// As it was issued.
    pub fn with_identity(mut self, own: &Certificate) -> Self {
        self.serial = Some(own.serial.to_string());
        self.sha256 = Some(own.fingerprint());
        self
    }

    pub fn outcome(&self, as_json: bool) -> Outcome {
        Outcome::fine(if as_json {
            json::document(self)
        } else {
            self.text(false)
        })
    }

    /// That it was written to `files`, or would be.
    pub fn written(&self, files: &[PathBuf], dry_run: bool, as_json: bool) -> Outcome {
        Outcome::fine(if as_json {
            json::document(&Written {
                dry_run,
                files: files
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect(),
                report: self,
            })
        } else if dry_run {
            format!("{}\n{}", self.text(true), would_write(files))
        } else {
            self.text(false)
        })
    }

    /// `wanted`: it is not there yet, nor has it issued anything.
    fn text(&self, wanted: bool) -> String {
        let kind = match self.kind {
            Kind::Root => "root",
            Kind::Intermediate => "below another CA",
        };
        let mut lines = vec![
            ("certificate", self.certificate.clone()),
            ("subject", self.subject.clone()),
            ("kind", kind.to_owned()),
        ];
        if self.kind == Kind::Intermediate {
            lines.push(("issuer", self.issuer.clone()));
        }
        lines.extend([
            (
                "valid until",
                until(self.not_after, OffsetDateTime::now_utc()),
            ),
            (
                "key",
                format!("{}{}", self.key_algorithm, self.key.words(wanted)),
            ),
            ("may issue", self.may_issue()),
        ]);
        if !self.above.is_empty() {
            lines.push(("in its file, above", list(&self.above)));
        }
        if !self.successors.is_empty() {
            lines.push(("followed by", list(&self.successors)));
        }
        if !wanted {
            lines.push(("issued, as recorded", self.issued.to_string()));
            lines.push(("revoked", self.revoked.to_string()));
        }
        if self.list_number > 0 {
            lines.push(("last revocation list", self.list_number.to_string()));
        }
        lines.extend(self.serial.clone().map(|serial| ("serial", serial)));
        lines.extend(self.sha256.clone().map(|digest| ("SHA-256", digest)));
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
        let text = lines.iter().map(|(name, value)| {
            let value = crate::output::errors::printable(value);
            format!("{:width$} {value}\n", format!("{name}:"))
        });
        text.collect()
    }

    /// What its constraints leave.
    fn may_issue(&self) -> String {
        let mut parts = vec![match self.path_length {
            Some(0) => "leaves".to_owned(),
            Some(length) => format!("leaves, and CAs up to {length} deep"),
            None => "leaves, and CAs of any depth".to_owned(),
        }];
        let names = self.permitted_dns.iter().chain(&self.permitted_cidrs);
        let names = list(names);
        if !names.is_empty() {
            parts.push(format!("only for {names}"));
        }
        parts.join("; ")
    }
}

/// Several CAs.
pub fn table(reports: &[Report], now: OffsetDateTime, as_json: bool) -> Outcome {
    if as_json {
        return Outcome::fine(json::document(&reports));
    }
    let headings = [
        "SUBJECT",
        "VALID UNTIL",
        "KEY",
        "MAY ISSUE",
        "ISSUED",
        "REVOKED",
        "FILE",
    ];
    let mut table = Table::new(headings, 3);
    for report in reports {
        table.row([
            Cell::strong(&report.subject),
            Cell::plain(until(report.not_after, now)),
            Cell::plain(&report.key_algorithm),
            Cell::plain(report.may_issue()),
            Cell::plain(report.issued.to_string()),
            Cell::plain(report.revoked.to_string()),
            Cell::plain(&report.certificate),
        ]);
    }
    Outcome::fine(table.render())
}

fn rfc3339<S: serde::Serializer>(moment: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    let text = moment.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    to.serialize_str(&text)
}
