//! What became of each request, in words and for programs.

use std::fmt::Write;

use pki_core::cluster::policy::{Note, Refusal};
use pki_core::x509::inspect::CertificateReport;
use pki_core::x509::{Certificate, LeafRequest};
use serde::Serialize;
use time::OffsetDateTime;

use super::asked;
use super::input::Input;
use crate::arguments;
use crate::output::errors::printable;
use crate::output::style::{ERROR, GOOD, HINT, STRONG, WARNING, WEAK};
use crate::output::words::{count, list, until};
use crate::output::{Outcome, json, talk};

/// One request, and what became of it.
pub struct Entry<'a> {
    pub input: &'a Input,
    pub judgement: Judgement,
}

pub enum Judgement {
    Signed(Signed),
    /// Only looked at.
    Allowed {
        policy: String,
        wanted: LeafRequest,
        notes: Vec<Note>,
    },
    Refused {
        /// Absent where there is none for it.
        policy: Option<String>,
        reasons: Vec<Refusal>,
    },
    /// No request at all.
    Unreadable(String),
    /// The policy allows it, but the CA may not issue it.
    NotIssued {
        policy: String,
        error: String,
    },
}

pub struct Signed {
    pub policy: String,
    pub notes: Vec<Note>,
    pub chain: Vec<Certificate>,
    /// What is written.
    pub contents: String,
}

