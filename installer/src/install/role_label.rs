//! What `kubectl get nodes` shows as a node's role. A kubelet may not give it to itself (NodeRestriction), so kubeadm's
//! `mark-control-plane` phase does it, and here we.

use std::path::Path;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::addon::manager::{connect, reason};
use crate::desired::{NodeSpec, layout};
use crate::machine::EffectError;

const LABEL: &str = "node-role.kubernetes.io/control-plane";

/// Gives the Node of `spec` the label of a control plane. One that has it is left alone.
///
/// # Errors
/// When the API server refuses, or there is no such Node.
pub async fn mark_control_plane(spec: &NodeSpec) -> Result<(), EffectError> {
    let name = spec.node.name().as_str();
    let fail = |why: String| EffectError {
        fact: format!("node {name}: its label {LABEL}: {why}"),
        hint: Some("run kinstall node again".into()),
    };
    let kubeconfig = Path::new(layout::KUBERNETES).join("super-admin.conf");
    let client = connect(&kubeconfig)
        .await
        .map_err(|error| fail(error.to_string()))?;
    let nodes: Api<Node> = Api::all(client);
    let node = nodes
        .get(name)
        .await
        .map_err(|error| fail(reason(&error)))?;
    let labels = node.metadata.labels.unwrap_or_default();
    if labels.contains_key(LABEL) {
        return Ok(());
    }
    let patch = json!({ "metadata": { "labels": { LABEL: "" } } });
    nodes
        .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .map_err(|error| fail(reason(&error)))?;
    Ok(())
}
