//! Which usages a request gets: those of its extensions and of its object, as far as the policy has them.

use super::{Refusal, RequestObject, SigningPolicy};
use crate::x509::{KeyUsage, SigningRequest, Usage};

/// The words of `spec.usages` that a leaf of a cluster can have, with what they mean; the API has more
/// (k8s.io/api/certificates/v1, KeyUsage), and no policy gives any of them.
const WORDS: [(&str, Option<Usage>); 4] = [
    (DIGITAL_SIGNATURE, None),
    ("key encipherment", None),
    ("server auth", Some(Usage::Server)),
    ("client auth", Some(Usage::Client)),
];
const DIGITAL_SIGNATURE: &str = "digital signature";

/// The signers that demand `digital signature` by name (pkg/apis/certificates/v1/helpers.go).
const KUBELETS: [&str; 2] = [
    "kubernetes.io/kube-apiserver-client-kubelet",
    "kubernetes.io/kubelet-serving",
];

/// What the certificate may be used for: what is asked for, or all that the policy has where nothing is.
pub(super) fn granted(
    policy: &SigningPolicy,
    request: &SigningRequest,
    object: Option<&RequestObject>,
    reasons: &mut Vec<Refusal>,
) -> Vec<Usage> {
    let not_given = |usage: &dyn std::fmt::Display| Refusal::Usage {
        usage: usage.to_string(),
        policy: policy.name.clone(),
        wanted: words(&policy.usages),
    };
    let mut asked = Vec::new();
    for usage in &request.extended_key_usages {
        match policy.allows_usage(usage) {
            Some(known) => asked.push(known),
            None => reasons.push(not_given(usage)),
        }
    }
    for word in object.into_iter().flat_map(RequestObject::usages) {
        match WORDS.into_iter().find(|(known, _)| known == word) {
            Some((_, None)) => {}
            Some((_, Some(usage))) if policy.usages.contains(&usage) => asked.push(usage),
            _ => reasons.push(not_given(word)),
        }
    }
    if let Some(object) = object {
        demanded(policy, object, reasons);
    }
    let allowed = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT);
    if let Some(bits) = request.key_usage.filter(|bits| !allowed.contains(*bits)) {
        reasons.push(Refusal::KeyUsage(bits));
    }
    if asked.is_empty() {
        return policy.usages.clone();
    }
    let usages = policy.usages.iter().copied();
    usages.filter(|usage| asked.contains(usage)).collect()
}

/// What the signers of Kubernetes want to see asked for.
fn demanded(policy: &SigningPolicy, object: &RequestObject, reasons: &mut Vec<Refusal>) {
    let has = |word: &str| object.usages().iter().any(|one| one == word);
    let kubelet = KUBELETS.contains(&object.signer());
    let mut wanted: Vec<_> = [DIGITAL_SIGNATURE]
        .into_iter()
        .filter(|_| kubelet)
        .collect();
    wanted.extend(WORDS.into_iter().filter_map(|(word, usage)| {
        usage
            .is_some_and(|usage| policy.usages.contains(&usage))
            .then_some(word)
    }));
    for usage in wanted {
        if !has(usage) {
            reasons.push(Refusal::UsageMissing { usage });
        }
    }
}

fn words(usages: &[Usage]) -> String {
    let words: Vec<_> = usages.iter().map(|usage| usage.as_str()).collect();
    words.join(", ")
}
