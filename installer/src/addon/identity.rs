//! Who the node's files say that a client is, and whom it trusts. Names come from certificates, not from habit: an
//! owner's profile may choose others.

use pki_core::cluster::Kubeconfig;
use pki_core::x509::{Certificate, DistinguishedName};

use crate::desired::NodeSpec;

/// Whom the API server takes a client for: the subject of its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its user name.
    pub user: Option<String>,
    /// Its groups.
    pub groups: Vec<String>,
}

/// The client of a certificate file.
pub(super) fn of_certificate(spec: &NodeSpec, path: &str) -> Option<Identity> {
    let file = spec.file(path)?;
    let chain = Certificate::from_pem_chain(file.contents.secret_bytes()).ok()?;
    Some(of_subject(&chain.first()?.subject))
}

/// The client of a kubeconfig.
pub(super) fn of_kubeconfig(spec: &NodeSpec, path: &str) -> Option<Identity> {
    let kubeconfig = kubeconfig(spec, path)?;
    let chain = kubeconfig.chain.embedded()?;
    Some(of_subject(&chain.first()?.subject))
}

/// The CA certificates that clients of the API server trust, in PEM.
pub(super) fn trusted(spec: &NodeSpec) -> String {
    let from = ["kube-proxy.conf", "admin.conf", "super-admin.conf"];
    let mut kubeconfigs = from.iter().filter_map(|path| kubeconfig(spec, path));
    let embedded = kubeconfigs.find_map(|one| {
        let chain = one.trusts.embedded()?.iter();
        Some(chain.map(Certificate::pem).collect::<String>())
    });
    embedded.unwrap_or_else(|| {
        let file = spec.file("pki/ca.crt");
        let bytes = file.map(|file| file.contents.secret_bytes());
        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
    })
}

fn kubeconfig(spec: &NodeSpec, path: &str) -> Option<Kubeconfig> {
    let file = spec.file(path)?;
    let text = std::str::from_utf8(file.contents.secret_bytes()).ok()?;
    Kubeconfig::parse(text).ok()
}

fn of_subject(subject: &DistinguishedName) -> Identity {
    Identity {
        user: subject.common_name().map(str::to_owned),
        groups: subject.organizations().map(str::to_owned).collect(),
    }
}
