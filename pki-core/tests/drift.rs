//! Every kind of drift: it is seen, said in words, mended by one apply, and nothing else is touched.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{ArtifactId, Blueprint};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{
    AuthorityDocument, CertificateDocument, ClusterSpec, NodeDocument, SpecBuilder,
};
use pki_core::converge::apply::ApplyError;
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use pki_core::x509::{
    Authority, CaOptions, Certificate, KeyAlgorithm, LeafRequest, LocalSigner, PrivateKey, Usage,
};
use ring::rand::SystemRandom;
use time::{Duration, OffsetDateTime};

struct Tree {
    _temporary: tempfile::TempDir,
    dir: PathBuf,
    now: OffsetDateTime,
    spec: ClusterSpec,
    profile: Profile,
}

/// What a step is, in one line: `issue n1/apiserver: names-missing`.
type Line = String;

fn builder() -> SpecBuilder {
    ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .endpoint("api.corp.example")
        .node(NodeDocument::new("n1").addresses(["192.0.2.10"]))
        .user_flag("alice:dev")
}

impl Tree {
    fn new() -> Self {
        Self::with(builder().build().unwrap(), Profile::kubeadm())
    }

    fn with(spec: ClusterSpec, profile: Profile) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("kubernetes");
        let tree = Self {
            _temporary: temporary,
            dir,
            now: OffsetDateTime::now_utc(),
            spec,
            profile,
        };
        tree.apply(&[]).unwrap();
        assert_eq!(tree.plan(), [] as [Line; 0]);
        tree
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.dir.join(inner)
    }

    fn node(&self, inner: &str) -> PathBuf {
        self.dir.join("nodes/n1").join(inner)
    }

    fn on<R>(&self, act: impl FnOnce(&mut Plan<'_>) -> R) -> R {
        let blueprint = Blueprint::new(&self.spec, &self.profile).unwrap();
        let inventory = Inventory::read(&self.dir, &self.dir.join("ca")).unwrap();
        act(&mut Plan::new(&blueprint, &inventory, self.now))
    }

    fn plan(&self) -> Vec<Line> {
        self.on(|plan| {
            let line = |step: &pki_core::converge::plan::Step| {
                assert!(
                    step.reasons
                        .iter()
                        .all(|reason| !reason.to_string().is_empty())
                );
                let codes: Vec<_> = step.reasons.iter().map(|reason| reason.code()).collect();
                let obstacle = step
                    .obstacle
                    .as_ref()
                    .map_or(String::new(), |obstacle| format!(" !{obstacle}"));
                format!(
                    "{} {}: {}{obstacle}",
                    step.action,
                    step.artifact,
                    codes.join(" ")
                )
            };
            plan.steps().iter().map(line).collect()
        })
    }

    fn apply(&self, consent: &[&str]) -> Result<Vec<Line>, ApplyError> {
        let mut store = Store::open(&self.dir, &self.dir.join("ca")).unwrap();
        self.on(|plan| {
            for id in consent {
                plan.consent_to(ArtifactId::cluster(*id));
            }
            let applied = plan.apply(&mut store, &SystemRandom::new())?;
            Ok(applied
                .done
                .iter()
                .map(|done| format!("{} {}", done.action, done.artifact))
                .collect())
        })
    }

    /// Sees exactly these steps, applies them, sees none any more, and finds every file that belongs to
    /// none of them untouched. Returns the files that changed.
    fn mends(&self, steps: &[&str]) -> Vec<String> {
        assert_eq!(self.plan(), steps);
        let before = self.files();
        self.apply(&[]).unwrap();
        assert_eq!(self.plan(), [] as [Line; 0]);
        let after = self.files();
        let changed = |path: &&String| before.get(*path) != after.get(*path);
        after.keys().filter(changed).cloned().collect()
    }

    fn files(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        walk(&self.dir, &self.dir, &mut found);
        found
    }

    fn authority(&self) -> Authority {
        let chain =
            Certificate::from_pem_chain(&fs::read(self.path("ca/ca.crt")).unwrap()).unwrap();
        let key = PrivateKey::from_pem(&fs::read(self.path("ca/ca.key")).unwrap()).unwrap();
        Authority::load(chain, LocalSigner::new(&key).unwrap(), self.now).unwrap()
    }

    /// Puts another certificate in the place of the API server's, as wanted but for a change.
    fn replace_apiserver(&self, change: impl Fn(&mut LeafRequest)) {
        let current =
            Certificate::from_pem_chain(&fs::read(self.node("pki/apiserver.crt")).unwrap())
                .unwrap();
        let mut request = LeafRequest::client("kube-apiserver").for_usages(&[Usage::Server]);
        request.sans = current[0].sans.clone();
        change(&mut request);
        let issued = self
            .authority()
            .issue(&request, self.now, &SystemRandom::new())
            .unwrap();
        fs::write(self.node("pki/apiserver.crt"), issued.certificate.pem()).unwrap();
        fs::write(
            self.node("pki/apiserver.key"),
            issued.key.secret_pem().as_bytes(),
        )
        .unwrap();
    }
}

fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            let mode = path.symlink_metadata().unwrap().permissions().mode();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let link = |_| {
                fs::read_link(&path)
                    .unwrap()
                    .display()
                    .to_string()
                    .into_bytes()
            };
            found.insert(name, (mode, fs::read(&path).unwrap_or_else(link)));
        }
    }
}

const PAIR: [&str; 2] = ["nodes/n1/pki/apiserver.crt", "nodes/n1/pki/apiserver.key"];

#[test]
fn another_san() {
    let mut tree = Tree::new();
    tree.spec = builder()
        .sans(["extra.example", "192.0.2.99"])
        .build()
        .unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: names-missing"]), PAIR);
    tree.spec = builder().build().unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: names-extra"]), PAIR);
}

#[test]
fn another_node_address() {
    let mut tree = Tree::new();
    let node = NodeDocument::new("n1").addresses(["192.0.2.11"]);
    tree.spec = builder().nodes([node]).build().unwrap();
    tree.mends(&[
        "issue n1/apiserver: names-missing names-extra",
        "issue n1/etcd-server: names-missing names-extra",
        "issue n1/etcd-peer: names-missing names-extra",
        "issue n1/kubelet: names-missing names-extra",
        "rewrite n1/controller-manager: server",
        "rewrite n1/scheduler: server",
        "rewrite n1/kubelet-client: server",
    ]);
}

#[test]
fn another_service_cidr_and_domain() {
    let mut tree = Tree::new();
    tree.spec = builder()
        .service_cidrs(["172.20.0.0/16"])
        .domain("corp.example")
        .build()
        .unwrap();
    tree.mends(&[
        "issue n1/apiserver: names-missing names-extra",
        "issue cluster-dns: names-missing names-extra",
    ]);
}

#[test]
fn another_endpoint() {
    let mut tree = Tree::new();
    tree.spec = builder()
        .endpoint("other.corp.example:443")
        .build()
        .unwrap();
    tree.mends(&[
        "issue n1/apiserver: names-missing names-extra",
        "rewrite n1/admin: server",
        "rewrite n1/super-admin: server",
        "rewrite n1/kube-proxy: server",
        "rewrite user/alice: server",
    ]);
}

#[test]
fn another_cluster_name() {
    let mut tree = Tree::new();
    tree.spec = builder().name("production").build().unwrap();
    let plan = tree.plan();
    assert_eq!(plan.len(), 7, "{plan:?}");
    assert!(
        plan.iter()
            .all(|line| line.starts_with("rewrite ") && line.ends_with(": context")),
        "{plan:?}"
    );
}

#[test]
fn other_groups() {
    let mut tree = Tree::new();
    let user = pki_core::cluster::spec::UserDocument::new("alice").groups(["dev", "ops"]);
    tree.spec = builder().users([user]).build().unwrap();
    assert_eq!(
        tree.mends(&["issue user/alice: subject"]),
        ["users/alice.conf"]
    );
}

