//! A CA whose key is elsewhere: requests go out, certificates come back, and whatever is killed when, no certificate is ever
//! beside a key that is not its own.
#![allow(missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{ArtifactId, Blueprint, Content, Part};
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::cluster::{Kubeconfig, Location, Root};
use pki_core::converge::external::{Requests, Signed};
use pki_core::converge::inventory::{Found, Inventory};
use pki_core::converge::load_authority;
use pki_core::converge::plan::{Obstacle, Plan};
use pki_core::converge::store::{Faults, Store};
use pki_core::x509::{
    Authority, CaOptions, Certificate, DnsName, LeafRequest, Lifetime, PublicKey, Usage,
};
use ring::rand::SystemRandom;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// A cluster whose CA keys are in the hands of somebody else, and whose serving certificates are no longer as wanted.
struct Scene {
    scratch: TempDir,
    blueprint: Blueprint,
    authority: Authority,
    /// The other side's.
    ca_key: Vec<u8>,
    now: OffsetDateTime,
}

impl Scene {
    fn new() -> Self {
        let now = OffsetDateTime::now_utc();
        let scratch = match Path::new("/dev/shm").is_dir() {
            true => tempfile::tempdir_in("/dev/shm").unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let dir = scratch.path().join("kubernetes");
        let before = blueprint("a.corp.example");
        let mut store = Store::open(&dir, &dir.join("ca")).unwrap();
        let plan = Plan::new(&before, &EMPTY, now);
        plan.apply(&mut store, &SystemRandom::new()).unwrap();
        drop(store);
        let blueprint = blueprint("b.corp.example");
        let inventory = Inventory::read(&dir, &dir.join("ca")).unwrap();
        let ca = ArtifactId::cluster("ca");
        let authority = load_authority(&blueprint, &inventory, &ca, now).unwrap();
        let ca_key = fs::read(dir.join("ca/ca.key")).unwrap();
        for artifact in blueprint.artifacts() {
            if matches!(artifact.content, Content::Authority(_)) {
                let keys = artifact
                    .placements
                    .iter()
                    .filter(|at| at.part == Part::PrivateKey);
                for key in keys {
                    fs::remove_file(path(&dir, &key.location)).unwrap();
                }
            }
        }
        Self {
            scratch,
            blueprint,
            authority,
            ca_key,
            now,
        }
    }

    fn dir(&self) -> PathBuf {
        self.scratch.path().join("kubernetes")
    }

    fn inventory(&self) -> Inventory {
        Inventory::read(&self.dir(), &self.dir().join("ca")).unwrap()
    }

    /// What `kpki plan --csr-dir` does.
    fn ask(&self, faults: Faults) -> Option<Requests> {
        let mut store =
            Store::open_with_faults(&self.dir(), &self.dir().join("ca"), faults).ok()?;
        let inventory = self.inventory();
        let plan = Plan::new(&self.blueprint, &inventory, self.now);
        let mut made = plan.requests(&SystemRandom::new()).unwrap();
        let keys = std::mem::take(&mut made.keys);
        keys.commit(&mut store).ok()?;
        Some(made)
    }

    /// The other side: signs whatever is put before it.
    fn sign(&self, request: &LeafRequest, key: &PublicKey) -> Certificate {
        let prepared = self
            .authority
            .prepare(request, key, self.now, &SystemRandom::new());
        prepared.unwrap().lint(&[]).unwrap().issue().unwrap()
    }

    fn signed(&self, made: &Requests) -> Vec<Signed> {
        let sign = |request: &pki_core::converge::external::Request| {
            let artifact = self.blueprint.artifact(&request.artifact).unwrap();
            let wanted = &artifact.content.leaf().unwrap().request;
            Signed {
                name: request.name.clone(),
                certificates: vec![
                    self.authority.certificate().clone(),
                    self.sign(wanted, &request.request.public_key),
                ],
            }
        };
        made.requests.iter().map(sign).collect()
    }

    /// What `kpki apply --signed` does; the error as text.
    fn take_back(&self, signed: &[Signed], faults: Faults) -> Result<Vec<ArtifactId>, String> {
        let mut store = Store::open_with_faults(&self.dir(), &self.dir().join("ca"), faults)
            .map_err(|error| error.to_string())?;
        let inventory = self.inventory();
        let plan = Plan::new(&self.blueprint, &inventory, self.now);
        let taken = plan.take_back(signed).map_err(|error| error.to_string())?;
        taken
            .changes
            .commit(&mut store)
            .map_err(|error| error.to_string())?;
        Ok(taken.missing)
    }

    /// No pair on the disk is mismatched, and each leaf that is wanted has its key: in its place, or waiting.
    fn expect_pairs(&self, when: &str) {
        let inventory = self.inventory();
        for artifact in self.blueprint.artifacts() {
            if artifact.content.leaf().is_none() {
                continue;
            }
            let content = |part: Part| {
                let placement = artifact.placements.iter().find(|at| at.part == part)?;
                Some(&inventory.at(&placement.location)?.content)
            };
            match (
                content(Part::Certificate),
                content(Part::PrivateKey),
                content(Part::Whole),
            ) {
                (Some(Found::Certificates(chain)), Some(Found::PrivateKey(key)), _) => {
                    assert_eq!(
                        chain[0].public_key,
                        *key.public_key(),
                        "{} {when}",
                        artifact.id
                    );
                }
                (_, _, Some(Found::Kubeconfig(config))) => whole(config),
                _ => {}
            }
        }
    }
}

fn whole(config: &Kubeconfig) {
    let (chain, key) = (
        config.chain.embedded().unwrap(),
        config.key.embedded().unwrap(),
    );
    assert_eq!(chain[0].public_key, *key.public_key());
}

static EMPTY: std::sync::LazyLock<Inventory> = std::sync::LazyLock::new(Inventory::empty);

/// With another endpoint the API server's certificate is another; with other groups alice's kubeconfig.
fn blueprint(endpoint: &str) -> Blueprint {
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .endpoint(endpoint)
        .node(NodeDocument::new("n1").addresses(["192.0.2.10"]))
        .user_flag(&format!("alice:{endpoint}"))
        .build()
        .unwrap();
    Blueprint::new(&spec, &Profile::kubeadm()).unwrap()
}

fn path(dir: &Path, location: &Location) -> PathBuf {
    match location.root {
        Root::Tree => dir.join(location.path.as_str()),
        Root::Authorities => dir.join("ca").join(location.path.as_str()),
    }
}

#[test]
fn requests_go_out_and_certificates_come_back() {
    let scene = Scene::new();
    let made = scene.ask(Faults::none()).unwrap();
    let ids: Vec<_> = made
        .requests
        .iter()
        .map(|request| request.artifact.to_string())
        .collect();
    assert_eq!(ids, ["n1/apiserver", "user/alice"]);
    for request in &made.requests {
        assert!(request.key_is_new && request.request.verify_signature().is_ok());
        let key = path(&scene.dir(), &request.key);
        assert_eq!(
            fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    // Asked again, the same keys: a certificate for the first request fits.
    let again = scene.ask(Faults::none()).unwrap();
    for (first, second) in made.requests.iter().zip(&again.requests) {
        assert!(!second.key_is_new);
        assert_eq!(first.request.public_key, second.request.public_key);
    }
    // What waits is no stranger's file.
    let inventory = scene.inventory();
    let plan = Plan::new(&scene.blueprint, &inventory, scene.now);
    assert!(plan.unmanaged().is_empty(), "{:?}", plan.unmanaged());
    assert!(
        plan.obstacles()
            .all(|(_, obstacle)| matches!(obstacle, Obstacle::KeyAbsent { .. }))
    );
    // One comes first, the other later.
    let signed = scene.signed(&made);
    let missing = scene.take_back(&signed[1..], Faults::none()).unwrap();
    assert_eq!(missing.len(), 1);
    let missing = scene.take_back(&signed[..1], Faults::none()).unwrap();
    assert!(missing.is_empty());
    scene.expect_pairs("at the end");
    let inventory = scene.inventory();
    let plan = Plan::new(&scene.blueprint, &inventory, scene.now);
    assert!(plan.obstacles().count() == 0, "{:?}", plan.steps());
    assert!(
        fs::read_dir(scene.dir().join("pending"))
            .unwrap()
            .next()
            .is_none()
    );
    let verification = pki_core::converge::verify::verify(&scene.blueprint, &inventory, scene.now);
    assert_eq!(verification.failures().count(), 0);
}

#[test]
fn what_was_not_asked_for_is_not_installed() {
    let scene = Scene::new();
    let made = scene.ask(Faults::none()).unwrap();
    let asked = &made.requests[0];
    let key = &asked.request.public_key;
    let wanted = scene
        .blueprint
        .artifact(&asked.artifact)
        .unwrap()
        .content
        .leaf()
        .unwrap();
    let good = || wanted.request.clone();
    let name = |text: &str| DnsName::new(text).unwrap();
    let mut fewer = good();
    fewer.sans.pop();
    let (rng, now) = (SystemRandom::new(), scene.now);
    let (stranger, _) =
        Authority::generate("kubernetes-ca", &CaOptions::default(), now, &rng).unwrap();
    let (other, _) = Authority::generate("other-ca", &CaOptions::default(), now, &rng).unwrap();
    let by = |authority: &Authority| {
        authority
            .prepare(&good(), key, now, &rng)
            .unwrap()
            .lint(&[])
            .unwrap()
            .issue()
            .unwrap()
    };
    let at = |moment: OffsetDateTime| {
        let prepared = scene.authority.prepare(&good(), key, moment, &rng);
        prepared.unwrap().lint(&[]).unwrap().issue().unwrap()
    };
    let its = |request: LeafRequest| scene.sign(&request, key);
    let another = scene.sign(&good(), &made.requests[1].request.public_key);
    let unknown = scene
        .authority
        .issue(&good(), now, &rng)
        .unwrap()
        .certificate;
    for (certificate, fault) in [
        (
            its(good().with_dns(name("evil.example"))),
            "valid for evil.example, which it should not be",
        ),
        (
            its(good().with_address([10, 9, 9, 9])),
            "valid for 10.9.9.9, which it should not be",
        ),
        (its(fewer), "not valid for"),
        (
            its(good().for_usages(&[Usage::Server, Usage::Client])),
            "the usages are",
        ),
        (
            its(good().with_subject(pki_core::x509::DistinguishedName::new(
                "kube-apiserver",
                &["system:masters"],
            ))),
            "the subject is",
        ),
        (
            its(good().with_lifetime(Lifetime::years(2))),
            "it lasts 730 days, and at most 1y is wanted",
        ),
        (
            its(good().with_lifetime(Lifetime::minutes(1))),
            "within the last third of its life",
        ),
        (at(now - Duration::days(400)), "it expired at"),
        (at(now + Duration::days(2)), "it is not valid before"),
        (by(&stranger), "its signature is not that of authority ca"),
        (by(&other), "it is issued by \"CN=other-ca\""),
        (unknown, "no request waits for it"),
        (another, "the subject is"),
    ] {
        let signed = Signed {
            name: "back.crt".into(),
            certificates: vec![certificate],
        };
        let error = scene.take_back(&[signed], Faults::none()).unwrap_err();
        assert!(error.contains(fault), "{fault}: {error}");
    }
    // Twice the same is once; twice different is a question.
    let same = scene.signed(&made);
    let twice = [same.clone(), same.clone()].concat();
    let different = [same, scene.signed(&made)].concat();
    let error = scene.take_back(&different, Faults::none()).unwrap_err();
    assert!(
        error.contains("has a certificate for n1/apiserver already"),
        "{error}"
    );
    assert!(scene.take_back(&twice, Faults::none()).unwrap().is_empty());
}

#[test]
fn killed_at_any_point_no_key_is_lost_and_no_pair_mismatched() {
    let scene = Scene::new();
    let count = Faults::count();
    scene.ask(count.clone()).unwrap();
    assert!(count.taken() > 10);
    for n in 1..=count.taken() {
        let scene = Scene::new();
        scene.ask(Faults::die_at(n));
        scene.expect_pairs(&format!("asked, killed at {n}"));
        // Whatever was there of it, asking again works.
        let made = scene.ask(Faults::none()).unwrap();
        assert_eq!(made.requests.len(), 2, "{n}");
    }
    let made = scene.ask(Faults::none()).unwrap();
    let count = Faults::count();
    assert!(
        scene
            .take_back(&scene.signed(&made), count.clone())
            .unwrap()
            .is_empty()
    );
    assert!(count.taken() > 20);
    let (mut old, mut new) = (0, 0);
    for n in 1..=count.taken() {
        let scene = Scene::new();
        let made = scene.ask(Faults::none()).unwrap();
        let signed = scene.signed(&made);
        let _ = scene.take_back(&signed, Faults::die_at(n));
        scene.expect_pairs(&format!("taking back, killed at {n}"));
        // The next run finishes what was begun, or nothing had begun and the certificates are still of use.
        drop(Store::open(&scene.dir(), &scene.dir().join("ca")).unwrap());
        scene.expect_pairs(&format!("recovered, killed at {n}"));
        let inventory = scene.inventory();
        match Plan::new(&scene.blueprint, &inventory, scene.now)
            .obstacles()
            .count()
        {
            0 => new += 1,
            2 => old += 1,
            some => panic!("{n}: {some} of 2 are installed"),
        }
        let missing = scene.take_back(&signed, Faults::none()).unwrap();
        assert!(missing.is_empty(), "{n}");
        let inventory = scene.inventory();
        let plan = Plan::new(&scene.blueprint, &inventory, scene.now);
        assert_eq!(plan.obstacles().count(), 0, "{n}: {:?}", plan.steps());
        assert!(plan.unmanaged().is_empty(), "{n}: {:?}", plan.unmanaged());
    }
    assert!(old > 10 && new > 5, "{old} {new}");
}

/// The key came home: the waiting one is of no use, and goes with the certificate that is issued here.
#[test]
fn a_waiting_key_goes_when_the_certificate_is_issued_here_after_all() {
    let scene = Scene::new();
    scene.ask(Faults::none()).unwrap();
    let pending = || fs::read_dir(scene.dir().join("pending")).unwrap().count();
    assert_eq!(pending(), 2);
    fs::write(scene.dir().join("ca/ca.key"), &scene.ca_key).unwrap();
    let inventory = scene.inventory();
    let plan = Plan::new(&scene.blueprint, &inventory, scene.now);
    // Now nobody waits for them, and they are told.
    assert_eq!(plan.unmanaged().len(), 2, "{:?}", plan.unmanaged());
    let mut store = Store::open(&scene.dir(), &scene.dir().join("ca")).unwrap();
    plan.apply(&mut store, &SystemRandom::new()).unwrap();
    assert_eq!(pending(), 0);
    scene.expect_pairs("at the end");
}
