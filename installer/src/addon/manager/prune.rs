//! What is ours and in no file any more.
//!
//! Ours is what carries our label, was applied by our field manager and belongs to no other object: controllers copy
//! labels, as from a Service to its EndpointSlices.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::core::{ObjectMeta, PartialObjectMeta};
use kube::{Client, ResourceExt};

use super::FIELD_MANAGER;
use super::connect::{is_away, reason};
use super::folder::ObjectId;
use super::kinds::Kinds;
use super::reconcile::{Away, MODE_LABEL};
use super::state::{Failure, Report};
use crate::addon::object::{ADDON_LABEL, NAMESPACE};

/// The record of kinds that were ever applied, so that the last object of a kind is found too.
const RECORD: &str = "kinstall-addons";
const RECORD_KEY: &str = "kinds";

/// Removes what no file has. Objects of files that could not be read stay.
pub(super) async fn prune(
    client: &Client,
    kinds: &mut Kinds,
    keep: &[&ObjectId],
    unreadable: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), Away> {
    let away = |error: kube::Error| Away(reason(&error));
    let in_folder: BTreeSet<_> = keep
        .iter()
        .map(|id| (id.api_version.clone(), id.kind.clone()))
        .collect();
    let built_in: BTreeSet<_> = Kinds::built_in().collect();
    let recorded = read_record(client).await.map_err(away)?;
    // Before anything is removed: a pass that ends here finds them again.
    let foreign = recorded.union(&in_folder);
    let foreign: BTreeSet<_> = foreign
        .filter(|kind| !built_in.contains(kind))
        .cloned()
        .collect();
    if foreign != recorded {
        write_record(client, &foreign).await.map_err(away)?;
    }
    for (version, kind) in built_in.union(&foreign) {
        // What the API server does not know any more it does not hold any more.
        let Some(kind) = kinds.find(version, kind).await.map_err(away)? else {
            continue;
        };
        let kept: BTreeSet<_> = keep
            .iter()
            .filter(|id| id.api_version == *version && id.kind == kind.resource.kind)
            .map(|id| (kind.namespace(id), id.name.as_str()))
            .collect();
        let parameters = ListParams::default().labels(ADDON_LABEL);
        let listed = match kind.everywhere(client).list_metadata(&parameters).await {
            Ok(listed) => listed,
            Err(error) if is_away(&error) => return Err(away(error)),
            Err(error) => {
                report.failed.push(Failure {
                    what: format!("the list of every {}", kind.resource.kind),
                    reason: reason(&error),
                });
                continue;
            }
        };
        for found in listed {
            let namespace = found.metadata.namespace.clone();
            let name = found.name_any();
            if kept.contains(&(namespace.clone(), name.as_str())) || !is_ours(&found, unreadable) {
                continue;
            }
            let id = ObjectId {
                api_version: version.clone(),
                kind: kind.resource.kind.clone(),
                namespace,
                name,
            };
            // This very object, and not one that was made anew under its name.
            let parameters = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: found.metadata.uid.clone(),
                    resource_version: None,
                }),
                ..DeleteParams::background()
            };
            let api = kind.api(client, id.namespace.as_deref());
            match api.delete(&id.name, &parameters).await {
                Ok(_) => report.pruned.push(id.to_string()),
                Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {}
                Err(error) => report.failed.push(Failure {
                    what: id.to_string(),
                    reason: reason(&error),
                }),
            }
        }
    }
    Ok(())
}

fn is_ours<K>(found: &PartialObjectMeta<K>, unreadable: &BTreeSet<String>) -> bool {
    let ObjectMeta {
        labels,
        managed_fields,
        owner_references,
        deletion_timestamp,
        ..
    } = &found.metadata;
    let label = |name: &str| labels.as_ref()?.get(name);
    let mut managers = managed_fields.iter().flatten();
    let applied = managers.any(|one| one.manager.as_deref() == Some(FIELD_MANAGER));
    applied
        && owner_references.as_ref().is_none_or(Vec::is_empty)
        && deletion_timestamp.is_none()
        && label(ADDON_LABEL).is_some_and(|file| !unreadable.contains(file))
        && label(MODE_LABEL).is_none_or(|mode| mode != "EnsureExists")
}

async fn read_record(client: &Client) -> kube::Result<BTreeSet<(String, String)>> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let record = api.get_opt(RECORD).await?.and_then(|record| record.data);
    let text = record.and_then(|mut data| data.remove(RECORD_KEY));
    let text = text.unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .map(|(version, kind)| (version.to_owned(), kind.to_owned()))
        .collect())
}

async fn write_record(client: &Client, kinds: &BTreeSet<(String, String)>) -> kube::Result<()> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let lines = kinds.iter();
    let lines: String = lines
        .map(|(version, kind)| format!("{version} {kind}\n"))
        .collect();
    let record = serde_json::json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": RECORD,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "kinstall"},
        },
        "data": {RECORD_KEY: lines},
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(RECORD, &parameters, &Patch::Apply(record))
        .await?;
    Ok(())
}
