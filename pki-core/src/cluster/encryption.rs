//! The configuration that etcd's content is encrypted with.

use base64ct::{Base64, Encoding};
use ring::rand::SecureRandom;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::yaml::{self, YamlError};
use crate::x509::RandomError;

/// The resources that are encrypted: Secrets hold credentials, ConfigMaps often do all the same.
const RESOURCES: [&str; 2] = ["secrets", "configmaps"];

/// Why a text is no usable encryption configuration. None of these quote any of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// Not YAML, or not of this kind.
    #[error(transparent)]
    Form(#[from] YamlError),
    /// It is of another kind.
    #[error("kind is {0:?}, not \"EncryptionConfiguration\"")]
    Kind(String),
    /// The first provider, the one that writes, is `identity`, or Secrets are not listed.
    #[error("Secrets are written to etcd in plain text")]
    PlainText,
    /// A key of the wrong length.
    #[error("the key {0:?} is not 32 bytes in base64")]
    Key(String),
}

/// A new configuration (`apiserver.config.k8s.io/v1`): secretbox (XSalsa20 and Poly1305, strong at any
/// number of writes, unlike aesgcm with random nonces) with a key of 32 random bytes; `identity`
/// last, so that what was written before is still read.
///
/// # Errors
/// When the system has no randomness to give.
pub fn generate_encryption_configuration(
    rng: &dyn SecureRandom,
) -> Result<Zeroizing<String>, RandomError> {
    let mut key = Zeroizing::new([0; 32]);
    rng.fill(&mut *key).map_err(|_| RandomError)?;
    let encoded = Zeroizing::new(Base64::encode_string(&*key));
    Ok(yaml::write(&serde_json::json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{
            "resources": RESOURCES,
            "providers": [
                { "secretbox": { "keys": [{ "name": "key1", "secret": *encoded }] } },
                { "identity": {} },
            ],
        }],
    })))
}

/// Proves that an API server with this configuration writes Secrets encrypted, under keys of the
/// right length.
///
/// # Errors
/// [`EncryptionError`].
pub fn check_encryption_configuration(text: &str) -> Result<(), EncryptionError> {
    let document: Document = yaml::read(text)?;
    if document.kind != "EncryptionConfiguration" {
        return Err(EncryptionError::Kind(document.kind));
    }
    let covers = |rule: &&Rule| {
        rule.resources
            .iter()
            .any(|name| matches!(name.as_str(), "secrets" | "*." | "*.*"))
    };
    let rule = document
        .resources
        .iter()
        .find(covers)
        .ok_or(EncryptionError::PlainText)?;
    let first = rule.providers.first().ok_or(EncryptionError::PlainText)?;
    if first.identity.is_some() {
        return Err(EncryptionError::PlainText);
    }
    for provider in &rule.providers {
        for key in provider
            .secretbox
            .iter()
            .chain(&provider.aescbc)
            .flat_map(|keys| &keys.keys)
        {
            let secret = Zeroizing::new(Base64::decode_vec(&key.secret).unwrap_or_default());
            if secret.len() != 32 {
                return Err(EncryptionError::Key(key.name.clone()));
            }
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Document {
    kind: String,
    #[serde(default)]
    resources: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    secretbox: Option<Keys>,
    aescbc: Option<Keys>,
    identity: Option<Empty>,
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
struct Keys {
    #[serde(default)]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    name: String,
    secret: Zeroizing<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_configuration_has_its_own_key() {
        let rng = ring::rand::SystemRandom::new();
        let [one, other] = [(); 2].map(|()| generate_encryption_configuration(&rng).unwrap());
        assert_ne!(one, other);
        assert_eq!(check_encryption_configuration(&one), Ok(()));
    }

    #[test]
    fn what_leaves_secrets_readable_is_told() {
        let rng = ring::rand::SystemRandom::new();
        let text = generate_encryption_configuration(&rng).unwrap();
        let check = |text: &str| check_encryption_configuration(text).unwrap_err();
        assert_eq!(
            check(&text.replace("- secrets", "- events")),
            EncryptionError::PlainText
        );
        let secret = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("secret: "))
            .unwrap();
        assert_eq!(
            check(&text.replace(secret, "c2hvcnQ=")),
            EncryptionError::Key("key1".into())
        );
        assert!(matches!(
            check(&text.replace("EncryptionConfiguration", "Pod")),
            EncryptionError::Kind(_)
        ));
        assert!(matches!(check("resources: ["), EncryptionError::Form(_)));
        let plain = "kind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - identity: {}\n";
        assert_eq!(check(plain), EncryptionError::PlainText);
    }
}
