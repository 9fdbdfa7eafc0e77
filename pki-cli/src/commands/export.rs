//! `kpki export`.

use std::io::Write;
use std::path::Path;

use pki_core::cluster::{FileMode, secret_tls_manifest};
use pki_core::converge::export::{self, Material};
use pki_core::converge::outputs::Outputs;
use pki_core::x509::{Certificate, DnsName, Passphrase, PrivateKey, pkcs12};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::arguments::{Export, Format};
use crate::cluster::Cluster;
use crate::files;
use crate::output::errors::{Failure, printable};
use crate::output::style::STRONG;
use crate::output::words::until;
use crate::output::{Outcome, talk};
use crate::passphrase;

pub fn run(arguments: &Export) -> Result<Outcome, Failure> {
    if arguments.cert.is_some() || !arguments.ca.is_empty() {
        return of_files(arguments);
    }
    let cluster = Cluster::open(&arguments.tree)?;
    let inventory = cluster.inventory()?;
    let told = |error: export::ExportError| Failure::new(&error).hint(error.hint());
    if let Format::Bundle | Format::Truststore = arguments.format {
        let ids: Vec<_> = arguments.id.iter().cloned().collect();
        let anchors = export::authorities(&ids, &cluster.blueprint, &inventory).map_err(told)?;
        return trust(arguments, &anchors);
    }
    let Some(id) = &arguments.id else {
        return Err(Failure::new("nothing to export was named")
            .hint("name an artifact, such as cp1/apiserver, or a file with --cert"));
    };
    let material = export::material(id, &cluster.blueprint, &inventory).map_err(told)?;
    identity(arguments, &material)
}

fn of_files(arguments: &Export) -> Result<Outcome, Failure> {
    let mut anchors = Vec::new();
    for path in &arguments.ca {
        anchors.extend(certificates(path)?);
    }
    if let Format::Bundle | Format::Truststore = arguments.format {
        if let Some(path) = &arguments.cert {
            anchors.extend(certificates(path)?);
        }
        return trust(arguments, &anchors);
    }
    let Some(path) = &arguments.cert else {
        return Err(
            Failure::new("--ca alone is for the forms bundle and truststore").hint("--cert FILE"),
        );
    };
    let chain = certificates(path)?;
    let key = match &arguments.key {
        Some(file) => Some(passphrase::open_key(&files::read(file)?, file, None)?.key),
        None => None,
    };
    if let (Some(key), Some(file)) = (&key, &arguments.key)
        && *key.public_key() != chain[0].public_key
    {
        return Err(Failure::new(format_args!(
            "{} is not the key of {}",
            file.display(),
            path.display()
        ))
        .hint("name the key that belongs to the certificate"));
    }
    identity(
        arguments,
        &Material {
            chain,
            key: key.as_ref(),
            anchors,
        },
    )
}

/// A certificate, with its key where the form has one.
fn identity(arguments: &Export, material: &Material<'_>) -> Result<Outcome, Failure> {
    let leaf = &material.chain[0];
    match arguments.format {
        Format::Der => give(arguments, &material.chain[..1], false, || {
            Ok(Zeroizing::new(leaf.der().to_vec()))
        }),
        Format::Pem => {
            let all = whole(material);
            give(arguments, &all, false, || Ok(pem(&all)))
        }
        Format::Pkcs12 => {
            let key = key(material)?;
            let alias = arguments
                .name
                .as_deref()
                .or(leaf.subject.common_name())
                .unwrap_or("kpki");
            place(arguments)?;
            let all = whole(material);
            give(arguments, &all, true, || {
                let passphrase = passphrase(arguments)?;
                pkcs12::identity(alias, &all, key, passphrase.secret_text()).map_err(Failure::new)
            })
        }
        _ => {
            let name = secret_name(arguments, leaf)?;
            let namespace = arguments.namespace.as_deref();
            if let Some(namespace) = namespace {
                object_name("--namespace", namespace)?;
            }
            let (chain, anchors, key) = (&material.chain, &material.anchors, key(material)?);
            give(arguments, &whole(material), true, || {
                let text = secret_tls_manifest(&name, namespace, chain, key, anchors);
                Ok(Zeroizing::new(text.as_bytes().to_vec()))
            })
        }
    }
}

/// The chain up to the CA that is trusted, as Java and OpenSSL show it.
fn whole(material: &Material<'_>) -> Vec<Certificate> {
    let mut chain = material.chain.clone();
    for anchor in &material.anchors {
        if !chain.contains(anchor) {
            chain.push(anchor.clone());
        }
    }
    chain
}

fn key<'a>(material: &'a Material<'_>) -> Result<&'a PrivateKey, Failure> {
    material.key.ok_or_else(|| {
        Failure::new("the private key is not there")
            .hint("--key FILE, or --format pem for the certificate alone")
    })
}

