//! What is in a bundle: the first file of it, and what all others are held against.

use std::collections::BTreeSet;

use pki_core::cluster::FileMode;
use serde::{Deserialize, Serialize};

use crate::desired::{Network, ProxyMode};

/// The manifest's own place in the archive.
pub const MANIFEST: &str = "manifest.json";
/// The cluster's spec.
pub const SPEC: &str = "cluster.toml";
/// The profile, where it is the user's own.
pub const PROFILE: &str = "profile.toml";
/// The folder of the node's tree.
pub const TREE: &str = "tree/";
/// The folder of programs.
pub const PROGRAMS: &str = "bin/";

/// Raised when a kinstall of before could not read what is written.
const FORMAT: u32 = 1;
/// No certificate, key, kubeconfig, spec or manifest comes near this size, in bytes.
pub(super) const LARGEST_TEXT: u64 = 1 << 20;
/// No program comes near it. kube-apiserver has 120 MB.
const LARGEST_PROGRAM: u64 = 1 << 30;
/// All files together, in bytes.
const LARGEST: u64 = 4 << 30;
/// A node has about fifty.
const MOST_FILES: usize = 1000;

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// Of this form.
    pub format: u32,
    /// The cluster's name.
    pub cluster: String,
    /// Whose bundle it is, by its name in cluster.toml.
    pub node: String,
    /// How pods of different nodes reach each other.
    pub network: Network,
    /// How kube-proxy leads packets to Services.
    pub proxy_mode: ProxyMode,
    /// Preflight checks whose failure is accepted.
    pub ignore_preflight: Vec<String>,
    /// Which machines its programs are for, as `x86_64`.
    pub architecture: String,
    /// Which kinstall packed it, as `0.1.0`.
    pub kinstall: String,
    /// The programs that the node runs, just these: packed, or to be on the machine already.
    pub programs: Vec<PackedProgram>,
    /// Programs that the machine has to have itself, in any version that will do: they load libraries of their distribution.
    pub machine_programs: Vec<String>,
    /// Every file of the archive after the manifest, in its order.
    pub files: Vec<PackedFile>,
}

/// A program, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackedProgram {
    /// Its name.
    pub name: String,
    /// What it says its version is. Empty where it says none.
    pub version: String,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

/// One file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackedFile {
    /// Its place in the archive: `cluster.toml`, `profile.toml`, or below `tree/` or `bin/`.
    pub path: String,
    /// Its permission bits, in octal: `0600`.
    #[serde(with = "octal")]
    pub mode: FileMode,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

/// Why a manifest is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not the text of a manifest.
    #[error("its manifest makes no sense: {0}")]
    Syntax(String),
    /// It is of another kinstall.
    #[error("it has the format {0}, and this kinstall knows {FORMAT}")]
    Format(u64),
    /// What it says cannot be.
    #[error("its manifest has {what}: {place}")]
    Odd {
        /// What is odd.
        what: &'static str,
        /// Where.
        place: String,
    },
}

impl Manifest {
    /// The format that is written.
    pub const FORMAT: u32 = FORMAT;

    /// Reads a manifest, and refuses whatever no `kinstall bundle` would write.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let syntax = |error: serde_json::Error| ManifestError::Syntax(error.to_string());
        let Format { format } = serde_json::from_slice(bytes).map_err(syntax)?;
        if format != u64::from(FORMAT) {
            return Err(ManifestError::Format(format));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(syntax)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// As it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain texts and numbers");
        bytes.push(b'\n');
        bytes
    }

    /// Whether the programs themselves are in it.
    pub fn has_programs(&self) -> bool {
        self.files
            .iter()
            .any(|file| file.path.starts_with(PROGRAMS))
    }

    /// How many bytes its files have.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Digest and size of the same file in both.
    pub(super) fn has_same(&self, file: &PackedFile) -> bool {
        self.files.contains(file)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let odd = |what, place: &str| {
            let place = place.to_owned();
            Err(ManifestError::Odd { what, place })
        };
        if self.files.len() > MOST_FILES {
            return odd("too many files", &self.files.len().to_string());
        }
        let mut seen = BTreeSet::new();
        let mut total: u64 = 0;
        for file in &self.files {
            let path = file.path.as_str();
            let Some(largest) = largest(path) else {
                return odd("a path that no bundle has", path);
            };
            if !seen.insert(path) {
                return odd("a path twice", path);
            }
            if file.size > largest {
                return odd("a file that is too large", path);
            }
            if !is_digest(&file.sha256) {
                return odd("no digest", path);
            }
            if !is_mode(file.mode) {
                return odd("a mode that no bundle has", path);
            }
            total += file.size;
        }
        if total > LARGEST {
            return odd("files that are too large together", &total.to_string());
        }
        if let Some((above, _)) = overlap(&seen) {
            return odd("a file and a directory of one name", above);
        }
        if !seen.contains(SPEC) {
            return odd("no", SPEC);
        }
        let mut names = BTreeSet::new();
        for program in &self.programs {
            let name = program.name.as_str();
            if !is_name(name) || !names.insert(name) {
                return odd("a program of an odd name", name);
            }
            if !is_digest(&program.sha256) {
                return odd("no digest", name);
            }
        }
        for file in &self.files {
            if let Some(name) = file.path.strip_prefix(PROGRAMS) {
                let mut programs = self.programs.iter();
                if !programs.any(|one| one.name == name && one.sha256 == file.sha256) {
                    return odd("a file that is none of its programs", &file.path);
                }
            }
        }
        if self.has_programs() {
            let missing = self.programs.iter();
            let missing = missing.map(|program| format!("{PROGRAMS}{}", program.name));
            if let Some(missing) = missing
                .into_iter()
                .find(|path| !seen.contains(path.as_str()))
            {
                return odd("a program without its file", &missing);
            }
        }
        Ok(())
    }
}

