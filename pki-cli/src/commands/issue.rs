//! `kpki issue`.

use std::path::{Path, PathBuf};

use pki_core::cluster::{self, FileMode};
use pki_core::converge::outputs::{self, Outputs};
use pki_core::x509::inspect::CertificateReport;
use pki_core::x509::{
    Certificate, Details, Issued, LeafRequest, Lifetime, Preset, PrivateKey, SubjectAltName, Usage,
    lint,
};
use ring::rand::SystemRandom;
use serde::Serialize;
use time::OffsetDateTime;

use crate::arguments::Issue;
use crate::authority;
use crate::output::errors::{self, Failure};
use crate::output::preview::{CertificateDocument, Preview, would_write};
use crate::output::style::GOOD;
use crate::output::words::{list, until};
use crate::output::{Outcome, json};

pub fn run(arguments: &Issue) -> Result<Outcome, Failure> {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let request = request(arguments)?;
    let [certificate_path, key_path] = places(arguments)?;
    let files = authority::files(arguments.ca.as_deref())?;
    let authority = authority::load(&files, arguments.passphrase_file.as_deref(), now)?;

    let key = PrivateKey::generate(request.key_algorithm, &rng).map_err(Failure::new)?;
    let linted = authority
        .prepare(&request, key.public_key(), now, &rng)
        .and_then(|prepared| prepared.lint(&[lint::RULES, cluster::lint::RULES]))
        .map_err(|error| Failure::new(error).hint("nothing was signed or written"))?;
    for warning in &linted.warnings {
        errors::warn(warning);
    }
    cut_short(&request, linted.details());
    let document = |certificate| Document {
        dry_run: arguments.dry_run,
        files: [&key_path, &certificate_path, &files.register()]
            .map(|path| path.display().to_string()),
        certificate_file: certificate_path.display().to_string(),
        key_file: key_path.display().to_string(),
        authority: authority.certificate().subject.to_string(),
        certificate,
    };
    if arguments.dry_run {
        files.read_register()?;
        let wanted = linted.details();
        let document = document(CertificateDocument::Wanted(Preview::certificate(wanted)));
        return Ok(outcome(&document, wanted, now, arguments.json));
    }
    let issued = Issued {
        certificate: linted.issue().map_err(Failure::new)?,
        key,
        intermediates: authority.intermediates(),
    };
    // Known first: a certificate that nobody recorded could not be revoked by its name.
    files.change_register(|register| {
        register.add_issued(&issued.certificate);
        Ok::<_, Failure>(())
    })?;
    let chain: String = issued.chain().iter().map(Certificate::pem).collect();
    let key_pem = issued.key.secret_pem().as_bytes().to_vec();
    let mut outputs = Outputs::default();
    outputs.create(&key_path, key_pem, FileMode::PRIVATE_KEY);
    outputs.create(&certificate_path, chain.into_bytes(), FileMode::PUBLIC);
    outputs.commit()?;
    let report = Box::new(CertificateReport::new(&issued.certificate, now));
    Ok(outcome(
        &document(CertificateDocument::Issued(report)),
        &issued.certificate,
        now,
        arguments.json,
    ))
}

/// What the flags ask for, every mistake at once.
fn request(arguments: &Issue) -> Result<LeafRequest, Failure> {
    let mut failures = Vec::new();
    let mut words = arguments.subject.split(',');
    let name = words.next().unwrap_or_default();
    if name.is_empty() {
        failures.push(Failure::new("an empty subject").hint("kpki issue db.example,192.0.2.7"));
    }
    let mut names: Vec<SubjectAltName> = Vec::new();
    for word in words {
        match word.parse() {
            Ok(san) => names.push(san),
            Err(error) => failures.push(
                Failure::new(format_args!("{word:?}: {error}"))
                    .hint("further names are DNS names, IP addresses, a@b or x://y"),
            ),
        }
    }
    let preset = arguments.profile.parse::<Preset>();
    let preset = preset.unwrap_or_else(|error| {
        failures.push(
            Failure::new(format_args!("--profile: {error}"))
                .hint(format_args!("choose one of {}", list(Preset::ALL))),
        );
        Preset::default()
    });
    let usages = usages(&arguments.usage).unwrap_or_else(|failure| {
        failures.push(failure);
        Vec::new()
    });
    let mut checked =
        |outcome: Result<Lifetime, Failure>| outcome.map_err(|failure| failures.push(failure)).ok();
    let lifetime = arguments
        .validity
        .as_ref()
        .and_then(|text| checked(authority::lifetime("--validity", text)));
    let algorithm = authority::key_algorithm(&arguments.key_algorithm);
    let usages = (!arguments.usage.is_empty()).then_some(usages.as_slice());
    let request = preset.request(name, &arguments.group, &names, usages);
    let lifetime = lifetime.unwrap_or(request.lifetime);
    match algorithm {
        Ok(algorithm) if failures.is_empty() => Ok(request
            .with_lifetime(lifetime)
            .with_key_algorithm(algorithm)),
        algorithm => {
            failures.extend(algorithm.err());
            Err(Failure::all(failures))
        }
    }
}

