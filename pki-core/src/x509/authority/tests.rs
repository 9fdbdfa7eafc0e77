//! What an authority proves, issues and refuses.

use super::*;
use ring::rand::SystemRandom;

#[test]
fn issues_what_was_asked_for() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    for algorithm in KeyAlgorithm::ALL {
        let options = CaOptions {
            key_algorithm: algorithm,
            ..CaOptions::default()
        };
        let (authority, _) = Authority::generate("test-ca", &options, now, &rng).unwrap();
        let request = LeafRequest::server("db.test")
            .unwrap()
            .with_address([127, 0, 0, 1]);
        let issued = authority.issue(&request, now, &rng).unwrap();
        let read = Certificate::from_der(issued.certificate.der()).unwrap();
        assert_eq!(read, issued.certificate);
        assert_eq!(read.sans, request.sans);
        assert_eq!(read.issuer, authority.certificate().subject);
        assert_eq!(
            read.authority_key_identifier,
            authority.certificate().subject_key_identifier
        );
        assert!(!read.is_ca && authority.certificate().is_ca);
    }
}

#[test]
fn every_group_and_every_issuer_attribute_is_kept() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    use super::super::AttributeKind::{CommonName, DomainComponent, OrganizationalUnit};
    let name = DistinguishedName::from_attributes([
        (DomainComponent, "corp"),
        (DomainComponent, "example"),
        (OrganizationalUnit, "a"),
        (OrganizationalUnit, "b"),
        (CommonName, "Corporate CA"),
    ]);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap();
    let signer = LocalSigner::new(&key).unwrap();
    let root = self_signed(&name, &CaOptions::default(), &signer, now, &rng).unwrap();
    let authority = Authority::load(vec![root], signer, now).unwrap();
    let subject = DistinguishedName::new("alice", &["dev", "ops"]);
    let request = LeafRequest::client("alice").with_subject(subject.clone());
    let issued = authority.issue(&request, now, &rng).unwrap();
    assert_eq!(issued.certificate.issuer.der(), name.der());
    assert_eq!(issued.certificate.subject.der(), subject.der());
}

#[test]
fn a_leaf_never_outlives_its_issuer() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let options = CaOptions {
        lifetime: Lifetime::days(10),
        ..CaOptions::default()
    };
    let (authority, _) = Authority::generate("test-ca", &options, now, &rng).unwrap();
    let issued = authority
        .issue(&LeafRequest::client("a"), now, &rng)
        .unwrap();
    assert_eq!(
        issued.certificate.validity.not_after,
        authority.certificate().validity.not_after
    );
    let later = now + time::Duration::days(11);
    let refused = authority
        .issue(&LeafRequest::client("a"), later, &rng)
        .err()
        .unwrap();
    assert!(matches!(refused, IssueError::AuthorityOver { .. }));
}

#[test]
fn loading_proves_each_thing() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let (authority, key) = Authority::generate("ca", &CaOptions::default(), now, &rng).unwrap();
    let root = authority.certificate().clone();
    let load = |chain: Vec<Certificate>, key: &PrivateKey, now| {
        Authority::load(chain, LocalSigner::new(key).unwrap(), now).map(drop)
    };
    assert_eq!(load(vec![root.clone()], &key, now), Ok(()));
    assert_eq!(load(vec![], &key, now), Err(AuthorityError::Empty));
    let other = PrivateKey::generate(KeyAlgorithm::Ed25519, &rng).unwrap();
    assert!(matches!(
        load(vec![root.clone()], &other, now),
        Err(AuthorityError::KeyMismatch { .. })
    ));
    let leaf = authority
        .issue(&LeafRequest::client("a"), now, &rng)
        .unwrap();
    assert!(matches!(
        load(vec![leaf.certificate], &leaf.key, now),
        Err(AuthorityError::NotAuthority { .. })
    ));
    let years = time::Duration::days(3651);
    assert!(matches!(
        load(vec![root.clone()], &key, now + years),
        Err(AuthorityError::Expired { .. })
    ));
    assert!(matches!(
        load(vec![root.clone()], &key, now - years),
        Err(AuthorityError::NotYetValid { .. })
    ));
    let (above, _) = Authority::generate("above", &CaOptions::default(), now, &rng).unwrap();
    let chain = vec![root, above.certificate().clone()];
    assert!(matches!(
        load(chain, &key, now),
        Err(AuthorityError::BrokenChain { .. })
    ));
}

/// States the limits of rcgen 0.14 that `layout` and `PrivateKey` are there for. When one of these
/// fails, rcgen has changed and our cover for it can go.
#[test]
fn rcgen_still_loses_names() {
    let mut name = rcgen::DistinguishedName::new();
    name.push(rcgen::DnType::OrganizationName, "dev");
    name.push(rcgen::DnType::OrganizationName, "ops");
    assert_eq!(name.iter().count(), 1, "rcgen keeps one O= of two");
    let key = rcgen::KeyPair::generate().unwrap();
    let first = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let second = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let serial = |der: &[u8]| Certificate::from_der(der).unwrap().serial.clone();
    assert_eq!(
        serial(first.der()),
        serial(second.der()),
        "rcgen repeats the serial of a key"
    );
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let der = key.serialize_der();
    assert_eq!(
        der[..5],
        [0x30, 0x51, 0x02, 0x01, 0x01],
        "rcgen writes Ed25519 as PKCS#8 version 2"
    );
}

#[test]
fn what_will_be_signed_is_told_before() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let (ca, key) = Authority::generate("ca", &CaOptions::default(), now, &rng).unwrap();
    let leaf = PrivateKey::generate(KeyAlgorithm::default(), &rng).unwrap();
    let request = LeafRequest::server("db.test").unwrap();
    let linted = ca
        .prepare(&request, leaf.public_key(), now, &rng)
        .and_then(|prepared| prepared.lint(&[lint::RULES]))
        .unwrap();
    let told = linted.details().clone();
    assert_eq!(told, *linted.issue().unwrap());
    let signer = LocalSigner::new(&key).unwrap();
    let (subject, options) = (&ca.certificate().subject, CaOptions::default());
    let linted = prepare_self_signed(subject, &options, &signer, now, &rng)
        .and_then(|prepared| prepared.lint(&[lint::RULES]))
        .unwrap();
    let told = linted.details().clone();
    assert_eq!(told, *linted.issue().unwrap());
    assert!(told.is_ca);
}
