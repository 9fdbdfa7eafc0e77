//! All certificates of a kubeconfig: of every cluster and user in it, not of the current context alone.

use super::{
    AUTHORITY, CERTIFICATE, Document, KEY, KubeconfigError, Material, certificates, material, yaml,
};
use crate::x509::{Certificate, PrivateKey};

/// What a kubeconfig holds of certificates, or refers to.
#[derive(Debug)]
pub struct KubeconfigContents {
    /// Whom clients trust, by the name of the cluster.
    pub authorities: Vec<(String, Material<Vec<Certificate>>)>,
    /// Who they are.
    pub clients: Vec<KubeconfigClient>,
}

/// A user of a kubeconfig.
#[derive(Debug)]
pub struct KubeconfigClient {
    /// How the file calls it.
    pub user: String,
    /// Its certificate, with those above it.
    pub chain: Material<Vec<Certificate>>,
    /// Its key.
    pub key: Material<PrivateKey>,
}

impl KubeconfigContents {
    /// Reads a kubeconfig.
    ///
    /// # Errors
    /// [`KubeconfigError`]; [`KubeconfigError::Kind`] for a document of another kind.
    pub fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let document: Document = yaml::read(text)?;
        if document.kind != "Config" {
            return Err(KubeconfigError::Kind(document.kind));
        }
        let authorities = document.clusters.into_iter().map(|named| {
            let cluster = named.cluster;
            let read = |pem: &[u8]| certificates(pem, AUTHORITY);
            let found = material(cluster.authority_data, cluster.authority, AUTHORITY, read)?;
            Ok((named.name, found))
        });
        let clients = document.users.into_iter().map(|named| {
            let user = named.user;
            let read = |pem: &[u8]| certificates(pem, CERTIFICATE);
            let chain = material(user.certificate_data, user.certificate, CERTIFICATE, read)?;
            let read = |pem: &[u8]| PrivateKey::from_pem(pem).map_err(KubeconfigError::Key);
            Ok(KubeconfigClient {
                user: named.name,
                chain,
                key: material(user.key_data, user.key, KEY, read)?,
            })
        });
        Ok(Self {
            authorities: authorities.collect::<Result<_, KubeconfigError>>()?,
            clients: clients.collect::<Result<_, KubeconfigError>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cluster_and_user_counts_and_not_the_current_context_alone() {
        let text = "\
kind: Config
clusters:
- {name: one, cluster: {server: 'https://a', certificate-authority: ca.crt}}
- {name: two, cluster: {server: 'https://b'}}
users:
- {name: kubelet, user: {client-certificate: /pki/current.pem, client-key: /pki/current.pem}}
- {name: by-token, user: {token: abc}}
";
        let contents = KubeconfigContents::parse(text).unwrap();
        let [(one, ca), (_, Material::Absent)] = &contents.authorities[..] else {
            panic!("{contents:?}");
        };
        assert_eq!(one, "one");
        assert!(matches!(ca, Material::Path(path) if path == "ca.crt"));
        let [kubelet, token] = &contents.clients[..] else {
            panic!("{contents:?}");
        };
        assert!(matches!(&kubelet.chain, Material::Path(path) if path == "/pki/current.pem"));
        assert!(matches!(token.chain, Material::Absent));
        assert!(matches!(
            KubeconfigContents::parse("kind: Pod"),
            Err(KubeconfigError::Kind(_))
        ));
    }
}
