//! Which pods of a node go. Pure; the rules are those of `kubectl drain` (k8s.io/kubectl, pkg/drain/filters.go).

use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use super::{DrainOptions, PodName};

/// How the API shows a static pod: its kubelet runs it whatever the API says (pkg/kubelet/types/constants.go).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What becomes of a node's pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    /// Those that are evicted.
    pub go: Vec<PodName>,
    /// Those that stay.
    pub stay: Vec<Left>,
    /// Those that would lose something, and nobody has allowed that.
    pub refused: Vec<Refused>,
}

/// A pod that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Left {
    /// Which.
    pub pod: PodName,
    /// Why, in words.
    pub why: &'static str,
}

/// A pod that goes only with leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refused {
    /// Which.
    pub pod: PodName,
    /// What is wanted.
    pub wants: Leave,
}

/// What a pod that would lose something wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leave {
    /// No controller makes it anew.
    Force,
    /// It keeps data in an emptyDir volume, which end with it.
    DeleteEmptydirData,
}

impl Leave {
    /// The flag that gives it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Force => "--force",
            Self::DeleteEmptydirData => "--delete-emptydir-data",
        }
    }
}

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Force => "no controller would make it anew",
            Self::DeleteEmptydirData => "what it keeps in an emptyDir volume would be lost",
        })
    }
}

/// What becomes of `pods`.
pub fn choose(pods: &[Pod], options: &DrainOptions) -> Choice {
    let mut choice = Choice::default();
    for pod in pods {
        let name = PodName::of(pod);
        if let Some(why) = stays(pod) {
            choice.stay.push(Left { pod: name, why });
            continue;
        }
        let wants: Vec<_> = wants(pod)
            .filter(|leave| match leave {
                Leave::Force => !options.force,
                Leave::DeleteEmptydirData => !options.delete_emptydir_data,
            })
            .collect();
        if wants.is_empty() {
            choice.go.push(name);
        } else {
            let refused = wants.into_iter().map(|wants| Refused {
                pod: name.clone(),
                wants,
            });
            choice.refused.extend(refused);
        }
    }
    choice.go.sort();
    choice.stay.sort_by(|one, next| one.pod.cmp(&next.pod));
    choice
        .refused
        .sort_by(|one, next| (one.wants, &one.pod).cmp(&(next.wants, &next.pod)));
    choice
}

fn stays(pod: &Pod) -> Option<&'static str> {
    let annotations = pod.metadata.annotations.as_ref();
    if annotations.is_some_and(|all| all.contains_key(MIRROR)) {
        return Some("a static pod: its kubelet keeps it");
    }
    let of_daemon_set = controller(pod) == Some("DaemonSet") && !has_ended(pod);
    of_daemon_set.then_some("a DaemonSet's: it would come back at once")
}

/// A pod that has ended loses nothing more.
fn wants(pod: &Pod) -> impl Iterator<Item = Leave> {
    let alive = !has_ended(pod);
    let spec = pod.spec.as_ref();
    let volumes = spec.and_then(|spec| spec.volumes.as_deref());
    let mut volumes = volumes.unwrap_or_default().iter();
    let has_data = volumes.any(|volume| volume.empty_dir.is_some());
    let is_bare = controller(pod).is_none();
    let bare = (alive && is_bare).then_some(Leave::Force);
    let data = (alive && has_data).then_some(Leave::DeleteEmptydirData);
    bare.into_iter().chain(data)
}