#[test]
fn another_subject_or_usage() {
    let tree = Tree::new();
    tree.replace_apiserver(|request| {
        request.subject = pki_core::x509::DistinguishedName::new("kube-apiserver", &["x"]);
    });
    assert_eq!(tree.mends(&["issue n1/apiserver: subject"]), PAIR);
    tree.replace_apiserver(|request| request.usages = vec![Usage::Server, Usage::Client]);
    assert_eq!(tree.mends(&["issue n1/apiserver: usages"]), PAIR);
}

#[test]
fn another_algorithm() {
    let mut tree = Tree::new();
    let differs = CertificateDocument::default().key_algorithm(KeyAlgorithm::EcdsaP384);
    tree.spec = builder().certificate("apiserver", differs).build().unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: algorithm"]), PAIR);
}

#[test]
fn another_issuer() {
    let tree = Tree::new();
    let (now, rng) = (tree.now, SystemRandom::new());
    let current =
        Certificate::from_pem_chain(&fs::read(tree.node("pki/apiserver.crt")).unwrap()).unwrap();
    for name in ["kubernetes-ca", "other-ca"] {
        let (other, _) = Authority::generate(name, &CaOptions::default(), now, &rng).unwrap();
        let mut request = LeafRequest::client("kube-apiserver").for_usages(&[Usage::Server]);
        request.sans = current[0].sans.clone();
        let issued = other.issue(&request, now, &rng).unwrap();
        fs::write(tree.node("pki/apiserver.crt"), issued.certificate.pem()).unwrap();
        fs::write(
            tree.node("pki/apiserver.key"),
            issued.key.secret_pem().as_bytes(),
        )
        .unwrap();
        assert_eq!(tree.mends(&["issue n1/apiserver: issuer"]), PAIR, "{name}");
    }
}

#[test]
fn a_key_that_does_not_match_or_is_missing() {
    let tree = Tree::new();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
    fs::write(
        tree.node("pki/apiserver.key"),
        other.secret_pem().as_bytes(),
    )
    .unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: key-mismatch"]), PAIR);
    fs::remove_file(tree.node("pki/apiserver.key")).unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: missing"]), PAIR);
    fs::remove_file(tree.node("pki/apiserver.crt")).unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: missing"]), PAIR);
    fs::write(
        tree.node("pki/apiserver.crt"),
        "-----BEGIN CERTIFICATE-----\n",
    )
    .unwrap();
    assert_eq!(tree.mends(&["issue n1/apiserver: unusable"]), PAIR);
}

