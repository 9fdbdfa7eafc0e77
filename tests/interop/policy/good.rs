//! What may be had is signed, says what was allowed and nothing more, and OpenSSL, Go and webpki accept it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::x509::{Certificate, DialedName, TrustAnchors, Usage};
use tests::cluster::{Cluster, read};
use tests::command::succeed;
use tests::judge::Questions;
use tests::kpki;
use time::OffsetDateTime;

use super::asn1::{self, CN, O, attribute, rdn, tlv};
use super::openssl::{self, P256};
use super::{cluster, sign};

/// What the certificate is expected to say.
struct Good {
    file: PathBuf,
    user: &'static str,
    groups: &'static [&'static str],
    usage: &'static str,
    names: &'static [&'static str],
}

const W1: &str = "/O=system:nodes/CN=system:node:w1";
const NODES: &[&str] = &["system:nodes"];

fn requests(dir: &Path) -> Vec<Good> {
    let mut all = Vec::new();
    let mut add = |file: PathBuf, user, groups, usage, names| {
        all.push(Good {
            file,
            user,
            groups,
            usage,
            names,
        });
    };
    let node = "system:node:w1";
    for (name, key) in [
        ("p256", P256),
        ("p384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["ed25519"]),
        ("rsa", &["rsa:2048"]),
    ] {
        let client = openssl::request(dir, &format!("client-{name}"), key, W1, &[]);
        add(client, node, NODES, "client", &[]);
        let own = "subjectAltName=DNS:w1,DNS:w1.rack.example,IP:192.0.2.21,IP:2001:db8::21";
        let server = openssl::request(dir, &format!("server-{name}"), key, W1, &[own]);
        let names: &[&str] = &["w1", "w1.rack.example", "192.0.2.21", "2001:db8::21"];
        add(server, node, NODES, "server", names);
    }
    let alice = openssl::request(dir, "alice", P256, "/CN=alice/O=ops/O=dev", &[]);
    add(alice, "alice", &["ops", "dev"], "client", &[]);
    // What is asked for and known to be harmless: no CA, usages within the policy's, a name twice.
    let wordy = openssl::request(
        dir,
        "wordy",
        P256,
        "/CN=hook.apps.svc.cluster.local",
        &[
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature,keyEncipherment",
            "extendedKeyUsage=serverAuth",
            "subjectAltName=DNS:hook.apps.svc.cluster.local,DNS:hook.apps.svc.cluster.local,IP:10.3.0.77",
            "1.2.3.4.5=ASN1:UTF8String:x",
        ],
    );
    let names: &[&str] = &["hook.apps.svc.cluster.local", "10.3.0.77"];
    add(wordy, "hook.apps.svc.cluster.local", &[], "server", names);
    let ours = dir.join("ours");
    succeed(
        kpki::command(&["csr", "system:node:w1", "--group", "system:nodes", "--out"]).arg(&ours),
    );
    add(ours.with_extension("csr"), node, NODES, "client", &[]);
    // The same name in another string type, and both attributes in one set: it is read, and laid out anew.
    let wide: Vec<u8> = node.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide = asn1::request(
        &[
            rdn(O, "system:nodes"),
            tlv(0x31, &attribute(CN, asn1::BMP, &wide)),
        ],
        &[],
    );
    add(asn1::write(dir, "wide", &wide), node, NODES, "client", &[]);
    let both = [
        attribute(CN, asn1::UTF8, node.as_bytes()),
        attribute(O, asn1::UTF8, b"system:nodes"),
    ];
    let one_set = asn1::request(&[tlv(0x31, &both.concat())], &[]);
    add(
        asn1::write(dir, "one-set", &one_set),
        node,
        NODES,
        "client",
        &[],
    );
    all
}

/// The authority that should have signed, by the profile.
fn issuer(cluster: &Cluster, profile: &str, usage: &str) -> PathBuf {
    let file = match (profile, usage) {
        ("hardened", "client") => "client-ca.crt",
        _ => "ca.crt",
    };
    cluster.authorities().join(file)
}

#[test]
fn good_requests_are_signed_and_foreign_judges_accept_them() {
    for profile in ["kubeadm", "hardened"] {
        let cluster = cluster(profile);
        let dir = cluster.scratch("good");
        let requests = requests(&dir);
        let files: Vec<_> = requests.iter().map(|good| good.file.as_path()).collect();
        let answers = sign(&cluster, &files, &[]);
        let mut go = Questions::default();
        for (good, answer) in requests.iter().zip(&answers) {
            assert_eq!(answer.result, "signed", "{answer:#?}");
            assert_eq!(answer.file, good.file);
            let written = answer.written.as_deref().expect("a file");
            let issuer = issuer(&cluster, profile, good.usage);
            openssl_and_webpki_accept(good, written, &issuer);
            let names: Vec<_> = good.names.iter().map(|name| (*name).to_owned()).collect();
            go.verify(written.display(), &issuer, written, &[good.usage], &names);
            let key = good.file.with_extension("key");
            if key.exists() {
                go.key(key.display(), &key, written);
            }
        }
        let read = go.accepted();
        for good in &requests {
            let id = good.file.with_extension("crt").display().to_string();
            let answer = read
                .iter()
                .find(|answer| answer.id == id)
                .expect("an answer");
            let said = answer.certificate.as_ref().expect("read");
            assert_eq!(said.user, good.user, "{id}");
            assert_eq!(said.groups, good.groups, "{id}");
            assert_eq!([&said.dns[..], &said.ips[..]].concat(), good.names, "{id}");
            assert!(
                !said.is_ca && said.emails.is_empty() && said.uris.is_empty(),
                "{id}"
            );
            assert_eq!(said.ext_key_usages.len(), 1, "{id}");
        }
        // Nobody's certificate does for what it is not.
        let mut wrong = Questions::default();
        for good in &requests {
            let usage = if good.usage == "client" {
                "server"
            } else {
                "client"
            };
            let file = good.file.with_extension("crt");
            let issuer = issuer(&cluster, profile, good.usage);
            wrong.verify(file.display(), &issuer, &file, &[usage], &[]);
        }
        wrong.refused();
        let wordy = answers
            .iter()
            .find(|answer| answer.file.ends_with("wordy.csr"));
        assert_eq!(
            wordy.expect("it is there").notes,
            ["extension 1.2.3.4.5 is left out"]
        );
    }
}

fn openssl_and_webpki_accept(good: &Good, written: &Path, issuer: &Path) {
    let purpose = if good.usage == "server" {
        "sslserver"
    } else {
        "sslclient"
    };
    let mut command = Command::new("openssl");
    command.args([
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-no-CApath",
        "-CAfile",
    ]);
    let said = succeed(command.arg(issuer).arg(written));
    assert!(said.ends_with(": OK\n"), "{said}");
    let chain =
        |path: &Path| Certificate::from_pem_chain(read(path).as_bytes()).expect("certificates");
    let anchors = TrustAnchors::new(&chain(issuer)).expect("an authority");
    let (usage, now) = match good.usage {
        "server" => (Usage::Server, OffsetDateTime::now_utc()),
        _ => (Usage::Client, OffsetDateTime::now_utc()),
    };
    anchors
        .verify(&chain(written), usage, None, now)
        .expect("webpki accepts it");
    for name in good.names {
        let dialed: DialedName = name.parse().expect("a name");
        anchors
            .verify(&chain(written), usage, Some(&dialed), now)
            .expect("under that name");
    }
}

/// A CA of somebody else's, and a policy of one's own, without any cluster.
#[test]
fn a_policy_of_one_s_own_and_a_ca_without_a_cluster() {
    let cluster = cluster("kubeadm");
    let dir = cluster.scratch("alone");
    let policy = dir.join("mine.toml");
    fs::write(
        &policy,
        "name = 'mine'\ncommon-names = ['{name}']\nusages = ['server']\ndns = ['.corp.example']\n\
         emails = ['@corp.example']\nwildcards = true\nnames-required = true\nvalidity = '30d'\n",
    )
    .expect("written");
    let ask = |name: &str, san: &str| {
        let san = format!("subjectAltName={san}");
        openssl::request(&dir, name, P256, "/CN=*.www.corp.example", &[&san])
    };
    let good = ask(
        "good",
        "DNS:*.www.corp.example,email:hostmaster@corp.example",
    );
    let bad = ask(
        "bad",
        "DNS:*.www.corp.example,DNS:corp.example,email:a@b@corp.example",
    );
    let ca = format!("{0}/ca.crt,{0}/ca.key", cluster.authorities().display());
    let mut command = kpki::command(&["sign", "--ca", &ca, "--policy"]);
    command
        .arg(&policy)
        .args([&good, &bad])
        .arg("--dir")
        .arg(dir.join("nowhere"));
    let ended = tests::command::run(&mut command);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended
            .stdout
            .contains("it asks for corp.example: policy mine gives .corp.example"),
        "{ended}"
    );
    let certificate = &Certificate::from_pem_chain(read(&good.with_extension("crt")).as_bytes())
        .expect("signed")[0];
    assert_eq!(certificate.sans.len(), 2);
    assert!((certificate.validity.length() - time::Duration::days(30)).whole_minutes() <= 5);
    assert!(!bad.with_extension("crt").exists());
}
