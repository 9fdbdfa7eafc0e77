//! zlint, held to the rules that matter to a private PKI. Those of the public web (top-level domains,
//! AIA, CRL distribution points, policies, 398 days, ...) are not ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::cluster::blueprint::{Content, Part};
use serde::Deserialize;
use tests::cluster::Cluster;
use tests::command::succeed;
use tests::component;

use super::webpki::pem_files;

const RULES: [&str; 15] = [
    "e_serial_number_not_positive",
    "e_serial_number_longer_than_20_octets",
    "e_basic_constraints_not_critical",
    "e_ca_crl_sign_not_set",
    "e_ecdsa_allowed_ku",
    "e_rsa_allowed_ku_no_encipherment_ca",
    "e_ext_authority_key_identifier_no_key_identifier",
    "e_ext_subject_key_identifier_missing_ca",
    "w_ext_subject_key_identifier_missing_sub_cert",
    "e_path_len_constraint_improperly_included",
    "e_subject_common_name_max_length",
    "e_wrong_time_format_pre2050",
    "e_ext_name_constraints_not_critical",
    "e_key_usage_and_extended_key_usage_inconsistent",
    "e_superfluous_ku_encoding",
];

#[derive(Debug, Deserialize)]
struct Verdict {
    result: String,
    #[serde(default)]
    details: String,
}

pub fn finds_nothing(cluster: &Cluster) {
    let mut files: Vec<_> = pem_files(cluster)
        .into_iter()
        .map(|(_, file)| file)
        .collect();
    for artifact in cluster.blueprint.artifacts() {
        if matches!(artifact.content, Content::Authority(_)) {
            files.push(cluster.file(&artifact.id, Part::Certificate));
        }
    }
    let found = findings(&files);
    assert!(found.is_empty(), "{found:#?}");
}

/// File and rule of everything that is not as it should be.
fn findings(files: &[PathBuf]) -> Vec<(&Path, String)> {
    let said = succeed(
        component::command("zlint")
            .args(["-includeNames", &RULES.join(",")])
            .args(files),
    );
    let verdicts: Vec<BTreeMap<String, Verdict>> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line for each certificate"))
        .collect();
    assert_eq!(verdicts.len(), files.len(), "{said}");
    let mut found = Vec::new();
    for (file, rules) in files.iter().zip(verdicts) {
        assert_eq!(rules.len(), RULES.len(), "{rules:?}");
        for (rule, Verdict { result, details }) in rules {
            // NA: not for this certificate. NE: younger than it.
            if !matches!(result.as_str(), "pass" | "NA" | "NE") {
                found.push((file.as_path(), format!("{rule}: {result} {details}")));
            }
        }
    }
    found
}

/// That nothing is found means something only where something can be.
#[test]
fn zlint_does_find_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a directory");
    let (key, certificate) = (dir.path().join("key"), dir.path().join("crt"));
    succeed(
        Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=bad"])
            .args(["-addext", "basicConstraints=CA:TRUE"])
            .args(["-addext", "keyUsage=keyCertSign,keyEncipherment"])
            .args(["-addext", "subjectKeyIdentifier=none"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    let files = [certificate];
    let found: Vec<_> = findings(&files).into_iter().map(|(_, what)| what).collect();
    for rule in [
        "e_basic_constraints_not_critical",
        "e_ca_crl_sign_not_set",
        "e_ecdsa_allowed_ku",
        "e_ext_subject_key_identifier_missing_ca",
    ] {
        assert!(found.iter().any(|f| f.starts_with(rule)), "{found:?}");
    }
}
