//! What every family of rules has to prove: each rule has a file of its own name, a source, and a
//! certificate in `fixtures/` that breaks it and nothing else.
//!
//! The fixtures are made by `cargo run -p pki-core --example lint_fixtures`.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::{Finding, RULES, Rule, lint};
use crate::x509::{
    Authority, CaOptions, Certificate, DistinguishedName, DnsName, KeyAlgorithm, LeafRequest,
    LocalSigner, NameConstraints, PrivateKey, Usage, self_signed,
};

/// The test of one rule's file: `bad_fixture!("name")`, or `bad_fixture!("name", issuer: "file")`
/// where the issuer is another than `authority`, or `issuer: none` where it is not known.
macro_rules! bad_fixture {
    ($name:literal) => {
        $crate::x509::lint::bad_fixture!(@ $name, Some($crate::x509::lint::tests::AUTHORITY));
    };
    ($name:literal, issuer: none) => {
        $crate::x509::lint::bad_fixture!(@ $name, None);
    };
    ($name:literal, issuer: $issuer:literal) => {
        $crate::x509::lint::bad_fixture!(
            @ $name, Some(include_bytes!(concat!("fixtures/", $issuer, ".pem")))
        );
    };
    (@ $name:literal, $issuer:expr) => {
        #[test]
        fn the_bad_fixture_breaks_this_rule_alone() {
            assert_eq!(RULE.name, $name);
            let bad = include_bytes!(concat!("fixtures/", $name, ".pem"));
            $crate::x509::lint::fires_alone(RULE, super::FAMILIES, bad, $issuer);
        }
    };
}
pub(crate) use bad_fixture;

/// The issuer of all fixtures that need no other.
pub(crate) const AUTHORITY: &[u8] = include_bytes!("fixtures/authority.pem");

/// Each certificate in `bad` breaks `rule` and no other.
pub(crate) fn fires_alone(rule: Rule, families: &[&[Rule]], bad: &[u8], issuer: Option<&[u8]>) {
    let issuer = issuer.map(|pem| Certificate::from_pem_chain(pem).unwrap().remove(0));
    for (at, certificate) in Certificate::from_pem_chain(bad).unwrap().iter().enumerate() {
        let findings = lint(certificate, issuer.as_ref(), families).unwrap();
        let names: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(names, [rule.name], "certificate {at}: {findings:#?}");
    }
}

/// `rules` are pairs of a rule's name and its source; `folder`, below pki-core/src, has a file and a
/// fixture for each of them, and no file more than `besides`.
pub(crate) fn assert_files_agree(folder: &str, rules: &[(&str, &str)], besides: &[&str]) {
    let folder = format!("{}/src/{folder}", env!("CARGO_MANIFEST_DIR"));
    assert_names_agree(&folder, rules, besides);
    assert_fixtures_exist(&format!("{folder}/fixtures"), rules);
}

pub(crate) fn assert_names_agree(folder: &str, rules: &[(&str, &str)], besides: &[&str]) {
    let names: BTreeSet<_> = rules
        .iter()
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    assert_eq!(names.len(), rules.len(), "a name stands twice");
    let mut files = stems(folder, "rs");
    files.retain(|file| !besides.contains(&file.as_str()));
    assert_eq!(files, names, "each rule is a file of its name");
    for (name, cites) in rules {
        assert!(!cites.trim().is_empty(), "{name} has no source");
    }
}

pub(crate) fn assert_fixtures_exist(folder: &str, rules: &[(&str, &str)]) {
    let fixtures = stems(folder, "pem");
    for (name, _) in rules {
        assert!(fixtures.contains(*name), "no bad fixture for {name}");
    }
}

/// The names of the files in `folder` that end in `extension`, without it.
fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let ending = format!(".{extension}");
    names
        .filter_map(|name| name.strip_suffix(&ending).map(str::to_owned))
        .collect()
}

fn findings(certificate: &Certificate, issuer: Option<&Certificate>) -> Vec<Finding> {
    lint(certificate, issuer, &[RULES]).unwrap()
}

#[test]
fn each_rule_has_a_file_a_fixture_and_a_source() {
    let rules: Vec<_> = RULES.iter().map(|rule| (rule.name, rule.cites)).collect();
    assert_files_agree("x509/lint", &rules, &["mod", "tests"]);
}

