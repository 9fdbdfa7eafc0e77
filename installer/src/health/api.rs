//! What the API server says, about itself and about others.

use std::path::Path;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::api::Api;
use pki_core::cluster::Kubeconfig;

use crate::addon::manager;

/// An API server's client.
#[derive(Clone)]
pub(super) struct Client(kube::Client);

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// With a kubeconfig of the node's tree. Where there is an API server on this node it is asked, and not whoever
    /// is behind the cluster's endpoint.
    pub async fn new(tree: &Path, kubeconfig: &str) -> Result<Self, String> {
        let local = std::fs::read_to_string(tree.join("controller-manager.conf")).ok();
        let local = local.and_then(|text| Kubeconfig::parse(&text).ok());
        let server = local.map(|kubeconfig| kubeconfig.server);
        Self::at(tree, kubeconfig, server.as_deref()).await
    }

    /// With a kubeconfig of the node's tree, at the place that it names.
    pub async fn through_endpoint(tree: &Path, kubeconfig: &str) -> Result<Self, String> {
        Self::at(tree, kubeconfig, None).await
    }

    async fn at(tree: &Path, kubeconfig: &str, server: Option<&str>) -> Result<Self, String> {
        let client = manager::connect_to(&tree.join(kubeconfig), server).await;
        client.map(Self).map_err(|error| error.to_string())
    }

    /// All of it, with the controllers inside and etcd behind it.
    pub async fn ready(&self) -> Result<(), String> {
        ready(&self.0).await
    }

    /// Whether a node says that it is ready.
    pub async fn node_ready(&self, name: &str) -> Result<(), String> {
        let nodes: Api<Node> = Api::all(self.0.clone());
        let node = nodes.get_opt(name).await.map_err(|error| said(&error))?;
        let node = node.ok_or_else(|| format!("there is no Node {name}"))?;
        let conditions = node.status.and_then(|status| status.conditions);
        let mut conditions = conditions.into_iter().flatten();
        match conditions.find(|condition| condition.type_ == "Ready") {
            Some(ready) if ready.status == "True" => Ok(()),
            Some(ready) => Err(ready
                .message
                .unwrap_or_else(|| format!("Ready is {}", ready.status))),
            None => Err("it has not told how it is".into()),
        }
    }

    /// Whether somebody holds the Lease of that name and renews it.
    pub async fn lease_held(&self, name: &str) -> Result<(), String> {
        let leases: Api<Lease> = Api::namespaced(self.0.clone(), "kube-system");
        let lease = leases.get_opt(name).await.map_err(|error| said(&error))?;
        let spec = lease.and_then(|lease| lease.spec).unwrap_or_default();
        let Some(holder) = spec.holder_identity.filter(|holder| !holder.is_empty()) else {
            return Err(format!("nobody holds the Lease {name}"));
        };
        let duration = spec.lease_duration_seconds.unwrap_or_default();
        let age = spec.renew_time.map_or(i64::MAX, |time| {
            Timestamp::now().as_second() - time.0.as_second()
        });
        if age > i64::from(duration) {
            return Err(format!(
                "{holder} has not renewed the Lease {name} for {age} s"
            ));
        }
        Ok(())
    }
}

/// Whether an API server says that it is ready: all of it, with the controllers inside and etcd behind it.
pub(crate) async fn ready(client: &kube::Client) -> Result<(), String> {
    let request = http::Request::get("/readyz").body(Vec::new());
    let request = request.expect("a path");
    let answer = client.request_text(request).await;
    answer.map(|_| ()).map_err(|error| said(&error))
}

/// The first line of what went wrong: `/readyz` tells every check, the failed ones with `[-]`.
fn said(error: &kube::Error) -> String {
    let reason = manager::reason(error);
    let mut lines = reason.lines();
    let failed: Vec<_> = lines
        .clone()
        .filter(|line| line.starts_with("[-]"))
        .map(|line| line.trim_start_matches("[-]"))
        .collect();
    if failed.is_empty() {
        lines.next().unwrap_or_default().to_owned()
    } else {
        failed.join(", ")
    }
}
