//! Signing kubelets' requests under a policy: what is asked for is held against the spec's nodes, and nothing but the key is taken over.
//!
//! cargo run -p pki-core --example sign_kubelet_csrs

use std::error::Error;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::policy::{Ground, SigningPolicy, Wish};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::x509::{
    Authority, CaOptions, DistinguishedName, KeyAlgorithm, PrivateKey, SigningRequest, Usage,
};
use ring::rand::SystemRandom;
use time::OffsetDateTime;

/// Signs the request of a node that is in the spec, and refuses one that asks for more.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node(NodeDocument::new("cp1").addresses(["192.0.2.11"]))
        .build()?;
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm())?;
    let (ca, _its_key) = Authority::generate("kubernetes-ca", &CaOptions::default(), now, &rng)?;
    let policy = SigningPolicy::shipped("kubelet-client").ok_or("it comes with the library")?;
    let ground = Ground {
        spec: &spec,
        blueprint: &blueprint,
    };

    // What a kubelet sends: its key, and who it is.
    let key = PrivateKey::generate(KeyAlgorithm::default(), &rng)?;
    let request = |name: &str, groups: &[&str]| -> Result<SigningRequest, Box<dyn Error>> {
        let subject = DistinguishedName::new(name, groups);
        let pem = SigningRequest::generate(&subject, &[], &[Usage::Client], &key)?.pem();
        // Reading it proves its own signature.
        Ok(SigningRequest::from_pem(pem.as_bytes())?)
    };

    let good = request("system:node:cp1", &["system:nodes"])?;
    let allowed = policy.check(&Wish::new(&good), Some(&ground))?;
    let certificate = allowed.sign(&ca, now, &rng)?;
    assert_eq!(certificate.subject.common_name(), Some("system:node:cp1"));

    for (name, groups) in [
        ("system:node:cp2", &["system:nodes"][..]),
        ("system:node:cp1", &["system:nodes", "system:masters"]),
    ] {
        let bad = request(name, groups)?;
        match policy.check(&Wish::new(&bad), Some(&ground)) {
            Ok(_) => return Err(format!("{name} in {groups:?} was allowed").into()),
            Err(refused) => eprintln!("refused: {refused}"),
        }
    }
    Ok(())
}