fn usages(words: &[String]) -> Result<Vec<Usage>, Failure> {
    let mut usages = Vec::new();
    for word in words {
        let more: &[Usage] = match word.as_str() {
            "server" => &[Usage::Server],
            "client" => &[Usage::Client],
            "peer" => &[Usage::Server, Usage::Client],
            _ => {
                return Err(Failure::new(format_args!("--usage: there is no {word:?}"))
                    .hint("choose of server, client and peer"));
            }
        };
        for usage in more {
            if !usages.contains(usage) {
                usages.push(*usage);
            }
        }
    }
    Ok(usages)
}

/// The certificate's file and the key's, neither of which may be there.
fn places(arguments: &Issue) -> Result<[PathBuf; 2], Failure> {
    let stem = match &arguments.name {
        Some(name) => file_name(name),
        None => file_name(arguments.subject.split(',').next().unwrap_or_default()),
    };
    // Before anything is signed and recorded.
    if !arguments.out.is_dir() {
        let fact = format!("{}: not a directory", arguments.out.display());
        return Err(Failure::new(fact).hint("make the directory first, or choose another"));
    }
    let dir = match arguments.out.as_path() {
        here if here == Path::new(".") => Path::new(""),
        other => other,
    };
    let paths = ["crt", "key"].map(|ending| dir.join(format!("{stem}.{ending}")));
    outputs::prove_free(&paths)?;
    Ok(paths)
}

/// A subject as a file's name: `*.a.example` becomes `_.a.example`.
fn file_name(subject: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || ".-_@".contains(c);
    let name: String = subject
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    // Neither hidden nor on the way up.
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name,
    }
}

/// A CA's end is told, where it is before the end that was asked for.
fn cut_short(request: &LeafRequest, certificate: &Details) {
    let validity = certificate.validity;
    let wanted = request.lifetime.duration() + pki_core::x509::BACKDATE;
    if validity.length() < wanted {
        errors::warn(format_args!(
            "it ends with its CA, before the {} that were asked for",
            request.lifetime
        ));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    dry_run: bool,
    /// All that were written, or would be.
    files: [String; 3],
    certificate_file: String,
    key_file: String,
    authority: String,
    certificate: CertificateDocument,
}

fn outcome(
    document: &Document,
    certificate: &Details,
    now: OffsetDateTime,
    as_json: bool,
) -> Outcome {
    if as_json {
        return Outcome::fine(json::document(document));
    }
    let usages = list(&certificate.extended_key_usages);
    let names = list(&certificate.sans);
    let names = if names.is_empty() {
        String::new()
    } else {
        format!("  for {names}\n")
    };
    let (verb, files) = if document.dry_run {
        let files = document.files.iter().map(PathBuf::from);
        ("would issue", would_write(&files.collect::<Vec<_>>()))
    } else {
        let files = format!("  {} {}\n", document.certificate_file, document.key_file);
        ("issued", files)
    };
    Outcome::fine(format!(
        "{GOOD}{verb}{GOOD:#} {} by {}\n{names}  as {usages}, until {}\n{files}",
        certificate.subject,
        document.authority,
        until(certificate.validity.not_after, now),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_cannot_choose_a_directory() {
        for (subject, name) in [
            ("db.example", "db.example"),
            ("*.a.example", "_.a.example"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("system:node:n1", "system_node_n1"),
            (".hidden", "_hidden"),
        ] {
            assert_eq!(file_name(subject), name);
        }
    }
}
