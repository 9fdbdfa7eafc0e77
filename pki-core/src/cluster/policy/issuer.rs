//! Which authority of a cluster signs for a policy.

use crate::cluster::blueprint::{ArtifactId, Blueprint};
use crate::x509::Usage;

/// The authority that the cluster's clients trust for certificates of these usages: the one that issues
/// the kubelets' own of that kind, which the API server and everybody who dials a kubelet trust.
pub fn issuer_for<'a>(blueprint: &'a Blueprint, usages: &[Usage]) -> Option<&'a ArtifactId> {
    let wanted = if usages.contains(&Usage::Server) {
        Usage::Server
    } else {
        Usage::Client
    };
    let leaves = || {
        blueprint
            .artifacts()
            .iter()
            .filter_map(|artifact| artifact.content.leaf())
    };
    let of_kubelets = leaves().find(|leaf| {
        let request = &leaf.request;
        request.usages.contains(&wanted)
            && request
                .subject
                .organizations()
                .any(|group| group == "system:nodes")
    });
    of_kubelets.map(|leaf| &leaf.issuer)
}
