//! A corporate intermediate in place of the cluster's CA, with names that tools love to lose.

use std::fs;
use std::process::Command;

use pki_core::x509::Usage;
use tests::cluster::{Cluster, Leaf, read};
use tests::command::succeed;
use tests::corporate::{Corporate, Key, NAME, Text};
use tests::judge::{Certificate, Questions};

/// Whether the file that is given holds the root as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Alone,
    WithRoot,
}

fn import(key: Key, text: Text, given: Given) {
    let temporary = tempfile::tempdir().expect("a directory");
    let corporate = Corporate::new(temporary.path(), key, text);
    let root = corporate.root.clone();
    if given == Given::WithRoot {
        let both = read(&corporate.certificate) + &read(&root);
        fs::write(&corporate.certificate, both).expect("written");
    }
    let cluster = Cluster::init_in(
        temporary,
        &[
            "--service-cidr",
            "10.3.0.0/24",
            "--node",
            "n1=192.0.2.10",
            "--user",
            "alice:dev,ops",
            "--authority",
            &corporate.flag("ca"),
        ],
    );
    // Kept as they were given.
    assert_eq!(
        read(&cluster.authorities().join("ca.crt")),
        read(&corporate.certificate)
    );
    assert_eq!(
        read(&cluster.authorities().join("ca.key")),
        read(&corporate.key)
    );
    assert!(read(&cluster.dir().join("cluster.toml")).contains("imported = true"));

    let leaves = cluster.leaves();
    let issued: Vec<_> = leaves
        .iter()
        .filter(|leaf| leaf.entry.issuer.name == "ca")
        .collect();
    assert!(issued.len() >= 10, "{}", issued.len());
    carry_the_issuers_name_byte_for_byte(&corporate, &issued);
    verify_from_the_root_with_what_the_server_sends(&corporate, &issued);
    succeed(&mut cluster.kpki(&["plan"]));
    succeed(&mut cluster.kpki(&["verify"]));
}

fn carry_the_issuers_name_byte_for_byte(corporate: &Corporate, issued: &[&Leaf<'_>]) {
    let mut questions = Questions::default();
    questions.verify("ca", &corporate.root, &corporate.certificate, &["any"], &[]);
    for leaf in issued {
        let (usages, names) = (leaf.usages(), leaf.names());
        // From the root alone: what is between is in the leaf's own file, as a server has to send it.
        questions.verify(
            &leaf.artifact.id,
            &corporate.root,
            &leaf.file,
            &usages,
            &names,
        );
        questions.key(&leaf.artifact.id, &leaf.key, &leaf.file);
    }
    let read: Vec<Certificate> = questions
        .accepted()
        .into_iter()
        .filter_map(|answer| answer.certificate)
        .collect();
    let (authority, leaves) = read.split_first().expect("an answer");
    assert_eq!(leaves.len(), issued.len());
    for leaf in leaves {
        assert_eq!(leaf.issuer_raw, authority.subject_raw);
        let name = leaf
            .issuer_rdns
            .iter()
            .map(|(kind, value)| (kind.as_str(), value.as_str()));
        assert_eq!(name.collect::<Vec<_>>(), NAME);
        assert_eq!(leaf.aki, authority.ski);
    }
    let alice = leaves.iter().find(|leaf| leaf.user == "alice");
    assert_eq!(alice.expect("a user").groups, ["dev", "ops"]);
}

fn verify_from_the_root_with_what_the_server_sends(corporate: &Corporate, issued: &[&Leaf<'_>]) {
    let servers = issued
        .iter()
        .filter(|leaf| leaf.entry.request.usages.contains(&Usage::Server));
    let mut count = 0;
    for leaf in servers {
        let mut command = Command::new("openssl");
        command.args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-no-CApath",
        ]);
        command.arg("-CAfile").arg(&corporate.root);
        command.arg("-untrusted").arg(&leaf.file).arg(&leaf.file);
        succeed(&mut command);
        // The root is not sent: whoever needs it has it.
        assert_eq!(read(&leaf.file).matches("BEGIN CERTIFICATE").count(), 2);
        count += 1;
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn rsa_key_in_pkcs1() {
    import(Key::RsaPkcs1, Text::Utf8, Given::Alone);
}

#[test]
fn rsa_key_in_pkcs8() {
    import(Key::RsaPkcs8, Text::Utf8, Given::WithRoot);
}

#[test]
fn ecdsa_key_in_sec1() {
    import(Key::EcSec1, Text::Utf8, Given::WithRoot);
}

#[test]
fn ecdsa_key_in_pkcs8() {
    import(Key::EcPkcs8, Text::Utf8, Given::Alone);
}

/// The same name in other bytes is another name to OpenSSL and Go.
#[test]
fn names_in_printable_strings() {
    import(Key::EcSec1, Text::Printable, Given::Alone);
}
