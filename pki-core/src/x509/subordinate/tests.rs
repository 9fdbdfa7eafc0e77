use ring::rand::SystemRandom;

use super::*;
use crate::x509::testing::{NOW, deep_root, root};
use crate::x509::{Lifetime, LocalSigner, NameConstraints, Preset, TrustAnchors, Usage};

fn below(parent: &Authority, options: &CaOptions) -> Authority {
    let made = parent
        .issue_authority("below", options, NOW, &SystemRandom::new())
        .unwrap();
    let chain = [vec![made.certificate], parent.chain().to_vec()].concat();
    Authority::load(chain, LocalSigner::new(&made.key).unwrap(), NOW).unwrap()
}

#[test]
fn path_lengths_shrink_on_the_way_down() {
    let wish = |path_length| CaOptions {
        path_length,
        ..CaOptions::default()
    };
    let first = below(&deep_root("root", Some(2)), &wish(Some(9)));
    assert_eq!(first.certificate().path_length, Some(1));
    let second = below(&first, &wish(None));
    assert_eq!(second.certificate().path_length, Some(0));
    let refused = second.issue_authority("third", &wish(Some(0)), NOW, &SystemRandom::new());
    assert!(matches!(refused, Err(IssueError::NoAuthorityBelow { .. })));
    let free = below(&deep_root("root", None), &wish(None));
    assert_eq!(free.certificate().path_length, None);
}

#[test]
fn ends_with_its_parent_and_keeps_to_its_names() {
    let options = CaOptions {
        lifetime: Lifetime::years(50),
        name_constraints: NameConstraints {
            dns: vec!["team.example".parse().unwrap()],
            addresses: vec!["192.0.2.0/24".parse().unwrap()],
        },
        ..CaOptions::default()
    };
    let parent = deep_root("root", Some(1));
    let team = below(&parent, &options);
    let certificate = team.certificate();
    assert_eq!(
        certificate.validity.not_after,
        parent.certificate().validity.not_after
    );
    assert_eq!(
        certificate.name_constraints.as_ref(),
        Some(&options.name_constraints)
    );
    let rng = SystemRandom::new();
    let none: [&str; 0] = [];
    for (name, fine) in [("db.team.example", true), ("db.other.example", false)] {
        let request = Preset::Server.request(name, &none, &[], None);
        assert_eq!(team.issue(&request, NOW, &rng).is_ok(), fine, "{name}");
    }
}

/// Whoever trusts ours verifies what theirs issued, through the certificate that was signed across.
#[test]
fn a_path_leads_over_the_cross_signed_certificate() {
    let rng = SystemRandom::new();
    let ours = deep_root("ours", Some(1));
    let (theirs, _) = root("theirs");
    let across = ours
        .cross_sign(theirs.certificate(), &CaOptions::default(), NOW, &rng)
        .unwrap();
    assert_eq!(across.subject.der(), theirs.certificate().subject.der());
    assert_eq!(across.public_key, theirs.certificate().public_key);
    assert_eq!(
        across.subject_key_identifier,
        theirs.certificate().subject_key_identifier
    );
    let none: [&str; 0] = [];
    let request = Preset::Client.request("c", &none, &[], None);
    let leaf = theirs.issue(&request, NOW, &rng).unwrap().certificate;
    let anchors = TrustAnchors::new(ours.chain()).unwrap();
    anchors
        .verify(&[leaf.clone(), across], Usage::Client, None, NOW)
        .unwrap();
    assert!(anchors.verify(&[leaf], Usage::Client, None, NOW).is_err());
}

#[test]
fn a_ca_below_is_told_before_it_is_signed() {
    let (rng, options) = (SystemRandom::new(), CaOptions::default());
    let (parent, (other, _)) = (deep_root("root", Some(1)), root("other"));
    let key = PrivateKey::generate(options.key_algorithm, &rng).unwrap();
    let own = parent.prepare_authority("below", key.public_key(), &options, NOW, &rng);
    let crossed = parent.prepare_cross_signed(other.certificate(), &options, NOW, &rng);
    for (prepared, subject) in [(own, "CN=below"), (crossed, "CN=other")] {
        let linted = prepared.unwrap().lint(&[lint::RULES]).unwrap();
        let told = linted.details().clone();
        assert_eq!(told.subject.to_string(), subject);
        assert_eq!(told.issuer, parent.certificate().subject);
        assert_eq!(told, *linted.issue().unwrap());
    }
}
