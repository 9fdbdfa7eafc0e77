//! What the addon manager keeps in the cluster: what no component makes by itself, kube-proxy, CoreDNS, flannel.
//!
//! Each addon is a pure function from the node's spec to typed objects; the objects become one file each in
//! [`layout::ADDONS`], and [`manager`] keeps them applied.

mod coredns;
mod corefile;
mod flannel;
mod host;
mod identity;
mod kube_proxy;
pub mod manager;
mod object;
mod own_node;
mod rbac;
pub(crate) mod vxlan;
pub mod yaml;

use std::path::Path;

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::Role;
use zeroize::Zeroizing;

use crate::desired::{
    Contents, Directory, DirectoryContents, File, Kind, NodeSpec, Owner, Resource, Stage, layout,
};

pub(crate) use flannel::HEALTH_PORT as FLANNEL_HEALTH_PORT;
pub use host::host;

/// The images that addons run, by their full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddonImages {
    /// Its entry point is kube-proxy; `nft` is in its PATH, or `iptables` where the kernel lacks nf_tables.
    pub kube_proxy: String,
    /// Its entry point is CoreDNS.
    pub coredns: String,
    /// Its entry point is flanneld; `nft`, `iptables` and `ip6tables` are in its PATH.
    pub flannel: String,
}

/// The folder of addon manifests and what is in it. Nothing on a node without the control plane, which runs no
/// addon manager.
pub fn resources(spec: &NodeSpec, images: &AddonImages) -> Vec<Resource> {
    if !spec.has(Role::ControlPlane) {
        return Vec::new();
    }
    let mut resources = vec![Resource {
        stage: Stage::Addons,
        why: "what the addon manager keeps in the cluster, and yours beside it".into(),
        kind: Kind::Directory(Directory {
            path: layout::ADDONS.into(),
            mode: FileMode::new(0o700).expect("permission bits"),
            owner: Owner::ROOT,
            contents: DirectoryContents::Foreign,
        }),
    }];
    let mut add = |name: &str, why: &str, text: Zeroizing<String>| {
        resources.push(Resource {
            stage: Stage::Addons,
            why: why.into(),
            kind: Kind::File(File {
                path: Path::new(layout::ADDONS).join(name),
                contents: Contents::new(text.as_bytes()),
                mode: FileMode::SECRET,
                owner: Owner::ROOT,
            }),
        });
    };
    add(
        rbac::FILE,
        "permissions that no component gives: administrators, and the API server at kubelets",
        rbac::manifest(spec),
    );
    add(
        kube_proxy::FILE,
        "Services need kube-proxy on every node",
        kube_proxy::manifest(spec, &images.kube_proxy),
    );
    add(
        coredns::FILE,
        "the names of Services",
        coredns::manifest(spec, &images.coredns),
    );
    if spec.options.network.is_flannel() {
        add(
            flannel::FILE,
            "pods of different nodes reach each other",
            flannel::manifest(spec, &images.flannel),
        );
    }
    resources
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
