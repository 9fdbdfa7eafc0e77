//! How long the store takes to write, synced to disk: the 40 files of a one-node `kpki init`, and the
//! 40,000 files of 10,000 nodes.
//!
//! ```console
//! $ cargo run --release -p pki-core --example store_speed -- /dev/shm .
//! ```
//!
//! Each argument is a directory to measure in, on the file system of interest; what is written there
//! is removed again.

#![allow(clippy::print_stdout)] // What it measured is its output.

use std::path::Path;
use std::time::{Duration, Instant};

use pki_core::converge::store::{FileMode, Location, Store, StoreError, Transaction};

const TURNS: usize = 41;
const NODES: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    let places = if given.is_empty() {
        vec![".".into()]
    } else {
        given
    };
    for place in &places {
        let name = Path::new(place).display();
        let scratch = tempfile::tempdir_in(place)?;
        let mut times = Vec::new();
        for turn in 0..TURNS {
            times.push(commit(&scratch.path().join(turn.to_string()), one_node)?);
        }
        times.sort();
        let (least, median, most) = (times[0], times[TURNS / 2], times[TURNS - 1]);
        println!("{name}: 40 files: least {least:.1?}, median {median:.1?}, most {most:.1?}");
        let time = commit(&scratch.path().join("many"), many_nodes)?;
        println!("{name}: {NODES} nodes, {} files: {time:.2?}", NODES * 4);
    }
    Ok(())
}

/// One transaction into a directory that is not there yet.
fn commit(dir: &Path, fill: fn(&mut Transaction<'_>)) -> Result<Duration, StoreError> {
    let begin = Instant::now();
    let mut store = Store::open(dir, &dir.join("ca"))?;
    let mut transaction = store.transaction();
    fill(&mut transaction);
    transaction.commit()?;
    drop(store);
    Ok(begin.elapsed())
}

/// Four authorities and 16 pairs in four directories.
fn one_node(transaction: &mut Transaction<'_>) {
    for number in 0..4 {
        pair(transaction, |end| {
            Location::authorities(format!("{number}.{end}"))
        });
    }
    let places = [
        "nodes/a/pki",
        "nodes/a/pki/etcd",
        "nodes/a/kubelet",
        "users",
    ];
    for number in 0..16 {
        let place = places[number % places.len()];
        pair(transaction, |end| {
            Location::tree(format!("{place}/{number}.{end}"))
        });
    }
}

/// A kubelet's client and serving pairs on each node.
fn many_nodes(transaction: &mut Transaction<'_>) {
    for node in 0..NODES {
        for name in ["kubelet-client", "kubelet"] {
            pair(transaction, |end| {
                Location::tree(format!("nodes/n{node}/pki/{name}.{end}"))
            });
        }
    }
}

/// A certificate and a key of the sizes they have with P-256.
fn pair<E: std::fmt::Debug>(
    transaction: &mut Transaction<'_>,
    location: impl Fn(&str) -> Result<Location, E>,
) {
    let at = |end| location(end).expect("a good path");
    transaction
        .group()
        .write(at("crt"), vec![b'x'; 1200], FileMode::PUBLIC)
        .write(at("key"), vec![b'x'; 300], FileMode::PRIVATE_KEY);
}
