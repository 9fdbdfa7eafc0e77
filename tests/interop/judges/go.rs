//! Go's crypto/x509 and crypto/tls, by `kpki-judge`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{ArtifactId, Content, Part, TrustEdge};
use pki_core::cluster::spec::NodeName;
use pki_core::x509::{DialedName, KeyAlgorithm, SubjectAltName, Usage};
use serde_json::json;
use tests::cluster::{Cluster, Leaf, read};
use tests::judge::{Certificate, Questions};

pub fn accepts_and_reads_what_was_asked_for(cluster: &Cluster) {
    let leaves = cluster.leaves();
    assert!(leaves.len() >= 12, "{} leaves", leaves.len());
    let mut questions = Questions::default();
    let mut authorities = Vec::new();
    for artifact in cluster.blueprint.artifacts() {
        if let Content::Authority(entry) = &artifact.content {
            let certificate = cluster.file(&artifact.id, Part::Certificate);
            questions.verify(&artifact.id, &certificate, &certificate, &["any"], &[]);
            authorities.push((entry, certificate));
        }
    }
    for leaf in &leaves {
        let names: Vec<_> = leaf.entry.request.sans.iter().map(dialed).collect();
        let usages: Vec<_> = leaf.entry.request.usages.iter().map(word).collect();
        let id = leaf.file.display();
        questions.verify(id, &leaf.issuer, &leaf.file, &usages, &names);
    }
    let answers = questions.accepted();
    let (of_authorities, of_leaves) = answers.split_at(authorities.len());

    for ((entry, _), answer) in authorities.iter().zip(of_authorities) {
        let certificate = answer.certificate.as_ref().expect("it was read");
        let id = &answer.id;
        assert!(certificate.is_ca, "{id}");
        assert_eq!(certificate.key_usages, ["keyCertSign", "cRLSign"], "{id}");
        assert!(certificate.ext_key_usages.is_empty(), "{id}");
        assert_eq!(certificate.ski, certificate.aki, "{id}");
        assert!(!certificate.ski.is_empty(), "{id}");
        let length = entry.path_length.map_or(-1, i32::from);
        assert_eq!(certificate.max_path_len, length, "{id}");
        assert_algorithm(certificate, entry.key_algorithm, id);
    }
    let skis: Vec<_> = authorities
        .iter()
        .zip(of_authorities)
        .map(|((_, file), answer)| (file, answer.certificate.as_ref().expect("read").ski.clone()))
        .collect();
    for (leaf, answer) in leaves.iter().zip(of_leaves) {
        let certificate = answer.certificate.as_ref().expect("it was read");
        compare(certificate, leaf, &answer.id);
        let issuer = skis.iter().find(|(file, _)| **file == leaf.issuer);
        assert_eq!(certificate.aki, issuer.expect("it is there").1);
    }
    serials_differ(
        &leaves,
        of_leaves
            .iter()
            .map(|a| a.certificate.as_ref().expect("read")),
    );
    keys(cluster, &leaves);
}

