//! Kubernetes' CertificateSigningRequest objects (certificates.k8s.io/v1): read from a file, given back with their
//! certificate, for an external signer.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Refusal;
use crate::cluster::yaml::{self, YamlError};
use crate::x509::{Certificate, SigningRequest, SigningRequestError};

/// One CertificateSigningRequest object. All of it is kept, also what is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestObject {
    document: Value,
    fields: Fields,
    request: SigningRequest,
}

/// Why a text is no [`RequestObject`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Not YAML or JSON, or a field that is missing or of another type.
    #[error(transparent)]
    Form(#[from] YamlError),
    /// Another kind of object.
    #[error("{api_version} {kind}, not certificates.k8s.io/v1 CertificateSigningRequest")]
    Kind {
        /// Its apiVersion.
        api_version: String,
        /// Its kind.
        kind: String,
    },
    /// `spec.request` is not base64.
    #[error("spec.request is not base64")]
    Base64,
    /// `spec.request` cannot be read.
    #[error("spec.request: {0}")]
    Request(#[from] SigningRequestError),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    request: String,
    signer_name: String,
    #[serde(default)]
    usages: Vec<String>,
    expiration_seconds: Option<i64>,
    #[serde(default)]
    username: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default)]
    certificate: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Condition {
    r#type: String,
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
}

impl RequestObject {
    /// Reads one object in YAML or JSON.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub fn parse(text: &str) -> Result<Self, ObjectError> {
        let Kind { api_version, kind } = yaml::read(text)?;
        if api_version != "certificates.k8s.io/v1" || kind != "CertificateSigningRequest" {
            return Err(ObjectError::Kind { api_version, kind });
        }
        let fields: Fields = yaml::read(text)?;
        // Written with or without line ends, as people paste it.
        let compact: String = fields.spec.request.split_whitespace().collect();
        let pem = Base64::decode_vec(&compact).map_err(|_| ObjectError::Base64)?;
        let request = SigningRequest::from_pem(&pem)?;
        Ok(Self {
            document: yaml::read(text)?,
            fields,
            request,
        })
    }

    /// Whether a text is meant to be one.
    pub fn is_meant(text: &str) -> bool {
        !text.trim_start().starts_with("-----BEGIN ") && text.contains("CertificateSigningRequest")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.fields.metadata.name
    }

    /// Who is to sign.
    pub fn signer(&self) -> &str {
        &self.fields.spec.signer_name
    }

    /// The request in it.
    pub fn request(&self) -> &SigningRequest {
        &self.request
    }

    /// The usages it asks for, in the API's words.
    pub fn usages(&self) -> &[String] {
        &self.fields.spec.usages
    }

    /// How many seconds it wants to last.
    pub fn expiration(&self) -> Option<i64> {
        self.fields.spec.expiration_seconds
    }

    /// Who made it, as the API server wrote it down; empty where no API server did.
    pub fn username(&self) -> &str {
        &self.fields.spec.username
    }

    /// What of its state forbids to sign: signers sign what is approved, once (certificates.k8s.io/v1,
    /// CertificateSigningRequestConditionType).
    pub(super) fn state(&self) -> Vec<Refusal> {
        let has = |kind: &str| {
            let mut conditions = self.fields.status.conditions.iter();
            conditions.any(|condition| condition.r#type == kind && condition.status != "False")
        };
        let mut reasons = Vec::new();
        for (kind, word) in [("Denied", "denied"), ("Failed", "marked as failed")] {
            if has(kind) {
                reasons.push(Refusal::Condition(word.to_owned()));
            }
        }
        if reasons.is_empty() && !has("Approved") {
            reasons.push(Refusal::NotApproved);
        }
        if !self.fields.status.certificate.is_empty() {
            reasons.push(Refusal::AlreadySigned);
        }
        reasons
    }

    /// The object with this chain as its `status.certificate`, as JSON.
    pub fn with_certificate(&self, chain: &[Certificate]) -> Value {
        let pem: String = chain.iter().map(Certificate::pem).collect();
        let mut document = self.document.clone();
        if let Some(fields) = document.as_object_mut() {
            let status = fields
                .entry("status")
                .or_insert_with(|| Value::Object(Default::default()));
            if !status.is_object() {
                *status = Value::Object(Default::default());
            }
            status["certificate"] = Value::String(Base64::encode_string(pem.as_bytes()));
        }
        document
    }

    /// The same as YAML.
    pub fn yaml_with_certificate(&self, chain: &[Certificate]) -> Zeroizing<String> {
        yaml::write(&self.with_certificate(chain))
    }
}
