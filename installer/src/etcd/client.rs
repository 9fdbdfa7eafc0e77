//! Asking a member of etcd, over mutual TLS, by its gRPC gateway: every etcd has one where its clients dial it.

use std::path::Path;
use std::time::Duration;

use http::Uri;
use kube::Config;
use kube::config::KubeConfigOptions;
use pki_core::cluster::{Kubeconfig, Material};
use pki_core::x509::{Certificate, PrivateKey};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::error::EtcdError;
use super::member::{self, Member, MemberId, MemberStatus};
use crate::addon::manager;
use crate::desired::Tree;

/// A member next door answers in milliseconds; one whose machine is off never does.
const CONNECT: Duration = Duration::from_secs(2);
/// When etcd gives up, as its gateway wants it told (grpc-gateway, runtime/context.go). By itself it does so after 7 seconds
/// (config.go, `ReqTimeout`: 5, and twice the time of an election), but for one question after the other.
const GIVES_UP: &str = "8S";
/// Longer than that.
const ANSWER: Duration = Duration::from_secs(10);

/// Pairs that etcd takes its clients by, the ones for looking first.
const PAIRS: [&str; 3] = [
    "pki/etcd/healthcheck-client",
    "pki/etcd/peer",
    "pki/apiserver-etcd-client",
];
const AUTHORITY: &str = "pki/etcd/ca.crt";

/// What members are asked with: a pair of the node's tree, and the CA of members.
#[derive(Clone)]
pub(super) struct Asker(Config);

/// One member, by where clients dial it.
#[derive(Clone)]
pub(super) struct Client {
    url: String,
    client: kube::Client,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Nobody is there.
    Nobody(String),
    /// etcd says no.
    Refused(String),
    /// What is there is no etcd of this cluster, or it hangs.
    Stranger(String),
}

impl Unanswered {
    /// Why, in words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Nobody(reason) | Self::Refused(reason) | Self::Stranger(reason) => reason,
        }
    }
}

impl Asker {
    /// With a pair of a node's tree.
    pub async fn of(tree: &Tree) -> Result<Self, EtcdError> {
        let fail = |path: &str, reason: String| EtcdError::Credentials {
            path: path.to_owned(),
            reason,
        };
        let text = |path: &str| {
            let file = tree.get(Path::new(path));
            file.map(|file| file.contents.secret_bytes())
                .ok_or_else(|| fail(path, "the node's tree does not have it".into()))
        };
        let chain = |path: &str| {
            let chain = Certificate::from_pem_chain(text(path)?);
            chain.map_err(|error| fail(path, error.to_string()))
        };
        let has = |pair: &&&str| tree.contains_key(Path::new(&format!("{pair}.key")));
        let pair = PAIRS.iter().find(has).unwrap_or(&PAIRS[0]);
        let (certificate, key) = (format!("{pair}.crt"), format!("{pair}.key"));
        let kubeconfig = Kubeconfig {
            cluster: "etcd".into(),
            // Another for each member.
            server: "https://localhost".into(),
            user: "kinstall".into(),
            trusts: Material::Embedded(chain(AUTHORITY)?),
            chain: Material::Embedded(chain(&certificate)?),
            key: Material::Embedded(
                PrivateKey::from_pem(text(&key)?).map_err(|error| fail(&key, error.to_string()))?,
            ),
        };
        manager::choose_cryptography();
        let failed = |error: String| fail(&certificate, error);
        let read = kube::config::Kubeconfig::from_yaml(&kubeconfig.secret_yaml())
            .map_err(|error| failed(error.to_string()))?;
        let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
            .await
            .map_err(|error| failed(error.to_string()))?;
        // Never by a proxy, whatever the environment says.
        config.proxy_url = None;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(ANSWER);
        config.write_timeout = Some(ANSWER);
        // Whoever asks here asks again anyway, and knows when.
        config.default_retry = false;
        Ok(Self(config))
    }

    /// The member whose clients dial that URL.
    pub fn at(&self, url: &str) -> Result<Client, Unanswered> {
        let stranger = |reason: String| Unanswered::Stranger(format!("{url}: {reason}"));
        let mut config = self.0.clone();
        config.cluster_url = url.parse().map_err(|_| stranger("that is no URL".into()))?;
        let client = kube::Client::try_from(config);
        let client = client.map_err(|error| stranger(manager::reason(&error)))?;
        let url = url.to_owned();
        Ok(Client { url, client })
    }
}

impl Client {
    /// The members as a majority knows them.
    pub async fn members(&self) -> Result<Vec<Member>, Unanswered> {
        // Without a leader the list would be waited for, for nothing.
        if self.status().await?.leader.is_none() {
            let reason = format!("{}: it knows no leader: the quorum is lost", self.url);
            return Err(Unanswered::Refused(reason));
        }
        self.list(true).await
    }

