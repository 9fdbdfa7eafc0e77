//! Foreign judges of everything that is issued: OpenSSL, Go, rustls-webpki, zlint and kubeadm, for
//! every shipped profile and every key algorithm.
#![allow(missing_docs)]

mod go;
mod kubeadm;
mod openssl;
mod webpki;
mod zlint;

use tests::cluster::Cluster;

/// Everything that may make a difference: both families, an endpoint with a name, a wildcard, names of
/// its own for a node, a user with two groups, a node that is a worker only.
fn whole(profile: &str, algorithm: &str) -> Cluster {
    Cluster::init_from(&format!(
        r#"
        service-cidr = ["10.3.0.0/24", "fd00:3::/112"]
        domain = "cluster.example"
        endpoint = "api.cluster.example"
        san = ["203.0.113.9", "*.api.cluster.example"]
        profile = "{profile}"
        key-algorithm = "{algorithm}"

        [[node]]
        name = "cp-1"
        addresses = ["192.0.2.10", "2001:db8::10"]
        roles = ["control-plane", "etcd", "worker"]
        san = "cp-1.rack.example"

        [[node]]
        name = "worker-1"
        addresses = ["192.0.2.21", "2001:db8::21"]

        [[user]]
        name = "alice"
        groups = ["dev", "ops"]
        "#
    ))
}

/// The fewest keys there can be, for those that take seconds each.
fn small(algorithm: &str) -> Cluster {
    let base = ["--service-cidr", "10.3.0.0/24", "--node", "cp-1=192.0.2.10"];
    let arguments = [
        &base[..],
        &["--profile", "makecerts", "--key-algorithm", algorithm],
    ];
    Cluster::init(&arguments.concat())
}

fn judge(cluster: &Cluster) {
    go::accepts_and_reads_what_was_asked_for(cluster);
    go::refuses_other_usages_and_other_authorities(cluster);
    go::connects_every_trust_edge(cluster);
    openssl::accepts_every_certificate(cluster);
    openssl::reads_every_key(cluster);
    webpki::accepts_every_certificate(cluster);
    zlint::finds_nothing(cluster);
    kubeadm::reads_every_file_of_its_own_layout(cluster, "cp-1");
}

macro_rules! judged {
    ($($test:ident: $cluster:expr;)*) => {$(
        #[test]
        fn $test() {
            judge(&$cluster);
        }
    )*};
}

judged! {
    kubeadm_ecdsa_p256: whole("kubeadm", "ecdsa-p256");
    kubeadm_ecdsa_p384: whole("kubeadm", "ecdsa-p384");
    kubeadm_ed25519: whole("kubeadm", "ed25519");
    kubeadm_rsa_2048: whole("kubeadm", "rsa-2048");
    hardened_ecdsa_p256: whole("hardened", "ecdsa-p256");
    hardened_ecdsa_p384: whole("hardened", "ecdsa-p384");
    hardened_ed25519: whole("hardened", "ed25519");
    hardened_rsa_2048: whole("hardened", "rsa-2048");
    external_etcd_ecdsa_p256: whole("external-etcd", "ecdsa-p256");
    external_etcd_ecdsa_p384: whole("external-etcd", "ecdsa-p384");
    external_etcd_ed25519: whole("external-etcd", "ed25519");
    external_etcd_rsa_2048: whole("external-etcd", "rsa-2048");
    makecerts_ecdsa_p256: whole("makecerts", "ecdsa-p256");
    makecerts_ecdsa_p384: whole("makecerts", "ecdsa-p384");
    makecerts_ed25519: whole("makecerts", "ed25519");
    makecerts_rsa_2048: whole("makecerts", "rsa-2048");
    makecerts_rsa_3072: small("rsa-3072");
    makecerts_rsa_4096: small("rsa-4096");
}

#[test]
fn the_shipped_profiles_are_those_judged_here() {
    let shipped: Vec<_> = pki_core::cluster::profile::Profile::shipped_names().collect();
    assert_eq!(
        shipped,
        ["kubeadm", "hardened", "external-etcd", "makecerts"]
    );
}
