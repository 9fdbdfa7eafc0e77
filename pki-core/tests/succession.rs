//! An authority and its successor in one file: both are trusted wherever the one was, the one signs, and nothing that kpki writes
//! loses the other.
#![allow(missing_docs)]

use std::fs;
use std::path::PathBuf;

use pki_core::cluster::Kubeconfig;
use pki_core::cluster::blueprint::{ArtifactId, Blueprint};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{AuthorityDocument, ClusterSpec, NodeDocument, SpecBuilder};
use pki_core::converge::export;
use pki_core::converge::inventory::Inventory;
use pki_core::converge::load_authority;
use pki_core::converge::plan::{Plan, Renewal};
use pki_core::converge::store::Store;
use pki_core::converge::verify::verify;
use pki_core::x509::{
    Authority, CaOptions, Certificate, Identity, Issued, LeafRequest, TrustAnchors, handshake,
};
use ring::rand::SystemRandom;
use time::{Duration, OffsetDateTime};

struct Tree {
    _temporary: tempfile::TempDir,
    dir: PathBuf,
    spec: ClusterSpec,
    profile: Profile,
    now: OffsetDateTime,
    successor: Authority,
}

fn builder() -> SpecBuilder {
    let worker = NodeDocument::new("w1")
        .addresses(["192.0.2.21"])
        .roles(["worker"]);
    ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node(
            NodeDocument::new("cp1")
                .addresses(["192.0.2.11"])
                .roles(["control-plane", "etcd"]),
        )
        .node(worker)
        .user_flag("alice:dev")
}

impl Tree {
    /// A cluster whose `ca` then gets a successor in its home file.
    fn new() -> Self {
        Self::with("kubeadm", "ca/ca.crt")
    }

    /// A cluster of that profile; a successor is appended to the file of one of its authorities.
    fn with(profile: &str, home: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        // Of the same name, as kubeadm's guide to the rotation by hand has it.
        let common_name = "kubernetes-ca";
        let options = CaOptions::default();
        let successor = Authority::generate(common_name, &options, now, &SystemRandom::new());
        let tree = Self {
            dir: temporary.path().join("kubernetes"),
            _temporary: temporary,
            spec: builder().build().unwrap(),
            profile: Profile::shipped(profile).unwrap(),
            now,
            successor: successor.unwrap().0,
        };
        tree.apply();
        let home = tree.dir.join(home);
        let text = fs::read_to_string(&home).unwrap() + &tree.successor.certificate().pem();
        fs::write(home, text).unwrap();
        tree
    }

    fn blueprint(&self) -> Blueprint {
        Blueprint::new(&self.spec, &self.profile).unwrap()
    }

    fn inventory(&self) -> Inventory {
        Inventory::read(&self.dir, &self.dir.join("ca")).unwrap()
    }

    fn plan(&self) -> Vec<String> {
        let (blueprint, inventory) = (self.blueprint(), self.inventory());
        let plan = Plan::new(&blueprint, &inventory, self.now);
        let line = |step: &pki_core::converge::plan::Step| {
            let obstacle = step.obstacle.as_ref().map(ToString::to_string);
            format!(
                "{} {}{}",
                step.action,
                step.artifact,
                obstacle.unwrap_or_default()
            )
        };
        plan.steps().iter().map(line).collect()
    }

    fn apply(&self) {
        self.apply_with(&[]);
    }

    fn apply_with(&self, consent: &[&str]) {
        let mut store = Store::open(&self.dir, &self.dir.join("ca")).unwrap();
        let (blueprint, inventory) = (self.blueprint(), self.inventory());
        let mut plan = Plan::new(&blueprint, &inventory, self.now);
        for id in consent {
            plan.consent_to(ArtifactId::cluster(*id));
        }
        plan.apply(&mut store, &SystemRandom::new()).unwrap();
    }

    fn renew(&self, names: &[&str]) {
        let mut store = Store::open(&self.dir, &self.dir.join("ca")).unwrap();
        let (blueprint, inventory) = (self.blueprint(), self.inventory());
        let renewal = Renewal::named(&blueprint, names).unwrap();
        let plan = Plan::renewal(&blueprint, &inventory, self.now, &renewal);
        plan.apply(&mut store, &SystemRandom::new()).unwrap();
    }

