//! How long the certificates of a node's tree last.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pki_core::converge::inventory::Found;
use pki_core::x509::Certificate;
use time::OffsetDateTime;

use super::CertificateStatus;
use crate::desired::TreeFile;

/// Every certificate of the tree, in files of its own and in kubeconfigs; the first to end first.
pub fn certificates(
    tree: &BTreeMap<PathBuf, TreeFile>,
    now: OffsetDateTime,
) -> Vec<CertificateStatus> {
    let mut all: Vec<_> = tree
        .iter()
        .filter_map(|(path, file)| {
            let certificate = first(Found::of(file.contents.secret_bytes()))?;
            let not_after = certificate.validity.not_after;
            Some(CertificateStatus {
                file: path.display().to_string(),
                days_left: (not_after - now).whole_days(),
                not_after: not_after.unix_timestamp(),
            })
        })
        .collect();
    all.sort_by(|one, other| (one.not_after, &one.file).cmp(&(other.not_after, &other.file)));
    all
}

fn first(found: Found) -> Option<Certificate> {
    match found {
        Found::Certificates(chain) => chain.into_iter().next(),
        Found::Kubeconfig(config) => config.chain.embedded()?.first().cloned(),
        _ => None,
    }
}
