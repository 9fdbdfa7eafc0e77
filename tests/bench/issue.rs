//! Issues kubelet client and serving pairs by the thousand, in memory and to disk, and measures beside it
//! how fast ring alone generates keys and signs: `issue PAIRS MEMORY-DIRECTORY DISK-DIRECTORY`.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use pki_core::x509::{Authority, CaOptions, DistinguishedName, DnsName, LeafRequest};
use rayon::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use time::OffsetDateTime;

/// A kubelet's two pairs and what signs them; nothing else, so that they are what is measured.
const PROFILE: &str = r#"
name = "kubelets"
description = "kubelets and nothing else"
validity = "1y"
ca-validity = "10y"

[authority.ca]
common-name = "kubernetes-ca"
file = "pki/ca"

[certificate.kubelet-client]
on = ["worker"]
file = "pki/kubelet-client"
issuer = "ca"
common-name = "system:node:{node}"
organizations = ["system:nodes"]
usages = ["client"]

[certificate.kubelet]
on = ["worker"]
file = "pki/kubelet"
issuer = "ca"
common-name = "system:node:{node}"
organizations = ["system:nodes"]
usages = ["server"]
sans = ["node-name", "node-addresses"]
"#;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [pairs, memory, disk] = &arguments[..] else {
        panic!("usage: issue PAIRS MEMORY-DIRECTORY DISK-DIRECTORY");
    };
    let pairs: usize = pairs.parse().expect("a number");
    let certificates = pairs * 2;
    let of = |time: Duration| certificates as f64 / time.as_secs_f64();

    // Ring before and after, so that a machine that changes its pace is seen.
    let before = of(ring_alone(certificates));
    let issued = of(in_memory(pairs));
    let after = of(ring_alone(certificates));
    let ring = f64::midpoint(before, after);
    println!(
        "{pairs} kubelet client and serving pairs (P-256), {} threads; ring alone generates a key and signs \
         {before:.0} times a second before and {after:.0} after:\n",
        rayon::current_num_threads()
    );
    println!("| | certificates a second | of ring's own rate |\n|---|---|---|");
    let row = |what: &str, rate: f64| {
        println!("| {what} | {rate:.0} | {:.0} % |", rate / ring * 100.0);
    };
    row("issued in memory", issued);
    let (planned, written) = pipeline(pairs, Path::new(memory));
    row("planned from a spec and made in memory", of(planned));
    row("and written to a memory file system", of(planned + written));
    let (planned, written) = pipeline(pairs, Path::new(disk));
    row("and written to disk, durably", of(planned + written));
}

/// What no issuing can do without: a new key, and a signature by another one.
fn ring_alone(count: usize) -> Duration {
    let rng = SystemRandom::new();
    let new = || {
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).expect("randomness");
        EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &rng).expect("just made")
    };
    let authority = new();
    let message = [7; 400]; // About a kubelet's certificate.
    let begin = Instant::now();
    (0..count).into_par_iter().for_each(|_| {
        std::hint::black_box(new());
        std::hint::black_box(authority.sign(&rng, &message).expect("it signs"));
    });
    begin.elapsed()
}

fn in_memory(pairs: usize) -> Duration {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    let (authority, _) =
        Authority::generate("kubernetes-ca", &CaOptions::default(), now, &rng).expect("made");
    let begin = Instant::now();
    (0..pairs).into_par_iter().for_each(|index| {
        let name = format!("worker-{index}");
        let subject = DistinguishedName::new(&format!("system:node:{name}"), &["system:nodes"]);
        let client = LeafRequest::client(&name).with_subject(subject.clone());
        let server = LeafRequest::server(&name)
            .expect("a name")
            .with_subject(subject)
            .with_dns(DnsName::new(format!("{name}.nodes.example")).expect("a name"))
            .with_address(address(index));
        for request in [client, server] {
            let issued = authority.issue(&request, now, &rng).expect("issued");
            std::hint::black_box((issued.certificate.pem(), issued.key.secret_pem()));
        }
    });
    begin.elapsed()
}

/// The whole way from a spec with that many workers: planning and making, and writing.
fn pipeline(pairs: usize, directory: &Path) -> (Duration, Duration) {
    let workers = (0..pairs).map(|index| {
        NodeDocument::new(format!("worker-{index}"))
            .addresses([address(index).to_string()])
            .roles(["worker"])
    });
    let first = NodeDocument::new("cp-1")
        .addresses(["192.0.2.10"])
        .roles(["control-plane", "etcd"]);
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .nodes(std::iter::once(first).chain(workers))
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let profile = Profile::from_toml(PROFILE).unwrap_or_else(|error| panic!("{error}"));
    let dir: PathBuf = directory.join("many");

    let begin = Instant::now();
    let blueprint = Blueprint::new(&spec, &profile).expect("it fits");
    let inventory = Inventory::empty();
    let plan = Plan::new(&blueprint, &inventory, OffsetDateTime::now_utc());
    let changes = plan.execute(&SystemRandom::new()).expect("made");
    let planned = begin.elapsed();
    assert!(changes.secret_files().count() >= pairs * 4);

    let begin = Instant::now();
    let mut store = Store::open(&dir, &dir.join("ca")).expect("opens");
    changes.commit(&mut store).expect("written");
    drop(store);
    let written = begin.elapsed();
    std::fs::remove_dir_all(&dir).expect("removed");
    (planned, written)
}

fn address(index: usize) -> std::net::Ipv4Addr {
    let index = u32::try_from(index).expect("a few thousand");
    std::net::Ipv4Addr::from(u32::from(std::net::Ipv4Addr::new(172, 16, 0, 1)) + index)
}
