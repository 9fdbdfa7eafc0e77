use ring::rand::SystemRandom;
use time::Duration;

use super::super::layout::Kind;
use super::super::testing::{NOW, below, chain, client, deep_root, fixture, root, server, signed};
use super::super::{
    CaOptions, DnsName, ExtendedKeyUsage, Extensions, KeyAlgorithm, KeyUsage, LeafRequest,
    Lifetime, LocalSigner, NameConstraints, PrivateKey, Validity, self_signed,
};
use super::*;

fn trusting(certificates: &[&Certificate]) -> TrustAnchors {
    let certificates: Vec<_> = certificates.iter().map(|c| (*c).clone()).collect();
    TrustAnchors::new(&certificates).unwrap()
}

fn dialed(text: &str) -> Option<DialedName> {
    Some(text.parse().unwrap())
}

#[test]
fn a_server_is_good_for_its_names_and_its_purpose_only() {
    let (ca, _) = root("ca");
    let trusted = trusting(&[ca.certificate()]);
    let leaf = [server(&ca, "db.test").certificate];
    for name in ["db.test", "10.3.0.1"] {
        let name = dialed(name);
        assert_eq!(
            trusted.verify(&leaf, Usage::Server, name.as_ref(), NOW),
            Ok(())
        );
    }
    for name in ["other.test", "10.3.0.2", "::1", "*.test"] {
        let name = dialed(name);
        let refused = trusted.verify(&leaf, Usage::Server, name.as_ref(), NOW);
        assert_eq!(
            refused,
            Err(VerifyError::NameMismatch {
                wanted: name.unwrap(),
                has: vec!["db.test".into(), "10.3.0.1".into()],
            })
        );
    }
    let refused = trusted.verify(&leaf, Usage::Client, None, NOW).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the certificate of CN=db.test is not for client use, only for server"
    );
    let nobody = trusted.verify(&[], Usage::Client, None, NOW);
    assert_eq!(nobody, Err(VerifyError::Empty));
}

#[test]
fn time_is_the_callers() {
    let (ca, _) = root("ca");
    let trusted = trusting(&[ca.certificate()]);
    let leaf = [client(&ca, "a").certificate];
    let Validity {
        not_before,
        not_after,
    } = leaf[0].validity;
    let at = |now| trusted.verify(&leaf, Usage::Client, None, now);
    assert_eq!(at(not_before), Ok(()));
    assert_eq!(at(not_after), Ok(()));
    let subject = leaf[0].subject.clone();
    assert_eq!(
        at(not_after + Duration::SECOND),
        Err(VerifyError::Expired {
            subject: subject.clone(),
            not_after
        })
    );
    assert_eq!(
        at(not_before - Duration::SECOND),
        Err(VerifyError::NotYetValid {
            subject,
            not_before
        })
    );
    let refused = at(not_after + Duration::SECOND).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the certificate of CN=a expired at 2027-11-30T23:59:59Z"
    );
    assert!(at(OffsetDateTime::UNIX_EPOCH - Duration::DAY).is_err());
}

#[test]
fn a_stranger_is_told_from_a_namesake() {
    let (ca, _) = root("ca");
    let leaf = [client(&ca, "a").certificate];
    let (stranger, _) = root("stranger");
    let refused = trusting(&[stranger.certificate()]).verify(&leaf, Usage::Client, None, NOW);
    assert_eq!(
        refused,
        Err(VerifyError::UnknownIssuer {
            subject: leaf[0].subject.clone(),
            issuer: ca.certificate().subject.clone(),
        })
    );
    let (namesake, _) = root("ca");
    let refused = trusting(&[namesake.certificate()]).verify(&leaf, Usage::Client, None, NOW);
    assert_eq!(
        refused,
        Err(VerifyError::SignatureInvalid {
            subject: leaf[0].subject.clone(),
            issuer: ca.certificate().subject.clone(),
        })
    );
    // In a rotation both are trusted, in whatever order.
    let both = trusting(&[namesake.certificate(), ca.certificate()]);
    assert_eq!(both.verify(&leaf, Usage::Client, None, NOW), Ok(()));
}

