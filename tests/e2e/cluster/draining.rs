//! `kinstall drain` and `kinstall uncordon`: what may go goes, what may not is told with what keeps it.

use serde_json::Value;
use tests::command::{run, succeed};
use tests::machine::Network;
use tests::node::answer;
use tests::nodes::Nodes;

use crate::removal::from_afar;

/// A server of two behind a budget, one with data in an emptyDir, and one that nobody makes anew. All of them come to the
/// node that is going to be drained, and could run on any.
const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: guarded, namespace: default }
spec:
  replicas: 2
  selector: { matchLabels: { app: guarded } }
  template:
    metadata: { labels: { app: guarded } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: registry.test/web:1
          imagePullPolicy: Never
          readinessProbe: { httpGet: { path: /hostname, port: 8080 }, periodSeconds: 1 }
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
            seccompProfile: { type: RuntimeDefault }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: two-of-them, namespace: default }
spec:
  minAvailable: 2
  selector: { matchLabels: { app: guarded } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cache, namespace: default }
spec:
  replicas: 1
  selector: { matchLabels: { app: cache } }
  template:
    metadata: { labels: { app: cache } }
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{ name: data, emptyDir: {} }]
      containers:
        - name: web
          image: registry.test/web:1
          imagePullPolicy: Never
          volumeMounts: [{ name: data, mountPath: /data }]
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
            seccompProfile: { type: RuntimeDefault }
---
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: default, labels: { app: bare } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: registry.test/web:1
      imagePullPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
        seccompProfile: { type: RuntimeDefault }
";

pub fn keeps_to_budgets(nodes: &Nodes<'_>, network: &Network) {
    let first = nodes.first();
    let name = nodes.all.last().expect("a worker").machine.name();
    let others: Vec<_> = nodes.all.iter().map(|node| node.machine.name()).collect();
    let others: Vec<_> = others.into_iter().filter(|other| *other != name).collect();
    for other in &others {
        succeed(&mut first.kubectl(&["cordon", other]));
    }
    let ended = first.apply(MANIFEST);
    assert!(ended.code == Some(0), "{ended}");
    first.wait_until("all pods run on the node", || {
        let there = pods(nodes, name);
        let ready = there.iter().filter(|pod| *pod != "web").count();
        (ready == 4).then_some(()).ok_or(format!("{there:?}"))
    });
    for other in &others {
        let ended = first.kinstall(&["uncordon", other]);
        assert!(ended.code == Some(0), "{ended}");
    }

    refuses(nodes, name);
    is_held_back(nodes, name);
    drains(nodes, network, name);

    // The way back, twice.
    for _ in 0..2 {
        let ended = first.kinstall(&["uncordon", name]);
        assert!(ended.code == Some(0), "{ended}");
    }
    assert!(!is_cordoned(nodes, name));
    let mut command = first.kubectl(&[
        "delete",
        "deployment,pdb",
        "guarded",
        "cache",
        "two-of-them",
    ]);
    command.arg("--ignore-not-found");
    run(&mut command);
}

/// What would lose something is named with its flag, and nothing is done.
fn refuses(nodes: &Nodes<'_>, name: &str) {
    let first = nodes.first();
    let ended = first.kinstall(&["drain", name]);
    assert_eq!(ended.code, Some(1), "{ended}");
    for wanted in [
        "error: node3 is not drained: default/bare",
        ": no controller would make it anew",
        "hint: say --force if it may",
        "what it keeps in an emptyDir volume would be lost",
        "hint: say --delete-emptydir-data if it may",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
    assert!(!is_cordoned(nodes, name), "nothing was to be done");
    let unknown = first.kinstall(&["drain", "node9"]);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    let wanted = "error: the cluster has no node \"node9\"\nhint: there are: node1, node2, node3";
    assert!(unknown.stderr.contains(wanted), "{unknown}");
    let shown = first.kinstall(&["drain", name, "--dry-run"]);
    assert_eq!(shown.code, Some(1), "{shown}");
    for wanted in [
        "evict   default/guarded-",
        "refuse  default/bare: ",
        "leave   kube-system/kube-proxy-",
    ] {
        assert!(shown.stdout.contains(wanted), "{wanted}: {shown}");
    }
    assert!(!is_cordoned(nodes, name), "nothing was to be done");
}

/// A budget that allows nothing is named; the others have gone, and no new pods come.
fn is_held_back(nodes: &Nodes<'_>, name: &str) {
    let first = nodes.first();
    let flags = ["--force", "--delete-emptydir-data", "--timeout", "5"];
    let ended = first.kinstall(&[&["drain", name][..], &flags].concat());
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("default/guarded-"), "{ended}");
    assert!(ended.stderr.contains("two-of-them"), "{ended}");
    assert!(ended.stdout.contains("evicted default/bare"), "{ended}");
    assert!(is_cordoned(nodes, name));
    let left = pods(nodes, name);
    let guarded = left.iter().filter(|app| *app == "guarded").count();
    assert_eq!(guarded, 2, "{left:?}");
}

/// One at a time may go: each has another elsewhere before the next goes. Asked by somebody who has the whole directory.
fn drains(nodes: &Nodes<'_>, network: &Network, name: &str) {
    let first = nodes.first();
    let patch = "{\"spec\":{\"minAvailable\":1}}";
    succeed(&mut first.kubectl(&["patch", "pdb", "two-of-them", "--patch", patch]));
    let ended = from_afar(
        nodes,
        network,
        &["drain", name, "--delete-emptydir-data", "--json"],
    );
    assert_eq!(ended.code, Some(0), "{ended}");
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let gone = said["gone"].as_array().expect("a list");
    assert!(gone.len() >= 2, "{said:#}");
    assert_eq!(said["not-gone"], serde_json::json!([]), "{said:#}");
    // What a DaemonSet has there stays.
    assert_eq!(pods(nodes, name), ["web"]);
    first.wait_until("what was there is elsewhere", || {
        let mut command =
            first.kubectl(&["rollout", "status", "deployment/guarded", "--timeout=10s"]);
        answer(&run(&mut command)).map(drop)
    });
    let again = first.kinstall(&["drain", name]);
    assert_eq!(again.code, Some(0), "{again}");
    assert!(again.stdout.contains("0 pods evicted"), "{again}");
}

/// Whose pods are on a node, of those of the tests, where they are ready.
fn pods(nodes: &Nodes<'_>, name: &str) -> Vec<String> {
    let field = format!("spec.nodeName={name}");
    let said = nodes
        .first()
        .objects(&["get", "pods", "--field-selector", &field]);
    let pods = said["items"].as_array().into_iter().flatten();
    let ready = pods.filter(|pod| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        let mut conditions = conditions.filter(|one| one["type"] == "Ready");
        conditions.any(|one| one["status"] == "True")
    });
    let mut apps: Vec<_> = ready
        .filter_map(|pod| pod["metadata"]["labels"]["app"].as_str())
        .map(str::to_owned)
        .collect();
    apps.sort();
    apps
}

fn is_cordoned(nodes: &Nodes<'_>, name: &str) -> bool {
    let node = nodes.first().objects(&["get", "node", name]);
    node["spec"]["unschedulable"] == true
}