pub fn outcome(entries: &[Entry<'_>], arguments: &arguments::Sign, now: OffsetDateTime) -> Outcome {
    let bad = entries.iter().filter(|entry| entry.is_bad()).count();
    if arguments.json {
        let document = Document {
            dry_run: arguments.dry_run,
            requests: entries.iter().map(|entry| entry.document(now)).collect(),
            refused: bad,
        };
        return Outcome::with_attention(json::document(&document), bad > 0);
    }
    let mut text: String = entries.iter().map(|entry| entry.text(now)).collect();
    if bad > 0 {
        let _ = writeln!(
            text,
            "\n{ERROR}attention needed{ERROR:#}: {bad} of {} refused",
            count(entries.len(), "request")
        );
    }
    // With a document on standard output, what is said about it goes where talk goes.
    let documents: String = entries
        .iter()
        .filter(|entry| entry.input.output.is_none())
        .filter_map(|entry| match &entry.judgement {
            Judgement::Signed(signed) => Some(signed.contents.as_str()),
            _ => None,
        })
        .collect();
    if documents.is_empty() {
        return Outcome::with_attention(text, bad > 0);
    }
    talk(&text);
    Outcome::with_attention(documents, bad > 0)
}

impl Entry<'_> {
    fn is_bad(&self) -> bool {
        !matches!(
            self.judgement,
            Judgement::Signed(_) | Judgement::Allowed { .. }
        )
    }

    fn text(&self, now: OffsetDateTime) -> String {
        let name = printable(&self.input.name);
        let asked = self.input.request().map(asked).unwrap_or_default();
        let asked = printable(&asked);
        let by = |policy: &str| format!(" {WEAK}(policy {policy}){WEAK:#}");
        let mut text = String::new();
        match &self.judgement {
            Judgement::Signed(signed) => {
                let to = match &self.input.output {
                    Some(path) => format!(" -> {}", printable(&path.display().to_string())),
                    None => String::new(),
                };
                let until = until(signed.chain[0].validity.not_after, now);
                let policy = by(&signed.policy);
                let _ = writeln!(
                    text,
                    "{GOOD}signed{GOOD:#}   {STRONG}{name}{to}{STRONG:#}{policy}"
                );
                let _ = writeln!(text, "           {asked}, valid until {until}");
                notes(&mut text, &signed.notes);
            }
            Judgement::Allowed {
                policy,
                wanted,
                notes: all,
            } => {
                let policy = by(policy);
                let _ = writeln!(
                    text,
                    "{GOOD}allowed{GOOD:#}  {STRONG}{name}{STRONG:#}{policy}"
                );
                let _ = writeln!(text, "           {asked}, for {}", wanted.lifetime);
                notes(&mut text, all);
            }
            Judgement::Refused { policy, reasons } => {
                let policy = policy.as_deref().map(by).unwrap_or_default();
                let _ = writeln!(
                    text,
                    "{ERROR}refused{ERROR:#}  {STRONG}{name}{STRONG:#}{policy}"
                );
                let _ = writeln!(text, "           {WEAK}{asked}{WEAK:#}");
                for reason in reasons {
                    let _ = writeln!(text, "           {}", printable(&reason.to_string()));
                }
                let mut told = Vec::new();
                for hint in reasons.iter().filter_map(Refusal::hint) {
                    if !told.contains(&hint) {
                        let _ = writeln!(text, "     {HINT}hint:{HINT:#} {hint}");
                        told.push(hint);
                    }
                }
            }
            Judgement::Unreadable(error) => {
                let _ = writeln!(text, "{ERROR}refused{ERROR:#}  {STRONG}{name}{STRONG:#}");
                let _ = writeln!(text, "           {}", printable(error));
                let _ = writeln!(
                    text,
                    "     {HINT}hint:{HINT:#} name a signing request (PEM or DER), or a CertificateSigningRequest object"
                );
            }
            Judgement::NotIssued { policy, error } => {
                let policy = by(policy);
                let _ = writeln!(
                    text,
                    "{ERROR}refused{ERROR:#}  {STRONG}{name}{STRONG:#}{policy}"
                );
                let _ = writeln!(text, "           {}", printable(error));
                let _ = writeln!(
                    text,
                    "     {HINT}hint:{HINT:#} the policy allows it, but the CA may not issue it"
                );
            }
        }
        text
    }

    fn document(&self, now: OffsetDateTime) -> EntryDocument {
        let request = self.input.request();
        let mut document = EntryDocument {
            file: self.input.name.clone(),
            subject: request.map(|request| request.subject.to_string()),
            names: request
                .into_iter()
                .flat_map(|request| &request.sans)
                .map(ToString::to_string)
                .collect(),
            result: "refused",
            policy: None,
            written: None,
            reasons: Vec::new(),
            notes: Vec::new(),
            certificate: None,
            pem: None,
        };
        let told = |notes: &[Note]| notes.iter().map(ToString::to_string).collect();
        match &self.judgement {
            Judgement::Signed(signed) => {
                document.result = "signed";
                document.policy = Some(signed.policy.clone());
                document.written = self
                    .input
                    .output
                    .as_ref()
                    .map(|path| path.display().to_string());
                document.notes = told(&signed.notes);
                document.certificate = Some(CertificateReport::new(&signed.chain[0], now));
                document.pem = Some(signed.chain.iter().map(Certificate::pem).collect());
            }
            Judgement::Allowed { policy, notes, .. } => {
                document.result = "allowed";
                document.policy = Some(policy.clone());
                document.notes = told(notes);
            }
            Judgement::Refused { policy, reasons } => {
                document.policy = policy.clone();
                document.reasons = reasons.iter().map(ReasonDocument::new).collect();
            }
            Judgement::Unreadable(error) => {
                document.reasons = vec![ReasonDocument {
                    code: "unreadable",
                    text: error.clone(),
                    hint: None,
                }];
            }
            Judgement::NotIssued { policy, error } => {
                document.policy = Some(policy.clone());
                document.reasons = vec![ReasonDocument {
                    code: "not-issued",
                    text: error.clone(),
                    hint: None,
                }];
            }
        }
        document
    }
}

fn notes(text: &mut String, notes: &[Note]) {
    if !notes.is_empty() {
        let _ = writeln!(text, "           {WARNING}note:{WARNING:#} {}", list(notes));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    dry_run: bool,
    requests: Vec<EntryDocument>,
    /// How many.
    refused: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EntryDocument {
    file: String,
    /// As asked for.
    subject: Option<String>,
    names: Vec<String>,
    /// `signed`, `allowed` (with --dry-run) or `refused`.
    result: &'static str,
    policy: Option<String>,
    /// The file.
    written: Option<String>,
    reasons: Vec<ReasonDocument>,
    notes: Vec<String>,
    certificate: Option<CertificateReport>,
    pem: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReasonDocument {
    code: &'static str,
    text: String,
    hint: Option<&'static str>,
}

impl ReasonDocument {
    fn new(reason: &Refusal) -> Self {
        Self {
            code: reason.code(),
            text: reason.to_string(),
            hint: reason.hint(),
        }
    }
}
