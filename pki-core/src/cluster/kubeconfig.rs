//! Kubeconfigs: a client certificate, its key, a server and its CA in one file.

mod contents;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

pub use contents::{KubeconfigClient, KubeconfigContents};

use super::yaml::{self, YamlError};
use crate::x509::{Certificate, CertificateError, PrivateKey, PrivateKeyError};

/// The current context of a kubeconfig (`v1`, `Config` of kubectl's clientcmd API).
#[derive(Debug)]
pub struct Kubeconfig {
    /// How the file calls the cluster.
    pub cluster: String,
    /// The server's URL.
    pub server: String,
    /// How the file calls the user.
    pub user: String,
    /// Whom the client trusts.
    pub trusts: Material<Vec<Certificate>>,
    /// The client's certificate, with those above it.
    pub chain: Material<Vec<Certificate>>,
    /// The client's key.
    pub key: Material<PrivateKey>,
}

/// Something that a kubeconfig holds or refers to.
#[derive(Debug)]
pub enum Material<T> {
    /// In the file itself.
    Embedded(T),
    /// In another file.
    Path(String),
    /// Nowhere.
    Absent,
}

impl<T> Material<T> {
    /// What is in the file itself.
    pub fn embedded(&self) -> Option<&T> {
        match self {
            Self::Embedded(value) => Some(value),
            _ => None,
        }
    }
}

/// Why a text is no usable [`Kubeconfig`]. None of these quote any of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// Not YAML, or not a kubeconfig's.
    #[error(transparent)]
    Form(#[from] YamlError),
    /// It is of another kind.
    #[error("kind is {0:?}, not \"Config\"")]
    Kind(String),
    /// No context is current, or it names a cluster or user that is not there.
    #[error("the current context, or the {0} it names, is missing")]
    Missing(&'static str),
    /// A field that should be base64 is not.
    #[error("{0} is not base64")]
    Base64(&'static str),
    /// An embedded certificate cannot be read.
    #[error("{field}: {error}")]
    Certificate {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// The embedded key cannot be read.
    #[error("client-key-data: {0}")]
    Key(PrivateKeyError),
}

const AUTHORITY: &str = "certificate-authority-data";
const CERTIFICATE: &str = "client-certificate-data";
const KEY: &str = "client-key-data";

impl Kubeconfig {
    /// Reads the current context of a kubeconfig.
    ///
    /// # Errors
    /// [`KubeconfigError`].
    pub fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let document: Document = yaml::read(text)?;
        if document.kind != "Config" {
            return Err(KubeconfigError::Kind(document.kind));
        }
        let context = named(document.contexts, &document.current_context, "context")?;
        let cluster = named(document.clusters, &context.cluster, "cluster")?;
        let user = named(document.users, &context.user, "user")?;
        Ok(Self {
            trusts: material(
                cluster.authority_data,
                cluster.authority,
                AUTHORITY,
                |pem| certificates(pem, AUTHORITY),
            )?,
            chain: material(
                user.certificate_data,
                user.certificate,
                CERTIFICATE,
                |pem| certificates(pem, CERTIFICATE),
            )?,
            key: material(user.key_data, user.key, KEY, |pem| {
                PrivateKey::from_pem(pem).map_err(KubeconfigError::Key)
            })?,
            cluster: context.cluster,
            server: cluster.server,
            user: context.user,
        })
    }

    /// The file, with one context called `USER@CLUSTER`, as kubeadm calls it.
    pub fn secret_yaml(&self) -> Zeroizing<String> {
        let name = format!("{}@{}", self.user, self.cluster);
        let pem = |chain: &Vec<Certificate>| {
            let text: String = chain.iter().map(Certificate::pem).collect();
            Zeroizing::new(Base64::encode_string(text.as_bytes()))
        };
        let (authority_data, authority) = split(&self.trusts, pem);
        let (certificate_data, certificate) = split(&self.chain, pem);
        let (key_data, key) = split(&self.key, |key| {
            Zeroizing::new(Base64::encode_string(key.secret_pem().as_bytes()))
        });
        yaml::write(&Document {
            api_version: "v1".into(),
            kind: "Config".into(),
            clusters: vec![NamedCluster {
                name: self.cluster.clone(),
                cluster: Cluster {
                    authority_data,
                    authority,
                    server: self.server.clone(),
                },
            }],
            users: vec![NamedUser {
                name: self.user.clone(),
                user: User {
                    certificate_data,
                    certificate,
                    key_data,
                    key,
                },
            }],
            contexts: vec![NamedContext {
                name: name.clone(),
                context: Context {
                    cluster: self.cluster.clone(),
                    user: self.user.clone(),
                },
            }],
            current_context: name,
        })
    }
}

/// The one of `list` that is called `name`.
fn named<N: Named>(
    list: Vec<N>,
    name: &str,
    kind: &'static str,
) -> Result<N::Content, KubeconfigError> {
    let found = list.into_iter().find(|entry| entry.name() == name);
    found
        .map(Named::content)
        .ok_or(KubeconfigError::Missing(kind))
}

fn certificates(pem: &[u8], field: &'static str) -> Result<Vec<Certificate>, KubeconfigError> {
    Certificate::from_pem_chain(pem).map_err(|error| KubeconfigError::Certificate { field, error })
}

/// What is embedded wins over what is referred to, as in client-go's rest.TLSClientConfig.
fn material<T>(
    data: Option<Secret>,
    path: Option<String>,
    field: &'static str,
    read: impl Fn(&[u8]) -> Result<T, KubeconfigError>,
) -> Result<Material<T>, KubeconfigError> {
    match (data.filter(|data| !data.0.is_empty()), path) {
        (Some(data), _) => {
            let bytes =
                Base64::decode_vec(data.0.trim()).map_err(|_| KubeconfigError::Base64(field))?;
            read(&Zeroizing::new(bytes)).map(Material::Embedded)
        }
        (None, Some(path)) => Ok(Material::Path(path)),
        (None, None) => Ok(Material::Absent),
    }
}

fn split<T>(
    material: &Material<T>,
    encode: impl Fn(&T) -> Zeroizing<String>,
) -> (Option<Secret>, Option<String>) {
    match material {
        Material::Embedded(value) => (Some(Secret(std::mem::take(&mut *encode(value)))), None),
        Material::Path(path) => (None, Some(path.clone())),
        Material::Absent => (None, None),
    }
}

/// A text that is wiped when dropped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    kind: String,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(rename = "current-context", default)]
    current_context: String,
    #[serde(default)]
    users: Vec<NamedUser>,
}

trait Named {
    type Content;
    fn name(&self) -> &str;
    fn content(self) -> Self::Content;
}

macro_rules! named {
    ($entry:ident, $field:ident, $content:ident) => {
        #[derive(Serialize, Deserialize)]
        struct $entry {
            name: String,
            $field: $content,
        }

        impl Named for $entry {
            type Content = $content;
            fn name(&self) -> &str {
                &self.name
            }
            fn content(self) -> $content {
                self.$field
            }
        }
    };
}

named!(NamedCluster, cluster, Cluster);
named!(NamedContext, context, Context);
named!(NamedUser, user, User);

#[derive(Serialize, Deserialize)]
struct Cluster {
    #[serde(
        rename = "certificate-authority-data",
        skip_serializing_if = "Option::is_none",
        default
    )]
    authority_data: Option<Secret>,
    #[serde(
        rename = "certificate-authority",
        skip_serializing_if = "Option::is_none",
        default
    )]
    authority: Option<String>,
    #[serde(default)]
    server: String,
}

