//! Which names and addresses a service CIDR leads to: in the certificates that `kpki init` makes, as Go
//! reads them.
#![allow(missing_docs)]

mod random;
mod table;

use std::collections::BTreeSet;

use pki_core::cluster::blueprint::ArtifactId;
use tests::cluster::Cluster;
use tests::judge::Questions;

/// The SANs of a certificate on the first node, as text.
fn sans(cluster: &Cluster, name: &str) -> BTreeSet<String> {
    let leaves = cluster.leaves();
    let node = cluster.spec.nodes()[0].name();
    let ids = [ArtifactId::node(node, name), ArtifactId::cluster(name)];
    let leaf = leaves.iter().find(|leaf| ids.contains(&leaf.artifact.id));
    let leaf = leaf.expect("a certificate of that name");
    let mut questions = Questions::default();
    questions.verify(name, &leaf.issuer, &leaf.file, &["server"], &[]);
    let certificate = questions.accepted().remove(0).certificate.expect("read");
    let (dns, ips) = (certificate.dns, certificate.ips);
    let count = dns.len() + ips.len();
    let sans: BTreeSet<_> = dns.into_iter().chain(ips).collect();
    assert_eq!(sans.len(), count, "a name twice");
    sans
}
