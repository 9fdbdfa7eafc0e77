//! Renewals: what is issued anew, under which key, and that everything else stays as it is.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{ArtifactId, Blueprint, Content};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{AuthorityDocument, ClusterSpec, NodeDocument, SpecBuilder};
use pki_core::converge::inventory::{Found, Inventory};
use pki_core::converge::plan::{Plan, Renewal};
use pki_core::converge::store::{Faults, Store, StoreError};
use pki_core::converge::verify::verify;
use pki_core::x509::{Certificate, PublicKey};
use ring::rand::SystemRandom;
use time::{Duration, OffsetDateTime};

const YEAR: Duration = Duration::days(365);

/// A cluster's directory, and the moment at which it was made.
struct Tree {
    _temporary: tempfile::TempDir,
    dir: PathBuf,
    blueprint: Blueprint,
    made: OffsetDateTime,
}

/// Each artifact's certificate and the key beside it.
type Pairs = BTreeMap<String, (Certificate, PublicKey)>;

fn node(name: &str, address: &str) -> NodeDocument {
    NodeDocument::new(name)
        .addresses([address])
        .roles(["control-plane", "etcd", "worker"])
}

fn builder() -> SpecBuilder {
    ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .endpoint("api.corp.example")
        .node(node("cp1", "192.0.2.10"))
        .node(node("cp2", "192.0.2.11"))
        .user_flag("alice:dev")
}

impl Tree {
    fn new(builder: SpecBuilder, profile: &Profile) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let tree = Self {
            dir: temporary.path().join("kubernetes"),
            _temporary: temporary,
            blueprint: Blueprint::new(&builder.build().unwrap(), profile).unwrap(),
            made: OffsetDateTime::now_utc(),
        };
        let inventory = Inventory::empty();
        let plan = Plan::new(&tree.blueprint, &inventory, tree.made);
        plan.apply(
            &mut tree.store(Faults::none()).unwrap(),
            &SystemRandom::new(),
        )
        .unwrap();
        tree
    }

    fn kubeadm() -> Self {
        Self::new(builder(), &Profile::kubeadm())
    }

    fn authorities(&self) -> PathBuf {
        self.dir.join("ca")
    }

    fn store(&self, faults: Faults) -> Result<Store, StoreError> {
        Store::open_with_faults(&self.dir, &self.authorities(), faults)
    }

    fn inventory(&self) -> Inventory {
        Inventory::read(&self.dir, &self.authorities()).unwrap()
    }

    /// The plan's steps, as `issue cp1/apiserver: asked`, with what stands in the way behind a `!`.
    fn plan(&self, renewal: &Renewal, now: OffsetDateTime) -> Vec<String> {
        let inventory = self.inventory();
        let plan = Plan::renewal(&self.blueprint, &inventory, now, renewal);
        let steps = plan.steps().iter().map(|step| {
            let reasons: Vec<_> = step.reasons.iter().map(|reason| reason.code()).collect();
            let obstacle = step
                .obstacle
                .as_ref()
                .map(|obstacle| format!(" !{obstacle}"));
            let obstacle = obstacle.unwrap_or_default();
            format!(
                "{} {}: {}{obstacle}",
                step.action,
                step.artifact,
                reasons.join(" ")
            )
        });
        steps.collect()
    }

    fn renew(&self, renewal: &Renewal, now: OffsetDateTime) {
        self.renew_with(renewal, now, Faults::none()).unwrap();
    }

    fn renew_with(
        &self,
        renewal: &Renewal,
        now: OffsetDateTime,
        faults: Faults,
    ) -> Result<(), StoreError> {
        let mut store = self.store(faults)?;
        let inventory = self.inventory();
        let plan = Plan::renewal(&self.blueprint, &inventory, now, renewal);
        let changes = plan.execute(&SystemRandom::new()).unwrap();
        changes.commit(&mut store).map(drop)
    }

    /// Every pair. Where one is incomplete or not its own, nothing.
    fn pairs(&self) -> Pairs {
        let inventory = self.inventory();
        let mut pairs = Pairs::new();
        for artifact in self.blueprint.artifacts() {
            if matches!(artifact.content, Content::TrustBundle(_)) {
                continue;
            }
            let files = artifact
                .placements
                .iter()
                .filter_map(|one| inventory.at(&one.location));
            let files: Vec<_> = files.map(|file| &file.content).collect();
            let certificate = files.iter().find_map(|found| found.certificates());
            let key = files.iter().find_map(|found| found.private_key());
            if let (Some(chain), Some(key)) = (certificate, key) {
                assert_eq!(chain[0].public_key, *key.public_key(), "{}", artifact.id);
                let pair = (chain[0].clone(), key.public_key().clone());
                pairs.insert(artifact.id.to_string(), pair);
            }
        }
        pairs
    }

    fn verified(&self, now: OffsetDateTime) {
        let verification = verify(&self.blueprint, &self.inventory(), now);
        let failures: Vec<_> = verification.failures().collect();
        assert!(failures.is_empty(), "{failures:#?}");
        assert!(verification.checks.len() > 20);
    }

    fn named(&self, names: &[&str]) -> Renewal {
        Renewal::named(&self.blueprint, names).unwrap()
    }
}

