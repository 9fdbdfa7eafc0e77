//! rustls-webpki, as pki-core's `verify` asks it.

use std::fs;
use std::path::{Path, PathBuf};

use pki_core::cluster::Kubeconfig;
use pki_core::x509::{Certificate, DialedName, SubjectAltName, TrustAnchors, Usage};
use tests::cluster::{Cluster, Leaf, read};
use time::OffsetDateTime;

pub fn accepts_every_certificate(cluster: &Cluster) {
    let now = OffsetDateTime::now_utc();
    for (leaf, file) in pem_files(cluster) {
        let anchors = TrustAnchors::new(&chain(&leaf.issuer)).expect("it is an authority");
        let chain = chain(&file);
        let verify = |usage, name: Option<&DialedName>| {
            let verified = anchors.verify(&chain, usage, name, now);
            verified.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        };
        for usage in &leaf.entry.request.usages {
            verify(*usage, None);
            for san in &leaf.entry.request.sans {
                if *usage == Usage::Server {
                    verify(Usage::Server, Some(&dialed(san)));
                }
            }
        }
    }
}

fn dialed(san: &SubjectAltName) -> DialedName {
    let text = san.to_string().replace('*', "any");
    text.parse().expect("a name or an address")
}

fn chain(file: &Path) -> Vec<Certificate> {
    Certificate::from_pem_chain(read(file).as_bytes()).expect("certificates")
}

/// Every leaf with a file of PEM: its own, or one with what its kubeconfig embeds.
pub fn pem_files(cluster: &Cluster) -> Vec<(Leaf<'_>, PathBuf)> {
    let scratch = cluster.scratch("pem");
    let leaves = cluster.leaves().into_iter().enumerate();
    leaves
        .map(|(index, leaf)| {
            if leaf.file != leaf.key {
                let file = leaf.file.clone();
                return (leaf, file);
            }
            let kubeconfig = Kubeconfig::parse(&read(&leaf.file)).expect("a kubeconfig");
            let chain = kubeconfig.chain.embedded().expect("it embeds");
            let text: String = chain.iter().map(Certificate::pem).collect();
            let file = scratch.join(format!("{index}.crt"));
            fs::write(&file, text).expect("written");
            (leaf, file)
        })
        .collect()
}
