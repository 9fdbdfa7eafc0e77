//! `kpki ca new`: a root, a CA below another, or another CA signed across.

use std::path::Path;

use pki_core::cluster::FileMode;
use pki_core::converge::ca_files::{CaFiles, Register};
use pki_core::converge::outputs::{self, Outputs};
use pki_core::x509::{
    Authority, CaOptions, Certificate, DistinguishedName, DnsName, IssueError, NameConstraints,
    Passphrase, PrivateKey, lint, prepare_self_signed,
};
use ring::rand::SystemRandom;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::report::{KeyState, Report};
use crate::arguments::CaNew;
use crate::authority;
use crate::files::read;
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::passphrase;

pub fn run(arguments: &CaNew) -> Result<Outcome, Failure> {
    let now = OffsetDateTime::now_utc();
    let options = options(arguments)?;
    let parent = match &arguments.parent {
        None => None,
        Some(path) => {
            let files = CaFiles::at(path)?;
            let file = arguments.parent_passphrase_file.as_deref();
            let loaded = authority::load(&files, file, now)?;
            Some((files, loaded))
        }
    };
    match (&parent, &arguments.cross_sign) {
        (Some(parent), Some(other)) => cross_sign(parent, other, &options, arguments, now),
        (parent, _) => made(parent.as_ref(), &options, arguments, now),
    }
}

/// A root, or a CA below `parent`, with a key of its own.
fn made(
    parent: Option<&(CaFiles, Authority)>,
    options: &CaOptions,
    arguments: &CaNew,
    now: OffsetDateTime,
) -> Result<Outcome, Failure> {
    let files = CaFiles::at(&arguments.out)?;
    // Asked before anybody types a passphrase; `create` makes sure.
    files.prove_free()?;
    let encrypted = arguments.encrypt || arguments.passphrase_file.is_some();
    let passphrase = match &arguments.passphrase_file {
        // Nobody types one for nothing.
        None if !encrypted || arguments.dry_run => None,
        file => Some(passphrase::choose(&files.key(), file.as_deref())?),
    };
    let name = arguments.name.as_deref().unwrap_or_default();
    let rng = SystemRandom::new();
    let key = PrivateKey::generate(options.key_algorithm, &rng).map_err(Failure::new)?;
    let signer = authority::signer(&key)?;
    let prepared = match parent {
        None => {
            let subject = DistinguishedName::new(name, &[] as &[&str]);
            prepare_self_signed(&subject, options, &signer, now, &rng)
        }
        Some((_, parent)) => parent.prepare_authority(name, key.public_key(), options, now, &rng),
    };
    let linted = prepared
        .and_then(|prepared| prepared.lint(&[lint::RULES]))
        .map_err(not_issued)?;
    let above = parent.map_or(&[][..], |(_, parent)| parent.chain());
    let mut paths = vec![files.certificate(), files.key()];
    paths.extend(parent.map(|(parent_files, _)| parent_files.register()));
    if arguments.dry_run {
        if let Some((parent_files, _)) = parent {
            parent_files.read_register()?;
        }
        let state = KeyState::found(encrypted);
        let report = Report::new(&files, linted.details(), above, state, &Register::default());
        return Ok(report.written(&paths, true, arguments.json));
    }
    let certificate = linted.issue().map_err(not_issued)?;
    if let Some((parent_files, _)) = parent {
        record(parent_files, &certificate)?;
    }
    let chain = [vec![certificate], above.to_vec()].concat();
    files.create(pem(&chain).as_bytes(), key_text(&key, passphrase.as_ref())?)?;
    Ok(Report::read(&files)?.written(&paths, false, arguments.json))
}

/// Known before it is written: a certificate that nobody recorded could not be revoked by its name.
fn record(parent: &CaFiles, certificate: &Certificate) -> Result<(), Failure> {
    parent.change_register(|register| {
        register.add_issued(certificate);
        Ok(())
    })
}

