//! The examples do what they say: each is run as a test.
#![allow(missing_docs)]

#[path = "../examples/cluster_in_memory.rs"]
mod cluster_in_memory;
#[path = "../examples/renew_in_a_job.rs"]
mod renew_in_a_job;
#[path = "../examples/server_certificate.rs"]
mod server_certificate;
#[path = "../examples/sign_kubelet_csrs.rs"]
mod sign_kubelet_csrs;

#[test]
fn a_server_certificate_in_a_test() {
    server_certificate::main().unwrap();
}

#[test]
fn a_cluster_in_memory() {
    cluster_in_memory::main().unwrap();
}

#[test]
fn renewal_in_a_job() {
    renew_in_a_job::main().unwrap();
}

#[test]
fn kubelets_requests_under_a_policy() {
    sign_kubelet_csrs::main().unwrap();
}
