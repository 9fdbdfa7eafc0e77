//! The encryption configuration is in use: what etcd keeps of a Secret is ciphertext.

use tests::command::{run, succeed};
use tests::control_plane::ControlPlane;

const PLAIN: &str = "correct-horse-battery-staple";

pub fn secrets_are_ciphertext_in_etcd(control_plane: &ControlPlane<'_>) {
    let value = format!("--from-literal=password={PLAIN}");
    let create = ["create", "secret", "generic", "vault", value.as_str()];
    succeed(&mut control_plane.kubectl("super-admin.conf", &create));

    let pki = control_plane.tree().join("pki");
    let stored = |key: &str| {
        let arguments = ["get", "--print-value-only", key];
        let client = pki.join("apiserver-etcd-client");
        let (certificate, key) = (client.with_extension("crt"), client.with_extension("key"));
        let ended = run(&mut control_plane.etcdctl(&certificate, &key, &arguments));
        assert_eq!(ended.code, Some(0), "{ended}");
        ended.stdout
    };
    let secret = stored("/registry/secrets/default/vault");
    assert!(secret.starts_with("k8s:enc:"), "{secret:?}");
    assert!(
        !secret.contains(PLAIN) && !secret.contains("password"),
        "{secret:?}"
    );
    // And the API server reads it back.
    let get = [
        "get",
        "secret",
        "vault",
        "-o",
        "go-template={{.data.password | base64decode}}",
    ];
    assert_eq!(
        succeed(&mut control_plane.kubectl("super-admin.conf", &get)),
        PLAIN
    );
    // What is no secret is kept plain: the prefix above means something.
    let namespace = stored("/registry/namespaces/default");
    assert!(namespace.starts_with("k8s\0"), "{namespace:?}");
}