/// The CAs to trust.
fn trust(arguments: &Export, anchors: &[Certificate]) -> Result<Outcome, Failure> {
    if anchors.is_empty() {
        return Err(
            Failure::new("no CA certificate is there").hint("kpki plan tells what is missing")
        );
    }
    if arguments.format == Format::Truststore {
        place(arguments)?;
        return give(arguments, anchors, true, || {
            let passphrase = passphrase(arguments)?;
            pkcs12::trusted(anchors, passphrase.secret_text()).map_err(Failure::new)
        });
    }
    give(arguments, anchors, false, || Ok(pem(anchors)))
}

fn pem(certificates: &[Certificate]) -> Zeroizing<Vec<u8>> {
    let text: String = certificates.iter().map(Certificate::pem).collect();
    Zeroizing::new(text.into_bytes())
}

/// What the file is to be opened with.
fn passphrase(arguments: &Export) -> Result<Passphrase, Failure> {
    passphrase::choose(target(arguments), arguments.passphrase_file.as_deref())
}

/// The name of a Secret: what was given, else the common name made fit.
fn secret_name(arguments: &Export, leaf: &Certificate) -> Result<String, Failure> {
    if let Some(name) = &arguments.name {
        object_name("--name", name)?;
        return Ok(name.clone());
    }
    let name: String = leaf
        .subject
        .common_name()
        .unwrap_or("kpki")
        .to_ascii_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_matches(|c| c == '-' || c == '.').to_owned();
    object_name("--name", &name)?;
    Ok(name)
}

/// Names of objects are DNS subdomains (kubernetes.io, Object Names and IDs).
fn object_name(flag: &str, name: &str) -> Result<(), Failure> {
    match DnsName::new(name) {
        Ok(_) if !name.starts_with('*') => Ok(()),
        _ => Err(Failure::new(format_args!(
            "{flag} {name}: not a name of a Kubernetes object"
        ))
        .hint("lower-case letters, digits, - and ., such as web-tls")),
    }
}

/// The certificates in a file, PEM or DER.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let bytes = files::read(path)?;
    let read = Certificate::from_pem_chain(&bytes);
    read.or_else(|error| {
        Certificate::from_der(&bytes)
            .map(|one| vec![one])
            .map_err(|_| error)
    })
    .map_err(|error| {
        Failure::new(format_args!("{}: {error}", path.display()))
            .hint("name a certificate in PEM or DER")
    })
}

/// What the passphrase is for, in the question for it.
fn target(arguments: &Export) -> &Path {
    arguments.out.as_deref().unwrap_or(Path::new("-"))
}

/// Before a passphrase is asked for: bytes are no text for a terminal.
fn place(arguments: &Export) -> Result<(), Failure> {
    if arguments.out.is_none() {
        return Err(Failure::new("this form needs a file to go to")
            .hint("--out FILE, or --out - for standard output"));
    }
    Ok(())
}

/// Writes what `make` makes to where it should go. `secret`: whether a key is in it, or it is no text.
fn give(
    arguments: &Export,
    certificates: &[Certificate],
    secret: bool,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, Failure>,
) -> Result<Outcome, Failure> {
    let mode = if secret {
        FileMode::SECRET
    } else {
        FileMode::PUBLIC
    };
    let outputs = |path: &Path, contents| {
        let mut outputs = Outputs::default();
        if arguments.overwrite {
            outputs.replace(path, contents, mode);
        } else {
            outputs.create(path, contents, mode);
        }
        outputs
    };
    match arguments.out.as_deref() {
        out if arguments.dry_run => {
            if out.is_none() && secret {
                place(arguments)?;
            }
            let path = out.filter(|path| *path != Path::new("-"));
            if let Some(path) = path {
                outputs(path, Zeroizing::default()).prove_writable()?;
            }
            Ok(Outcome::fine(would_export(certificates, path, mode)))
        }
        Some(path) if path != Path::new("-") => {
            outputs(path, make()?).commit()?;
            talk(&format!(
                "wrote {} (mode {mode})\n",
                printable(&path.to_string_lossy())
            ));
            Ok(Outcome::fine(String::new()))
        }
        None if secret => place(arguments).map(|()| Outcome::fine(String::new())),
        _ => {
            let contents = make()?;
            let mut out = std::io::stdout().lock();
            match out.write_all(&contents).and_then(|()| out.flush()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    Err(Failure::io(Path::new("standard output"), &error))
                }
                _ => Ok(Outcome::fine(String::new())),
            }
        }
    }
}

/// Which certificates would go where.
fn would_export(certificates: &[Certificate], path: Option<&Path>, mode: FileMode) -> String {
    let now = OffsetDateTime::now_utc();
    let mut text = String::new();
    for certificate in certificates {
        let subject = printable(&certificate.subject.to_string()).to_owned();
        let until = until(certificate.validity.not_after, now);
        text += &format!("{STRONG}{subject}{STRONG:#}, valid until {until}\n");
    }
    text + &match path {
        Some(path) => format!(
            "would write {} (mode {mode}); nothing was written\n",
            printable(&path.to_string_lossy())
        ),
        None => "would go to standard output; nothing was written\n".to_owned(),
    }
}
