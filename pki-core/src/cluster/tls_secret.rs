//! A Secret of the type kubernetes.io/tls, as a manifest: what Ingress, Gateway and webhooks take their certificate from.

use base64ct::{Base64, Encoding};
use serde::Serialize;
use zeroize::Zeroizing;

use super::yaml;
use crate::x509::{Certificate, PrivateKey};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Metadata<'a>,
    #[serde(rename = "type")]
    kind_of_secret: &'a str,
    data: Data,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

/// The keys that every reader of such a Secret knows (k8s.io/api/core/v1, SecretTypeTLS), and `ca.crt` as cert-manager
/// adds it.
#[derive(Serialize)]
struct Data {
    #[serde(rename = "ca.crt", skip_serializing_if = "String::is_empty")]
    ca: String,
    #[serde(rename = "tls.crt")]
    certificate: String,
    #[serde(rename = "tls.key")]
    key: Zeroizing<String>,
}

/// The manifest in YAML. It holds the private key.
pub fn secret_tls_manifest(
    name: &str,
    namespace: Option<&str>,
    chain: &[Certificate],
    key: &PrivateKey,
    anchors: &[Certificate],
) -> Zeroizing<String> {
    let pem = |certificates: &[Certificate]| {
        let text: String = certificates.iter().map(Certificate::pem).collect();
        Base64::encode_string(text.as_bytes())
    };
    yaml::write(&Manifest {
        api_version: "v1",
        kind: "Secret",
        metadata: Metadata { name, namespace },
        kind_of_secret: "kubernetes.io/tls",
        data: Data {
            ca: pem(anchors),
            certificate: pem(chain),
            key: Zeroizing::new(Base64::encode_string(key.secret_pem().as_bytes())),
        },
    })
}