#[test]
fn good_fixtures_break_no_rule() {
    let authority = Certificate::from_pem_chain(AUTHORITY).unwrap().remove(0);
    assert_eq!(findings(&authority, None), []);
    assert_eq!(findings(&authority, Some(&authority)), []);
    for good in Certificate::from_pem_chain(include_bytes!("fixtures/good.pem")).unwrap() {
        assert_eq!(findings(&good, Some(&authority)), [], "{}", good.subject);
    }
}

#[test]
fn nothing_that_an_authority_issues_breaks_a_rule() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let name = |text| DnsName::new(text).unwrap();
    for ca_algorithm in KeyAlgorithm::ALL {
        let options = CaOptions {
            key_algorithm: ca_algorithm,
            name_constraints: NameConstraints {
                dns: vec![name("test")],
                addresses: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            },
            ..CaOptions::default()
        };
        let (authority, key) = Authority::generate("test-ca", &options, now, &rng).unwrap();
        let root = authority.certificate();
        assert_eq!(findings(root, None), [], "{ca_algorithm}");
        // After 2049 the dates change their form.
        let late = OffsetDateTime::from_unix_timestamp(2_540_000_000).unwrap();
        let signer = LocalSigner::new(&key).unwrap();
        let later = self_signed(&root.subject, &options, &signer, late, &rng).unwrap();
        assert_eq!(findings(&later, None), [], "{ca_algorithm}");
        for algorithm in KeyAlgorithm::ALL {
            let requests = [
                LeafRequest::server("db.test")
                    .unwrap()
                    .with_address([127, 0, 0, 1]),
                LeafRequest::client("alice"),
                LeafRequest::peer("db.test")
                    .unwrap()
                    .with_dns(name("*.db.test")),
                LeafRequest::server("db.test")
                    .unwrap()
                    .with_subject(DistinguishedName::empty()),
            ];
            let key = leaf_key(algorithm);
            for request in requests {
                let prepared = authority
                    .prepare(&request, key.public_key(), now, &rng)
                    .unwrap();
                let linted = prepared.lint(&[RULES]).unwrap();
                assert_eq!(linted.warnings, []);
                let certificate = linted.issue().unwrap();
                assert_eq!(findings(&certificate, Some(root)), [], "{algorithm}");
            }
        }
    }
}

/// One key of each kind for all certificates: RSA keys take long to make.
fn leaf_key(algorithm: KeyAlgorithm) -> &'static PrivateKey {
    static KEYS: std::sync::LazyLock<Vec<PrivateKey>> = std::sync::LazyLock::new(|| {
        let rng = SystemRandom::new();
        let key = |algorithm| PrivateKey::generate(algorithm, &rng).unwrap();
        KeyAlgorithm::ALL.into_iter().map(key).collect()
    });
    KEYS.iter()
        .find(|key| key.algorithm() == algorithm)
        .unwrap()
}

#[test]
fn an_authority_signs_no_error() {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let (authority, _) = Authority::generate("ca", &CaOptions::default(), now, &rng).unwrap();
    let nothing = LeafRequest::client("a").with_subject(DistinguishedName::empty());
    let refused = authority
        .issue(&nothing, now, &rng)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("subject-empty"), "{refused}");
    let no_purpose = LeafRequest::client("a").for_usages(&[] as &[Usage]);
    let refused = authority
        .issue(&no_purpose, now, &rng)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("extended-key-usage-missing"), "{refused}");
}

/// Every fixture of this family, as bytes.
fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/x509/lint/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .flat_map(|path| Certificate::from_pem_chain(&std::fs::read(path).unwrap()).unwrap())
        .map(|certificate| certificate.der().to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Damaged bytes are refused when read, or linted; neither panics.
    #[test]
    fn no_bytes_make_lint_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        static FIXTURES: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(fixtures);
        let mut der = which.get(&FIXTURES).clone();
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Some(cut) = cut {
            der.truncate(cut.index(der.len()));
        }
        if let Ok(damaged) = Certificate::from_der(&der) {
            let authority = Certificate::from_pem_chain(AUTHORITY).unwrap().remove(0);
            lint(&damaged, Some(&authority), &[RULES]).unwrap();
            lint(&authority, Some(&damaged), &[RULES]).unwrap();
        }
    }
}