/// How large the file at this place of an archive may be. None where there can be none.
fn largest(path: &str) -> Option<u64> {
    match path {
        SPEC | PROFILE => Some(LARGEST_TEXT),
        _ => match path.split_once('/')? {
            ("bin", name) => is_name(name).then_some(LARGEST_PROGRAM),
            ("tree", below) => below.split('/').all(is_name).then_some(LARGEST_TEXT),
            _ => None,
        },
    }
}

/// One step of a path, and no step up or aside. Names of the node's tree and of programs have nothing else.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=100).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.bytes().all(|byte| byte == b'.')
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The owner reads and writes it, and nobody else writes.
fn is_mode(mode: FileMode) -> bool {
    let bits = mode.bits();
    bits & !0o755 == 0 && bits & 0o600 == 0o600
}

/// A path that is above another one.
fn overlap<'a>(paths: &BTreeSet<&'a str>) -> Option<(&'a str, &'a str)> {
    let above = |path: &&'a str| {
        let mut slashes = path.match_indices('/');
        let found = slashes.find_map(|(end, _)| paths.get(&path[..end]));
        found.map(|above| (*above, *path))
    };
    paths.iter().find_map(above)
}

mod octal {
    use pki_core::cluster::FileMode;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(mode: &FileMode, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(mode)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FileMode, D::Error> {
        let text = String::deserialize(from)?;
        let bits = u16::from_str_radix(&text, 8).ok();
        let mode = bits
            .and_then(FileMode::new)
            .filter(|mode| mode.to_string() == text);
        mode.ok_or_else(|| D::Error::custom("a mode that is none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, mode: u16) -> PackedFile {
        PackedFile {
            path: path.into(),
            mode: FileMode::new(mode).unwrap(),
            size: 3,
            sha256: "0a".repeat(32),
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            cluster: "kubernetes".into(),
            node: "w1".into(),
            network: Network::HostGw,
            proxy_mode: ProxyMode::Iptables,
            ignore_preflight: Vec::new(),
            architecture: "x86_64".into(),
            kinstall: "0.1.0".into(),
            programs: vec![PackedProgram {
                name: "kubelet".into(),
                version: "1.37.2".into(),
                sha256: "0a".repeat(32),
            }],
            machine_programs: vec!["nft".into()],
            files: vec![
                file(SPEC, 0o644),
                file("tree/pki/ca.crt", 0o644),
                file("tree/kubelet.conf", 0o600),
                file("bin/kubelet", 0o755),
            ],
        }
    }

    fn said(change: impl FnOnce(&mut Manifest)) -> String {
        let mut manifest = manifest();
        change(&mut manifest);
        match Manifest::read(&manifest.to_bytes()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Manifest::read(&manifest().to_bytes()), Ok(manifest()));
    }

    #[test]
    fn no_path_leads_elsewhere() {
        for path in [
            "../cluster.toml",
            "/etc/passwd",
            "tree/../../etc/passwd",
            "tree/./ca.crt",
            "tree//ca.crt",
            "tree/",
            "tree",
            "bin/",
            "bin/..",
            "bin/a/b",
            "bin/a\\b",
            "tree/a b",
            "tree/a\n",
            "tree/\u{e9}",
            "etc/ca.crt",
            "manifest.json",
            "",
        ] {
            let said = said(|manifest| manifest.files[1].path = path.into());
            assert!(said.contains("path"), "{path:?}: {said}");
        }
    }

    #[test]
    fn what_no_bundle_has_is_refused() {
        type Change = fn(&mut Manifest);
        let changes: [(&str, Change); 12] = [
            ("twice", |m| m.files.push(m.files[1].clone())),
            ("one name", |m| {
                m.files.push(file("tree/kubelet.conf/x", 0o600))
            }),
            ("too large", |m| m.files[1].size = LARGEST_TEXT + 1),
            ("too large together", |m| {
                m.files[3].size = LARGEST_PROGRAM;
                for name in ["a", "b", "c", "d"] {
                    m.files.push(PackedFile {
                        path: format!("bin/{name}"),
                        ..m.files[3].clone()
                    });
                }
            }),
            ("too many", |m| {
                m.files
                    .extend((0..MOST_FILES).map(|n| file(&format!("tree/{n}"), 0o600)));
            }),
            ("no digest", |m| m.files[1].sha256 = "0A".repeat(32)),
            ("no digest", |m| m.programs[0].sha256.clear()),
            ("mode", |m| m.files[1].mode = FileMode::new(0o666).unwrap()),
            ("cluster.toml", |m| m.files.retain(|file| file.path != SPEC)),
            ("none of its programs", |m| {
                m.programs[0].sha256 = "0b".repeat(32)
            }),
            ("without its file", |m| {
                m.programs.push(PackedProgram {
                    name: "runc".into(),
                    ..m.programs[0].clone()
                });
            }),
            ("odd name", |m| m.programs[0].name = "../kubelet".into()),
        ];
        for (wanted, change) in changes {
            let said = said(change);
            assert!(said.contains(wanted), "{wanted}: {said}");
        }
        // Setuid.
        let text = String::from_utf8(manifest().to_bytes()).unwrap();
        let text = text.replace("\"0755\"", "\"4755\"");
        assert!(Manifest::read(text.as_bytes()).is_err());
    }

    #[test]
    fn another_format_is_told_before_anything_else() {
        let error = Manifest::read(br#"{"format": 2, "new": true}"#).unwrap_err();
        assert_eq!(error, ManifestError::Format(2));
        assert!(Manifest::read(b"{}").is_err());
    }
}
