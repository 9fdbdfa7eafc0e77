//! A machine that was given cluster.toml and its own node's tree: just that is its business.
#![allow(missing_docs)]

mod directory;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use installer::machine::node_source::{
    MakeOptions, Mode, Outcome, Request, Source, SourceError, open,
};
use time::{Duration, OffsetDateTime};

/// The directory of one of four nodes: two of the control plane, one of etcd alone, a worker.
struct Machine {
    _scratch: tempfile::TempDir,
    dir: PathBuf,
    node: &'static str,
}

const NODES: [&str; 4] = ["cp1", "cp2", "e1", "w1"];

impl Machine {
    fn of(profile: &str, node: &'static str) -> Self {
        let (scratch, dir) = directory::made(
            profile,
            &[
                "cp1=192.0.2.11:control-plane,etcd",
                "cp2=192.0.2.12:control-plane",
                "e1=192.0.2.13:etcd",
                "w1=192.0.2.21:worker",
            ],
        );
        for elsewhere in ["ca", "users"] {
            fs::remove_dir_all(dir.join(elsewhere)).unwrap();
        }
        for other in NODES.into_iter().filter(|other| *other != node) {
            fs::remove_dir_all(dir.join("nodes").join(other)).unwrap();
        }
        Self {
            _scratch: scratch,
            dir,
            node,
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.join("nodes").join(self.node).join(below)
    }

    fn open(&self, now: OffsetDateTime) -> Result<(Source, Outcome), SourceError> {
        let request = Request {
            dir: self.dir.clone(),
            ca_dir: None,
            options: MakeOptions {
                node: Some(self.node.into()),
                ..MakeOptions::default()
            },
        };
        open(&request, Mode::Write, now)
    }

    /// Every file, but for the store's own, with its contents.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let below = path.strip_prefix(&self.dir).unwrap().to_owned();
                if path.is_dir() && below != Path::new(".kpki") {
                    folders.push(path);
                } else if path.is_file() {
                    files.insert(below, fs::read(path).unwrap());
                }
            }
        }
        files
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[test]
fn it_is_enough_on_every_kind_of_node_and_nothing_is_made() {
    for profile in ["kubeadm", "hardened"] {
        for node in NODES {
            let machine = Machine::of(profile, node);
            let before = machine.files();
            let (source, outcome) = machine
                .open(now())
                .unwrap_or_else(|error| panic!("{profile} {node}: {error} {:?}", error.problems()));
            assert!(
                outcome.done.is_empty(),
                "{profile} {node}: {:?}",
                outcome.done
            );
            assert_eq!(machine.files(), before, "{profile} {node}");
            let name = source.node.name();
            let report = installer::check(&source.blueprint, &source.inventory, name, now());
            assert!(report.is_fine(), "{profile} {node}: {:?}", report.findings);
        }
    }
}

/// The profile `kubeadm` puts the CAs' keys there. They mend the node's own files, and make none for others.
#[test]
fn keys_of_authorities_in_it_are_for_its_own_node() {
    let machine = Machine::of("kubeadm", "cp1");
    let before = machine.files();
    fs::remove_file(machine.path("pki/apiserver.crt")).unwrap();
    let (_, outcome) = machine.open(now()).unwrap();
    let done: Vec<_> = outcome
        .done
        .iter()
        .map(|done| done.artifact.to_string())
        .collect();
    assert_eq!(done, ["cp1/apiserver"]);
    let after = machine.files();
    assert!(after.keys().eq(before.keys()), "{:?}", after.keys());
    let changed: Vec<_> = after
        .iter()
        .filter(|(path, contents)| before.get(*path) != Some(contents))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(
        changed,
        ["nodes/cp1/pki/apiserver.crt", "nodes/cp1/pki/apiserver.key"]
    );
}

#[test]
fn no_authority_and_no_shared_key_is_made_in_place_of_one_that_is_missing() {
    for (node, missing) in [
        ("w1", "pki/ca.crt"),
        ("w1", "kubelet.conf"),
        ("cp2", "pki/sa.key"),
        ("cp2", "pki/encryption-config.yaml"),
        ("cp2", "pki/front-proxy-ca.crt"),
        ("cp2", "pki/cluster-dns.crt"),
        ("e1", "pki/etcd/ca.crt"),
    ] {
        let machine = Machine::of("kubeadm", node);
        fs::remove_file(machine.path(missing)).unwrap();
        let before = machine.files();
        let Err(error) = machine.open(now()) else {
            panic!("{node} without {missing}");
        };
        let told = format!("{:?}", error.problems());
        assert!(told.contains(missing), "{told}");
        assert!(told.contains("bring"), "{told}");
        assert_eq!(machine.files(), before, "{node} without {missing}");
    }
}

/// A worker has no key to renew anything with: that is its owner's business, and no reason not to run today.
#[test]
fn what_soon_ends_on_a_worker_waits_for_its_owner() {
    let machine = Machine::of("kubeadm", "w1");
    let before = machine.files();
    let (_, outcome) = machine.open(now() + Duration::days(300)).unwrap();
    assert!(outcome.done.is_empty());
    assert_eq!(machine.files(), before);
    let Err(error) = machine.open(now() + Duration::days(400)) else {
        panic!("its certificates are over");
    };
    let told = format!("{:?}", error.problems());
    assert!(
        told.contains("expired") && told.contains("--ca-dir"),
        "{told}"
    );
}

/// What would be made anew by a wrong clock could be used by nobody.
#[test]
fn a_clock_that_is_behind_is_told_as_such() {
    let machine = Machine::of("kubeadm", "w1");
    let before = machine.files();
    let Err(error) = machine.open(now() - Duration::hours(1)) else {
        panic!("its certificates are of the future");
    };
    let problems = error.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let told = format!("{:?}", problems[0]);
    for wanted in ["the clock says ", "are not valid before ", "set the clock"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert_eq!(machine.files(), before);
}
