//! How long it takes from programs to images in containerd.
//!
//!     import_speed BIN_DIR CTR SOCKET ROUNDS
//!
//! Every round imports all images that a control plane runs, in every way, and removes them again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use installer::desired::{Image, Network};
use installer::image::{ContainerdImages, ImageContents, Unpack};
use installer::machine::ImageStore;
use installer::machine::programs::{find, wanted};
use pki_core::cluster::spec::ClusterSpec;

const IMAGES: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "coredns",
    "flanneld",
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [bin_dir, ctr, socket, rounds] = arguments.as_slice() else {
        panic!("import_speed BIN_DIR CTR SOCKET ROUNDS");
    };
    let cache = tempfile::tempdir().expect("a directory");
    let cache = cache.path().join("programs.json");
    let cluster = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node_flag("cp1=192.0.2.11")
        .build()
        .expect("a good spec");
    let wishes = wanted(&cluster, &cluster.nodes()[0], Network::Flannel);
    let find = || find(&wishes, &[PathBuf::from(bin_dir)], &cache).expect("all programs");
    let programs = timed("find, nothing known", find);
    timed("find, all known", find);

    let images: Vec<_> = IMAGES
        .iter()
        .map(|name| {
            let at = format!("/usr/local/bin/{name}");
            let mut contents = ImageContents::new().program(&at, programs.named(name));
            if *name == "kube-proxy" {
                contents = contents.program("/usr/sbin/nft", programs.named("nft"));
            }
            contents.into_image(name, &[&at])
        })
        .collect();
    timed("write all to nowhere, one after the other", || {
        for image in &images {
            installer::image::write(image, std::io::sink()).expect("it is written");
        }
    });
    for _ in 0..rounds.parse().expect("a number") {
        for unpack in [Unpack::AtImport, Unpack::AtStart] {
            let store = ContainerdImages {
                ctr: PathBuf::from(ctr),
                socket: PathBuf::from(socket),
                unpack,
            };
            round(&store, &images);
        }
    }
}

fn round(store: &ContainerdImages, images: &[Image]) {
    let images: Vec<_> = images.iter().collect();
    let unpack = store.unpack;
    timed(&format!("import one after the other, {unpack:?}"), || {
        for image in &images {
            store.import(image).expect("it is imported");
        }
    });
    timed("present", || {
        assert_eq!(store.present().expect("an answer").len(), images.len());
    });
    clean(store);
    timed(&format!("import all at once, {unpack:?}"), || {
        let began = Instant::now();
        let done = |image: &Image, result: &Result<_, _>| {
            let after = began.elapsed().as_millis();
            eprintln!("           {after:6} ms  {} {result:?}", image.reference);
        };
        store.import_all(&images, &done);
    });
    clean(store);
}

fn clean(store: &ContainerdImages) {
    for image in store.present().expect("an answer") {
        store.remove(&image).expect("it is removed");
    }
    let file = std::fs::File::open(Path::new("/tmp")).expect("a directory");
    rustix::fs::syncfs(file).expect("it is synced");
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = work();
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1));
    eprintln!(
        "{:6} ms  {what} (peak so far {} KiB)",
        began.elapsed().as_millis(),
        peak.unwrap_or("?")
    );
    result
}