    fn certificates(&self, file: &str) -> Vec<Certificate> {
        Certificate::from_pem_chain(&fs::read(self.dir.join(file)).unwrap()).unwrap()
    }

    fn kubeconfig(&self, file: &str) -> Kubeconfig {
        Kubeconfig::parse(&fs::read_to_string(self.dir.join(file)).unwrap()).unwrap()
    }

    /// The authority's own certificate at home, and the successor's.
    fn both(&self) -> [Certificate; 2] {
        let home = self.certificates("ca/ca.crt");
        let both = [home[0].clone(), self.successor.certificate().clone()];
        assert_eq!(home, both);
        both
    }

    /// Every node and every kubeconfig trusts both, every handshake works, and nothing is left to do.
    fn expect_both_trusted(&self) {
        let both = self.both();
        for file in ["nodes/cp1/pki/ca.crt", "nodes/w1/pki/ca.crt"] {
            assert_eq!(self.certificates(file), both, "{file}");
        }
        for file in [
            "nodes/cp1/admin.conf",
            "nodes/w1/kubelet.conf",
            "users/alice.conf",
        ] {
            let config = self.kubeconfig(file);
            assert_eq!(config.trusts.embedded().unwrap()[..], both, "{file}");
        }
        let server = self.certificates("nodes/cp1/pki/apiserver.crt");
        assert_eq!(
            server.len(),
            1,
            "a successor is nothing between a leaf and its root"
        );
        let failed = verify(&self.blueprint(), &self.inventory(), self.now);
        let failed: Vec<_> = failed.failures().collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(self.plan(), [] as [String; 0]);
    }
}

#[test]
fn a_successor_is_trusted_wherever_its_authority_is() {
    let tree = Tree::new();
    let all = tree.plan();
    assert!(
        all.iter().all(|line| line.starts_with("rewrite ")),
        "{all:?}"
    );
    for artifact in ["ca", "cp1/admin", "w1/kubelet-client", "user/alice"] {
        assert!(all.contains(&format!("rewrite {artifact}")), "{all:?}");
    }
    let leaves = ["nodes/cp1/pki/apiserver.crt", "nodes/w1/pki/kubelet.crt"];
    let before = leaves.map(|leaf| tree.certificates(leaf));
    tree.apply();
    tree.expect_both_trusted();
    assert_eq!(leaves.map(|leaf| tree.certificates(leaf)), before);

    let exported = export::authorities(&["ca".into()], &tree.blueprint(), &tree.inventory());
    assert_eq!(exported.unwrap(), tree.both());
}

/// What consumers were given in advance: a server that the successor certified is believed, before anybody changes a consumer.
#[test]
fn a_server_of_the_successor_is_believed_already() {
    let tree = Tree::new();
    let name = "cp1".parse().unwrap();
    let request = LeafRequest::server("cp1").unwrap();
    let issued = tree
        .successor
        .issue(&request, tree.now, &SystemRandom::new());
    let Issued {
        certificate, key, ..
    } = issued.unwrap();
    let server = Identity::new(vec![certificate], &key).unwrap();
    let dial = || {
        let config = tree.kubeconfig("nodes/w1/kubelet.conf");
        let trusts = TrustAnchors::new(config.trusts.embedded().unwrap()).unwrap();
        handshake(&server, None, None, &trusts, &name, tree.now)
    };
    assert!(dial().is_err(), "before the apply nobody knows it");
    tree.apply();
    dial().unwrap();
}

#[test]
fn the_authority_signs_and_its_renewal_keeps_the_successor() {
    let tree = Tree::new();
    tree.apply();
    let [old, _] = tree.both();
    let id = ArtifactId::cluster("ca");
    let loaded = load_authority(&tree.blueprint(), &tree.inventory(), &id, tree.now).unwrap();
    assert_eq!(loaded.chain(), std::slice::from_ref(&old));
    tree.renew(&["cp1/apiserver", "w1/kubelet-client"]);
    tree.expect_both_trusted();
    let leaf = tree.certificates("nodes/cp1/pki/apiserver.crt");
    assert_eq!(leaf[0].authority_key_identifier, old.subject_key_identifier);
    tree.renew(&["ca"]);
    tree.apply();
    let [renewed, _] = tree.both();
    assert_ne!(renewed.serial, old.serial);
    assert_eq!(renewed.public_key, old.public_key);
    tree.expect_both_trusted();
}

