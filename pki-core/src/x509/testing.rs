//! What the tests of several modules need: authorities below authorities, and foreign files.

use ring::rand::SystemRandom;
use time::OffsetDateTime;
use time::macros::datetime;

use super::layout::{self, Kind, Layout};
use super::*;

/// A moment at which the fixtures are valid.
pub(super) const NOW: OffsetDateTime = datetime!(2026-12-01 0:00 UTC);

/// A file of `fixtures/`, which OpenSSL wrote.
macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/x509/fixtures/",
            $name
        ))
        .as_slice()
    };
}
pub(super) use fixture;

pub(super) fn chain(pem: &[u8]) -> Vec<Certificate> {
    Certificate::from_pem_chain(pem).unwrap()
}

pub(super) fn root(name: &str) -> (Authority, PrivateKey) {
    Authority::generate(name, &CaOptions::default(), NOW, &SystemRandom::new()).unwrap()
}

/// A root that allows authorities below it.
pub(super) fn deep_root(name: &str, path_length: Option<u8>) -> Authority {
    let options = CaOptions {
        path_length,
        ..CaOptions::default()
    };
    let (authority, _) = Authority::generate(name, &options, NOW, &SystemRandom::new()).unwrap();
    authority
}

/// An authority below another, with its chain up to the root.
pub(super) fn below(parent: &Authority, name: &str, options: &CaOptions) -> Authority {
    let key = PrivateKey::generate(options.key_algorithm, &SystemRandom::new()).unwrap();
    let subject = DistinguishedName::new(name, &[] as &[&str]);
    let validity = Validity::new(NOW, options.lifetime, None);
    let kind = Kind::Authority {
        path_length: options.path_length,
        name_constraints: &options.name_constraints,
    };
    let certificate = signed(parent, &subject, validity, key.public_key(), kind, |tbs| {
        tbs
    });
    let mut chain = vec![certificate];
    chain.extend_from_slice(parent.chain());
    Authority::load(chain, LocalSigner::new(&key).unwrap(), NOW).unwrap()
}

/// Signs whatever `change` makes of the layout, past every check.
pub(super) fn signed(
    issuer: &Authority,
    subject: &DistinguishedName,
    validity: Validity,
    public_key: &PublicKey,
    kind: Kind<'_>,
    change: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Certificate {
    let to_be_signed = layout::to_be_signed(&Layout {
        serial: &SerialNumber::random(&SystemRandom::new()).unwrap(),
        issuer: &issuer.certificate().subject,
        subject,
        validity,
        public_key,
        signing_algorithm: issuer.signer().algorithm(),
        subject_key_identifier: &public_key.key_identifier(),
        authority_key_identifier: &issuer.certificate().public_key.key_identifier(),
        kind,
    })
    .unwrap();
    let to_be_signed = change(to_be_signed);
    let signature = issuer.signer().sign(&to_be_signed).unwrap();
    Certificate::from_der(&layout::assemble(&to_be_signed, &signature).unwrap()).unwrap()
}

pub(super) fn server(authority: &Authority, name: &str) -> Issued {
    let request = LeafRequest::server(name)
        .unwrap()
        .with_address([10, 3, 0, 1]);
    unlinted(authority, &request)
}

pub(super) fn client(authority: &Authority, name: &str) -> Issued {
    let request = LeafRequest::client(name);
    unlinted(authority, &request)
}

/// Issues whatever is asked for: tests of verifiers need what lint would not let through.
fn unlinted(authority: &Authority, request: &LeafRequest) -> Issued {
    let rng = SystemRandom::new();
    let key = PrivateKey::generate(request.key_algorithm, &rng).unwrap();
    let prepared = authority.prepare(request, key.public_key(), NOW, &rng);
    let certificate = prepared.unwrap().lint(&[]).unwrap().issue().unwrap();
    Issued {
        certificate,
        key,
        intermediates: authority.intermediates(),
    }
}