#[test]
fn paths_lead_over_intermediates_which_may_be_anchors_themselves() {
    let top = deep_root("top", None);
    let middle = below(&top, "middle", &CaOptions::default());
    let issued = client(&middle, "a");
    assert_eq!(issued.intermediates, [middle.certificate().clone()]);
    let by_root = trusting(&[top.certificate()]);
    assert_eq!(
        by_root.verify(&issued.chain(), Usage::Client, None, NOW),
        Ok(())
    );
    let with_root = [issued.chain(), vec![top.certificate().clone()]].concat();
    assert_eq!(by_root.verify(&with_root, Usage::Client, None, NOW), Ok(()));
    let alone = [issued.certificate.clone()];
    assert_eq!(
        by_root.verify(&alone, Usage::Client, None, NOW),
        Err(VerifyError::UnknownIssuer {
            subject: issued.certificate.subject.clone(),
            issuer: middle.certificate().subject.clone(),
        })
    );
    let by_intermediate = trusting(&[middle.certificate()]);
    assert_eq!(
        by_intermediate.verify(&alone, Usage::Client, None, NOW),
        Ok(())
    );
    // What is missing is named from where the path breaks off.
    let (stranger, _) = root("stranger");
    assert_eq!(
        trusting(&[stranger.certificate()]).verify(&issued.chain(), Usage::Client, None, NOW),
        Err(VerifyError::UnknownIssuer {
            subject: middle.certificate().subject.clone(),
            issuer: top.certificate().subject.clone(),
        })
    );
}

#[test]
fn an_anchor_that_is_over_is_over_though_webpki_does_not_look() {
    let rng = SystemRandom::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap();
    let signer = LocalSigner::new(&key).unwrap();
    let name = DistinguishedName::new("ca", &[] as &[&str]);
    let made = |lifetime| {
        let options = CaOptions {
            lifetime,
            ..CaOptions::default()
        };
        self_signed(&name, &options, &signer, NOW, &rng).unwrap()
    };
    let (old, new) = (made(Lifetime::days(10)), made(Lifetime::years(10)));
    let signer = LocalSigner::new(&key).unwrap();
    let authority = super::super::Authority::load(vec![new.clone()], signer, NOW).unwrap();
    let leaf = [client(&authority, "a").certificate];
    let later = NOW + Duration::days(11);
    assert_eq!(
        trusting(&[&old]).verify(&leaf, Usage::Client, None, later),
        Err(VerifyError::Expired {
            subject: name,
            not_after: old.validity.not_after
        })
    );
    // A root renewed under its own key takes over, though the old one still stands in the bundle.
    for bundle in [[&old, &new], [&new, &old]] {
        let trusted = trusting(&bundle);
        assert_eq!(trusted.verify(&leaf, Usage::Client, None, later), Ok(()));
    }
}

#[test]
fn authorities_stay_within_what_those_above_permit() {
    let leaf_only = deep_root("leaf-only", Some(0));
    let middle = below(&leaf_only, "middle", &CaOptions::default());
    let chain = client(&middle, "a").chain();
    assert_eq!(
        trusting(&[leaf_only.certificate()]).verify(&chain, Usage::Client, None, NOW),
        Err(VerifyError::PathLength)
    );

    let constrained = CaOptions {
        name_constraints: NameConstraints {
            dns: vec![DnsName::new("inside.test").unwrap()],
            addresses: vec!["10.0.0.0/8".parse().unwrap()],
        },
        ..CaOptions::default()
    };
    let top = deep_root("top", None);
    let middle = below(&top, "middle", &constrained);
    let trusted = trusting(&[top.certificate()]);
    let inside = server(&middle, "db.inside.test").chain();
    assert_eq!(trusted.verify(&inside, Usage::Server, None, NOW), Ok(()));
    let outside = server(&middle, "db.outside.test").chain();
    assert_eq!(
        trusted.verify(&outside, Usage::Server, None, NOW),
        Err(VerifyError::NameConstraint {
            subject: outside[0].subject.clone()
        })
    );
}

#[test]
fn only_authorities_vouch() {
    let (ca, _) = root("ca");
    let leaf = client(&ca, "a");
    let anchors = TrustAnchors::new(std::slice::from_ref(&leaf.certificate));
    assert!(matches!(
        anchors,
        Err(TrustAnchorsError::NotAuthority { .. })
    ));
    assert_eq!(TrustAnchors::new(&[]).err(), Some(TrustAnchorsError::Empty));
    let itself = [ca.certificate().clone()];
    assert_eq!(
        trusting(&[ca.certificate()]).verify(&itself, Usage::Server, None, NOW),
        Err(VerifyError::AuthorityAsLeaf {
            subject: itself[0].subject.clone()
        })
    );

    // A leaf that signs another: its key is right, its basicConstraints are not.
    let subject = DistinguishedName::new("b", &[] as &[&str]);
    let validity = leaf.certificate.validity;
    let forger = super::super::Authority::from_own(
        leaf.certificate.clone(),
        LocalSigner::new(&leaf.key).unwrap(),
    );
    let extensions = Extensions {
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::Known(Usage::Client)],
        ..Extensions::default()
    };
    let kind = Kind::Other(&extensions);
    let forged = signed(
        &forger,
        &subject,
        validity,
        leaf.key.public_key(),
        kind,
        |tbs| tbs,
    );
    assert!(signature_valid(&forged, &leaf.certificate));
    assert_eq!(
        trusting(&[ca.certificate()]).verify(&[forged, leaf.certificate], Usage::Client, None, NOW),
        Err(VerifyError::NotAuthority)
    );
}

