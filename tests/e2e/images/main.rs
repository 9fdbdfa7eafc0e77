//! Images made from programs, in a real containerd: complete, pinned, and never half.
#![allow(missing_docs)]

mod containerd;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use containerd::{Containerd, eventually};
use installer::desired::{Image, Programs};
use installer::image::{self, ContainerdImages, ImageContents};
use installer::machine::ImageStore;
use installer::machine::programs::{ProgramWish, find};
use tests::component;

fn programs(names: &[&str], bin_dir: &Path) -> Programs {
    let wishes: Vec<_> = names.iter().map(|name| ProgramWish::new(name)).collect();
    let cache = tempfile::tempdir().expect("a directory");
    let cache = cache.path().join("programs.json");
    find(&wishes, &[bin_dir.to_owned()], &cache).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn components() -> PathBuf {
    let path = component::path("containerd");
    path.parent().expect("a directory").to_owned()
}

/// An image of one program, at `/bin`.
fn image(name: &str, bin_dir: &Path) -> Image {
    let at = format!("/bin/{name}");
    let programs = programs(&[name], bin_dir);
    let contents = ImageContents::new().program(&at, programs.named(name));
    contents.into_image(name, &[&at])
}

fn import(store: &ContainerdImages, image: &Image) {
    let result = store.import(image);
    result.unwrap_or_else(|error| panic!("{error}; hint: {:?}", error.hint));
}

fn present(store: &ContainerdImages) -> BTreeSet<String> {
    store.present().expect("containerd answers")
}

#[test]
fn an_image_lives_and_goes() {
    let containerd = Containerd::start();
    let store = containerd.images();
    assert_eq!(present(&store), BTreeSet::new());

    // A static program, and one that loads libraries.
    let programs = programs(&["etcd", "nft"], &components());
    let image = ImageContents::new()
        .program("/usr/local/bin/etcd", programs.named("etcd"))
        .program("/usr/sbin/nft", programs.named("nft"))
        .link("/usr/bin/nft", "../sbin/nft")
        .into_image("etcd", &["/usr/local/bin/etcd"]);
    let reference = &image.reference;
    import(&store, &image);
    assert_eq!(present(&store), BTreeSet::from([reference.clone()]));

    let digests = image::write(&image, std::io::sink()).expect("it is written");
    let row = |name: &str| {
        let listed = containerd.ctr(&["images", "list"]);
        let row = listed.stdout.lines().find(|row| row.starts_with(name));
        row.map(str::to_owned)
    };
    let ours = row(reference).expect("it is listed");
    assert!(ours.contains("io.cri-containerd.pinned=pinned"), "{ours}");
    assert!(
        ours.contains(&format!("sha256:{}", digests.manifest)),
        "{ours}"
    );
    let checked = containerd.ctr(&["images", "check", &format!("name=={reference}")]);
    assert!(checked.stdout.contains("complete (2/2)"), "{checked}");
    assert!(
        checked.stdout.trim().ends_with("true"),
        "not unpacked: {checked}"
    );

    // The CRI takes it up, and leaves it pinned.
    let id = format!("sha256:{}", digests.config);
    eventually("the CRI knows the image", || {
        row(&id).is_some() && row(reference).is_some_and(|row| row.contains("managed"))
    });
    let ours = row(reference).expect("it is listed");
    assert!(ours.contains("io.cri-containerd.pinned=pinned"), "{ours}");

    let said = containerd.run_in(reference, &["/usr/local/bin/etcd", "--version"]);
    assert!(said.stdout.contains("etcd Version"), "{said}");
    let said = containerd.run_in(reference, &["nft", "--version"]);
    assert!(said.stdout.contains("nftables"), "{said}");

    // Again is the same, and no error.
    import(&store, &image);
    assert_eq!(present(&store).len(), 1);

    store.remove(reference).expect("it is removed");
    assert_eq!(present(&store), BTreeSet::new());
    store
        .remove(reference)
        .expect("one that is gone is no error");
    eventually("its contents are gone", || {
        let content = containerd.ctr(&["content", "list", "--quiet"]);
        content.code == Some(0) && content.stdout.is_empty()
    });
}

#[test]
fn several_come_at_once() {
    let containerd = Containerd::start();
    let store = containerd.images();
    let names = ["etcd", "bridge", "host-local", "loopback", "portmap"];
    let mut images: Vec<_> = names.map(|name| image(name, &components())).into();
    images[3].entrypoint.push("no longer the same".into());
    images[4]
        .files
        .values_mut()
        .for_each(|file| file.source = "/nowhere".into());

    let done = Mutex::new(BTreeSet::new());
    let tell = |image: &Image, result: &Result<(), _>| {
        let new = done
            .lock()
            .unwrap()
            .insert((image.reference.clone(), result.is_ok()));
        assert!(new, "told twice");
    };
    let borrowed: Vec<_> = images.iter().collect();
    let results = store.import_all(&borrowed, &tell);
    let good: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, true, true, true, false]);
    let told = images.iter().map(|image| image.reference.clone()).zip(good);
    assert_eq!(*done.lock().unwrap(), told.collect());
    let error = results[4].as_ref().expect_err("it is not there");
    assert!(error.fact.contains("/nowhere: No such file"), "{error}");
    let wanted = images[..4].iter().map(|image| image.reference.clone());
    assert_eq!(present(&store), wanted.collect());

    // One image leaves another's contents alone, also when they are the same.
    let mut twin = images[0].clone();
    twin.reference = "kinstall.internal/twin:1".into();
    import(&store, &twin);
    store.remove(&images[0].reference).expect("it is removed");
    let said = containerd.run_in(&twin.reference, &["/bin/etcd", "--version"]);
    assert!(said.stdout.contains("etcd Version"), "{said}");
}

