//! `kpki csr`.

use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::converge::outputs::Outputs;
use pki_core::x509::inspect::SigningRequestReport;
use pki_core::x509::{
    DistinguishedName, DnsName, KeyAlgorithm, PrivateKey, SigningRequest, SubjectAltName, Usage,
};
use ring::rand::SystemRandom;
use serde::Serialize;

use crate::arguments;
use crate::files;
use crate::output::errors::Failure;
use crate::output::preview::{Preview, would_write};
use crate::output::style::{GOOD, STRONG};
use crate::output::words::list;
use crate::output::{Outcome, json};

pub fn run(arguments: &arguments::Csr) -> Result<Outcome, Failure> {
    let wanted = Wanted::of(arguments)?;
    let request_path = with_ending(&wanted.base, "csr");
    let key_path = with_ending(&wanted.base, "key");
    let key = match &arguments.key {
        Some(path) => PrivateKey::from_pem(&files::read(path)?).map_err(|error| {
            Failure::new(format_args!("{}: {error}", path.display()))
                .hint("name a private key as PEM (PKCS#8, PKCS#1 or SEC1), not encrypted")
        })?,
        None => {
            PrivateKey::generate(wanted.algorithm, &SystemRandom::new()).map_err(Failure::new)?
        }
    };
    let request = SigningRequest::generate(&wanted.subject, &wanted.sans, &wanted.usages, &key)
        .map_err(Failure::new)?;
    let pem = request.pem();
    let mut outputs = Outputs::default();
    if arguments.key.is_none() {
        let secret = key.secret_pem().as_bytes().to_vec();
        outputs.create(&key_path, secret, FileMode::PRIVATE_KEY);
    }
    outputs.create(&request_path, pem.clone().into_bytes(), FileMode::PUBLIC);
    outputs.prove_writable()?;
    let paths: Vec<_> = outputs.files().map(|(path, _)| path.to_owned()).collect();
    if !arguments.dry_run {
        outputs.commit()?;
    }
    let key_file = arguments.key.as_deref().unwrap_or(&key_path);
    if arguments.json {
        let made = !arguments.dry_run;
        return Ok(Outcome::fine(json::document(&Document {
            dry_run: arguments.dry_run,
            file: request_path.display().to_string(),
            key_file: key_file.display().to_string(),
            key_is_new: arguments.key.is_none(),
            request: if made {
                RequestDocument::Made(Box::new(SigningRequestReport::new(&request)))
            } else {
                RequestDocument::Wanted(Preview::request(&request))
            },
            pem: made.then_some(pem),
        })));
    }
    let names = match &wanted.sans[..] {
        [] => String::new(),
        sans => format!(", for {}", list(sans)),
    };
    let new = if arguments.key.is_none() { "new " } else { "" };
    let (verb, would) = if arguments.dry_run {
        ("would make", would_write(&paths))
    } else {
        ("made", String::new())
    };
    Ok(Outcome::fine(format!(
        "{GOOD}{verb}{GOOD:#} {STRONG}{}{STRONG:#}: {}{names}\n     {new}key in {} ({}), which stays where it is\n{would}",
        request_path.display(),
        request.subject,
        key_file.display(),
        key.algorithm(),
    )))
}

/// What is asked for, checked.
struct Wanted {
    subject: DistinguishedName,
    sans: Vec<SubjectAltName>,
    usages: Vec<Usage>,
    algorithm: KeyAlgorithm,
    base: PathBuf,
}

impl Wanted {
    fn of(arguments: &arguments::Csr) -> Result<Self, Failure> {
        let mut failures = Vec::new();
        let mut parts = arguments.subject.split(',').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut sans: Vec<SubjectAltName> = Vec::new();
        for part in parts {
            match part.parse() {
                Ok(san) if sans.contains(&san) => {}
                Ok(san) => sans.push(san),
                Err(error) => {
                    failures.push(Failure::new(format_args!("{part:?}: {error}")).hint(
                        "write DNS names in lower case, addresses, name@host, or scheme://host",
                    ))
                }
            }
        }
        for text in std::iter::once(name).chain(arguments.group.iter().map(String::as_str)) {
            let length = text.chars().count();
            if length == 0
                || length > 64
                || text.chars().any(char::is_control)
                || text.trim() != text
            {
                failures.push(
                    Failure::new(format_args!("{text:?} cannot stand in a subject"))
                        .hint("names and groups have 1 to 64 characters, no blanks at their ends and no control characters"),
                );
            }
        }
        let is_server = |sans: &[SubjectAltName]| {
            sans.iter()
                .any(|san| matches!(san, SubjectAltName::Dns(_) | SubjectAltName::Ip(_)))
        };
        let dotted = DnsName::new(name)
            .ok()
            .filter(|name| name.as_str().contains('.'));
        let mut usages: Vec<Usage> = Vec::new();
        for word in &arguments.usage {
            let usage = if word == "server" {
                Usage::Server
            } else {
                Usage::Client
            };
            if !usages.contains(&usage) {
                usages.push(usage);
            }
        }
        if usages.is_empty() {
            let server = is_server(&sans) || dotted.is_some();
            usages.push(if server { Usage::Server } else { Usage::Client });
        }
        if let Some(name) = dotted.map(SubjectAltName::Dns)
            && usages.contains(&Usage::Server)
            && !sans.contains(&name)
        {
            sans.insert(0, name);
        }
        let algorithm = match arguments.key_algorithm.as_deref().map(str::parse) {
            None => KeyAlgorithm::default(),
            Some(Ok(algorithm)) => algorithm,
            Some(Err(error)) => {
                let error: pki_core::x509::UnknownKeyAlgorithm = error;
                failures.push(
                    Failure::new(format_args!("--key-algorithm: {error}"))
                        .hint(format_args!("there are {}", list(KeyAlgorithm::ALL))),
                );
                KeyAlgorithm::default()
            }
        };
        if !failures.is_empty() {
            return Err(Failure::all(failures));
        }
        Ok(Self {
            subject: DistinguishedName::new(name, &arguments.group),
            sans,
            usages,
            algorithm,
            base: arguments
                .out
                .clone()
                .unwrap_or_else(|| file_name(name).into()),
        })
    }
}

/// A common name as a file's name: `system-node-w1`.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let text: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    // No hidden file, and none that looks like a flag.
    text.trim_start_matches(['.', '-']).to_owned()
}

/// `BASE.csr`, where the base may have dots of its own.
fn with_ending(base: &Path, ending: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    dry_run: bool,
    file: String,
    key_file: String,
    key_is_new: bool,
    request: RequestDocument,
    /// Absent in a dry run.
    pem: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RequestDocument {
    Made(Box<SigningRequestReport>),
    Wanted(Preview),
}
