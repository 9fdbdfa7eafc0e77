//! How the API calls a kind: its plural, and whether it has namespaces.

use std::collections::HashMap;

use k8s_openapi::api::{
    admissionregistration, apps, autoscaling, batch, core, networking, policy, rbac, scheduling,
    storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::core::GroupVersion;
use kube::discovery::{self, ApiResource, Scope};

use super::folder::ObjectId;

/// What an object without a namespace of a kind that has one gets, as kubectl's would.
const NAMESPACE: &str = "default";

/// One kind.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub resource: ApiResource,
    pub namespaced: bool,
}

/// The kinds that are known by now: those of Kubernetes itself that addons use, and what the API server was asked for.
pub(super) struct Kinds {
    client: Client,
    known: HashMap<(String, String), Kind>,
}

impl Kind {
    /// Where its objects of that namespace are.
    pub fn api(&self, client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
        match (self.namespaced, namespace) {
            (true, namespace) => {
                let namespace = namespace.unwrap_or(NAMESPACE);
                Api::namespaced_with(client.clone(), namespace, &self.resource)
            }
            (false, _) => self.everywhere(client),
        }
    }

    /// All its objects.
    pub fn everywhere(&self, client: &Client) -> Api<DynamicObject> {
        Api::all_with(client.clone(), &self.resource)
    }

    /// The namespace that an object is really in.
    pub fn namespace(&self, id: &ObjectId) -> Option<String> {
        let given = || id.namespace.clone().unwrap_or_else(|| NAMESPACE.into());
        self.namespaced.then(given)
    }
}

impl Kinds {
    /// Those of Kubernetes itself.
    pub fn new(client: Client) -> Self {
        let known = built_in().into_iter();
        let known = known.map(|kind| {
            let key = (
                kind.resource.api_version.clone(),
                kind.resource.kind.clone(),
            );
            (key, kind)
        });
        Self {
            client,
            known: known.collect(),
        }
    }

    /// Every kind of Kubernetes itself that may carry our label.
    pub fn built_in() -> impl Iterator<Item = (String, String)> {
        let kinds = built_in().into_iter();
        kinds.map(|kind| (kind.resource.api_version, kind.resource.kind))
    }

    /// The kind of that name, asked for where it is not known; nothing when the API server has none such.
    pub async fn find(&mut self, version: &str, kind: &str) -> kube::Result<Option<Kind>> {
        let key = (version.to_owned(), kind.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Ok(group) = version.parse::<GroupVersion>() else {
            return Ok(None);
        };
        let found = match discovery::pinned_group(&self.client, &group).await {
            Ok(found) => found,
            // A group that is not served is answered in plain text, which is no status with a reason.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(kube::Error::Discovery(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        for (resource, capabilities) in found.versioned_resources(&group.version) {
            let key = (resource.api_version.clone(), resource.kind.clone());
            let namespaced = capabilities.scope == Scope::Namespaced;
            let kind = Kind {
                resource,
                namespaced,
            };
            self.known.entry(key).or_insert(kind);
        }
        Ok(self.known.get(&key).cloned())
    }
}

fn built_in() -> Vec<Kind> {
    fn all<K>() -> Kind
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::ClusterResourceScope>,
    {
        Kind {
            resource: ApiResource::erase::<K>(&()),
            namespaced: false,
        }
    }
    fn some<K>() -> Kind
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Kind {
            resource: ApiResource::erase::<K>(&()),
            namespaced: true,
        }
    }
    vec![
        all::<CustomResourceDefinition>(),
        all::<core::v1::Namespace>(),
        all::<scheduling::v1::PriorityClass>(),
        all::<storage::v1::StorageClass>(),
        all::<rbac::v1::ClusterRole>(),
        all::<rbac::v1::ClusterRoleBinding>(),
        all::<admissionregistration::v1::ValidatingAdmissionPolicy>(),
        all::<admissionregistration::v1::ValidatingAdmissionPolicyBinding>(),
        some::<rbac::v1::Role>(),
        some::<rbac::v1::RoleBinding>(),
        some::<core::v1::ServiceAccount>(),
        some::<core::v1::ConfigMap>(),
        some::<core::v1::Secret>(),
        some::<core::v1::Service>(),
        some::<policy::v1::PodDisruptionBudget>(),
        some::<networking::v1::NetworkPolicy>(),
        some::<autoscaling::v2::HorizontalPodAutoscaler>(),
        some::<batch::v1::CronJob>(),
        some::<batch::v1::Job>(),
        some::<apps::v1::DaemonSet>(),
        some::<apps::v1::Deployment>(),
        some::<apps::v1::StatefulSet>(),
    ]
}