fn compare(certificate: &Certificate, leaf: &Leaf<'_>, id: &str) {
    let request = &leaf.entry.request;
    assert_eq!(
        certificate.user,
        request.subject.common_name().unwrap_or_default(),
        "{id}"
    );
    let groups: Vec<_> = request.subject.organizations().collect();
    assert_eq!(certificate.groups, groups, "{id}");
    let (mut dns, mut ips) = (BTreeSet::new(), BTreeSet::new());
    for san in &request.sans {
        match san {
            SubjectAltName::Dns(name) => assert!(dns.insert(name.to_string())),
            SubjectAltName::Ip(ip) => assert!(ips.insert(ip.to_string())),
            other => panic!("{id}: {other} was not asked for"),
        }
    }
    assert_eq!(dns, certificate.dns.iter().cloned().collect(), "{id}");
    assert_eq!(ips, certificate.ips.iter().cloned().collect(), "{id}");
    assert!(
        certificate.emails.is_empty() && certificate.uris.is_empty(),
        "{id}"
    );
    let usages: Vec<_> = request
        .usages
        .iter()
        .map(|usage| match usage {
            Usage::Server => "serverAuth",
            Usage::Client => "clientAuth",
        })
        .collect();
    assert_eq!(certificate.ext_key_usages, usages, "{id}");
    // keyEncipherment is RSA's alone (RFC 8813 section 3), and a server's (RFC 5280 section 4.2.1.12).
    let server = request.usages.contains(&Usage::Server);
    let wanted: &[&str] = if request.key_algorithm.is_rsa() && server {
        &["digitalSignature", "keyEncipherment"]
    } else {
        &["digitalSignature"]
    };
    assert_eq!(certificate.key_usages, wanted, "{id}");
    assert!(!certificate.is_ca && !certificate.ski.is_empty(), "{id}");
    assert_algorithm(certificate, request.key_algorithm, id);
}

fn assert_algorithm(certificate: &Certificate, algorithm: KeyAlgorithm, id: &str) {
    let wanted = match algorithm {
        KeyAlgorithm::EcdsaP256 => ("ECDSA", 256),
        KeyAlgorithm::EcdsaP384 => ("ECDSA", 384),
        KeyAlgorithm::Ed25519 => ("Ed25519", 256),
        KeyAlgorithm::Rsa2048 => ("RSA", 2048),
        KeyAlgorithm::Rsa3072 => ("RSA", 3072),
        KeyAlgorithm::Rsa4096 => ("RSA", 4096),
    };
    let found = (
        certificate.public_key_algorithm.as_str(),
        certificate.public_key_bits,
    );
    assert_eq!(found, wanted, "{id}");
}

/// Copies of one certificate on several nodes are one certificate; no two others share a serial.
fn serials_differ<'a>(leaves: &[Leaf<'_>], certificates: impl Iterator<Item = &'a Certificate>) {
    let mut serials = BTreeSet::new();
    let mut artifacts = BTreeSet::new();
    for (leaf, certificate) in leaves.iter().zip(certificates) {
        artifacts.insert(&leaf.artifact.id);
        serials.insert(&certificate.serial);
        assert!(!certificate.serial.starts_with('-'));
    }
    assert_eq!(serials.len(), artifacts.len());
}

