//! The authority of a batch: loaded, made, or asked for.

use std::fs;
use std::io;
use std::path::Path;

use ring::rand::SecureRandom;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::file_names::Files;
use super::options::{Mode, Options};
use crate::cluster::FileMode;
use crate::converge::outputs::Outputs;
use crate::converge::problem::Problem;
use crate::x509::{
    Authority, AuthorityFile, CaOptions, Certificate, Extensions, KeyUsage, LocalSigner,
    NameConstraints, Passphrase, PrivateKey, PrivateKeyError, SigningRequest, self_signed,
};

/// Whoever knows the passphrase of the key in a file.
pub type Ask<'a> = &'a dyn Fn(&Path) -> Result<Passphrase, Problem>;

/// What became of the authority.
pub(super) enum Found {
    /// It was there.
    Loaded(Authority),
    /// It was made, and its files are among the outputs.
    Made(Authority),
    /// There is a request for its certificate, which somebody else has to sign.
    Requested,
}

/// Loads the authority, or makes it as `options` say.
pub(super) fn find(
    files: &Files,
    options: &Options,
    ask: Ask<'_>,
    outputs: &mut Outputs,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Found, Problem> {
    let (cert, key) = (read(&files.cert)?, read(&files.key)?);
    let shown = |path: &Path| path.display().to_string();
    match (cert, key) {
        (Some(cert), Some(key)) => load(&cert, &key, files, ask, now).map(Found::Loaded),
        (Some(_), None) => Err(Problem::new(
            format!(
                "{} is there, but its key {} is not",
                shown(&files.cert),
                shown(&files.key)
            ),
            "put the key back, name it with --ca-key-name, or take the certificate away for a new authority",
        )),
        (None, _) if options.authority.mode == Mode::Existing => Err(Problem::new(
            format!("there is no authority: {} is missing", shown(&files.cert)),
            "name its files with --ca-cert-name and --ca-key-name, or let --ca-mode=generate make one",
        )),
        (None, key) => {
            let key = key.map(|key| open(&key, &files.key, ask)).transpose()?;
            make(key, files, options, outputs, now, rng)
        }
    }
}

fn load(
    cert: &[u8],
    key: &[u8],
    files: &Files,
    ask: Ask<'_>,
    now: OffsetDateTime,
) -> Result<Authority, Problem> {
    let cert_name = files.cert.display();
    let chain = Certificate::from_pem_chain(cert).map_err(|error| {
        Problem::new(
            format!("{cert_name}: {error}"),
            "name the authority's certificate, in PEM",
        )
    })?;
    let key = open(key, &files.key, ask)?;
    let unusable = |error: &dyn std::fmt::Display| {
        Problem::new(
            format!("{cert_name}: {error}"),
            "name a CA's certificate and its key with --ca-cert-name and --ca-key-name",
        )
    };
    let signer = LocalSigner::new(&key).map_err(|error| unusable(&error))?;
    let own = AuthorityFile::of(&chain).chain().to_vec();
    Authority::load(own, signer, now).map_err(|error| unusable(&error))
}

/// The authority's own key, which may be encrypted.
fn open(bytes: &[u8], path: &Path, ask: Ask<'_>) -> Result<PrivateKey, Problem> {
    match PrivateKey::from_pem(bytes) {
        Err(PrivateKeyError::Encrypted) => {}
        _ => return private_key(bytes, path),
    }
    PrivateKey::from_encrypted_pem(bytes, &ask(path)?).map_err(|error| {
        let hint = match error {
            PrivateKeyError::WrongPassphrase => {
                "give the passphrase that this key was encrypted with"
            }
            _ => "openssl pkcs8 -topk8 -in OLD -out NEW encrypts it in today's way",
        };
        Problem::new(format!("{}: {error}", path.display()), hint)
    })
}

fn make(
    key: Option<PrivateKey>,
    files: &Files,
    options: &Options,
    outputs: &mut Outputs,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Found, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(
            format!("authority {:?}: {error}", options.authority.common_name),
            "change --ca-common-name, --ca-country, --ca-organization or --ca-organizational-unit",
        )
    };
    let authority = &options.authority;
    let country = authority.country.as_str();
    // ISO 3166 alpha-2 (RFC 5280 appendix A.1, X520countryName); Go writes anything.
    if !country.is_empty()
        && (country.len() != 2 || !country.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        return Err(failed(&format_args!(
            "the country {country:?} has not two letters"
        )));
    }
    let subject = authority.subject(Some(&authority.common_name));
    let key = match key {
        Some(key) => key,
        None => {
            let key =
                PrivateKey::generate(options.key_algorithm, rng).map_err(|error| failed(&error))?;
            outputs.create(&files.key, secret(&key), FileMode::PRIVATE_KEY);
            key
        }
    };
    if authority.mode == Mode::GenerateCsr {
        let extensions = Extensions {
            authority: Some(None),
            key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
            ..Extensions::default()
        };
        if files.csr.symlink_metadata().is_err() || options.overwrite {
            let request = SigningRequest::generate_with(&subject, &extensions, &key)
                .map_err(|error| failed(&error))?;
            outputs.replace(&files.csr, public(request.pem()), FileMode::PUBLIC);
        }
        return Ok(Found::Requested);
    }
    let signer = LocalSigner::new(&key).map_err(|error| failed(&error))?;
    let ca = CaOptions {
        lifetime: authority.lifetime,
        key_algorithm: key.algorithm(),
        // Specs may ask for CAs below it.
        path_length: None,
        name_constraints: NameConstraints::default(),
    };
    let certificate =
        self_signed(&subject, &ca, &signer, now, rng).map_err(|error| failed(&error))?;
    outputs.create(&files.cert, public(certificate.pem()), FileMode::PUBLIC);
    Ok(Found::Made(Authority::from_own(certificate, signer)))
}

/// The bytes of a file, or nothing where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::io(path, &error)),
    }
}

pub(super) fn private_key(bytes: &[u8], path: &Path) -> Result<PrivateKey, Problem> {
    PrivateKey::from_pem(bytes).map_err(|error| {
        Problem::new(
            format!("{}: {error}", path.display()),
            "name a private key in PEM, RSA, P-256, P-384 or Ed25519, without a passphrase",
        )
    })
}

pub(super) fn secret(key: &PrivateKey) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(key.secret_pem().as_bytes().to_vec())
}

pub(super) fn public(text: String) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.into_bytes())
}
