use rustls_pki_types::{CertificateDer, UnixTime};
use time::Duration;
use webpki::{
    ALL_VERIFICATION_ALGS, BorrowedCertRevocationList, CertRevocationList, EndEntityCert, KeyUsage,
    RevocationOptionsBuilder, anchor_from_trusted_cert,
};

use super::*;
use crate::x509::testing::{NOW, client, root};
use crate::x509::{CaOptions, KeyAlgorithm, LocalSigner, PrivateKey};

fn revoked(serial: &SerialNumber, reason: RevocationReason) -> Revocation {
    Revocation {
        serial: serial.clone(),
        at: NOW,
        reason,
    }
}

#[test]
fn reads_what_it_signed_for_every_key_and_reason() {
    let rng = ring::rand::SystemRandom::new();
    for key_algorithm in KeyAlgorithm::ALL {
        let options = CaOptions {
            key_algorithm,
            ..CaOptions::default()
        };
        let (authority, _) = Authority::generate("ca", &options, NOW, &rng).unwrap();
        let all: Vec<_> = RevocationReason::ALL
            .into_iter()
            .map(|reason| revoked(&SerialNumber::random(&rng).unwrap(), reason))
            .collect();
        let list = authority
            .revocation_list(u64::MAX, &all, Lifetime::days(7), NOW)
            .unwrap();
        assert_eq!(list.revoked, all);
        assert_eq!(list.number, u64::MAX);
        assert_eq!(list.next_update, NOW + Duration::days(7) - Duration::SECOND);
        let told = authority.list_validity(Lifetime::days(7), NOW).unwrap();
        assert_eq!(
            (list.this_update, list.next_update),
            (told.not_before, told.not_after)
        );
        assert_eq!(
            list.authority_key_identifier,
            authority.certificate().subject_key_identifier
        );
        assert_eq!(RevocationList::from_pem(list.pem().as_bytes()), Ok(list));
    }
}

/// An issuer that rcgen's own names would break.
#[test]
fn the_issuer_is_kept_byte_for_byte() {
    use crate::x509::AttributeKind::{CommonName, DomainComponent};
    let rng = ring::rand::SystemRandom::new();
    let name = DistinguishedName::from_attributes([
        (DomainComponent, "corp"),
        (DomainComponent, "example"),
        (CommonName, "CA"),
    ]);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap();
    let signer = LocalSigner::new(&key).unwrap();
    let options = CaOptions::default();
    let certificate = crate::x509::self_signed(&name, &options, &signer, NOW, &rng).unwrap();
    let authority = Authority::load(vec![certificate], signer, NOW).unwrap();
    let list = authority
        .revocation_list(1, &[], Lifetime::days(1), NOW)
        .unwrap();
    assert_eq!(list.issuer.der(), name.der());
    assert_eq!(list.revoked, []);
}

#[test]
fn webpki_refuses_what_is_revoked_and_nothing_else() {
    let (authority, _) = root("ca");
    let [lost, kept] = ["lost", "kept"].map(|name| client(&authority, name).certificate);
    let entry = revoked(&lost.serial, RevocationReason::KeyCompromise);
    let list = authority
        .revocation_list(1, &[entry], Lifetime::days(7), NOW)
        .unwrap();
    assert!(list.revocation_of(&lost).is_some() && list.revocation_of(&kept).is_none());
    let (other, _) = root("another");
    let foreign = other
        .revocation_list(1, &list.revoked, Lifetime::days(7), NOW)
        .unwrap();
    assert!(foreign.revocation_of(&lost).is_none(), "another issuer's");

    let verdict = |certificate: &Certificate, at: OffsetDateTime| {
        let parsed: CertRevocationList<'_> = BorrowedCertRevocationList::from_der(list.der())
            .unwrap()
            .into();
        let lists = [&parsed];
        let options = RevocationOptionsBuilder::new(&lists)
            .unwrap()
            .with_expiration_policy(webpki::ExpirationPolicy::Enforce)
            .build();
        let anchor = CertificateDer::from(authority.certificate().der());
        let leaf = CertificateDer::from(certificate.der());
        let seconds = u64::try_from(at.unix_timestamp()).unwrap();
        EndEntityCert::try_from(&leaf)
            .unwrap()
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &[anchor_from_trusted_cert(&anchor).unwrap()],
                &[],
                UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
                KeyUsage::client_auth(),
                Some(options),
                None,
            )
            .map(|_| ())
    };
    assert_eq!(verdict(&kept, NOW), Ok(()));
    assert!(matches!(
        verdict(&lost, NOW),
        Err(webpki::Error::CertRevoked)
    ));
    assert!(verdict(&kept, NOW + Duration::days(8)).is_err(), "its end");
}

#[test]
fn damage_is_told() {
    let (authority, _) = root("ca");
    let list = authority
        .revocation_list(1, &[], Lifetime::days(7), NOW)
        .unwrap();
    for cut in [0, 1, 20, list.der().len() - 1] {
        assert!(RevocationList::from_der(&list.der()[..cut]).is_err());
    }
    assert!(RevocationList::from_der(&[list.der(), &[0]].concat()).is_err());
    let certificate = authority.certificate().pem();
    assert_eq!(
        RevocationList::from_pem(certificate.as_bytes()),
        Err(RevocationListError::NoList)
    );
}
