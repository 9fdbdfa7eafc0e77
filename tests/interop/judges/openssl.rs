//! OpenSSL, with -x509_strict.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use pki_core::cluster::blueprint::{Content, Part};
use pki_core::x509::{SubjectAltName, Usage};
use tests::cluster::Cluster;
use tests::command::{refuse, succeed};

use super::webpki::pem_files;

/// What `openssl verify` takes as options; all certificates of a question are judged in one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    issuer: PathBuf,
    purpose: &'static str,
    name: Option<(&'static str, String)>,
}

impl Question {
    fn command(&self, files: &[PathBuf]) -> Command {
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-purpose", self.purpose]);
        command.arg("-CAfile").arg(&self.issuer).arg("-no-CApath");
        if let Some((option, name)) = &self.name {
            command.args([option, &name.as_str()]);
        }
        command.args(files);
        command
    }
}

pub fn accepts_every_certificate(cluster: &Cluster) {
    let mut questions: BTreeMap<Question, Vec<PathBuf>> = BTreeMap::new();
    for (leaf, file) in pem_files(cluster) {
        let mut ask = |purpose, name| {
            let issuer = leaf.issuer.clone();
            let question = Question {
                issuer,
                purpose,
                name,
            };
            questions.entry(question).or_default().push(file.clone());
        };
        for usage in &leaf.entry.request.usages {
            match usage {
                Usage::Client => ask("sslclient", None),
                Usage::Server => {
                    for san in &leaf.entry.request.sans {
                        ask("sslserver", Some(option(san)));
                    }
                }
            }
        }
    }
    for artifact in cluster.blueprint.artifacts() {
        if matches!(artifact.content, Content::Authority(_)) {
            let file = cluster.file(&artifact.id, Part::Certificate);
            let question = Question {
                issuer: file.clone(),
                purpose: "any",
                name: None,
            };
            questions.entry(question).or_default().push(file);
        }
    }
    for (question, files) in &questions {
        let said = succeed(&mut question.command(files));
        let fine = said.lines().filter(|line| line.ends_with(": OK")).count();
        assert_eq!(fine, files.len(), "{question:?}: {said}");
    }
    // The same question with one thing wrong, so that it is known to be a question.
    let (question, files) = questions
        .iter()
        .find(|(question, _)| question.purpose == "sslserver")
        .expect("there is a server");
    let mut wrong = question.clone();
    wrong.name = Some(("-verify_hostname", "elsewhere.example".into()));
    refuse(&mut wrong.command(files), "hostname mismatch");
}

fn option(san: &SubjectAltName) -> (&'static str, String) {
    match san {
        SubjectAltName::Ip(address) => ("-verify_ip", address.to_string()),
        name => ("-verify_hostname", name.to_string().replace('*', "any")),
    }
}

pub fn reads_every_key(cluster: &Cluster) {
    let mut keys: Vec<_> = cluster
        .blueprint
        .artifacts()
        .iter()
        .flat_map(|artifact| &artifact.placements)
        .filter(|placement| placement.part == Part::PrivateKey)
        .map(|placement| cluster.path(&placement.location))
        .collect();
    assert!(keys.len() >= 8, "{keys:?}");
    keys.dedup();
    for key in keys {
        let said = succeed(
            Command::new("openssl")
                .args(["pkey", "-noout", "-check", "-in"])
                .arg(&key),
        );
        assert!(said.contains("Key is valid"), "{}: {said}", key.display());
    }
}
