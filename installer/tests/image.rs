//! Images as archives: the same bits every time, and nothing but what was planned.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use installer::desired::{Image, ImageFile, digest};
use installer::image::{self, Digests, ImageError};
use pki_core::cluster::FileMode;
use proptest::prelude::*;
use tar::{Archive, EntryType};
use tempfile::{TempDir, tempdir};

fn image(dir: &Path, files: &[(&str, &[u8])], links: &[(&str, &str)]) -> Image {
    let file = |(index, (path, bytes)): (usize, &(&str, &[u8]))| {
        let source = dir.join(index.to_string());
        fs::write(&source, bytes).unwrap();
        let file = ImageFile {
            source,
            digest: digest::hex(bytes),
            mode: FileMode::new(0o750).unwrap(),
        };
        ((*path).to_owned(), file)
    };
    let mut image = Image {
        reference: String::new(),
        entrypoint: vec!["/bin/it".into()],
        files: files.iter().enumerate().map(file).collect(),
        links: links
            .iter()
            .map(|(path, target)| ((*path).into(), (*target).into()))
            .collect(),
    };
    image.reference = image::reference("it", &image);
    image
}

fn written(image: &Image) -> (Vec<u8>, Digests) {
    let mut out = Vec::new();
    let digests = image::write(image, &mut out).unwrap();
    (out, digests)
}

type Entry = (EntryType, u32, Vec<u8>, String);

/// All that is in a tar, after a look at what has to be zero.
fn entries(tar: &[u8]) -> Vec<(String, Entry)> {
    let mut archive = Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let zeroes = (
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
        );
        assert_eq!(zeroes, (0, 0, 0));
        let (kind, mode) = (header.entry_type(), header.mode().unwrap());
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let link = entry.link_name_bytes().unwrap_or_default().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (path, (kind, mode, bytes, String::from_utf8(link).unwrap()))
    });
    entries.collect()
}

fn blobs(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let entries = entries(tar).into_iter();
    entries
        .map(|(path, (_, _, bytes, _))| (path, bytes))
        .collect()
}

fn layer(image: &Image) -> Vec<(String, Entry)> {
    let (tar, digests) = written(image);
    entries(&blobs(&tar)[&format!("blobs/sha256/{}", digests.layer)])
}

#[test]
fn a_layer_in_full() {
    let dir = tempdir().unwrap();
    let files: &[(&str, &[u8])] = &[("/usr/bin/it", b"program"), ("/a", b"")];
    let image = image(dir.path(), files, &[("/usr/lib", "../lib")]);
    let wanted = [
        ("a", EntryType::Regular, 0o750, "", ""),
        ("usr/", EntryType::Directory, 0o755, "", ""),
        ("usr/bin/", EntryType::Directory, 0o755, "", ""),
        ("usr/bin/it", EntryType::Regular, 0o750, "program", ""),
        ("usr/lib", EntryType::Symlink, 0o777, "", "../lib"),
    ];
    let wanted = wanted.map(|(path, kind, mode, bytes, link)| {
        (path.to_owned(), (kind, mode, bytes.into(), link.to_owned()))
    });
    assert_eq!(layer(&image), wanted);
}

/// What containerd and the CRI will make of it.
#[test]
fn documents_in_full() {
    let dir = tempdir().unwrap();
    let image = image(dir.path(), &[("/bin/it", b"program")], &[]);
    let (tar, digests) = written(&image);
    let blobs = blobs(&tar);
    let mut text = String::new();
    for path in [
        "oci-layout",
        "index.json",
        &format!("blobs/sha256/{}", digests.manifest),
        &format!("blobs/sha256/{}", digests.config),
    ] {
        let json: serde_json::Value = serde_json::from_slice(&blobs[path]).unwrap();
        text += &format!("{path}\n{json:#}\n");
    }
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    for (digest, name) in [
        (&digests.manifest, "MANIFEST"),
        (&digests.config, "CONFIG"),
        (&digests.layer, "LAYER"),
    ] {
        text = text.replace(digest.as_str(), name);
    }
    text = text.replace(&format!("{architecture:?}"), "\"ARCHITECTURE\"");
    insta::assert_snapshot!(text);
}

#[test]
fn a_file_that_changed_is_refused() {
    let dir = tempdir().unwrap();
    let image = image(
        dir.path(),
        &[("/bin/it", b"program"), ("/lib/it", b"")],
        &[],
    );
    fs::write(dir.path().join("0"), "another").unwrap();
    let mut out = Vec::new();
    let error = image::write(&image, &mut out).unwrap_err();
    let source = &image.files["/bin/it"].source;
    assert!(
        matches!(&error, ImageError::Changed(path) if path == source),
        "{error}"
    );
    assert!(error.hint().is_some());
    let out = String::from_utf8_lossy(&out);
    assert!(
        !out.contains("index.json"),
        "it would be taken for an image"
    );
}

/// A file that grows, shrinks or gets other bytes between the two times it is read.
#[test]
fn a_file_that_changes_meanwhile_is_refused() {
    struct Meddler<'a>(&'a Path, &'a [u8]);
    impl Write for Meddler<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            fs::write(self.0, self.1)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for other in [&b"program and more"[..], b"prog", b"PROGRAM", b""] {
        let dir = tempdir().unwrap();
        let image = image(dir.path(), &[("/bin/it", b"program")], &[]);
        let source = &image.files["/bin/it"].source;
        let error = image::write(&image, Meddler(source, other)).unwrap_err();
        assert!(matches!(error, ImageError::Changed(_)), "{error}");
    }
}

