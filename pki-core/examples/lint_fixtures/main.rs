//! Writes the fixtures of the lint: certificates that break one rule each.
//!
//! `cargo run -p pki-core --example lint_fixtures`
//!
//! They come out the same every time: fixed keys, dates and serial numbers, and Ed25519 signatures,
//! which have no randomness. `pki-core/tests/lint_fixtures.rs` holds the files to this program.
//! `cluster/lint/fixtures/kubeadm/` is not made here but by kubeadm itself: `ca.crt`, `apiserver.crt`
//! and `apiserver-kubelet-client.crt` of `kubeadm init phase certs all`.

mod cluster;
mod forge;
mod x509;

fn main() -> std::io::Result<()> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, text) in x509::files().into_iter().chain(cluster::files()) {
        std::fs::write(source.join(path), text)?;
    }
    Ok(())
}
