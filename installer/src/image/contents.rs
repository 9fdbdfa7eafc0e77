//! What is in an image, and the name that follows from it.

use std::collections::BTreeMap;
use std::path::Path;

use pki_core::cluster::FileMode;

use crate::desired::digest::Digest;
use crate::desired::{Image, ImageFile, Program, XTABLES};

/// What every name of an image of ours begins with. `internal` is kept free for private use (ICANN, July
/// 2024), so no registry has such a name.
pub const PREFIX: &str = "kinstall.internal/";

/// Part of every tag: raised whenever the same contents come to be laid out differently.
const FORMAT: &[u8] = b"1";

/// Programs, libraries and datasets run from here; nothing writes to them.
const EXECUTABLE: FileMode = match FileMode::new(0o755) {
    Some(mode) => mode,
    None => unreachable!(),
};

/// What is in an image: collected, then [named](Self::into_image).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageContents {
    files: BTreeMap<String, ImageFile>,
    links: BTreeMap<String, String>,
}

impl ImageContents {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a program at the absolute path `at`, and all that its loader loads.
    ///
    /// The loader keeps its own path, since it is written into the program, and so do plugins of iptables. Libraries go beside the C library: there is
    /// no `ld.so.cache` in an image, and that is a directory where the loader looks without one.
    pub fn program(mut self, at: &str, program: &Program) -> Self {
        self.add(at, &program.path, &program.digest);
        let home = program.libraries.iter().find_map(|(path, _)| {
            let name = path.file_name()?.to_str()?;
            (name.starts_with("libc.so") || name.starts_with("libc.musl")).then(|| path.parent())?
        });
        for (path, digest) in &program.libraries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_plugin = path
                .parent()
                .is_some_and(|parent| parent.ends_with(XTABLES));
            let to = match home {
                Some(home) if !is_loader(&name) && !is_plugin => home.join(&*name),
                _ => path.clone(),
            };
            self.add(&to.to_string_lossy(), path, digest);
        }
        self
    }

    /// With a symbolic link at the absolute path `at`.
    pub fn link(mut self, at: &str, target: &str) -> Self {
        self.links.insert(at.to_owned(), target.to_owned());
        self
    }

    /// The image `name` of these: `kube-proxy`. What it runs when a pod does not say is `entrypoint`.
    pub fn into_image(self, name: &str, entrypoint: &[&str]) -> Image {
        let mut image = Image {
            reference: String::new(),
            entrypoint: entrypoint.iter().map(ToString::to_string).collect(),
            files: self.files,
            links: self.links,
        };
        image.reference = reference(name, &image);
        image
    }

    fn add(&mut self, at: &str, source: &Path, digest: &str) {
        let file = ImageFile {
            source: source.to_owned(),
            digest: digest.to_owned(),
            mode: EXECUTABLE,
        };
        self.files.insert(at.to_owned(), file);
    }
}

fn is_loader(name: &str) -> bool {
    name.starts_with("ld-") || name.starts_with("ld.")
}

/// The full name of an image: its tag is a digest of what is in it (where its files come from is not). So a pod that
/// names it gets just that, and pods are made anew when a program is.
pub fn reference(name: &str, image: &Image) -> String {
    let mut digest = Digest::new();
    digest.field(FORMAT);
    digest.field(&image.entrypoint.len().to_be_bytes());
    for argument in &image.entrypoint {
        digest.field(argument.as_bytes());
    }
    digest.field(&image.files.len().to_be_bytes());
    for (path, file) in &image.files {
        digest.field(path.as_bytes());
        digest.field(file.digest.as_bytes());
        digest.field(&file.mode.bits().to_be_bytes());
    }
    for (path, target) in &image.links {
        digest.field(path.as_bytes());
        digest.field(target.as_bytes());
    }
    let digest = digest.finish();
    format!("{PREFIX}{name}:{}", &digest[..16])
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn program(libraries: &[&str]) -> Program {
        Program {
            path: "/usr/sbin/nft".into(),
            version: "1.0.6".into(),
            digest: "0a".repeat(32),
            libraries: libraries
                .iter()
                .map(|path| (PathBuf::from(path), "0b".repeat(32)))
                .collect(),
        }
    }

    #[test]
    fn libraries_are_where_a_loader_without_cache_looks() {
        let contents = ImageContents::new().program(
            "/usr/sbin/nft",
            &program(&[
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/lib64/ld-linux-x86-64.so.2",
                "/opt/odd/libnftables.so.1",
            ]),
        );
        let paths: Vec<_> = contents.files.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/lib/x86_64-linux-gnu/libnftables.so.1",
                "/lib64/ld-linux-x86-64.so.2",
                "/usr/sbin/nft",
            ]
        );
        let source = &contents.files["/lib/x86_64-linux-gnu/libnftables.so.1"].source;
        assert_eq!(source, Path::new("/opt/odd/libnftables.so.1"));
    }

    #[test]
    fn tags_change_with_everything_but_the_source() {
        let image = || {
            ImageContents::new()
                .program("/nft", &program(&[]))
                .into_image("nft", &["/nft"])
        };
        let mut elsewhere = program(&[]);
        elsewhere.path = "/opt/nft".into();
        let elsewhere = ImageContents::new()
            .program("/nft", &elsewhere)
            .into_image("nft", &["/nft"]);
        assert_eq!(image().reference, elsewhere.reference);

        let mut others = [image(), image(), image(), image()];
        others[0].entrypoint.push("-v".into());
        others[1].links.insert("/a".into(), "/b".into());
        let file = others[2].files.get_mut("/nft").expect("it is there");
        file.digest = "0c".repeat(32);
        let file = others[3].files.get_mut("/nft").expect("it is there");
        file.mode = FileMode::PUBLIC;
        let mut tags: Vec<_> = others.iter().map(|image| reference("nft", image)).collect();
        tags.push(image().reference);
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 5, "{tags:?}");
    }

    #[test]
    fn names_are_full() {
        let image = ImageContents::new().into_image("pause", &["/pause"]);
        let (name, tag) = image.reference.split_once(':').expect("a tag");
        assert_eq!(name, "kinstall.internal/pause");
        assert_eq!(tag.len(), 16);
    }
}