/// Whoever updates programs by rename changes no image that is being made.
#[test]
fn a_file_that_is_replaced_meanwhile_stays() {
    struct Replacer<'a>(&'a Path, Vec<u8>);
    impl Write for Replacer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let new = self.0.with_extension("new");
            fs::write(&new, "another")?;
            fs::rename(&new, self.0)?;
            self.1.extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dir = tempdir().unwrap();
    let image = image(dir.path(), &[("/bin/it", b"program")], &[]);
    let before = written(&image).0;
    let mut out = Replacer(&image.files["/bin/it"].source, Vec::new());
    image::write(&image, &mut out).unwrap();
    assert_eq!(before, out.1);
}

#[test]
fn paths_that_no_image_can_have_are_refused() {
    let refused = |files: &[(&str, &[u8])], links: &[(&str, &str)]| {
        let dir = tempdir().unwrap();
        let image = image(dir.path(), files, links);
        match image::write(&image, Vec::new()) {
            Err(ImageError::Path { path, reason }) => format!("{path}: {reason}"),
            other => panic!("{files:?} {links:?}: {other:?}"),
        }
    };
    for path in [
        "bin/it", "", "/", "//bin", "/bin/", "/../etc", "/a/./b", "/a/..",
    ] {
        refused(&[(path, b"")], &[]);
        refused(&[], &[(path, "/a")]);
    }
    assert_eq!(
        refused(&[("/a", b""), ("/a/b", b"")], &[]),
        "/a/b: something that is no directory is above it"
    );
    refused(&[("/a/b", b"")], &[("/a", "/c")]);
    refused(&[("/a", b"")], &[("/a", "/c")]);
    refused(&[(&format!("/{}", "a".repeat(101)), b"")], &[]);
    refused(&[], &[("/a", &"b".repeat(101))]);
}

fn contents() -> impl Strategy<Value = (BTreeMap<String, Vec<u8>>, BTreeMap<String, String>)> {
    // Three levels of few names, so that paths share parents; sizes around tar's blocks.
    let part = "[a-c]{1,2}";
    let path = prop::collection::vec(part, 1..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let size = prop_oneof![0_usize..3, 510_usize..515, 1020_usize..1030, Just(70_000)];
    let bytes = (size, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]);
    let files = prop::collection::btree_map(path.clone(), bytes, 0..8);
    let links = prop::collection::btree_map(path, "[a-z/.]{1,90}", 0..4);
    (files, links).prop_map(|(files, links)| {
        // What is below a file or a link, or twice, is another test's.
        let taken: Vec<_> = files.keys().chain(links.keys()).cloned().collect();
        let alone = |path: &String| {
            let below = |other: &&String| path.starts_with(&format!("{other}/"));
            !taken.iter().any(|other| below(&other))
        };
        let links = links
            .into_iter()
            .filter(|(path, _)| alone(path) && !files.contains_key(path))
            .collect();
        (
            files.into_iter().filter(|(path, _)| alone(path)).collect(),
            links,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_files_can_be_read_back((files, links) in contents()) {
        let make = || -> (TempDir, Image) {
            let dir = tempdir().unwrap();
            let files: Vec<_> = files.iter().map(|(path, bytes)| (&**path, &**bytes)).collect();
            let links: Vec<_> = links.iter().map(|(path, target)| (&**path, &**target)).collect();
            let image = image(dir.path(), &files, &links);
            (dir, image)
        };
        let (_one, image) = make();
        let (_two, same) = make();
        let (tar, digests) = written(&image);
        prop_assert_eq!(&tar, &written(&same).0, "the same files elsewhere");

        // Every blob is what its name says, and the digests are of blobs.
        let blobs = blobs(&tar);
        for (path, bytes) in &blobs {
            if let Some(name) = path.strip_prefix("blobs/sha256/") {
                prop_assert_eq!(name, digest::hex(bytes));
            }
        }
        let layer = &blobs[&format!("blobs/sha256/{}", digests.layer)];
        for digest in [&digests.manifest, &digests.config] {
            let path = format!("blobs/sha256/{digest}");
            prop_assert!(blobs.contains_key(&path), "{}", path);
        }
        prop_assert_eq!(blobs.len(), 5);

        // Sorted, each once, parents before what is in them, and nothing else.
        let entries = entries(layer);
        let names: Vec<_> = entries.iter().map(|(path, _)| path.trim_end_matches('/')).collect();
        prop_assert!(names.is_sorted_by(|a, b| a < b), "{:?}", names);
        for name in &names {
            if let Some((parent, _)) = name.rsplit_once('/') {
                prop_assert!(names.contains(&parent), "{}", parent);
            }
        }
        let mut found = (BTreeMap::new(), BTreeMap::new());
        for (path, (kind, _, bytes, link)) in entries {
            match kind {
                EntryType::Regular => drop(found.0.insert(format!("/{path}"), bytes)),
                EntryType::Symlink => drop(found.1.insert(format!("/{path}"), link)),
                _ => prop_assert_eq!(kind, EntryType::Directory),
            }
        }
        prop_assert_eq!(found, (files, links));
    }
}
