//! What objects of all addons have in common.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapProjection, KeyToPath, PodTemplateSpec,
    ProjectedVolumeSource, SeccompProfile, SecurityContext, ServiceAccountTokenProjection,
    Toleration, Volume, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Serialize;
use zeroize::Zeroizing;

use super::yaml;
use crate::desired::digest::Digest;

/// Where all addons live.
pub(super) const NAMESPACE: &str = "kube-system";
/// What names an addon's file on each of its objects. The addon manager looks for it, and sets it itself where it is
/// missing. Never on a pod's template: pods are their controller's, not ours.
pub(super) const ADDON_LABEL: &str = "kinstall.internal/addon";
/// The digest of what pods read when they start, on their template: a new one rolls them.
pub(super) const CONFIG_ANNOTATION: &str = "kinstall.internal/config";
/// The key of the CA certificate in an addon's ConfigMap.
pub(super) const CA_KEY: &str = "ca.crt";
/// Where client-go looks for a pod's credentials.
pub(super) const CREDENTIALS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

const HEADER: &str = "\
# Made by kinstall, which makes it anew when it is changed. The addon manager keeps these objects in the
# cluster, and those of any file that you put beside it.
";

/// Documents of one file.
pub(super) struct Manifest {
    file: &'static str,
    text: Zeroizing<String>,
}

impl Manifest {
    /// None yet.
    pub fn new(file: &'static str) -> Self {
        Self {
            file,
            text: Zeroizing::new(HEADER.into()),
        }
    }

    /// One object more.
    pub fn add(&mut self, object: &impl Serialize) {
        self.text.push_str("---\n");
        self.text.push_str(&yaml::document(object));
    }

    /// The name, namespace and labels of an object of this file.
    pub fn metadata(&self, name: &str) -> ObjectMeta {
        ObjectMeta {
            namespace: Some(NAMESPACE.into()),
            ..self.cluster_metadata(name)
        }
    }

    /// The name and labels of an object that is in no namespace.
    pub fn cluster_metadata(&self, name: &str) -> ObjectMeta {
        let labels = [
            ("app.kubernetes.io/managed-by", "kinstall"),
            ("addonmanager.kubernetes.io/mode", "Reconcile"),
            (ADDON_LABEL, self.file),
        ];
        ObjectMeta {
            name: Some(name.into()),
            labels: Some(texts(labels)),
            ..ObjectMeta::default()
        }
    }

    /// The whole file.
    pub fn finish(self) -> Zeroizing<String> {
        self.text
    }
}

/// A map of texts.
pub(super) fn texts<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Amounts of resources.
pub(super) fn amounts<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<BTreeMap<String, Quantity>> {
    let pairs = pairs.into_iter();
    Some(
        pairs
            .map(|(key, value)| (key.to_owned(), Quantity(value.to_owned())))
            .collect(),
    )
}

/// The label that upstream's own manifests select pods of an addon by, and people's habits with them.
pub(super) fn app(name: &str) -> BTreeMap<String, String> {
    texts([("k8s-app", name)])
}

/// Selects pods with [`app`]'s label.
pub(super) fn selector(name: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(app(name)),
        ..LabelSelector::default()
    }
}

/// A ConfigMap with those texts, and its digest for [`template_metadata`].
pub(super) fn config_map<'a>(
    metadata: ObjectMeta,
    data: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> (ConfigMap, String) {
    let data = texts(data);
    let mut digest = Digest::new();
    for (key, value) in &data {
        digest.field(key.as_bytes());
        digest.field(value.as_bytes());
    }
    let object = ConfigMap {
        metadata,
        data: Some(data),
        ..ConfigMap::default()
    };
    (object, digest.finish())
}

/// Labels of pods, and the digest that rolls them when what they read changes.
pub(super) fn label_template(template: &mut PodTemplateSpec, name: &str, config: &str) {
    template.metadata = Some(ObjectMeta {
        labels: Some(app(name)),
        annotations: Some(texts([(CONFIG_ANNOTATION, config)])),
        ..ObjectMeta::default()
    });
}

/// A token of the pod's ServiceAccount and the CA certificate from `config_map`, as client-go wants them.
///
/// Not the volume that admission adds: that one waits for the controller manager to publish `kube-root-ca.crt`, and
/// a kubelet that finds a volume incomplete comes back seconds later.
pub(super) fn credentials_volume(name: &str, config_map: &str) -> Volume {
    Volume {
        name: name.into(),
        projected: Some(ProjectedVolumeSource {
            // The kubelet gives the token to the pod's user, or with fsGroup to that group.
            default_mode: Some(0o444),
            sources: Some(vec![
                VolumeProjection {
                    service_account_token: Some(ServiceAccountTokenProjection {
                        path: "token".into(),
                        // One hour and seven seconds: what admission asks for (plugin/pkg/admission/serviceaccount).
                        expiration_seconds: Some(3607),
                        ..ServiceAccountTokenProjection::default()
                    }),
                    ..VolumeProjection::default()
                },
                VolumeProjection {
                    config_map: Some(ConfigMapProjection {
                        name: config_map.into(),
                        items: Some(vec![KeyToPath {
                            key: CA_KEY.into(),
                            path: CA_KEY.into(),
                            ..KeyToPath::default()
                        }]),
                        optional: None,
                    }),
                    ..VolumeProjection::default()
                },
            ]),
            ..ProjectedVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// Nothing but those capabilities, nothing writable, no way to more.
pub(super) fn locked(capabilities: &[&str]) -> SecurityContext {
    let add: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            add: (!add.is_empty()).then_some(add),
            drop: Some(vec!["ALL".into()]),
        }),
        privileged: Some(false),
        read_only_root_filesystem: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".into(),
            localhost_profile: None,
        }),
        ..SecurityContext::default()
    }
}

/// On every node, whatever its taints.
pub(super) fn tolerate_all() -> Option<Vec<Toleration>> {
    Some(vec![Toleration {
        operator: Some("Exists".into()),
        ..Toleration::default()
    }])
}

/// Only where the images could run.
pub(super) fn on_linux() -> Option<BTreeMap<String, String>> {
    Some(texts([("kubernetes.io/os", "linux")]))
}
