//! An image as an OCI image layout in a tar.

use std::collections::HashMap;
use std::io::Write;

use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, DescriptorBuilder, ImageConfigurationBuilder,
    ImageIndexBuilder, ImageManifestBuilder, MediaType, OciLayoutBuilder, Os, Platform,
    PlatformBuilder, RootFsBuilder, Sha256Digest,
};
use serde::Serialize;
use tar::{EntryType, Header};

use super::ImageError;
use super::layer::Layer;
use crate::desired::{Image, digest};

/// When every image of ours was made: bits must not depend on the time.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Where programs in an image find each other, as kube-proxy finds nft. containerd's own default.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The annotation of the index by which containerd names what it imports (containerd, core/images/annotations.go).
const IMAGE_NAME: &str = "io.containerd.image.name";
/// The standard's annotation for the tag alone (image-spec, annotations.md).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What names the parts of an image: SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of its manifest: what containerd shows as the image's digest.
    pub manifest: String,
    /// Of its configuration: what the CRI calls the image's id.
    pub config: String,
    /// Of its layer. It is not compressed, so this is its diff id too.
    pub layer: String,
}

/// Writes `image` as an OCI image layout: a tar with `oci-layout`, `index.json` and the blobs that they lead to.
///
/// The same image gives the same bits, on every machine of the same architecture. Files are read twice, since the
/// layer's digest is its name, and held in memory a megabyte at a time.
///
/// # Errors
/// When a file cannot be read or is not the one whose digest is known, or `out` does not take it. What was written until
/// then is no image: the index, which comes last, is missing.
pub fn write(image: &Image, mut out: impl Write) -> Result<Digests, ImageError> {
    let layer = Layer::open(image)?;
    let layer_digest = layer.digest()?;
    let described = describe(image, &layer_digest, layer.size())
        .expect("the values that the standard asks for are all given");

    let out = &mut out;
    entry(out, "oci-layout", &described.layout)?;
    header(out, &blob(&layer_digest), layer.size())?;
    layer.write(out)?;
    let digests = Digests {
        manifest: digest::hex(&described.manifest),
        config: digest::hex(&described.config),
        layer: layer_digest,
    };
    entry(out, &blob(&digests.config), &described.config)?;
    entry(out, &blob(&digests.manifest), &described.manifest)?;
    entry(out, "index.json", &described.index)?;
    out.write_all(&[0; 1024]).map_err(ImageError::Write)?;
    out.flush().map_err(ImageError::Write)?;
    Ok(digests)
}

/// The documents around a layer.
struct Described {
    layout: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
    index: Vec<u8>,
}

fn describe(image: &Image, layer: &str, size: u64) -> Result<Described, OciSpecError> {
    let layout = OciLayoutBuilder::default().image_layout_version("1.0.0");
    let run = ConfigBuilder::default()
        .entrypoint(image.entrypoint.clone())
        .env([PATH.to_owned()])
        .working_dir("/");
    let root = RootFsBuilder::default()
        .typ("layers")
        .diff_ids([format!("sha256:{layer}")]);
    let config = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(platform()?.architecture().clone())
        .os(Os::Linux)
        .config(run.build()?)
        .rootfs(root.build()?)
        .build()?;
    let config = json(&config);

    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(
            MediaType::ImageConfig,
            &digest::hex(&config),
            config.len() as u64,
        )?)
        .layers([descriptor(MediaType::ImageLayer, layer, size)?])
        .build()?;
    let manifest = json(&manifest);

    let tag = image.reference.rsplit(':').next().unwrap_or_default();
    let names = [(IMAGE_NAME, image.reference.as_str()), (REF_NAME, tag)];
    let names = names.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut entry = descriptor(
        MediaType::ImageManifest,
        &digest::hex(&manifest),
        manifest.len() as u64,
    )?;
    entry.set_platform(Some(platform()?));
    entry.set_annotations(Some(HashMap::from(names)));
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests([entry])
        .build()?;
    Ok(Described {
        layout: json(&layout.build()?),
        config,
        manifest,
        index: json(&index),
    })
}

fn descriptor(kind: MediaType, digest: &str, size: u64) -> Result<Descriptor, OciSpecError> {
    let digest: Sha256Digest = digest.parse()?;
    DescriptorBuilder::default()
        .media_type(kind)
        .digest(digest)
        .size(size)
        .build()
}

/// What this machine runs. Go's names for architectures, as the standard wants.
fn platform() -> Result<Platform, OciSpecError> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => Arch::Amd64,
        "aarch64" => Arch::ARM64,
        other => Arch::Other(other.to_owned()),
    };
    PlatformBuilder::default()
        .architecture(architecture)
        .os(Os::Linux)
        .build()
}

/// With keys in order: annotations come out of a hash map.
fn json(value: &impl Serialize) -> Vec<u8> {
    let mut value = serde_json::to_value(value).expect("strings and numbers");
    value.sort_all_objects();
    serde_json::to_vec(&value).expect("strings and numbers")
}

fn blob(digest: &str) -> String {
    format!("blobs/sha256/{digest}")
}

fn entry(out: &mut impl Write, path: &str, bytes: &[u8]) -> Result<(), ImageError> {
    header(out, path, bytes.len() as u64)?;
    let padding = bytes.len().next_multiple_of(512) - bytes.len();
    out.write_all(bytes)
        .and_then(|()| out.write_all(&[0; 512][..padding]))
        .map_err(ImageError::Write)
}

fn header(out: &mut impl Write, path: &str, size: u64) -> Result<(), ImageError> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(path).expect("fixed and short");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(ImageError::Write)
}
