//! A client of the API server, from a kubeconfig.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// An API server on the same machine or next to it answers in milliseconds.
const CONNECT: Duration = Duration::from_secs(2);
/// Longer than the API server takes for anything that is asked here; its own limit is a minute.
const ANSWER: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct ConnectError {
    /// The kubeconfig.
    pub path: PathBuf,
    /// What is wrong with it, in words.
    pub reason: String,
}

/// A client with the credentials of a kubeconfig. Does not talk to the server yet.
///
/// # Errors
/// When the kubeconfig cannot be read or makes no sense.
pub async fn connect(kubeconfig: &Path) -> Result<Client, ConnectError> {
    connect_to(kubeconfig, None).await
}

/// The same, at another URL than the kubeconfig's where one is given.
///
/// # Errors
/// As [`connect`]'s, and when the URL is none.
pub async fn connect_to(kubeconfig: &Path, server: Option<&str>) -> Result<Client, ConnectError> {
    let fail = |reason: String| ConnectError {
        path: kubeconfig.to_owned(),
        reason,
    };
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| fail(chain(&error)))?;
    client(kubeconfig, server).await.map_err(fail)
}

/// The same, of the text of a kubeconfig that stands by itself.
///
/// # Errors
/// As [`connect_to`]'s, in words.
pub(crate) async fn connect_with(kubeconfig: &str, server: &str) -> Result<Client, String> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(|error| chain(&error))?;
    client(kubeconfig, Some(server)).await
}

async fn client(kubeconfig: Kubeconfig, server: Option<&str>) -> Result<Client, String> {
    choose_cryptography();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| chain(&error))?;
    if let Some(server) = server {
        config.cluster_url = server.parse().map_err(|_| format!("{server} is no URL"))?;
    }
    // The cluster's own API server is never behind a proxy, whatever the environment says.
    config.proxy_url = None;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(ANSWER);
    config.write_timeout = Some(ANSWER);
    config.reset_reader_on_write = true;
    // Whoever asks here asks again anyway, and knows when.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| chain(&error))
}

/// rustls asks for one provider of cryptography in a process: this one it is. The second call finds it set.
pub(crate) fn choose_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Why a request failed, in one line.
pub fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.message.is_empty() => {
            format!("{} {}", status.code, status.reason)
        }
        kube::Error::Api(status) => status.message.clone(),
        other => chain(other),
    }
}

/// The innermost reason of an error: what wraps it here says only that a client was at work.
fn chain(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Whether the API server gave no answer at all.
pub(crate) fn is_away(error: &kube::Error) -> bool {
    match error {
        // 429 and 503: it is there and not ready to work; 504 and 500 with a timeout: etcd is away.
        kube::Error::Api(status) => matches!(status.code, 429 | 502 | 503 | 504),
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        other => other
            .source()
            .is_some_and(|source| source.is::<std::io::Error>()),
    }
}