#[test]
fn a_replacement_keeps_the_successor() {
    let mut tree = Tree::new();
    tree.apply();
    let [old, _] = tree.both();
    let differs = AuthorityDocument::default().common_name("another-ca");
    tree.spec = builder().authority("ca", differs).build().unwrap();
    tree.apply_with(&["ca"]);
    let [new, _] = tree.both();
    assert_ne!(new.public_key, old.public_key);
    tree.expect_both_trusted();
}

/// The hardened profile has a bundle of two authorities in one file: then it holds three certificates.
#[test]
fn a_bundle_has_the_successor_too() {
    let tree = Tree::with("hardened", "ca/etcd/ca.crt");
    assert!(tree.plan().contains(&"rewrite etcd-trusted".to_owned()));
    tree.apply();
    assert_eq!(tree.plan(), [] as [String; 0]);
    let successor = tree.successor.certificate();
    let (blueprint, inventory) = (tree.blueprint(), tree.inventory());
    let mut bundles = 0;
    for artifact in blueprint.artifacts() {
        use pki_core::cluster::blueprint::Content;
        let Content::TrustBundle(ids) = &artifact.content else {
            continue;
        };
        for placement in &artifact.placements {
            let file = inventory.at(&placement.location).unwrap();
            let found = file.content.certificates().unwrap();
            let with_ca = ids.contains(&ArtifactId::cluster("etcd-ca"));
            assert_eq!(found.contains(successor), with_ca, "{}", artifact.id);
            assert_eq!(found.len(), ids.len() + usize::from(with_ca));
            bundles += usize::from(with_ca);
        }
    }
    assert!(bundles > 0, "the profile has a bundle with etcd-ca in it");
    let failed = verify(&blueprint, &inventory, tree.now);
    assert_eq!(failed.failures().count(), 0);
}

/// Of the old authority's end nobody need hear from a file that has both: each is judged by itself.
#[test]
fn check_and_graph_tell_of_both() {
    use pki_core::converge::check::{CheckedFiles, Thresholds};
    use pki_core::converge::graph::{Graph, State};
    let tree = Tree::new();
    tree.apply();
    let [old, new] = tree.both();
    let thresholds = Thresholds {
        warn: "30d".parse().unwrap(),
        critical: "7d".parse().unwrap(),
    };
    let checked = CheckedFiles::read(std::slice::from_ref(&tree.dir), &thresholds, tree.now);
    assert!(checked.unknown.is_empty(), "{:?}", checked.unknown);
    let named = |certificate: &Certificate| {
        let mut all = checked.certificates.iter();
        let one = all.find(|one| one.certificate == *certificate).unwrap();
        assert_eq!(one.findings, []);
        let readers: Vec<_> = one.consumers.iter().map(ToString::to_string).collect();
        (one.name(), readers)
    };
    let (name, readers) = named(&old);
    assert_eq!(name, "ca");
    assert!(!readers.is_empty());
    assert_eq!(named(&new), ("ca (successor)".into(), readers));

    let graph = |now| Graph::new(&tree.spec, &tree.blueprint(), &tree.inventory(), now);
    let now = graph(tree.now);
    let followed: Vec<_> = now
        .authorities
        .iter()
        .map(|one| one.successors.len())
        .collect();
    assert_eq!(followed, [1, 0, 0]);
    let successor = &now.authorities[0].successors[0];
    assert_eq!(successor.subject, "CN=kubernetes-ca");
    assert_eq!(successor.expiry.state, State::Fine);
    let later = graph(tree.now + Duration::days(3600));
    assert_eq!(later.authorities[0].successors[0].expiry.state, State::Late);
}