#[test]
fn a_mode() {
    let tree = Tree::new();
    for (path, mode) in [
        ("pki/apiserver.key", 0o644),
        ("pki/ca.crt", 0o666),
        ("admin.conf", 0o640),
    ] {
        fs::set_permissions(tree.node(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let changed = tree.mends(&[
        "protect ca: mode",
        "protect n1/apiserver: mode",
        "protect n1/admin: mode",
    ]);
    assert_eq!(
        changed,
        [
            "nodes/n1/admin.conf",
            "nodes/n1/pki/apiserver.key",
            "nodes/n1/pki/ca.crt"
        ]
    );
}

#[test]
fn copies_and_homes_are_restored_from_one_another() {
    let tree = Tree::new();
    let original = fs::read(tree.path("ca/ca.key")).unwrap();
    fs::remove_file(tree.node("pki/ca.key")).unwrap();
    assert_eq!(
        tree.mends(&["rewrite ca: missing"]),
        ["nodes/n1/pki/ca.key"]
    );
    fs::remove_file(tree.path("ca/ca.key")).unwrap();
    fs::remove_file(tree.path("ca/ca.crt")).unwrap();
    assert_eq!(
        tree.mends(&["rewrite ca: missing missing"]),
        ["ca/ca.crt", "ca/ca.key"]
    );
    assert_eq!(fs::read(tree.path("ca/ca.key")).unwrap(), original);
    fs::remove_file(tree.node("pki/sa.pub")).unwrap();
    assert_eq!(
        tree.mends(&["rewrite sa: missing"]),
        ["nodes/n1/pki/sa.pub"]
    );
}

#[test]
fn a_copy_of_a_ca_certificate_that_is_another() {
    let tree = Tree::new();
    let (other, _) = Authority::generate(
        "kubernetes-ca",
        &CaOptions::default(),
        tree.now,
        &SystemRandom::new(),
    )
    .unwrap();
    fs::write(tree.node("pki/ca.crt"), other.certificate().pem()).unwrap();
    assert_eq!(tree.mends(&["rewrite ca: copy"]), ["nodes/n1/pki/ca.crt"]);
}

#[test]
fn a_new_node_gets_its_tree_and_an_old_one_keeps_its_own() {
    let mut tree = Tree::new();
    // A second node: the first is no longer the only one, so its roles have to be said.
    let first = NodeDocument::new("n1").addresses(["192.0.2.10"]).roles([
        "control-plane",
        "etcd",
        "worker",
    ]);
    let second = NodeDocument::new("w1")
        .addresses(["192.0.2.20"])
        .roles(["worker"]);
    tree.spec = builder().nodes([first, second]).build().unwrap();
    let changed = tree.mends(&[
        "rewrite ca: missing",
        "create w1/kubelet: missing missing",
        "create w1/kubelet-client: missing",
        "create w1/kube-proxy: missing",
    ]);
    assert!(
        changed.iter().all(|path| path.starts_with("nodes/w1/")),
        "{changed:?}"
    );
    assert!(
        !changed
            .iter()
            .any(|path| path.ends_with("ca.key") || path.contains("sa.")),
        "{changed:?}"
    );
}

#[test]
fn time_and_clocks() {
    let mut tree = Tree::new();
    let begun = tree.now;
    tree.now = begun + Duration::days(250);
    let plan = tree.plan();
    assert!(
        plan.iter()
            .all(|line| line.starts_with("issue ") && line.ends_with(": expiring")),
        "{plan:?}"
    );
    tree.now = begun + Duration::days(366);
    let plan = tree.plan();
    assert!(
        plan.iter()
            .all(|line| line.starts_with("issue ") && line.ends_with(": expired")),
        "{plan:?}"
    );
    tree.now = begun - Duration::days(2);
    let plan = tree.plan();
    assert!(
        plan.iter().all(|line| line.contains("not-yet-valid")),
        "{plan:?}"
    );
}

#[test]
fn an_expired_authority_is_renewed_under_its_key_and_name() {
    let mut tree = Tree::new();
    let before = Certificate::from_pem_chain(&fs::read(tree.path("ca/ca.crt")).unwrap()).unwrap();
    tree.now += Duration::days(3651);
    tree.apply(&[]).unwrap();
    let after = Certificate::from_pem_chain(&fs::read(tree.path("ca/ca.crt")).unwrap()).unwrap();
    assert_eq!(before[0].public_key, after[0].public_key);
    assert_eq!(before[0].subject.der(), after[0].subject.der());
    assert_eq!(
        before[0].subject_key_identifier,
        after[0].subject_key_identifier
    );
    assert_ne!(before[0].serial, after[0].serial);
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

#[test]
fn a_leaf_that_ends_with_its_authority_is_not_issued_again_and_again() {
    let spec = builder()
        .validity("300d")
        .ca_validity("300d")
        .build()
        .unwrap();
    let mut tree = Tree::with(spec, Profile::kubeadm());
    // The authority is due as well and goes first; its leaves follow in the same apply.
    tree.now += Duration::days(250);
    tree.apply(&[]).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

#[test]
fn name_constraints_follow_the_spec_without_a_new_key() {
    let mut tree = Tree::with(
        builder().build().unwrap(),
        Profile::shipped("hardened").unwrap(),
    );
    tree.spec = builder().sans(["extra.other.example"]).build().unwrap();
    let changed = tree.mends(&[
        "renew ca: constraint",
        "issue n1/apiserver: names-missing",
        "rewrite n1/admin: trust",
        "rewrite n1/super-admin: trust",
        "rewrite n1/controller-manager: trust",
        "rewrite n1/scheduler: trust",
        "rewrite n1/kubelet-client: trust",
        "rewrite n1/kube-proxy: trust",
        "rewrite user/alice: trust",
    ]);
    assert!(
        changed.contains(&"ca/ca.crt".to_owned()) && !changed.contains(&"ca/ca.key".to_owned()),
        "{changed:?}"
    );
}

#[test]
fn an_authority_is_replaced_with_consent_only() {
    let mut tree = Tree::new();
    let differs = AuthorityDocument::default().common_name("another-ca");
    tree.spec = builder()
        .authority("front-proxy-ca", differs)
        .build()
        .unwrap();
    assert_eq!(
        tree.plan(),
        [
            "replace front-proxy-ca: subject",
            "issue n1/front-proxy-client: authority-replaced"
        ]
    );
    let before = tree.files();
    let refused = tree.apply(&[]).unwrap_err();
    assert!(matches!(refused, ApplyError::NeedsConsent { .. }));
    assert!(refused.hint().unwrap().contains("--replace front-proxy-ca"));
    assert_eq!(tree.files(), before);
    tree.apply(&["front-proxy-ca"]).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

#[test]
fn a_service_account_key_is_replaced_with_consent_only() {
    let mut tree = Tree::new();
    let differs = CertificateDocument::default().key_algorithm(KeyAlgorithm::EcdsaP384);
    tree.spec = builder().certificate("sa", differs).build().unwrap();
    assert_eq!(tree.plan(), ["replace sa: algorithm"]);
    assert!(matches!(
        tree.apply(&[]).unwrap_err(),
        ApplyError::NeedsConsent { .. }
    ));
    tree.apply(&["sa"]).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

/// Each of these must leave every byte as it is, whatever else there is to do.
#[test]
fn what_must_not_be_lost_stands_in_the_way() {
    let refused = |damage: &dyn Fn(&Tree), obstacle: &str| {
        let tree = Tree::new();
        damage(&tree);
        let before = tree.files();
        let plan = tree.plan();
        assert!(
            plan.iter().any(|line| line.contains(obstacle)),
            "{obstacle}: {plan:?}"
        );
        let error = tree.apply(&[]).unwrap_err();
        assert!(matches!(error, ApplyError::Obstacle { .. }), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(tree.files(), before, "{obstacle}");
    };
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
    refused(
        &|tree| {
            for path in [tree.path("ca/ca.key"), tree.node("pki/ca.key")] {
                fs::write(path, other.secret_pem().as_bytes()).unwrap();
            }
        },
        "the key does not belong to the certificate of authority ca",
    );
    refused(
        &|tree| fs::write(tree.path("ca/ca.key"), other.secret_pem().as_bytes()).unwrap(),
        "the key does not belong to the certificate of authority ca",
    );
    refused(
        &|tree| {
            for path in [tree.path("ca/ca.crt"), tree.node("pki/ca.crt")] {
                fs::remove_file(path).unwrap();
            }
        },
        "the CA's key is here, but its certificate is nowhere",
    );
    refused(
        &|tree| {
            for path in [
                tree.path("ca/ca.key"),
                tree.node("pki/ca.key"),
                tree.node("pki/apiserver.crt"),
            ] {
                fs::remove_file(path).unwrap();
            }
        },
        "the key of authority ca is not at",
    );
    refused(
        &|tree| {
            fs::write(
                tree.node("pki/encryption-config.yaml"),
                "kind: EncryptionConfiguration\n",
            )
            .unwrap()
        },
        "encryption configuration",
    );
    refused(
        &|tree| fs::write(tree.node("pki/sa.key"), "-----BEGIN EC PRIVATE KEY-----\n").unwrap(),
        "pki/sa.key",
    );
    refused(
        &|tree| {
            fs::remove_file(tree.node("admin.conf")).unwrap();
            std::os::unix::fs::symlink("elsewhere", tree.node("admin.conf")).unwrap();
        },
        "symbolic link",
    );
}

#[test]
fn an_authority_whose_key_is_elsewhere_is_no_difference() {
    let tree = Tree::new();
    for path in [tree.path("ca/ca.key"), tree.node("pki/ca.key")] {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

/// The directory of CA keys in a safe: nothing to do while nothing has to be signed, and nothing made up
/// in its place when something has.
#[test]
fn authorities_that_are_away_are_no_difference_until_they_must_sign() {
    let mut tree = Tree::with(
        builder().build().unwrap(),
        Profile::shipped("hardened").unwrap(),
    );
    fs::rename(tree.path("ca"), tree.path("../safe")).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
    tree.spec = builder().sans(["extra.corp.example"]).build().unwrap();
    let before = tree.files();
    let error = tree.apply(&[]).unwrap_err();
    assert!(matches!(error, ApplyError::Obstacle { .. }), "{error}");
    assert_eq!(tree.files(), before);
    fs::rename(tree.path("../safe"), tree.path("ca")).unwrap();
    tree.apply(&[]).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
}

#[test]
fn files_of_nobody_are_told_and_left_alone() {
    let tree = Tree::new();
    fs::write(tree.node("pki/mine.txt"), "mine").unwrap();
    tree.on(|plan| {
        assert!(plan.is_empty());
        assert_eq!(plan.unmanaged().len(), 1);
    });
    assert!(tree.plan().is_empty());
}

/// An imported intermediate: its leaves carry it along, nodes trust it, and nobody trusts the root above
/// it, which other authorities than this cluster's are below too.
#[test]
fn an_imported_intermediate_is_trusted_without_its_root() {
    let (chain, key) = intermediate();
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("kubernetes");
    fs::create_dir_all(dir.join("ca")).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(dir.join("ca/ca.crt"), chain).unwrap();
    fs::write(dir.join("ca/ca.key"), key).unwrap();
    fs::set_permissions(dir.join("ca/ca.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let spec = builder()
        .authority("ca", AuthorityDocument::imported())
        .build()
        .unwrap();
    let now = OffsetDateTime::now_utc();
    let tree = Tree {
        _temporary: temporary,
        dir,
        now,
        spec,
        profile: Profile::kubeadm(),
    };
    tree.apply(&[]).unwrap();
    assert_eq!(tree.plan(), [] as [Line; 0]);
    let read = |path: PathBuf| Certificate::from_pem_chain(&fs::read(path).unwrap()).unwrap();
    let home = read(tree.path("ca/ca.crt"));
    assert_eq!(home.len(), 2);
    assert_eq!(read(tree.node("pki/ca.crt")), home[..1]);
    let leaf = read(tree.node("pki/apiserver.crt"));
    assert_eq!(leaf[1..], home[..1]);
    assert_eq!(leaf[0].issuer.der(), home[0].subject.der());
    let config = fs::read_to_string(tree.node("admin.conf")).unwrap();
    let config = pki_core::cluster::Kubeconfig::parse(&config).unwrap();
    assert_eq!(config.trusts.embedded().unwrap()[..], home[..1]);
    assert_eq!(config.chain.embedded().unwrap()[1..], home[..1]);
}

/// A root and an intermediate below it, in PEM, and the intermediate's key.
fn intermediate() -> (String, String) {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    };
    let params = |name: &str, constraints| {
        let mut params = CertificateParams::default();
        params.not_before = OffsetDateTime::now_utc() - Duration::DAY;
        params.not_after = OffsetDateTime::now_utc() + Duration::days(4000);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(constraints);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        params
    };
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root_params = params("Corporate Root", BasicConstraints::Unconstrained);
    let root = root_params.self_signed(&root_key).unwrap();
    let issuer = Issuer::from_params(&root_params, &root_key);
    let below = params("Kubernetes Issuing", BasicConstraints::Constrained(0));
    let certificate = below.signed_by(&key, &issuer).unwrap();
    (certificate.pem() + &root.pem(), key.serialize_pem())
}
