//! One pass: everything in the folder is in the cluster, and what was once in it is not.

use std::collections::BTreeSet;
use std::path::Path;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, Patch, PatchParams};
use kube::core::params::ValidationDirective;
use kube::{Client, ResourceExt};
use tokio::task::JoinSet;

use super::FIELD_MANAGER;
use super::connect::{is_away, reason};
use super::folder::{Folder, Object};
use super::kinds::{Kind, Kinds};
use super::prune;
use super::state::{Applied, Change, Failure, Report};
use crate::addon::object::NAMESPACE;

/// Says how to keep an object: `Reconcile`, which is the default, or `EnsureExists`, which leaves one alone that is
/// there (as in Kubernetes' own addon manager, cluster/addons/addon-manager).
pub(super) const MODE_LABEL: &str = "addonmanager.kubernetes.io/mode";

/// The API server could not be asked: nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// What others refer to comes before what refers to it. Within a step all are applied at once.
const STEPS: [&[&str]; 4] = [
    &["CustomResourceDefinition", "Namespace", "PriorityClass"],
    &[
        "ClusterRole",
        "Role",
        "ClusterRoleBinding",
        "RoleBinding",
        "ServiceAccount",
        "ConfigMap",
        "Secret",
    ],
    // Pods get the right environment only from Services that were there before them.
    &["Service", "PodDisruptionBudget", "NetworkPolicy"],
    &[],
];

/// Brings the cluster to what the folder says.
///
/// # Errors
/// [`Away`] when the API server does not answer, or not as one that is ready to. All else is in the report.
pub async fn reconcile(client: &Client, folder: &Path) -> Result<Report, Away> {
    let mut report = Report::default();
    let read = match Folder::read(folder) {
        Ok(read) => read,
        Err(error) => {
            // A folder that is gone is a fault, not the wish to remove everything.
            report.failed.push(Failure {
                what: folder.display().to_string(),
                reason: error.to_string(),
            });
            return Ok(report);
        }
    };
    ready(client).await?;
    let unreadable: BTreeSet<_> = read
        .unreadable
        .iter()
        .map(|(file, _)| file.clone())
        .collect();
    report
        .failed
        .extend(read.unreadable.into_iter().map(|(_, failure)| failure));
    let mut kinds = Kinds::new(client.clone());
    let mut wanted = Vec::new();
    for addon in read.addons {
        for object in addon.objects {
            let id = &object.id;
            // An object whose kind is in doubt must not count as gone.
            let kind = kinds.find(&id.api_version, &id.kind).await;
            let kind = kind.map_err(|error| Away(reason(&error)))?;
            wanted.push((addon.file.clone(), object, kind));
        }
    }
    apply_all(client, &mut kinds, &wanted, &mut report).await?;
    let keep: Vec<_> = wanted.iter().map(|(_, object, _)| &object.id).collect();
    prune::prune(client, &mut kinds, &keep, &unreadable, &mut report).await?;
    Ok(report)
}

/// Whether the API server answers, and has made the namespace that it makes itself.
async fn ready(client: &Client) -> Result<(), Away> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    match namespaces.get_metadata_opt(NAMESPACE).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Away(format!("there is no namespace {NAMESPACE} yet"))),
        Err(error) => Err(Away(reason(&error))),
    }
}

async fn apply_all(
    client: &Client,
    kinds: &mut Kinds,
    wanted: &[(String, Object, Option<Kind>)],
    report: &mut Report,
) -> Result<(), Away> {
    for step in 0..STEPS.len() {
        let mut running = JoinSet::new();
        for (addon, object, kind) in wanted {
            if self::step(&object.id.kind) != step {
                continue;
            }
            // A kind that an earlier step has only just defined was not known before.
            let kind = match kind {
                Some(kind) => Some(kind.clone()),
                None => match kinds.find(&object.id.api_version, &object.id.kind).await {
                    Ok(kind) => kind,
                    Err(error) => return Err(Away(reason(&error))),
                },
            };
            let Some(kind) = kind else {
                let version = &object.id.api_version;
                let fact = format!("the API server has no kind {} in {version}", object.id.kind);
                report.failed.push(failure(object, fact));
                continue;
            };
            let (client, addon, object) = (client.clone(), addon.clone(), object.clone());
            running.spawn(async move {
                let change = apply(&client, &kind, &object).await;
                (addon, object, change)
            });
        }
        let mut ended = running.join_all().await;
        ended.sort_by(|one, next| (&one.0, &one.1.id).cmp(&(&next.0, &next.1.id)));
        for (addon, object, change) in ended {
            match change {
                Ok(change) => report.applied.push(Applied {
                    addon,
                    what: object.id.to_string(),
                    change,
                }),
                Err(error) if is_away(&error) => return Err(Away(reason(&error))),
                // An API server that refuses a Secret may quote it.
                Err(kube::Error::Api(status)) if object.id.kind == "Secret" => {
                    report.failed.push(failure(
                        &object,
                        format!("{} {}", status.code, status.reason),
                    ));
                }
                Err(error) => report.failed.push(failure(&object, reason(&error))),
            }
        }
    }
    Ok(())
}

fn step(kind: &str) -> usize {
    let step = STEPS.iter().position(|kinds| kinds.contains(&kind));
    step.unwrap_or(STEPS.len() - 1)
}

fn failure(object: &Object, reason: String) -> Failure {
    Failure {
        what: object.id.to_string(),
        reason,
    }
}

async fn apply(client: &Client, kind: &Kind, object: &Object) -> kube::Result<Change> {
    let api = kind.api(client, object.id.namespace.as_deref());
    let name = &object.id.name;
    let before = api.get_metadata_opt(name).await?;
    let mode = &object.value["metadata"]["labels"][MODE_LABEL];
    if before.is_some() && mode == "EnsureExists" {
        return Ok(Change::None);
    }
    let parameters = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(FIELD_MANAGER).force()
    };
    let after = api
        .patch_metadata(name, &parameters, &Patch::Apply(&object.value))
        .await?;
    Ok(match before {
        None => Change::Created,
        Some(before) if before.resource_version() == after.resource_version() => Change::None,
        Some(_) => Change::Changed,
    })
}
