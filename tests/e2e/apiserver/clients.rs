//! Who the API server thinks its clients are.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use pki_core::cluster::blueprint::Content;
use serde::Deserialize;
use tests::cluster::Cluster;
use tests::command::{refuse, run, succeed};
use tests::control_plane::ControlPlane;

#[derive(Debug, Deserialize)]
struct Review {
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(rename = "userInfo")]
    user_info: UserInfo,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct UserInfo {
    pub username: String,
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

impl UserInfo {
    fn new(username: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().chain(&["system:authenticated"]);
        Self {
            username: username.to_owned(),
            groups: groups.map(ToString::to_string).collect(),
        }
    }
}

const WHO_AM_I: [&str; 4] = ["auth", "whoami", "-o", "json"];

/// Runs a kubectl that asks the API server who it is.
pub fn who(command: &mut Command) -> UserInfo {
    let said = succeed(command.args(WHO_AM_I));
    let review: Review = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    review.status.user_info
}

pub fn are_who_their_kubeconfig_says(cluster: &Cluster, control_plane: &ControlPlane<'_>) {
    // By hand, so that a mistake in a profile is one here too.
    let wanted = [
        (
            "nodes/cp-1/admin.conf",
            "kubernetes-admin",
            &["kubeadm:cluster-admins"][..],
        ),
        (
            "nodes/cp-1/super-admin.conf",
            "kubernetes-super-admin",
            &["system:masters"],
        ),
        (
            "nodes/cp-1/controller-manager.conf",
            "system:kube-controller-manager",
            &[],
        ),
        ("nodes/cp-1/scheduler.conf", "system:kube-scheduler", &[]),
        (
            "nodes/cp-1/kubelet.conf",
            "system:node:cp-1",
            &["system:nodes"],
        ),
        (
            "nodes/cp-1/kube-proxy.conf",
            "system:kube-proxy",
            &["system:node-proxier"],
        ),
        ("users/alice.conf", "alice", &["dev", "ops"]),
        ("users/bob.conf", "bob", &["ops"]),
    ];
    let kubeconfigs: BTreeSet<_> = cluster
        .blueprint
        .artifacts()
        .iter()
        .filter(|artifact| matches!(artifact.content, Content::Kubeconfig(_)))
        .map(|artifact| artifact.placements[0].location.path.to_string())
        .collect();
    let named = wanted.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(kubeconfigs, named, "each kubeconfig is tried");
    for (file, user, groups) in wanted {
        let kubeconfig = cluster.dir().join(file);
        let found = who(&mut control_plane.kubectl(kubeconfig, &[]));
        assert_eq!(found, UserInfo::new(user, groups), "{file}");
    }
}

/// `kubeadm:cluster-admins` means nothing until it is bound; that is what makes it revocable.
pub fn administrators_may_what_their_group_is_bound_to(control_plane: &ControlPlane<'_>) {
    let list = ["get", "secrets", "--all-namespaces"];
    refuse(&mut control_plane.kubectl("admin.conf", &list), "Forbidden");
    succeed(&mut control_plane.kubectl(
        "super-admin.conf",
        &[
            "create",
            "clusterrolebinding",
            "kubeadm:cluster-admins",
            "--clusterrole=cluster-admin",
            "--group=kubeadm:cluster-admins",
        ],
    ));
    // The authorizer sees a new binding through its watch, a moment later.
    let mut command = control_plane.kubectl("admin.conf", &list);
    let mut ended = run(&mut command);
    for _ in 0..50 {
        if ended.code == Some(0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        ended = run(&mut command);
    }
    panic!("{}", control_plane.last_words(&ended));
}

/// The name that a ServiceAccount's token stands for.
pub fn service_account(namespace: &str, name: &str) -> UserInfo {
    let group = format!("system:serviceaccounts:{namespace}");
    UserInfo::new(
        &format!("system:serviceaccount:{namespace}:{name}"),
        &["system:serviceaccounts", &group],
    )
}

/// kubectl as in a pod: a token and the CA, nothing else.
pub fn with_token(
    control_plane: &ControlPlane<'_>,
    server: &str,
    authority: &Path,
    token: &str,
) -> Command {
    let mut command = control_plane.bare_kubectl(&["--server", server, "--token", token]);
    command.arg("--certificate-authority").arg(authority);
    command
}