#[test]
fn a_program_that_changed_since_is_refused() {
    let containerd = Containerd::start();
    let store = containerd.images();
    containerd::copies(&containerd.path(""), &["etcd"]);
    let image = image("etcd", &containerd.path(""));
    let file = fs::OpenOptions::new()
        .append(true)
        .open(containerd.path("etcd"));
    std::io::Write::write_all(&mut file.expect("it is there"), b"more").expect("it is written");
    let error = store.import(&image).expect_err("it is another");
    assert!(
        error
            .fact
            .ends_with("etcd changed since its digest was taken"),
        "{error}"
    );
    assert!(error.hint.is_some());
    assert_eq!(present(&store), BTreeSet::new());
}

/// kinstall or the client, killed when containerd has so much of an image.
#[test]
fn an_import_that_is_cut_off_leaves_no_image() {
    let containerd = Containerd::start();
    let image = image("etcd", &components());
    let mut size = 0;
    image::write(&image, Counter(&mut size)).expect("it is written");
    let store = containerd.images();
    for bytes in [0, 100, 1 << 20, size / 2, size - 4096, size - 1024] {
        for end in ["exec 4>&-", "kill -KILL $client"] {
            let cut = containerd.images_through(bytes, end);
            // The last may be an image: the end of a tar is two empty blocks that nobody needs.
            if cut.import(&image).is_err() {
                assert_eq!(present(&store), BTreeSet::new(), "{bytes} of {size}, {end}");
            }
            import(&store, &image);
            let said = containerd.run_in(&image.reference, &["/bin/etcd", "--version"]);
            assert!(
                said.stdout.contains("etcd Version"),
                "{bytes}, {end}: {said}"
            );
            store.remove(&image.reference).expect("it is removed");
        }
    }
}

/// containerd, killed when it has so much of an image, and started again by whatever keeps it running.
#[test]
fn an_import_outlives_containerd() {
    let mut containerd = Containerd::start();
    let image = image("etcd", &components());
    for megabytes in [0, 5, 20] {
        let (fed, again) = (containerd.path("fed"), containerd.path("again"));
        let end = format!(
            "touch {}; until [ -e {} ]; do sleep 0.01; done; cat <&3 >&4; exec 4>&-",
            fed.display(),
            again.display(),
        );
        let store = containerd.images_through(megabytes << 20, &end);
        std::thread::scope(|scope| {
            let import = scope.spawn(|| import(&store, &image));
            eventually("containerd has a part", || fed.exists());
            containerd.kill();
            containerd.start_again();
            assert_eq!(present(&containerd.images()), BTreeSet::new());
            fs::write(&again, "").expect("it is written");
            import.join().expect("it is imported after all");
        });
        for path in [fed, again] {
            fs::remove_file(path).expect("it is there");
        }
        let said = containerd.run_in(&image.reference, &["/bin/etcd", "--version"]);
        assert!(said.stdout.contains("etcd Version"), "{said}");
        store.remove(&image.reference).expect("it is removed");
    }
}

#[test]
fn a_full_disk_is_named() {
    let containerd = Containerd::start_small(30);
    let store = containerd.images();
    let image = image("etcd", &components());
    let error = store
        .import(&image)
        .expect_err("there is no room to unpack it");
    assert!(error.fact.contains("no space left"), "{error}");
    assert!(error.hint.expect("a hint").contains("make room"));
}

#[test]
fn a_containerd_that_does_not_run_is_named() {
    let mut containerd = Containerd::start();
    containerd.kill();
    let store = containerd.images();
    let error = store.present().expect_err("nobody answers");
    assert!(
        error
            .hint
            .expect("a hint")
            .contains("kinstall logs containerd")
    );
    let missing = ContainerdImages {
        ctr: "/nowhere/ctr".into(),
        ..store
    };
    let error = missing.present().expect_err("there is no client");
    assert!(error.fact.contains("/nowhere/ctr does not run"), "{error}");
}

struct Counter<'a>(&'a mut u64);

impl std::io::Write for Counter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        *self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
