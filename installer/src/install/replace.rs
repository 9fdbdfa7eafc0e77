//! Static pods that the kubelet would not replace by itself.
//!
//! A kubelet ends no pod before it has heard of the API server once (kubelet.go, `deletePod`: "sources aren't ready yet"),
//! and it starts no static pod as long as another of its name has not ended. So an API server that never came up cannot
//! be mended by its manifest alone: the kubelet has to forget the pod.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::desired::{InitSystem, Kind, Resource, Service, Stage, layout};
use crate::machine::reset::containers;
use crate::machine::{HostError, ServiceManager};
use crate::plan::{Action, Plan};

const KUBELET: &str = "kubelet";
/// Where containerd keeps the logs of pods, in directories named `<namespace>_<pod>_<uid>`.
const LOGS: &str = "/var/log/pods";

/// The components whose static pods the plan replaces while the API server may be down.
pub(super) fn replaced(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|change| {
        change.stage <= Stage::ControlPlane
            && matches!(change.action, Action::Update | Action::Remove)
    });
    let names = changes.filter_map(|change| {
        let path = Path::new(change.id.0.strip_prefix("file ")?);
        let is_manifest = path.parent() == Some(Path::new(layout::MANIFESTS));
        let name = path.file_stem().filter(|_| is_manifest)?;
        Some(name.to_string_lossy().into_owned())
    });
    names.collect()
}

/// Those and whoever has to end with them. An API server whose etcd is away takes questions and answers none, and a kubelet that
/// starts anew mounts nothing before it has heard of its Node (pkg/kubelet/volumemanager/reconciler/reconstruct.go,
/// `updateReconstructedFromNodeStatus`): it would start no etcd either, for minutes.
pub(super) fn ended(mut replaced: Vec<String>) -> Vec<String> {
    const APISERVER: &str = "kube-apiserver";
    let is = |name: &str| replaced.iter().any(|one| one == name);
    if is("etcd") && !is(APISERVER) {
        replaced.push(APISERVER.to_owned());
    }
    replaced
}

/// Whether the plan starts the kubelet anew.
pub(super) fn restarts_kubelet(plan: &Plan) -> bool {
    let id = format!("service {KUBELET}");
    let mut changes = plan.changes.iter().filter(|change| change.id.0 == id);
    changes.any(|change| matches!(change.action, Action::Update | Action::Restart))
}

/// The kubelet's service, among what is wanted.
pub(super) fn kubelet(desired: &[Resource]) -> Option<(Stage, &Service)> {
    desired.iter().find_map(|resource| match &resource.kind {
        Kind::Service(service) if service.name == KUBELET => Some((resource.stage, service)),
        _ => None,
    })
}

/// Stops the kubelet, and then ends the pods of `components`. Says whether there was a kubelet.
pub(super) fn forget(
    components: &[String],
    services: &dyn ServiceManager,
    init: InitSystem,
) -> Result<bool, HostError> {
    let state = services.state(KUBELET)?;
    if state.is_none_or(|state| state.process.is_none()) {
        return Ok(false);
    }
    services.remove(KUBELET)?;
    let group = match init {
        InitSystem::Systemd => "kubepods.slice",
        InitSystem::Supervisor => "kubepods",
    };
    containers::end_pods(group, &pods(Path::new(LOGS), components))?;
    Ok(true)
}

/// The uids of a component's pods.
fn pods(logs: &Path, components: &[String]) -> BTreeSet<String> {
    let entries = fs::read_dir(logs).into_iter().flatten().flatten();
    let uids = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (pod, uid) = name.strip_prefix("kube-system_")?.rsplit_once('_')?;
        let is_ours = |component: &String| {
            let rest = pod.strip_prefix(component.as_str());
            rest.is_some_and(|rest| rest.starts_with('-'))
        };
        components.iter().any(is_ours).then(|| uid.to_owned())
    });
    uids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_server_ends_with_its_etcd() {
        let of = |names: &[&str]| ended(names.iter().map(ToString::to_string).collect());
        assert_eq!(of(&["etcd"]), ["etcd", "kube-apiserver"]);
        assert_eq!(of(&["kube-apiserver", "etcd"]), ["kube-apiserver", "etcd"]);
        assert_eq!(of(&["kube-scheduler"]), ["kube-scheduler"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn the_pods_of_a_component() {
        let logs = tempfile::tempdir().unwrap();
        for name in [
            "kube-system_etcd-cp1_0123",
            "kube-system_kube-apiserver-cp1_4567",
            "kube-system_kube-apiserver-cp1_89ab",
            "default_etcd-cp1_cdef",
        ] {
            fs::create_dir(logs.path().join(name)).unwrap();
        }
        let of = |component: &str| pods(logs.path(), &[component.to_owned()]);
        assert_eq!(of("etcd"), BTreeSet::from(["0123".to_owned()]));
        assert_eq!(of("kube-apiserver").len(), 2);
        assert!(pods(&logs.path().join("none"), &["etcd".to_owned()]).is_empty());
    }
}