#[test]
fn an_authority_needs_the_key_usage_to_sign_though_webpki_does_not_look() {
    let top = deep_root("top", None);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
    let subject = DistinguishedName::new("crl-signer", &[] as &[&str]);
    let validity = top.certificate().validity;
    let unconstrained = NameConstraints::default();
    let kind = Kind::Authority {
        path_length: None,
        name_constraints: &unconstrained,
    };
    // keyUsage: bits 5 and 6 (keyCertSign, cRLSign) become bit 6 alone.
    let weaken = |mut tbs: Vec<u8>| {
        let both = [4, 4, 3, 2, 1, 0b110];
        let place = tbs.windows(6).position(|w| w == both).unwrap();
        tbs[place + 5] = 0b010;
        tbs
    };
    let weak = signed(&top, &subject, validity, key.public_key(), kind, weaken);
    assert!(weak.is_ca && weak.key_usage == Some(KeyUsage::CRL_SIGN));
    let signer = LocalSigner::new(&key).unwrap();
    let authority = super::super::Authority::from_own(weak.clone(), signer);
    let leaf = client(&authority, "a").certificate;
    let refusal = Err(VerifyError::MayNotSign { subject });
    let by_root = trusting(&[top.certificate()]);
    let given = [leaf.clone(), weak.clone()];
    assert_eq!(by_root.verify(&given, Usage::Client, None, NOW), refusal);
    assert_eq!(
        trusting(&[&weak]).verify(&[leaf], Usage::Client, None, NOW),
        refusal
    );
}

#[test]
fn purposes_nest_through_the_anchor_as_in_go() {
    let clients = chain(fixture!("client-ca.crt"));
    let leaf = chain(fixture!("no-usage.crt"));
    assert!(leaf[0].extended_key_usages.is_empty());
    let trusted = TrustAnchors::new(&clients).unwrap();
    assert_eq!(trusted.verify(&leaf, Usage::Client, None, NOW), Ok(()));
    let refused = trusted.verify(&leaf, Usage::Server, None, NOW);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the certificate of CN=Clients Only is not for server use, only for client"
    );
}

#[test]
fn a_corporate_chain_of_openssl_is_verified() {
    let path = chain(fixture!("chain.pem"));
    let corporate = chain(fixture!("corporate-root.crt"));
    let trusted = TrustAnchors::new(&corporate).unwrap();
    for name in ["db.corp.example", "a.db.corp.example", "10.3.0.1"] {
        let name = dialed(name);
        assert_eq!(
            trusted.verify(&path, Usage::Server, name.as_ref(), NOW),
            Ok(())
        );
    }
    let intermediate = TrustAnchors::new(&path[1..]).unwrap();
    assert_eq!(
        intermediate.verify(&path[..1], Usage::Client, None, NOW),
        Ok(())
    );
    assert!(signature_valid(&path[0], &path[1]) && signature_valid(&path[1], &corporate[0]));
    assert!(signature_valid(&corporate[0], &corporate[0]));
    assert!(!signature_valid(&path[0], &corporate[0]) && !signature_valid(&path[1], &path[0]));
}

#[test]
fn every_algorithm_signs_and_one_changed_bit_shows() {
    let rng = SystemRandom::new();
    for key_algorithm in KeyAlgorithm::ALL {
        let options = CaOptions {
            key_algorithm,
            ..CaOptions::default()
        };
        let (ca, _) = super::super::Authority::generate("ca", &options, NOW, &rng).unwrap();
        let leaf = ca
            .issue(&LeafRequest::client("a"), NOW, &rng)
            .unwrap()
            .certificate;
        assert!(signature_valid(&leaf, ca.certificate()), "{key_algorithm}");
        let trusted = trusting(&[ca.certificate()]);
        assert_eq!(
            trusted.verify(std::slice::from_ref(&leaf), Usage::Client, None, NOW),
            Ok(())
        );
        let mut der = leaf.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let changed = Certificate::from_der(&der).unwrap();
        assert!(
            !signature_valid(&changed, ca.certificate()),
            "{key_algorithm}"
        );
    }
}
