//! What the addon manager does to a cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use installer::addon::manager::{self, Change, State};
use tests::command::run;

use super::node::{Node, PATIENCE};

/// Every object is taken with strict validation; a second and a third pass write nothing, and two at once neither.
pub fn applies_all_and_then_nothing(node: &Node<'_>) {
    let report = node.reconcile();
    assert_eq!(report.failed, [], "{report:?}");
    assert!(report.applied.len() >= 18, "{report:?}");
    let created = |one: &manager::Applied| one.change == Change::Created;
    assert!(report.applied.iter().all(created), "{report:?}");
    let revision = |what: &str| {
        let path = "jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion}\n{end}";
        node.kubectl(&["--namespace=kube-system", "get", what, "-o", path])
    };
    let all = "configmap,secret,service,serviceaccount,daemonset,deployment,clusterrole,clusterrolebinding";
    let before = revision(all);
    let report = node.reconcile();
    assert!(report.is_unchanged(), "{report:?}");
    let (kubeconfig, folder) = (node.kubeconfig(), &node.folder);
    let (one, two) = node.inside(|| async move {
        let client = manager::connect(&kubeconfig).await.expect("a kubeconfig");
        let pass = || manager::reconcile(&client, folder);
        tokio::join!(pass(), pass())
    });
    assert!(one.expect("there").is_unchanged() && two.expect("there").is_unchanged());
    assert_eq!(revision(all), before);
}

/// Administrators may everything and the API server may ask kubelets, and addons' accounts may just what they need.
pub fn gives_the_permissions_that_nobody_else_does(node: &Node<'_>) {
    let may = |kubeconfig: &str, arguments: &[&str]| {
        let arguments = [&["auth", "can-i"], arguments].concat();
        let ended = run(&mut node.control_plane.kubectl(kubeconfig, &arguments));
        ended.stdout.trim() == "yes"
    };
    assert!(may("admin.conf", &["*", "*", "--all-namespaces"]));
    for (account, allowed, verb, what) in [
        ("kube-apiserver-kubelet-client", true, "get", "nodes/proxy"),
        ("kube-apiserver-kubelet-client", true, "get", "nodes/log"),
        ("kube-apiserver-kubelet-client", false, "get", "secrets"),
        (
            "system:serviceaccount:kube-system:flannel",
            true,
            "patch",
            "nodes/status",
        ),
        (
            "system:serviceaccount:kube-system:flannel",
            true,
            "watch",
            "nodes",
        ),
        (
            "system:serviceaccount:kube-system:flannel",
            false,
            "list",
            "pods",
        ),
        (
            "system:serviceaccount:kube-system:kube-proxy",
            true,
            "watch",
            "endpointslices.discovery.k8s.io",
        ),
        (
            "system:serviceaccount:kube-system:kube-proxy",
            false,
            "list",
            "secrets",
        ),
        (
            "system:serviceaccount:kube-system:coredns",
            true,
            "list",
            "services",
        ),
        (
            "system:serviceaccount:kube-system:coredns",
            false,
            "list",
            "secrets",
        ),
    ] {
        let as_account = format!("--as={account}");
        let (what, part) = what.split_once('/').unwrap_or((what, ""));
        let part = format!("--subresource={part}");
        let arguments = [verb, what, "--all-namespaces", &as_account, &part];
        assert_eq!(
            may("super-admin.conf", &arguments),
            allowed,
            "{account} {verb} {what}"
        );
    }
}

pub fn mends_what_somebody_changed(node: &Node<'_>) {
    node.kubectl(&[
        "--namespace=kube-system",
        "scale",
        "deployment/coredns",
        "--replicas=7",
    ]);
    node.kubectl(&["--namespace=kube-system", "delete", "configmap/kube-proxy"]);
    let report = node.reconcile();
    assert_eq!(report.failed, []);
    let change = |what: &str| {
        let found = report.applied.iter().find(|one| one.what == what);
        found.unwrap_or_else(|| panic!("{report:?}")).change
    };
    assert_eq!(change("Deployment kube-system/coredns"), Change::Changed);
    assert_eq!(change("ConfigMap kube-system/kube-proxy"), Change::Created);
    assert_eq!(change("Service kube-system/kube-dns"), Change::None);
    assert!(node.reconcile().is_unchanged());
}

