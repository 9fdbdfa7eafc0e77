//! What a file holds of certificates and keys, told by its content.

use std::path::{Path, PathBuf};

use crate::cluster::{KubeconfigContents, KubeconfigError, Material};
use crate::x509::{AuthorityFile, Certificate, PrivateKey, PrivateKeyError, PublicKey, parse_pem};

use super::FilePart;

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Its certificates, each with the key that is beside it in the same file.
    pub certificates: Vec<(FilePart, Certificate, Option<KeyBeside>)>,
    /// Files that it refers to.
    pub refers: Vec<Reference>,
    /// Whether a private key is in it.
    pub holds_key: bool,
}

/// The key that stands beside a certificate.
#[derive(Debug)]
pub(super) enum KeyBeside {
    /// Its public half.
    Public(PublicKey),
    /// It makes no sense, for this reason.
    Unusable(String),
}

/// A client of a kubeconfig, or whom it trusts, in files of their own.
#[derive(Debug)]
pub(super) struct Reference {
    /// The certificate's file, as written.
    pub certificate: PathBuf,
    /// The key's file, as written.
    pub key: Option<PathBuf>,
}

impl Content {
    /// Looks at the bytes of a file. An error tells why a file that should hold certificates cannot be read;
    /// one that need not hold any is empty.
    pub fn of(bytes: &[u8]) -> Result<Self, String> {
        if bytes.first() == Some(&0x30) {
            // DER, or something else that begins like it, such as PKCS#12.
            let certificates = Certificate::from_der(bytes).ok().into_iter();
            let certificates = certificates.map(|c| (FilePart::Position(0), c, None));
            return Ok(Self {
                certificates: certificates.collect(),
                ..Self::default()
            });
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Ok(Self::default());
        };
        if text.contains("-----BEGIN CERTIFICATE-----") {
            return Self::pem(bytes);
        }
        if text.contains("client-certificate") || text.contains("certificate-authority") {
            return Self::kubeconfig(text);
        }
        Ok(Self {
            holds_key: text.contains("PRIVATE KEY-----"),
            ..Self::default()
        })
    }

    fn pem(bytes: &[u8]) -> Result<Self, String> {
        let (mut chain, mut key) = (Vec::new(), None);
        for block in parse_pem(bytes).map_err(|error| error.to_string())? {
            if block.label == "CERTIFICATE" {
                let read = Certificate::from_der(&block.der);
                chain.push(read.map_err(|error| error.to_string())?);
            } else if block.label.ends_with("PRIVATE KEY") && !block.encrypted {
                key = beside(PrivateKey::from_block(&block.label, block.der));
            }
        }
        let holds_key = key.is_some();
        let further = further(&chain);
        let certificates = chain
            .into_iter()
            .enumerate()
            .map(|(position, certificate)| {
                let part = if further.contains(&position) {
                    FilePart::Further(position)
                } else {
                    FilePart::Position(position)
                };
                // Only the first can be the one that the key belongs to.
                (part, certificate, key.take())
            });
        Ok(Self {
            certificates: certificates.collect(),
            refers: Vec::new(),
            holds_key,
        })
    }

    fn kubeconfig(text: &str) -> Result<Self, String> {
        let contents = match KubeconfigContents::parse(text) {
            Ok(contents) => contents,
            // A manifest whose flags have such names.
            Err(KubeconfigError::Kind(_)) => return Ok(Self::default()),
            Err(_) if !text.contains("Config") => return Ok(Self::default()),
            Err(error) => return Err(format!("kubeconfig: {error}")),
        };
        let mut content = Self::default();
        for client in contents.clients {
            let part = FilePart::Client(client.user);
            match (client.chain, client.key) {
                (Material::Embedded(chain), key) => {
                    let mut key = match key {
                        Material::Embedded(key) => beside(Ok(key)),
                        _ => None,
                    };
                    content.holds_key |= key.is_some();
                    let chain = chain.into_iter().map(|c| (part.clone(), c, key.take()));
                    content.certificates.extend(chain);
                }
                (Material::Path(certificate), key) => content.refers.push(Reference {
                    certificate: certificate.into(),
                    key: match key {
                        Material::Path(key) => Some(key.into()),
                        _ => None,
                    },
                }),
                (Material::Absent, _) => {}
            }
        }
        for (cluster, trusts) in contents.authorities {
            match trusts {
                Material::Embedded(chain) => {
                    let part = FilePart::Authority(cluster);
                    let chain = chain.into_iter().map(|c| (part.clone(), c, None));
                    content.certificates.extend(chain);
                }
                Material::Path(certificate) => content.refers.push(Reference {
                    certificate: certificate.into(),
                    key: None,
                }),
                Material::Absent => {}
            }
        }
        Ok(content)
    }
}

/// Where in a CA's file further CAs begin.
fn further(certificates: &[Certificate]) -> Vec<usize> {
    if !certificates.first().is_some_and(|first| first.is_ca) {
        return Vec::new();
    }
    let all: Vec<_> = AuthorityFile::of(certificates).successors().collect();
    let is_further = |one: &Certificate| all.iter().any(|other| std::ptr::eq(one, *other));
    let positions = (0..).zip(certificates);
    let further = positions.filter(|(_, one)| is_further(one));
    further.map(|(position, _)| position).collect()
}

/// What is known of a key. Nothing is of one that is encrypted.
pub(super) fn beside(key: Result<PrivateKey, PrivateKeyError>) -> Option<KeyBeside> {
    match key {
        Ok(key) => Some(KeyBeside::Public(key.public_key().clone())),
        Err(PrivateKeyError::Encrypted | PrivateKeyError::Unsupported(_)) => None,
        Err(error) => Some(KeyBeside::Unusable(error.to_string())),
    }
}

/// The file that by custom holds the key of a certificate's: `x.key` beside `x.crt`, `x-key.pem` beside `x.pem`.
pub(super) fn key_file(certificate: &Path) -> Option<PathBuf> {
    let stem = certificate.file_stem()?.to_str()?;
    match certificate.extension()?.to_str()? {
        "crt" | "cert" | "cer" => Some(certificate.with_extension("key")),
        "pem" => Some(certificate.with_file_name(format!("{stem}-key.pem"))),
        _ => None,
    }
}
