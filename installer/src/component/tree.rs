//! `/etc/kubernetes`: the node's tree as kpki made it, root's alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::Role;

use super::error::ComponentError;
use super::make::{self, OPEN, PRIVATE};
use crate::desired::{DirectoryContents, NodeSpec, Owner, Resource, Stage, TreeFile, layout};

pub(super) fn resources(spec: &NodeSpec) -> Vec<Resource> {
    let of = |path: PathBuf, mode, why, contents| {
        make::directory(Stage::Files, why, path, mode, Owner::ROOT, contents)
    };
    let (ours, foreign) = (DirectoryContents::Ours, DirectoryContents::Foreign);
    let root = Path::new(layout::KUBERNETES);
    let mut resources = vec![
        of(root.into(), OPEN, "the node's tree", foreign),
        // The kubelet runs whatever is in there: nobody else may even look.
        of(layout::MANIFESTS.into(), PRIVATE, "static pods", foreign),
        of(layout::STATE.into(), PRIVATE, "kinstall's own", foreign),
        of(layout::LOGS.into(), OPEN, "logs of components", ours),
    ];
    let balanced = spec.cluster.has_local_balancer();
    if balanced || spec.has(Role::Etcd) || spec.has(Role::ControlPlane) {
        let why = "what each component may read of the tree";
        resources.push(of(layout::CREDENTIALS.into(), PRIVATE, why, foreign));
    }
    // A set of paths lists parents before children.
    let folders: BTreeSet<&Path> = spec
        .tree
        .keys()
        .flat_map(|path| path.ancestors().skip(1))
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    for folder in folders {
        resources.push(of(root.join(folder), OPEN, "the node's tree", foreign));
    }
    for (path, file) in &spec.tree {
        resources.push(make::file(
            Stage::Files,
            "the node's tree, as kpki made it",
            root.join(path),
            file.contents.clone(),
            file.mode,
            Owner::ROOT,
        ));
    }
    resources
}

/// The first of `paths` that the node's tree has.
pub(super) fn first<'a>(
    spec: &'a NodeSpec,
    component: &'static str,
    paths: &[&'static str],
) -> Result<(&'static str, &'a TreeFile), ComponentError> {
    let mut found = paths
        .iter()
        .filter_map(|path| Some((*path, spec.file(path)?)));
    found.next().ok_or_else(|| ComponentError::Missing {
        component,
        path: paths[0].into(),
    })
}

/// The CA of the cluster's clients: where clients have one of their own (profile `hardened`), that one.
pub(super) const CLIENT_CA: [&str; 2] = ["pki/client-ca.crt", "pki/ca.crt"];