/// Of Kubernetes' own kinds and of one that the file itself defines.
pub fn prunes_what_is_in_no_file(node: &Node<'_>) {
    node.write("mine.yaml", MINE);
    // Nobody's but its maker's, whatever its label says.
    node.kubectl(&["--namespace=kube-system", "create", "configmap", "foreign"]);
    let label = "kinstall.internal/addon=mine.yaml";
    node.kubectl(&[
        "--namespace=kube-system",
        "label",
        "configmap/foreign",
        label,
    ]);
    let began = Instant::now();
    // A kind is served a moment after it was defined.
    loop {
        let report = node.reconcile();
        if report.is_fine() {
            break;
        }
        let about = report.failed.iter().all(|one| one.what.contains("Gadget"));
        assert!(about && began.elapsed() < PATIENCE, "{report:?}");
    }
    assert!(node.has("gadgets.mine.example/one") && node.has("daemonset/kube-flannel"));
    node.write("mine.yaml", MINE_LATER);
    node.remove("flannel.yaml");
    let report = node.reconcile();
    assert_eq!(report.failed, []);
    let mut pruned = report.pruned.clone();
    pruned.sort();
    assert_eq!(
        pruned,
        [
            "ClusterRole flannel",
            "ClusterRoleBinding flannel",
            "ConfigMap kube-system/kube-flannel",
            "DaemonSet kube-system/kube-flannel",
            "Gadget kube-system/one",
            "ServiceAccount kube-system/flannel",
            "ValidatingAdmissionPolicy flannel.kinstall.internal",
            "ValidatingAdmissionPolicyBinding flannel.kinstall.internal",
        ]
    );
    assert!(!node.has("daemonset/kube-flannel") && !node.has("gadgets.mine.example/one"));
    assert!(node.has("configmap/foreign") && node.has("configmap/kept"));
    node.remove("mine.yaml");
    node.write_addons();
    let report = node.reconcile();
    assert_eq!(report.failed, []);
    // `kept` was to be made where it is missing, and belongs to its user from then on.
    let pruned = &report.pruned;
    assert_eq!(pruned, &["CustomResourceDefinition gadgets.mine.example"]);
    assert!(node.has("configmap/kept") && node.has("daemonset/kube-flannel"));
}

/// A file that is broken or gone with its folder is no wish to remove anything.
pub fn leaves_alone_what_it_cannot_read(node: &Node<'_>) {
    node.write("coredns.yaml", "kind: [Deployment\n");
    let report = node.reconcile();
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert_eq!(report.failed[0].what, "coredns.yaml");
    assert_eq!(report.pruned, [""; 0]);
    let aside = node.folder.with_extension("aside");
    std::fs::rename(&node.folder, &aside).expect("renamed");
    let report = node.reconcile();
    assert_eq!((report.failed.len(), report.pruned.len()), (1, 0));
    std::fs::rename(&aside, &node.folder).expect("renamed");
    assert!(node.has("deployment/coredns"));
    // What the API server refuses is told; the rest is applied.
    node.write_addons();
    node.write("typo.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo, namespace: kube-system}\ndato: {}\n");
    let report = node.reconcile();
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert!(report.failed[0].reason.contains("dato"), "{report:?}");
    node.remove("typo.yaml");
    assert!(node.reconcile().is_unchanged());
}

/// A changed folder is seen by itself.
pub fn keeps_watching(node: &Node<'_>) {
    let state = node.cluster.scratch("run").join("addons.json");
    let kubeconfig = node.kubeconfig();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            node.inside(|| async {
                let stopped = async {
                    while !stop.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                };
                let manager = manager::Manager {
                    folder: &node.folder,
                    kubeconfig: &kubeconfig,
                    state: &state,
                };
                manager.keep(|_| (), stopped).await;
            });
        });
        let until = |what: &str, done: &dyn Fn(&State) -> bool| {
            let began = Instant::now();
            loop {
                let read = State::read(&state).expect("whole or absent");
                if read.as_ref().is_some_and(done) {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "{what}: {read:?}");
                std::thread::sleep(Duration::from_millis(50));
            }
        };
        until("a first pass", &|state| {
            state.away.is_none() && state.report.is_unchanged()
        });
        node.write(
            "late.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late, namespace: kube-system}\n",
        );
        let is_late = |one: &manager::Applied| one.addon == "late.yaml";
        until("a new file", &|state| {
            state.report.applied.iter().any(is_late)
        });
        assert!(node.has("configmap/late"));
        node.remove("late.yaml");
        until("a file that went", &|state| !state.report.pruned.is_empty());
        assert!(!node.has("configmap/late"));
        stop.store(true, Ordering::Relaxed);
        running.join().expect("it ends");
    });
}

const MINE: &str = r"
apiVersion: mine.example/v1
kind: Gadget
metadata: {name: one, namespace: kube-system}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: kept
  namespace: kube-system
  labels: {addonmanager.kubernetes.io/mode: EnsureExists}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.mine.example}
spec:
  group: mine.example
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

const MINE_LATER: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.mine.example}
spec:
  group: mine.example
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";
