//! Requests laid out byte by byte: what no program of good will writes.

use std::fs;
use std::path::{Path, PathBuf};

use pki_core::x509::{KeyAlgorithm, LocalSigner, PrivateKey, Signer};
use ring::rand::SystemRandom;

pub const UTF8: u8 = 0x0c;
pub const BMP: u8 = 0x1e;
pub const CN: &[u8] = &[0x55, 4, 3];
pub const O: &[u8] = &[0x55, 4, 10];

/// One tag, length, value.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match length {
        0..0x80 => bytes.push(length as u8),
        0x80..0x100 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend(content);
    bytes
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An attribute with a text of that tag.
pub fn attribute(kind: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
    sequence(&[tlv(6, kind), tlv(tag, text)])
}

/// A relative distinguished name of one attribute.
pub fn rdn(kind: &[u8], text: &str) -> Vec<u8> {
    tlv(0x31, &attribute(kind, UTF8, text.as_bytes()))
}

/// `O=system:nodes, CN=<name>`.
pub fn kubelet(name: &str) -> Vec<Vec<u8>> {
    vec![rdn(O, "system:nodes"), rdn(CN, name)]
}

/// An extension of that object identifier.
pub fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![tlv(6, oid)];
    if critical {
        parts.push(vec![1, 1, 0xff]);
    }
    parts.push(tlv(4, value));
    sequence(&parts)
}

/// subjectAltName with these GeneralNames.
pub fn alternative_names(names: &[Vec<u8>]) -> Vec<u8> {
    extension(&[0x55, 0x1d, 0x11], false, &sequence(names))
}

pub fn dns(text: &[u8]) -> Vec<u8> {
    tlv(0x82, text)
}

/// A request, signed by the key in it.
pub fn request(subject: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let key = key();
    request_by(subject, extensions, &key, &key)
}

pub fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).expect("randomness")
}

/// A request for one key, signed by another.
pub fn request_by(
    subject: &[Vec<u8>],
    extensions: &[Vec<u8>],
    key: &PrivateKey,
    signer: &PrivateKey,
) -> Vec<u8> {
    // extensionRequest (RFC 2985 section 5.4.2).
    let oid = tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]);
    let attributes = if extensions.is_empty() {
        Vec::new()
    } else {
        sequence(&[oid, tlv(0x31, &sequence(extensions))])
    };
    let info = sequence(&[
        vec![2, 1, 0],
        sequence(subject),
        key.public_key().der().to_vec(),
        tlv(0xa0, &attributes),
    ]);
    let signature = LocalSigner::new(signer)
        .expect("a key")
        .sign(&info)
        .expect("signs");
    // ecdsa-with-SHA256.
    let algorithm = sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    sequence(&[info, algorithm, tlv(3, &[&[0], &*signature].concat())])
}

pub fn write(dir: &Path, name: &str, der: &[u8]) -> PathBuf {
    let path = dir.join(format!("{name}.csr"));
    fs::write(&path, der).expect("written");
    path
}
