//! An addon that runs on every node and writes to its own Node, held to just that.
//!
//! RBAC knows no "own": flannel's account may write the status of every Node, and every node has a token of it. A kubelet may
//! even ask for one (it is its pod's), so whoever stole one node's kubelet.conf would write all. A pod's token says on which
//! node the pod is (KEP-4193), and a policy compares.

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec,
    ValidatingAdmissionPolicySpec, Validation,
};

use super::object::{Manifest, NAMESPACE};

/// What a pod's token says of the node that it is on (apiserver/pkg/authentication/serviceaccount/util.go, NodeNameKey).
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";

/// Adds what keeps `account` from the status of other Nodes than its pod's own.
pub(super) fn keep_to(manifest: &mut Manifest, account: &str) {
    let name = format!("{account}.kinstall.internal");
    let texts = |items: &[&str]| Some(items.iter().map(ToString::to_string).collect());
    manifest.add(&ValidatingAdmissionPolicy {
        metadata: manifest.cluster_metadata(&name),
        spec: Some(ValidatingAdmissionPolicySpec {
            failure_policy: Some("Fail".into()),
            match_constraints: Some(MatchResources {
                resource_rules: Some(vec![NamedRuleWithOperations {
                    api_groups: texts(&[""]),
                    api_versions: texts(&["v1"]),
                    operations: texts(&["UPDATE"]),
                    resources: texts(&["nodes", "nodes/status"]),
                    ..NamedRuleWithOperations::default()
                }]),
                ..MatchResources::default()
            }),
            match_conditions: Some(vec![MatchCondition {
                name: "account".into(),
                expression: format!(
                    "request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:{account}'"
                ),
            }]),
            validations: Some(vec![Validation {
                expression: format!(
                    "has(request.userInfo.extra) && '{NODE_NAME}' in request.userInfo.extra && \
                     request.userInfo.extra['{NODE_NAME}'][0] == object.metadata.name"
                ),
                message: Some(format!("{account} may write its own node only")),
                reason: Some("Forbidden".into()),
                ..Validation::default()
            }]),
            ..ValidatingAdmissionPolicySpec::default()
        }),
        ..ValidatingAdmissionPolicy::default()
    });
    manifest.add(&ValidatingAdmissionPolicyBinding {
        metadata: manifest.cluster_metadata(&name),
        spec: ValidatingAdmissionPolicyBindingSpec {
            policy_name: name.clone(),
            validation_actions: vec!["Deny".into()],
            ..ValidatingAdmissionPolicyBindingSpec::default()
        },
    });
}