fn keys(cluster: &Cluster, leaves: &[Leaf<'_>]) {
    let mut questions = Questions::default();
    for leaf in leaves {
        questions.key(leaf.key.display(), &leaf.key, &leaf.file);
    }
    for artifact in cluster.blueprint.artifacts() {
        let public = match artifact.content {
            Content::Authority(_) => Part::Certificate,
            Content::ServiceAccount(_) => Part::PublicKey,
            _ => continue,
        };
        let key = cluster.file(&artifact.id, Part::PrivateKey);
        let public = cluster.file(&artifact.id, public);
        questions.key(&artifact.id, &key, &public);
    }
    for answer in questions.accepted() {
        let key = answer.key.expect("it was read");
        // kubernetes#141774: an EC key in PKCS#8 is refused where kube-apiserver reads public keys.
        let form = match key.algorithm.as_str() {
            "ECDSA" => ("EC PRIVATE KEY", "SEC1"),
            "RSA" => ("RSA PRIVATE KEY", "PKCS1"),
            _ => ("PRIVATE KEY", "PKCS8"),
        };
        assert_eq!(
            (key.label.as_str(), key.form.as_str()),
            form,
            "{}",
            answer.id
        );
    }
}

pub fn refuses_other_usages_and_other_authorities(cluster: &Cluster) {
    let mut questions = Questions::default();
    for leaf in cluster.leaves() {
        for usage in [Usage::Server, Usage::Client] {
            if !leaf.entry.request.usages.contains(&usage) {
                let id = format!("{} as {}", leaf.file.display(), word(&usage));
                questions.verify(id, &leaf.issuer, &leaf.file, &[word(&usage)], &[]);
            }
        }
        for other in cluster.blueprint.artifacts() {
            if matches!(other.content, Content::Authority(_)) && other.id != leaf.entry.issuer {
                let roots = cluster.file(&other.id, Part::Certificate);
                let id = format!("{} under {}", leaf.file.display(), other.id);
                questions.verify(id, &roots, &leaf.file, &["any"], &[]);
            }
        }
    }
    assert!(!questions.is_empty());
    questions.refused();
}

/// Each TLS relation of the cluster, with what its two ends have on their own disks.
pub fn connects_every_trust_edge(cluster: &Cluster) {
    let scratch = cluster.scratch("edges");
    let leaves = cluster.leaves();
    let mut questions = Questions::default();
    for (index, edge) in cluster.blueprint.edges().iter().enumerate() {
        let server = end(&leaves, &edge.server, edge.server_node.as_ref(), cluster);
        let client = edge
            .client
            .as_ref()
            .map(|id| end(&leaves, id, edge.client_node.as_ref(), cluster));
        let trust = |ids: &[ArtifactId], node: Option<&NodeName>, which: &str| {
            let text: String = ids
                .iter()
                .map(|id| read(&authority(cluster, id, node)))
                .collect();
            let file = scratch.join(format!("{index}-{which}.crt"));
            fs::write(&file, text).expect("written");
            file
        };
        let client_roots = match client {
            Some(client) if edge.client_trusts.is_empty() => client.file.clone(),
            _ => trust(&edge.client_trusts, edge.client_node.as_ref(), "client"),
        };
        assert!(!edge.dials.is_empty(), "{}", edge.name);
        for dial in &edge.dials {
            let mut question = json!({
                "op": "handshake", "id": title(edge, dial), "name": dial.to_string(),
                "server_cert": server.file, "server_key": server.key, "client_roots": client_roots,
            });
            if let Some(client) = client {
                question["client_cert"] = json!(client.file);
                question["client_key"] = json!(client.key);
            }
            if !edge.server_trusts.is_empty() {
                let roots = trust(&edge.server_trusts, edge.server_node.as_ref(), "server");
                question["server_roots"] = json!(roots);
            }
            questions.ask(question);
        }
    }
    questions.accepted();
}

fn title(edge: &TrustEdge, dial: &DialedName) -> String {
    format!("{} as {} under {dial}", edge.name, edge.server)
}

fn end<'a>(
    leaves: &'a [Leaf<'a>],
    id: &ArtifactId,
    node: Option<&NodeName>,
    cluster: &Cluster,
) -> &'a Leaf<'a> {
    let home = node.map(|node| cluster.node(node.as_str()));
    leaves
        .iter()
        .find(|leaf| {
            leaf.artifact.id == *id && home.as_ref().is_none_or(|home| leaf.file.starts_with(home))
        })
        .unwrap_or_else(|| panic!("{id} is not on {node:?}"))
}

/// An authority's certificate as the node has it; people and pods are given it from its home.
fn authority(cluster: &Cluster, id: &ArtifactId, node: Option<&NodeName>) -> PathBuf {
    let artifact = cluster.blueprint.artifact(id).expect("a known authority");
    let home = match node {
        Some(node) => cluster.node(node.as_str()),
        None => cluster.authorities(),
    };
    let on = |path: &Path| path.starts_with(&home);
    let mut files = artifact
        .placements
        .iter()
        .filter(|placement| placement.part == Part::Certificate)
        .map(|placement| cluster.path(&placement.location));
    files
        .find(|path| on(path))
        .unwrap_or_else(|| panic!("{node:?} has no certificate of {id}"))
}

fn word(usage: &Usage) -> &'static str {
    match usage {
        Usage::Server => "server",
        Usage::Client => "client",
    }
}

/// What a client dials to be served under this name.
fn dialed(san: &SubjectAltName) -> String {
    san.to_string().replace('*', "any")
}