fn profile(name: &str) -> Profile {
    Profile::shipped(name).unwrap()
}

fn changed(before: &Pairs, after: &Pairs) -> (Vec<String>, Vec<String>) {
    assert!(before.keys().eq(after.keys()));
    let of =
        |differ: &dyn Fn(&String) -> bool| before.keys().filter(|id| differ(id)).cloned().collect();
    (
        of(&|id| before[id].0 != after[id].0),
        of(&|id| before[id].1 != after[id].1),
    )
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(self::files(&entry.path()));
        } else {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

#[test]
fn a_name_renews_just_that_with_a_new_key() {
    let tree = Tree::kubeadm();
    let before = (tree.pairs(), files(&tree.dir));
    let renewal = tree.named(&["apiserver", "cp2/admin"]);
    assert_eq!(
        tree.plan(&renewal, tree.made),
        [
            "issue cp1/apiserver: asked",
            "issue cp2/apiserver: asked",
            "issue cp2/admin: asked"
        ]
    );
    tree.renew(&renewal, tree.made);
    let all = ["cp1/apiserver", "cp2/admin", "cp2/apiserver"].map(str::to_owned);
    let (certificates, keys) = changed(&before.0, &tree.pairs());
    assert_eq!((&certificates[..], &keys[..]), (&all[..], &all[..]));
    let after = files(&tree.dir);
    let written = after
        .iter()
        .filter(|(path, text)| before.1.get(*path) != Some(text));
    assert_eq!(written.count(), 5);
    tree.verified(tree.made);
}

#[test]
fn all_are_the_leaves_and_keys_can_stay() {
    let tree = Tree::kubeadm();
    let before = tree.pairs();
    tree.renew(&Renewal::all().keeping_keys(), tree.made);
    let after = tree.pairs();
    let (certificates, keys) = changed(&before, &after);
    assert!(keys.is_empty(), "{keys:?}");
    let authorities = ["ca", "etcd-ca", "front-proxy-ca"];
    let leaves = before
        .keys()
        .filter(|id| !authorities.contains(&id.as_str()) && *id != "sa");
    assert_eq!(certificates, leaves.cloned().collect::<Vec<_>>());
    for id in &certificates {
        assert_ne!(before[id].0.serial, after[id].0.serial);
    }
    tree.verified(tree.made);
}

#[test]
fn near_their_end_all_are_renewed_and_authorities_too() {
    let tree = Tree::kubeadm();
    let within = |text: &str| Renewal::within(text.parse().unwrap());
    assert!(
        tree.plan(&within("33%"), tree.made + Duration::days(240))
            .is_empty()
    );
    let steps = tree.plan(&within("33%"), tree.made + Duration::days(250));
    assert!(
        steps
            .iter()
            .all(|step| step.starts_with("issue ") && step.ends_with(": expires-within"))
    );
    assert!(steps.len() > 25, "{steps:#?}");
    assert_eq!(tree.plan(&within("366d"), tree.made), steps);
    // Ten years minus one month: an authority is renewed under its key, and what trusts it is written with it.
    let late = tree.made + YEAR * 10 - Duration::days(30);
    let steps = tree.plan(&within("33%"), late);
    assert_eq!(steps[0], "renew ca: expires-within");
    assert!(steps.contains(&"issue user/alice: expired".to_owned()));
    tree.renew(&within("33%"), late);
    assert!(tree.plan(&within("33%"), late).is_empty());
    tree.verified(late + YEAR - Duration::days(1));
}

/// An authority that is named alone: what trusts it follows, with certificates as they are.
#[test]
fn an_authority_is_renewed_under_its_key_where_it_is_named() {
    let tree = Tree::new(builder(), &profile("hardened"));
    let before = tree.pairs();
    let steps = tree.plan(&tree.named(&["etcd-ca"]), tree.made);
    assert_eq!(
        steps,
        [
            "renew etcd-ca: asked",
            "rewrite etcd-trusted: authority-replaced"
        ]
    );
    let steps = tree.plan(&tree.named(&["ca"]), tree.made);
    assert_eq!(steps[0], "renew ca: asked");
    assert!(
        steps[1..].iter().all(|step| step.starts_with("rewrite ")),
        "{steps:#?}"
    );
    tree.renew(&tree.named(&["ca", "etcd-ca"]), tree.made + Duration::DAY);
    let after = tree.pairs();
    let (certificates, keys) = changed(&before, &after);
    assert_eq!(
        (certificates.join(" "), keys.len()),
        ("ca etcd-ca".to_owned(), 0)
    );
    assert_eq!(before["ca"].0.subject.der(), after["ca"].0.subject.der());
    assert_eq!(
        before["ca"].0.subject_key_identifier,
        after["ca"].0.subject_key_identifier
    );
    tree.verified(tree.made + Duration::DAY);
}

/// Everything is over, authorities too: one renewal, and all is valid, with the same keys, names and identifiers.
#[test]
fn a_dead_cluster_is_revived() {
    for profile in ["kubeadm", "hardened", "external-etcd"].map(profile) {
        // In the second round the clock was twenty years ahead when everything was made.
        for now in [YEAR * 11, YEAR * -20] {
            let tree = Tree::new(builder(), &profile);
            let now = tree.made + now;
            let before = tree.pairs();
            assert!(
                verify(&tree.blueprint, &tree.inventory(), now)
                    .failures()
                    .count()
                    > 20
            );
            let renewal = Renewal::all().keeping_keys();
            let inventory = tree.inventory();
            let plan = Plan::renewal(&tree.blueprint, &inventory, now, &renewal);
            assert_eq!(plan.obstacles().count(), 0);
            assert!(plan.stays_invalid().is_empty());
            tree.renew(&renewal, now);
            tree.verified(now);
            let after = tree.pairs();
            let (certificates, keys) = changed(&before, &after);
            assert!(keys.is_empty(), "{keys:?}");
            assert_eq!(certificates.len(), before.len());
            for (id, (was, _)) in before.iter().filter(|(_, (was, _))| was.is_ca) {
                let is = &after[id].0;
                assert_eq!(was.subject.der(), is.subject.der(), "{id}");
                assert_eq!(
                    was.subject_key_identifier, is.subject_key_identifier,
                    "{id}"
                );
            }
            let inventory = tree.inventory();
            assert!(Plan::new(&tree.blueprint, &inventory, now).is_empty());
        }
    }
}

/// A job that finds what is not valid yet leaves it, and does not keep silent about it.
#[test]
fn a_clock_that_went_back_renews_nothing_by_itself() {
    let tree = Tree::kubeadm();
    let early = tree.made - Duration::days(1);
    let job = Renewal::within("33%".parse().unwrap());
    assert!(tree.plan(&job, early).is_empty());
    let inventory = tree.inventory();
    let plan = Plan::renewal(&tree.blueprint, &inventory, early, &job);
    let stays = plan.stays_invalid();
    assert_eq!(stays.len(), tree.pairs().len());
    assert!(
        stays
            .iter()
            .all(|(_, drift)| drift.code() == "not-yet-valid")
    );
}

#[test]
fn what_is_not_there_is_made_and_what_is_damaged_is_made_anew() {
    let tree = Tree::kubeadm();
    let node = tree.dir.join("nodes/cp1");
    fs::remove_file(node.join("admin.conf")).unwrap();
    fs::write(node.join("pki/apiserver.crt"), "garbage").unwrap();
    fs::remove_file(node.join("pki/etcd/peer.key")).unwrap();
    let before = fs::read(node.join("pki/apiserver.key")).unwrap();
    let renewal = tree.named(&["cp1/*"]).keeping_keys();
    let steps = tree.plan(&renewal, tree.made);
    for step in [
        "create cp1/admin: missing",
        "renew cp1/apiserver: unusable",
        "issue cp1/etcd-peer: missing asked",
        "renew cp1/etcd-server: asked",
    ] {
        assert!(steps.iter().any(|one| one == step), "{step}: {steps:#?}");
    }
    tree.renew(&renewal, tree.made);
    assert_eq!(fs::read(node.join("pki/apiserver.key")).unwrap(), before);
    tree.verified(tree.made);
}

#[test]
fn what_cannot_be_renewed_is_told_and_the_rest_is() {
    let imported = builder().authority("front-proxy-ca", AuthorityDocument::imported());
    let tree = Tree::kubeadm();
    let late = tree.made + YEAR * 11;
    // Its leaves wait for an authority that is over, and say so.
    assert_eq!(
        tree.plan(&tree.named(&["cp1/apiserver"]), late)[0]
            .split(" !")
            .next(),
        Some("issue cp1/apiserver: expired")
    );
    let inventory = tree.inventory();
    let plan = Plan::renewal(
        &tree.blueprint,
        &inventory,
        late,
        &tree.named(&["cp1/apiserver"]),
    );
    let (_, obstacle) = plan.obstacles().next().unwrap();
    assert!(
        obstacle.hint().contains("kpki renew ca"),
        "{}",
        obstacle.hint()
    );
    // The CA of somebody else, whose key is away.
    let blueprint = Blueprint::new(&imported.build().unwrap(), &Profile::kubeadm()).unwrap();
    fs::remove_file(tree.dir.join("ca/front-proxy-ca.key")).unwrap();
    for node in ["cp1", "cp2"] {
        fs::remove_file(
            tree.dir
                .join(format!("nodes/{node}/pki/front-proxy-ca.key")),
        )
        .unwrap();
    }
    let inventory = tree.inventory();
    let mut plan = Plan::renewal(&blueprint, &inventory, late, &Renewal::all());
    let ids = |ids: &mut dyn Iterator<Item = &ArtifactId>| {
        ids.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let obstructed = plan.take_obstructed();
    let leaves = ids(&mut obstructed.iter().map(|step| &step.artifact));
    assert_eq!(leaves, "cp1/front-proxy-client cp2/front-proxy-client");
    let stays = plan.stays_invalid();
    let stays = ids(&mut stays.iter().map(|(artifact, _)| &artifact.id));
    assert_eq!(stays, format!("front-proxy-ca {leaves}"));
    assert!(plan.execute(&SystemRandom::new()).is_ok());
}

#[test]
fn a_new_authority_is_no_renewal() {
    let tree = Tree::kubeadm();
    fs::remove_dir_all(tree.dir.join("ca")).unwrap();
    for node in ["cp1", "cp2"] {
        for file in ["ca.crt", "ca.key"] {
            fs::remove_file(tree.dir.join(format!("nodes/{node}/pki/{file}"))).unwrap();
        }
    }
    let steps = tree.plan(&tree.named(&["ca", "cp1/admin"]), tree.made);
    assert!(steps[0].starts_with("create ca: missing !"), "{steps:#?}");
    assert!(
        steps[1].starts_with("issue cp1/admin: asked !"),
        "{steps:#?}"
    );
}

/// The rename of a journal is the commit: a renewal that dies at any of its writes leaves the old pairs or the new ones,
/// and never one beside the other's key.
#[test]
fn a_renewal_that_dies_leaves_whole_pairs() {
    let tree = Tree::kubeadm();
    let faults = Faults::count();
    let renewal = Renewal::all();
    tree.renew_with(&renewal, tree.made, faults.clone())
        .unwrap();
    let effects = faults.taken();
    assert!(effects > 100, "{effects}");
    let (mut old, mut new) = (0, 0);
    for at in (1..=effects).step_by(11).chain([effects]) {
        let before = tree.pairs();
        assert!(
            tree.renew_with(&renewal, tree.made, Faults::die_at(at))
                .is_err()
                || at == effects
        );
        // `pairs` refuses a certificate beside another's key.
        let between = tree.pairs();
        drop(tree.store(Faults::none()).unwrap());
        let after = tree.pairs();
        let (certificates, keys) = changed(&before, &after);
        assert_eq!(certificates, keys, "at {at}");
        let leaves = before.len() - 3;
        match keys.len() {
            0 => old += 1,
            all if all == leaves => new += 1,
            some => panic!("{some} of {leaves} at {at}: {between:#?}"),
        }
    }
    tree.verified(tree.made);
    assert!(old > 5 && new > 5, "{old} {new}");
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    const NO_SPACE: i32 = 28;
    let tree = Tree::kubeadm();
    let faults = Faults::count();
    tree.renew_with(&Renewal::all(), tree.made, faults.clone())
        .unwrap();
    let mut refused = 0;
    for at in (1..=faults.taken()).step_by(23) {
        let before = files(&tree.dir);
        let full = Faults::fail_at(at, NO_SPACE);
        match tree.renew_with(&Renewal::all(), tree.made, full) {
            Err(StoreError::NoSpace { .. }) => {
                refused += 1;
                assert_eq!(files(&tree.dir), before, "at {at}");
            }
            Ok(()) | Err(StoreError::Unfinished { .. }) => {
                drop(tree.store(Faults::none()).unwrap());
                assert_ne!(files(&tree.dir), before, "at {at}");
            }
            Err(error) => panic!("at {at}: {error}"),
        }
    }
    tree.verified(tree.made);
    assert!(refused > 3, "{refused}");
}

#[test]
fn secrets_are_nobody_s_to_renew() {
    let tree = Tree::kubeadm();
    for name in ["sa", "cp1/encryption-config", "encryption-config"] {
        let error = Renewal::named(&tree.blueprint, &[name]).unwrap_err();
        assert!(!error.hint().is_empty());
    }
    let before = tree.inventory();
    tree.renew(&Renewal::all(), tree.made);
    let after = tree.inventory();
    let artifact = tree
        .blueprint
        .artifact(&ArtifactId::cluster("encryption-config"))
        .unwrap();
    for placement in &artifact.placements {
        let text = |inventory: &Inventory| match &inventory.at(&placement.location).unwrap().content
        {
            Found::Encryption(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text(&before), text(&after));
    }
}
