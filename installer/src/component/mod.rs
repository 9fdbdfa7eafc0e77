//! What the components of a node need on its machine: accounts, sysctls, files, images, services, and what they leave.
//!
//! One file per component, each a pure function from the node's spec to resources. What runs as a pod that the API server
//! knows of is not here but in [`addon`](crate::addon).

mod accounts;
mod address;
mod admission;
mod arguments;
mod audit_policy;
mod balancer;
mod cni;
mod containerd;
mod credentials;
mod error;
mod etcd;
mod host;
pub mod images;
mod kube_apiserver;
mod kube_controller_manager;
mod kube_scheduler;
mod kubelet;
mod make;
mod pod_network;
mod static_pod;
#[cfg(test)]
mod tests;
mod tls;
mod traces;
mod tree;

use pki_core::cluster::spec::Role;

use crate::desired::{NodeSpec, Resource};

pub(crate) use address::url;
pub use balancer::NAME as BALANCER;
pub use error::ComponentError;
pub(crate) use etcd::{
    EtcdNode, client_url as etcd_client_url, command_line as etcd_command_line, nodes as etcd_nodes,
};
pub use images::Images;
pub use kube_controller_manager::elects_leader;

/// All that the components of this node need, in the order in which it is made.
///
/// # Errors
/// [`ComponentError`] when the tree lacks a file that a component needs, or the cluster's choices leave no way to run
/// one.
pub fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let mut resources = Vec::new();
    resources.extend(accounts::resources(spec));
    resources.extend(host::resources(spec));
    // Told before anything can leave them: a reset after an interrupted installation takes them away too.
    resources.extend(traces::resources(spec));
    resources.extend(tree::resources(spec));
    resources.extend(containerd::resources(spec, images));
    if spec.cluster.has_local_balancer() {
        resources.extend(balancer::resources(spec)?);
    }
    resources.extend(cni::resources(spec));
    resources.extend(images.resources(spec));
    if spec.has(Role::Etcd) {
        resources.extend(etcd::resources(spec, images)?);
    }
    if spec.has(Role::ControlPlane) {
        resources.extend(kube_apiserver::resources(spec, images)?);
        resources.extend(kube_controller_manager::resources(spec, images)?);
        resources.extend(kube_scheduler::resources(spec, images)?);
    }
    resources.extend(kubelet::resources(spec)?);
    // Stable: within a stage the order above stays.
    resources.sort_by_key(|resource| resource.stage);
    Ok(resources)
}
