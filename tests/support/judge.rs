//! `kpki-judge`: what Go's crypto/x509 and crypto/tls say.

use std::io::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::command::run;
use crate::component;

/// Questions that are asked in one go.
#[derive(Debug, Default)]
pub struct Questions(Vec<Value>);

/// What the judge says to one of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// The question's name.
    pub id: String,
    /// Whether it accepts.
    pub ok: bool,
    /// Why it does not.
    #[serde(default)]
    pub error: String,
    /// What it read.
    pub certificate: Option<Certificate>,
    /// The key it read.
    pub key: Option<Key>,
}

/// The fields of a certificate that tests compare, as Go read them.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Certificate {
    pub serial: String,
    pub subject_raw: String,
    pub issuer_raw: String,
    pub issuer_rdns: Vec<(String, String)>,
    pub public_key_algorithm: String,
    pub public_key_bits: u32,
    pub user: String,
    pub groups: Vec<String>,
    pub dns: Vec<String>,
    pub ips: Vec<String>,
    pub emails: Vec<String>,
    pub uris: Vec<String>,
    pub key_usages: Vec<String>,
    pub ext_key_usages: Vec<String>,
    pub is_ca: bool,
    pub max_path_len: i32,
    pub ski: String,
    pub aki: String,
}

/// A private key as Go read it.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Key {
    pub label: String,
    pub form: String,
    pub algorithm: String,
    pub bits: u32,
}

impl Questions {
    /// Is this certificate good for all these usages under all these names?
    pub fn verify(
        &mut self,
        id: impl ToString,
        roots: &Path,
        cert: &Path,
        usages: &[&str],
        names: &[String],
    ) {
        self.0.push(json!({
            "op": "verify", "id": id.to_string(), "roots": roots, "cert": cert,
            "usages": usages, "names": names,
        }));
    }

    /// Can this key be read, and does it belong to this certificate or public key?
    pub fn key(&mut self, id: impl ToString, key: &Path, cert: &Path) {
        self.0
            .push(json!({"op": "key", "id": id.to_string(), "key": key, "cert": cert}));
    }

    /// Any other question, by its fields.
    pub fn ask(&mut self, question: Value) {
        self.0.push(question);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks; the answers come in the order of the questions.
    pub fn answers(&self) -> Vec<Answer> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let text = serde_json::to_vec(&self.0).expect("plain data");
        file.write_all(&text).expect("written");
        let ended = run(component::command("kpki-judge")
            .arg("batch")
            .arg(file.path()));
        assert!(matches!(ended.code, Some(0 | 1)), "{ended}");
        let answers: Vec<Answer> = serde_json::from_str(&ended.stdout).expect("answers");
        assert_eq!(answers.len(), self.0.len(), "{ended}");
        answers
    }

    /// Asks, and holds the judge to accept everything.
    pub fn accepted(&self) -> Vec<Answer> {
        let answers = self.answers();
        let refused: Vec<_> = answers
            .iter()
            .filter(|answer| !answer.ok)
            .map(|answer| format!("{}: {}", answer.id, answer.error))
            .collect();
        assert!(refused.is_empty(), "Go refuses:\n{}", refused.join("\n"));
        answers
    }

    /// Asks, and holds the judge to refuse everything.
    pub fn refused(&self) -> Vec<Answer> {
        let answers = self.answers();
        let accepted: Vec<_> = answers.iter().filter(|a| a.ok).map(|a| &a.id).collect();
        assert!(accepted.is_empty(), "Go accepts {accepted:?}");
        answers
    }
}