fn key_text(
    key: &PrivateKey,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Ok(Zeroizing::new(match passphrase {
        None => key.secret_pem().as_bytes().to_vec(),
        Some(passphrase) => key
            .encrypted_pem(passphrase, &SystemRandom::new())
            .map_err(Failure::new)?
            .into_bytes(),
    }))
}

/// Only a certificate: the key is where it was.
fn cross_sign(
    (parent_files, parent): &(CaFiles, Authority),
    other: &Path,
    options: &CaOptions,
    arguments: &CaNew,
    now: OffsetDateTime,
) -> Result<Outcome, Failure> {
    let at = |error: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {error}", other.display()))
            .hint("name the certificate of the CA that is to be certified")
    };
    let chain = Certificate::from_pem_chain(&read(other)?).map_err(|error| at(&error))?;
    Authority::check(&chain[0], now).map_err(|error| authority::refused(other, &error))?;
    let files = CaFiles::at(&arguments.out)?;
    outputs::prove_free(&[files.certificate()])?;
    let linted = parent
        .prepare_cross_signed(&chain[0], options, now, &SystemRandom::new())
        .and_then(|prepared| prepared.lint(&[lint::RULES]))
        .map_err(not_issued)?;
    let paths = [files.certificate(), parent_files.register()];
    if arguments.dry_run {
        let wanted = linted.details();
        let state = KeyState::of(&files, wanted);
        parent_files.read_register()?;
        let report = Report::new(
            &files,
            wanted,
            parent.chain(),
            state,
            &files.read_register()?,
        );
        return Ok(report.written(&paths, true, arguments.json));
    }
    let certificate = linted.issue().map_err(not_issued)?;
    record(parent_files, &certificate)?;
    let text = pem(&[vec![certificate], parent.chain().to_vec()].concat());
    let mut outputs = Outputs::default();
    outputs.create(files.certificate(), text.into_bytes(), FileMode::PUBLIC);
    outputs.commit()?;
    Ok(Report::read(&files)?.written(&paths, false, arguments.json))
}

fn not_issued(error: IssueError) -> Failure {
    let hint = match &error {
        IssueError::NoAuthorityBelow { .. } => {
            "name a parent that was made with --path-length 1 or more"
        }
        _ => "nothing was signed or written",
    };
    Failure::new(error).hint(hint)
}

fn pem(chain: &[Certificate]) -> String {
    chain.iter().map(Certificate::pem).collect()
}

/// What the flags say, every mistake at once.
fn options(arguments: &CaNew) -> Result<CaOptions, Failure> {
    let mut failures = Vec::new();
    let mut constraints = NameConstraints::default();
    for text in &arguments.permit_dns {
        match DnsName::new(text) {
            Ok(name) if !text.starts_with("*.") => constraints.dns.push(name),
            _ => failures.push(
                Failure::new(format_args!("--permit-dns {text}: not a domain"))
                    .hint("a domain permits itself and all names below it: example.com"),
            ),
        }
    }
    for text in &arguments.permit_cidr {
        match text.parse() {
            Ok(range) => constraints.addresses.push(range),
            Err(_) => failures.push(
                Failure::new(format_args!("--permit-cidr {text}: not a CIDR"))
                    .hint("write an address and a prefix: 192.0.2.0/24, 2001:db8::/32"),
            ),
        }
    }
    let lifetime = authority::lifetime("--validity", &arguments.validity);
    let key_algorithm = authority::key_algorithm(&arguments.key_algorithm);
    match (lifetime, key_algorithm) {
        (Ok(lifetime), Ok(key_algorithm)) if failures.is_empty() => Ok(CaOptions {
            lifetime,
            key_algorithm,
            path_length: Some(arguments.path_length),
            name_constraints: constraints,
        }),
        (lifetime, key_algorithm) => {
            failures.extend(lifetime.err());
            failures.extend(key_algorithm.err());
            Err(Failure::all(failures))
        }
    }
}