    /// The members as this one knows them: it may be behind, but needs nobody else to say so.
    pub async fn members_it_knows(&self) -> Result<Vec<Member>, Unanswered> {
        self.list(false).await
    }

    async fn list(&self, linearizable: bool) -> Result<Vec<Member>, Unanswered> {
        let body = json!({ "linearizable": linearizable });
        self.ask("/v3/cluster/member/list", &body, member::members)
            .await
    }

    /// How it is, by its own word.
    pub async fn status(&self) -> Result<MemberStatus, Unanswered> {
        self.ask("/v3/maintenance/status", &json!({}), member::status)
            .await
    }

    /// Adds a member without a vote.
    pub async fn add_learner(&self, peer_url: &str) -> Result<Member, Unanswered> {
        let body = json!({ "peerURLs": [peer_url], "isLearner": true });
        self.ask("/v3/cluster/member/add", &body, member::added)
            .await
    }

    /// Gives a member its vote.
    pub async fn promote(&self, id: MemberId) -> Result<(), Unanswered> {
        let body = json!({ "ID": id.0.to_string() });
        let told = self.ask("/v3/cluster/member/promote", &body, member::members);
        told.await.map(drop)
    }

    /// Takes a member out.
    pub async fn remove(&self, id: MemberId) -> Result<(), Unanswered> {
        let body = json!({ "ID": id.0.to_string() });
        let told = self.ask("/v3/cluster/member/remove", &body, member::members);
        told.await.map(drop)
    }

    async fn ask<T>(
        &self,
        path: &str,
        body: &Value,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Unanswered> {
        let url = &self.url;
        // By itself first: that nobody is there is told by nothing else for certain.
        let connected = tokio::time::timeout(CONNECT, TcpStream::connect(address(url))).await;
        match connected {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(Unanswered::Nobody(format!("{url}: {error}"))),
            Err(_) => return Err(Unanswered::Nobody(format!("{url}: no answer"))),
        }
        let request = http::Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header("grpc-timeout", GIVES_UP)
            .body(body.to_string().into_bytes())
            .expect("a path");
        let answer = tokio::time::timeout(ANSWER, self.client.request_text(request)).await;
        let text = match answer {
            Ok(Ok(text)) => text,
            Ok(Err(error @ kube::Error::Api(_))) => {
                let reason = manager::reason(&error);
                return Err(Unanswered::Refused(format!("{url}: {reason}")));
            }
            Ok(Err(error)) => {
                let reason = manager::reason(&error);
                return Err(Unanswered::Stranger(format!("{url}: {reason}")));
            }
            Err(_) => {
                let seconds = ANSWER.as_secs();
                let reason = format!("{url}: it takes connections, and no answer in {seconds} s");
                return Err(Unanswered::Stranger(reason));
            }
        };
        read(&text).map_err(|reason| Unanswered::Stranger(format!("{url}: {reason}")))
    }
}

/// Host and port of a URL, as a socket wants them.
fn address(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addon::testing::{UNUSUAL, spec};

    #[test]
    fn where_a_url_leads() {
        assert_eq!(address("https://192.0.2.1:2379"), "192.0.2.1:2379");
        assert_eq!(address("https://[fd00::1]:2379"), "[fd00::1]:2379");
        assert_eq!(address("nonsense"), "nonsense");
    }

    #[tokio::test]
    async fn nobody_there_and_a_stranger_are_told_apart() {
        let asker = Asker::of(&spec(UNUSUAL).tree).await.expect("it has a pair");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            // Neither TLS nor etcd.
            while let Ok((stream, _)) = listener.accept() {
                drop(stream);
            }
        });
        let client = asker.at(&format!("https://{taken}")).expect("a client");
        let error = client.members().await.unwrap_err();
        assert!(matches!(error, Unanswered::Stranger(_)), "{error:?}");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let client = asker.at(&format!("https://{address}")).expect("a client");
        let error = client.status().await.unwrap_err();
        assert!(matches!(error, Unanswered::Nobody(_)), "{error:?}");
        assert!(error.reason().contains(&address.to_string()), "{error:?}");
    }

    #[tokio::test]
    async fn a_missing_pair_is_named() {
        let mut spec = spec(UNUSUAL);
        spec.tree.remove(std::path::Path::new("pki/etcd/ca.crt"));
        let Err(error) = Asker::of(&spec.tree).await else {
            panic!("it has no CA");
        };
        assert!(error.to_string().contains("pki/etcd/ca.crt"), "{error}");
    }
}