fn has_ended(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn controller(pod: &Pod) -> Option<&str> {
    let owners = pod.metadata.owner_references.as_deref();
    let mut owners = owners.unwrap_or_default().iter();
    let owner = owners.find(|owner| owner.controller == Some(true));
    owner.map(|owner| owner.kind.as_str())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NONE: DrainOptions = DrainOptions {
        force: false,
        delete_emptydir_data: false,
        grace_period: None,
        timeout: Duration::from_secs(1),
    };

    fn pod(name: &str, controller: Option<&str>) -> serde_json::Value {
        let owners: Vec<_> = controller
            .map(|kind| json!({ "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "1", "controller": true }))
            .into_iter()
            .collect();
        json!({
            "metadata": { "namespace": "default", "name": name, "ownerReferences": owners },
            "spec": { "containers": [], "volumes": [{ "name": "token", "projected": {} }] },
            "status": { "phase": "Running" },
        })
    }

    fn told(pods: &[serde_json::Value], options: &DrainOptions) -> String {
        let pods: Vec<Pod> = pods
            .iter()
            .map(|pod| serde_json::from_value(pod.clone()).expect("a pod"))
            .collect();
        let choice = choose(&pods, options);
        let go = choice.go.iter().map(|pod| format!("{pod} goes"));
        let stay = choice
            .stay
            .iter()
            .map(|one| format!("{} stays: {}", one.pod, one.why));
        let refused = choice.refused.iter().map(|one| {
            format!(
                "{} is refused without {}: {}",
                one.pod,
                one.wants.flag(),
                one.wants
            )
        });
        go.chain(stay).chain(refused).collect::<Vec<_>>().join("\n")
    }

    fn all() -> Vec<serde_json::Value> {
        let mut mirror = pod("etcd-cp1", Some("Node"));
        mirror["metadata"]["annotations"] = json!({ MIRROR: "1" });
        let mut data = pod("cache-1", Some("ReplicaSet"));
        data["spec"]["volumes"] = json!([{ "name": "data", "emptyDir": {} }]);
        let mut bare_data = pod("mine", None);
        bare_data["spec"]["volumes"] = json!([{ "name": "data", "emptyDir": {} }]);
        let mut ended = bare_data.clone();
        ended["metadata"]["name"] = json!("ended");
        ended["status"]["phase"] = json!("Succeeded");
        // An owner that does not control makes nothing anew.
        let mut adopted = pod("adopted", Some("Thing"));
        adopted["metadata"]["ownerReferences"][0]["controller"] = json!(false);
        vec![
            pod("web-1", Some("ReplicaSet")),
            mirror,
            pod("kube-proxy-x", Some("DaemonSet")),
            data,
            bare_data,
            ended,
            adopted,
        ]
    }

    #[test]
    fn what_would_lose_something_goes_only_with_leave() {
        insta::assert_snapshot!(told(&all(), &NONE), @"
        default/ended goes
        default/web-1 goes
        default/etcd-cp1 stays: a static pod: its kubelet keeps it
        default/kube-proxy-x stays: a DaemonSet's: it would come back at once
        default/adopted is refused without --force: no controller would make it anew
        default/mine is refused without --force: no controller would make it anew
        default/cache-1 is refused without --delete-emptydir-data: what it keeps in an emptyDir volume would be lost
        default/mine is refused without --delete-emptydir-data: what it keeps in an emptyDir volume would be lost
        ");
    }

    #[test]
    fn with_both_leaves_all_go_but_static_ones_and_daemon_sets() {
        let options = DrainOptions {
            force: true,
            delete_emptydir_data: true,
            ..NONE
        };
        insta::assert_snapshot!(told(&all(), &options), @"
        default/adopted goes
        default/cache-1 goes
        default/ended goes
        default/mine goes
        default/web-1 goes
        default/etcd-cp1 stays: a static pod: its kubelet keeps it
        default/kube-proxy-x stays: a DaemonSet's: it would come back at once
        ");
    }

    #[test]
    fn one_leave_is_not_the_other() {
        let options = DrainOptions {
            force: true,
            ..NONE
        };
        let told = told(&all(), &options);
        assert!(told.contains("default/adopted goes"), "{told}");
        assert!(
            told.contains("default/mine is refused without --delete-emptydir-data"),
            "{told}"
        );
        assert!(!told.contains("without --force"), "{told}");
    }
}