#[derive(Serialize, Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Serialize, Deserialize)]
struct User {
    #[serde(
        rename = "client-certificate-data",
        skip_serializing_if = "Option::is_none",
        default
    )]
    certificate_data: Option<Secret>,
    #[serde(
        rename = "client-certificate",
        skip_serializing_if = "Option::is_none",
        default
    )]
    certificate: Option<String>,
    #[serde(
        rename = "client-key-data",
        skip_serializing_if = "Option::is_none",
        default
    )]
    key_data: Option<Secret>,
    #[serde(
        rename = "client-key",
        skip_serializing_if = "Option::is_none",
        default
    )]
    key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{Authority, CaOptions, LeafRequest};

    fn sample() -> Kubeconfig {
        let (now, rng) = (
            time::OffsetDateTime::now_utc(),
            ring::rand::SystemRandom::new(),
        );
        let (authority, _) =
            Authority::generate("kubernetes-ca", &CaOptions::default(), now, &rng).unwrap();
        let issued = authority
            .issue(&LeafRequest::client("system:node:n1"), now, &rng)
            .unwrap();
        Kubeconfig {
            cluster: "kubernetes".into(),
            server: "https://[fd00::1]:6443".into(),
            user: "system:node:n1".into(),
            trusts: Material::Embedded(vec![authority.certificate().clone()]),
            chain: Material::Embedded(vec![issued.certificate]),
            key: Material::Embedded(issued.key),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let ours = sample();
        let text = ours.secret_yaml();
        let read = Kubeconfig::parse(&text).unwrap();
        assert_eq!(read.server, ours.server);
        assert_eq!(
            (&*read.cluster, &*read.user),
            ("kubernetes", "system:node:n1")
        );
        assert_eq!(read.chain.embedded(), ours.chain.embedded());
        assert_eq!(read.trusts.embedded(), ours.trusts.embedded());
        let public =
            |config: &Kubeconfig| config.key.embedded().map(|key| key.public_key().clone());
        assert_eq!(public(&read), public(&ours));
        assert!(text.contains("current-context: "), "{}", *text);
    }

    #[test]
    fn paths_are_kept_as_paths() {
        let ours = Kubeconfig {
            chain: Material::Path("/var/lib/kubelet/pki/kubelet-client-current.pem".into()),
            key: Material::Path("/var/lib/kubelet/pki/kubelet-client-current.pem".into()),
            ..sample()
        };
        let read = Kubeconfig::parse(&ours.secret_yaml()).unwrap();
        assert!(matches!(read.chain, Material::Path(path) if path.ends_with("current.pem")));
    }

    #[test]
    fn errors_quote_nothing_of_the_file() {
        let text = sample().secret_yaml();
        let key_line = text
            .lines()
            .find(|line| line.contains(KEY))
            .unwrap()
            .to_owned();
        let secret = key_line.split(": ").nth(1).unwrap();
        for (damaged, wanted) in [
            (text.replace(secret, "LS0t"), "client-key-data"),
            (
                text.replace(secret, &format!("{}%", &secret[..40])),
                "client-key-data is not base64",
            ),
            (text.replace("kind: Config", "kind: Secret"), "kind is"),
            (
                text.replace("current-context: ", "current-context: x"),
                "context",
            ),
            (text.replace("users:", "users: ]"), "YAML"),
            (String::new(), "YAML"),
        ] {
            let error = Kubeconfig::parse(&damaged).unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
            assert!(!format!("{error:?}").contains(&secret[..20]), "{error:?}");
        }
    }
}
