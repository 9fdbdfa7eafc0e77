//! Whoever has no business with the node: an attacker's host on its network, and certificates for something else.

use tests::attacker;
use tests::command::succeed;
use tests::machine::Network;
use tests::node::Node;
use tests::phases::Phases;

pub fn show(phases: &mut Phases, node: &Node<'_>, network: &Network) {
    phases.show("no port answers an attacker", || {
        let open = attacker::no_port_answers(network, &node.addresses());
        assert!(
            open.contains(&6443) && open.contains(&10250),
            "{open:?}: the scan sees nothing"
        );
    });
    phases.show("etcd refuses the kubelet client", || {
        etcd_refuses_others(node)
    });
    phases.show("a secret in etcd is ciphertext", || {
        secrets_are_ciphertext(node)
    });
    phases.show("a privileged pod is refused", || {
        privileged_pods_are_refused(node)
    });
}

fn etcd_refuses_others(node: &Node<'_>) {
    let get = |client: &str| {
        let tree = "/etc/kubernetes/pki";
        let line = format!(
            "curl --silent --show-error --http1.1 --noproxy '*' --max-time 10 --cacert {tree}/etcd/ca.crt \
             --cert {tree}/{client}.crt --key {tree}/{client}.key https://127.0.0.1:2379/health"
        );
        node.machine.run("sh", &["-c", &line])
    };
    let ended = get("apiserver-etcd-client");
    assert!(
        ended.stdout.contains("\"health\":\"true\""),
        "the question is a right one: {ended}"
    );
    let ended = get("apiserver-kubelet-client");
    assert!(matches!(ended.code, Some(35 | 52 | 55 | 56)), "{ended}");
}

fn secrets_are_ciphertext(node: &Node<'_>) {
    let word = "plain-for-everybody";
    let create = ["create", "secret", "generic", "probe", "--from-literal"];
    succeed(node.kubectl(&create).arg(format!("word={word}")));
    let tree = "/etc/kubernetes/pki";
    let stored = node.machine.shell(&format!(
        "etcdctl --endpoints https://127.0.0.1:2379 --cacert {tree}/etcd/ca.crt \
         --cert {tree}/apiserver-etcd-client.crt --key {tree}/apiserver-etcd-client.key \
         get /registry/secrets/default/probe --print-value-only"
    ));
    assert!(stored.starts_with("k8s:enc:"), "{stored:?}");
    assert!(!stored.contains(word));
    // Who may read it still can.
    let secret = node.objects(&["get", "secret", "probe"]);
    assert_eq!(secret["data"]["word"], "cGxhaW4tZm9yLWV2ZXJ5Ym9keQ==");
}

fn privileged_pods_are_refused(node: &Node<'_>) {
    let pod = "
apiVersion: v1
kind: Pod
metadata: { name: root, namespace: default }
spec:
  hostNetwork: true
  containers:
    - { name: root, image: registry.test/web:1, imagePullPolicy: Never, securityContext: { privileged: true } }
";
    let ended = node.apply(pod);
    assert!(ended.code == Some(1), "{ended}");
    assert!(
        ended.stderr.contains("violates PodSecurity \"baseline:"),
        "{ended}"
    );
}
