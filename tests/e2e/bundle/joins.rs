//! From one file to a node, to a renewed one, and back to a machine that has nothing.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tests::command::{run, succeed};
use tests::component;
use tests::image;
use tests::kpki;
use tests::node::answer;
use tests::record::note;

use crate::place::{Place, WORKER};

const IMAGE: &str = "registry.test/web:1";
/// Where kinstall is after the bundle was unpacked.
const KINSTALL: &str = "/var/lib/kinstall/bundle/bin/kinstall";

pub fn with_one_file(place: &Place<'_>) {
    let passphrase = place.passphrase();
    let (file, digest) = place.packed(WORKER, &["--passphrase-file", &passphrase]);
    let (bundle, key) = (place.give(&file), place.give(passphrase.as_ref()));
    let began = Instant::now();
    let ended = place.kinstall(&[
        "node",
        "--bundle",
        &bundle,
        "--passphrase-file",
        &key,
        "--digest",
        &digest,
    ]);
    assert!(ended.code == Some(0), "{ended}");
    let size = file.metadata().expect("it is there").len();
    note(&format!(
        "kinstall node --bundle, encrypted, {} MiB: {:.1} s\n{}",
        size >> 20,
        began.elapsed().as_secs_f64(),
        ended.stdout
    ));
    // All that it was given goes: what it needs is where a reset finds it.
    place.worker.shell("rm /root/*");
    is_well(place);
    runs_a_pod(place);
    has_its_own_keys_alone(place);
}

/// Ready for the API, and healthy for itself.
pub fn is_well(place: &Place<'_>) {
    place.first.wait_until("the worker is Ready", || {
        let arguments = [
            "wait",
            "--for=condition=Ready",
            "--timeout=5s",
            "node/node2",
        ];
        answer(&run(&mut place.first.kubectl(&arguments))).map(drop)
    });
    let ended = place.worker.run(KINSTALL, &["status"]);
    let words = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    assert!(words.contains("healthy"), "{words}");
}

/// A pod of the test's own, which reaches the API server by its Service.
fn runs_a_pod(place: &Place<'_>) {
    let file = "/root/web.tar";
    let program = component::path("kpki-web");
    image::archive(IMAGE, &program, &["serve"], &place.worker.path(file));
    let ctr = "/var/lib/kinstall/bundle/bin/ctr";
    place.worker.shell(&format!(
        "{ctr} --namespace k8s.io images import {file} && rm {file}"
    ));
    let ended = place.first.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{ name: web, namespace: default }}
spec:
  nodeName: {WORKER}
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: {IMAGE}
      imagePullPolicy: Never
      readinessProbe: {{ httpGet: {{ path: /hostname, port: 8080 }}, periodSeconds: 1 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        allowPrivilegeEscalation: false
        capabilities: {{ drop: [ALL] }}
        seccompProfile: {{ type: RuntimeDefault }}
"
    ));
    assert!(ended.code == Some(0), "{ended}");
    place.first.wait_until("the pod is ready", || {
        let arguments = ["wait", "--for=condition=Ready", "--timeout=5s", "pod/web"];
        answer(&run(&mut place.first.kubectl(&arguments))).map(drop)
    });
    let arguments = [
        "exec",
        "web",
        "--",
        "/bin/kpki-web",
        "get",
        "http://127.0.0.1:8080/hostname",
    ];
    assert_eq!(succeed(&mut place.first.kubectl(&arguments)).trim(), "web");
    succeed(&mut place.first.kubectl(&["delete", "pod", "web", "--wait"]));
}

/// No key of an authority or another node came along.
fn has_its_own_keys_alone(place: &Place<'_>) {
    let found = place
        .worker
        .shell("find / -xdev -name '*.key' -path '*/pki/*' | sort");
    let wanted = "/etc/kubernetes/pki/kubelet.key\n/var/lib/kinstall/bundle/cluster/nodes/node2/pki/kubelet.key\n";
    assert_eq!(found, wanted);
    let nodes = place
        .worker
        .shell("ls /var/lib/kinstall/bundle/cluster /var/lib/kinstall/bundle/cluster/nodes");
    assert_eq!(
        nodes,
        "/var/lib/kinstall/bundle/cluster:\ncluster.toml\nnodes\n\n/var/lib/kinstall/bundle/cluster/nodes:\nnode2\n"
    );
}

pub fn again_changes_nothing(place: &Place<'_>) {
    let passphrase = place.passphrase();
    let (bundle, key) = (
        place.give(&place.file(WORKER)),
        place.give(passphrase.as_ref()),
    );
    let before = place.worker.files();
    // Without the bundle too: where its files are is remembered.
    for arguments in [
        &["node", "--bundle", &bundle, "--passphrase-file", &key][..],
        &["node"],
    ] {
        let ended = place.worker.run(KINSTALL, arguments);
        assert!(
            ended.code == Some(0) && ended.stdout.contains("nothing to do"),
            "{ended}"
        );
    }
    let changes = before.without(&[
        "/run",
        "/var/log",
        "/var/lib/containerd",
        "/var/lib/kubelet",
        "/root",
    ]);
    let now = place.worker.files();
    let now = now.without(&[
        "/run",
        "/var/log",
        "/var/lib/containerd",
        "/var/lib/kubelet",
        "/root",
    ]);
    assert_eq!(changes.changes_to(&now), Vec::<String>::new());
    place.worker.shell("rm /root/*");
}

/// Renewed where the CAs' keys are, packed again, brought again.
pub fn a_renewed_tree(place: &Place<'_>) {
    let certificate = |below: &Path| fs::read(below.join("pki/kubelet.crt")).expect("it is there");
    let on_machine = || certificate(&place.worker.path("/etc/kubernetes"));
    let before = on_machine();
    let dir = place.pki.dir();
    succeed(kpki::command(&["renew", "node2/*", "--dir"]).arg(dir));
    let wanted = certificate(&place.pki.node(WORKER));
    assert!(wanted != before);
    // The machine has the programs: their digests are enough.
    let (file, digest) = place.packed(WORKER, &["--digests"]);
    let bundle = place.give(&file);
    let ended = place.worker.run(
        KINSTALL,
        &["node", "--bundle", &bundle, "--digest", &digest],
    );
    assert!(
        ended.code == Some(0) && !ended.stdout.contains("nothing to do"),
        "{ended}"
    );
    assert!(on_machine() == wanted);
    place.worker.shell("rm /root/*");
    is_well(place);
}

pub fn and_leaves(place: &Place<'_>) {
    let ended = place.worker.run(KINSTALL, &["reset", "--yes"]);
    assert!(ended.code == Some(0), "{ended}");
    place.is_untouched();
    succeed(&mut place.first.kubectl(&["delete", "node", WORKER]));
}
