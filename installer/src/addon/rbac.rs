//! Permissions that no component gives.
//!
//! kube-apiserver's own bootstrap policy binds `system:kube-proxy`, the controller manager and the scheduler
//! (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go), but neither administrators outside `system:masters`
//! nor the API server's own client at kubelets, nor kubelets that renew their certificates: kubeadm binds those three.

use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use zeroize::Zeroizing;

use super::identity;
use super::object::{Manifest, NAMESPACE};
use crate::desired::NodeSpec;

/// Its name in the folder.
pub(super) const FILE: &str = "rbac.yaml";

/// May do everything whatever RBAC says, so it needs no binding.
const UNREVOCABLE_GROUP: &str = "system:masters";

/// The role that the controller manager asks for (pkg/controller/certificates/approver/sarapprove.go); the API server makes
/// it.
const SELF_RENEWAL: &str = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient";

const GROUP: &str = "rbac.authorization.k8s.io";

/// All of the file.
pub(super) fn manifest(spec: &NodeSpec) -> Zeroizing<String> {
    let mut manifest = Manifest::new(FILE);
    if let Some(admin) = identity::of_kubeconfig(spec, "admin.conf") {
        let groups = admin.groups.iter();
        let mut subjects: Vec<_> = groups
            .filter(|group| *group != UNREVOCABLE_GROUP)
            .map(|group| named("Group", group))
            .collect();
        if admin.groups.is_empty() {
            subjects.extend(admin.user.iter().map(|user| named("User", user)));
        }
        if !subjects.is_empty() {
            let metadata = manifest.cluster_metadata("kubeadm:cluster-admins");
            manifest.add(&bind(metadata, "cluster-admin", subjects));
        }
    }
    let client = identity::of_certificate(spec, "pki/apiserver-kubelet-client.crt");
    if let Some(user) = client.and_then(|client| client.user) {
        let metadata = manifest.cluster_metadata("kubeadm:apiserver-kubelet-client");
        let subjects = vec![named("User", &user)];
        manifest.add(&bind(metadata, "system:kubelet-api-admin", subjects));
    }
    // A kubelet renews what it logs in with (rotateCertificates), under its own name only; the controller manager approves
    // that where this role says so, and signs it with the pair that it has.
    let metadata = manifest.cluster_metadata("kubeadm:node-autoapprove-certificate-rotation");
    let nodes = vec![named("Group", "system:nodes")];
    manifest.add(&bind(metadata, SELF_RENEWAL, nodes));
    manifest.finish()
}

/// Gives the rules of a ClusterRole to those subjects.
pub(super) fn bind(metadata: ObjectMeta, role: &str, subjects: Vec<Subject>) -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata,
        role_ref: RoleRef {
            api_group: Some(GROUP.into()),
            kind: "ClusterRole".into(),
            name: role.into(),
        },
        subjects: Some(subjects),
    }
}

/// A ServiceAccount of an addon, as the subject of a binding.
pub(super) fn service_account(name: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".into(),
        name: name.into(),
        namespace: Some(NAMESPACE.into()),
        api_group: None,
    }
}

fn named(kind: &str, name: &str) -> Subject {
    Subject {
        api_group: Some(GROUP.into()),
        kind: kind.into(),
        name: name.into(),
        namespace: None,
    }
}
