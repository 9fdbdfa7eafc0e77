//! User-data of cloud-init, by which a machine that provisions itself fetches its bundle and becomes its node. Pure.
//!
//! Whatever runs on the machine, and often in its pods, can ask the cloud for its user-data, so by itself it holds no key: where
//! the bundle is, its digest, and the commands.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use serde_json::json;
use zeroize::Zeroizing;

use super::manifest::{Manifest, PROGRAMS};
use crate::addon::yaml;

/// The most that Amazon EC2 takes, in bytes ("Add user data", before base64). Others take more.
pub const LARGEST_USER_DATA: usize = 16 << 10;
/// How long a machine waits for each thing, in seconds: its control plane may be made at the same time.
const PATIENCE: u32 = 1800;
/// Where an embedded bundle is written. Not below `/run`, where distributions let nothing be run, nor `/tmp`, which is everybody's.
const EMBEDDED: &str = "/var/lib/kinstall-bundle/bundle";

/// What a machine is told.
#[derive(Clone, Debug)]
pub struct UserData<'a> {
    /// What is in its bundle.
    pub manifest: &'a Manifest,
    /// SHA-256 of the bundle, in hexadecimal.
    pub digest: &'a str,
    /// Where the machine gets it.
    pub place: BundlePlace,
    /// Where the machine has the bundle's passphrase. None where it has none.
    pub passphrase: Option<PathBuf>,
    /// Where the machine gets kinstall.
    pub kinstall: KinstallPlace,
    /// Where on the machine programs are looked for first.
    pub bin_dirs: Vec<PathBuf>,
}

/// Where a machine gets its bundle.
#[derive(Clone, Debug)]
pub enum BundlePlace {
    /// It fetches it, with curl.
    Url(WebAddress),
    /// It has it: a file of its image or of a volume.
    Path(PathBuf),
    /// It is in the user-data.
    Embedded(Zeroizing<Vec<u8>>),
}

/// Where a machine gets kinstall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KinstallPlace {
    /// Out of the bundle, with tar and zstd.
    Bundle,
    /// It fetches it, with curl; its digest is the one in the manifest.
    Url(WebAddress),
    /// It has it, in its PATH.
    Machine,
}

/// An address of the web that can be put between single quotes of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress(String);

/// Why that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not https:// or http:// and then plain characters")]
pub struct NoWebAddress;

impl std::str::FromStr for WebAddress {
    type Err = NoWebAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .strip_prefix("https://")
            .or(text.strip_prefix("http://"));
        // What RFC 3986 allows in an address, but for the quote that a shell would end at.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"'\"<>\\^`{|}".contains(&byte);
        match rest {
            Some(rest)
                if !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_plain) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoWebAddress),
        }
    }
}

impl WebAddress {
    /// Whether others on the way can read what is fetched.
    pub fn is_open(&self) -> bool {
        self.0.starts_with("http:")
    }
}

/// The user-data, as cloud-init reads it.
pub fn user_data(data: &UserData<'_>) -> Zeroizing<String> {
    let mut document = json!({});
    if let BundlePlace::Embedded(bundle) = &data.place {
        document["write_files"] = json!([{
            "path": EMBEDDED,
            "owner": "root:root",
            "permissions": "0600",
            "encoding": "b64",
            "content": Base64::encode_string(bundle),
        }]);
    }
    document["runcmd"] = json!([["sh", "-euc", script(data)]]);
    let Manifest { node, cluster, .. } = data.manifest;
    let mut text = Zeroizing::new(String::new());
    let _ = writeln!(
        text,
        "#cloud-config\n# Made by kinstall cloud-init: this machine becomes node {node} of {cluster}."
    );
    if matches!(data.place, BundlePlace::Embedded(_)) {
        let _ = writeln!(
            text,
            "{}",
            match data.passphrase {
                None =>
                    "# It holds the node's keys in the clear: whoever can read this can be the node.",
                Some(_) => "# It holds the node's keys, encrypted.",
            }
        );
    }
    text.push_str(&yaml::document(&document));
    text
}

/// What the machine runs, once: in a directory of its own, which goes at the end whatever came of it.
fn script(data: &UserData<'_>) -> String {
    let mut lines = vec![
        "umask 077".to_owned(),
        "dir=$(mktemp -d /var/lib/kinstall-bundle.XXXXXX)".to_owned(),
    ];
    let embedded = Path::new(EMBEDDED).parent().expect("it has a directory");
    lines.push(match data.place {
        BundlePlace::Embedded(_) => format!("trap 'rm -rf \"$dir\" {}' EXIT", embedded.display()),
        _ => "trap 'rm -rf \"$dir\"' EXIT".to_owned(),
    });
    lines.push(
        "same() { echo \"$1  $2\" | sha256sum --check --status || { echo \"$2 is not the file that was meant\" >&2; exit 1; }; }"
            .to_owned(),
    );
    match &data.place {
        BundlePlace::Url(url) => {
            lines.extend(["bundle=$dir/bundle".to_owned(), fetch(url, "bundle")])
        }
        BundlePlace::Path(path) => lines.push(format!("bundle={}", quoted(path))),
        BundlePlace::Embedded(_) => lines.push(format!("bundle={EMBEDDED}")),
    }
    lines.push(format!("same {} \"$bundle\"", data.digest));
    match &data.kinstall {
        KinstallPlace::Bundle => lines.extend([
            format!("kinstall=$dir/{PROGRAMS}kinstall"),
            format!("tar --zstd -xf \"$bundle\" -C \"$dir\" {PROGRAMS}kinstall"),
        ]),
        KinstallPlace::Url(url) => {
            let mut programs = data.manifest.programs.iter();
            let wanted = programs.find(|program| program.name == "kinstall");
            let wanted = wanted.map(|program| program.sha256.as_str());
            lines.extend([
                "kinstall=$dir/kinstall".to_owned(),
                fetch(url, "kinstall"),
                format!("same {} \"$kinstall\"", wanted.unwrap_or_default()),
                "chmod 0700 \"$kinstall\"".to_owned(),
            ]);
        }
        KinstallPlace::Machine => lines.extend([
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "kinstall=kinstall".to_owned(),
        ]),
    }
    let mut last = format!(
        "\"$kinstall\" node --bundle \"$bundle\" --digest sha256:{}",
        data.digest
    );
    if let Some(passphrase) = &data.passphrase {
        let _ = write!(last, " --passphrase-file {}", quoted(passphrase));
    }
    for dir in &data.bin_dirs {
        let _ = write!(last, " --bin-dir {}", quoted(dir));
    }
    lines.push(format!("{last} --timeout {PATIENCE}\n"));
    lines.join("\n")
}

/// A machine's network may come late, and the server too.
fn fetch(url: &WebAddress, variable: &str) -> String {
    format!(
        "curl --fail --silent --show-error --location --retry 20 --retry-connrefused --output \"${variable}\" '{}'",
        url.0
    )
}

/// As one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::PackedProgram;
    use crate::desired::{Network, ProxyMode};

    fn manifest() -> Manifest {
        Manifest {
            format: Manifest::FORMAT,
            cluster: "kubernetes".into(),
            node: "w1".into(),
            network: Network::Flannel,
            proxy_mode: ProxyMode::default(),
            ignore_preflight: Vec::new(),
            architecture: "x86_64".into(),
            kinstall: "0.1.0".into(),
            programs: vec![PackedProgram {
                name: "kinstall".into(),
                version: String::new(),
                sha256: "0c".repeat(32),
            }],
            machine_programs: Vec::new(),
            files: Vec::new(),
        }
    }

    fn url(text: &str) -> WebAddress {
        text.parse().unwrap()
    }

    fn told(place: BundlePlace, kinstall: KinstallPlace, passphrase: Option<&str>) -> String {
        let digest = "0a".repeat(32);
        let told = user_data(&UserData {
            manifest: &manifest(),
            digest: &digest,
            place,
            passphrase: passphrase.map(PathBuf::from),
            kinstall,
            bin_dirs: vec!["/opt/it's/bin".into()],
        });
        told.replace(&digest, "DIGEST")
    }

    #[test]
    fn a_machine_fetches_its_bundle() {
        let place = BundlePlace::Url(url("https://example.org/w1.bundle?x=1&y=(2)"));
        insta::assert_snapshot!(told(place, KinstallPlace::Bundle, None), @r#"
        #cloud-config
        # Made by kinstall cloud-init: this machine becomes node w1 of kubernetes.
        runcmd:
        - - sh
          - -euc
          - |
            umask 077
            dir=$(mktemp -d /var/lib/kinstall-bundle.XXXXXX)
            trap 'rm -rf "$dir"' EXIT
            same() { echo "$1  $2" | sha256sum --check --status || { echo "$2 is not the file that was meant" >&2; exit 1; }; }
            bundle=$dir/bundle
            curl --fail --silent --show-error --location --retry 20 --retry-connrefused --output "$bundle" 'https://example.org/w1.bundle?x=1&y=(2)'
            same DIGEST "$bundle"
            kinstall=$dir/bin/kinstall
            tar --zstd -xf "$bundle" -C "$dir" bin/kinstall
            "$kinstall" node --bundle "$bundle" --digest sha256:DIGEST --bin-dir '/opt/it'\''s/bin' --timeout 1800
        "#);
    }

    #[test]
    fn a_machine_that_has_its_bundle_fetches_kinstall() {
        let place = BundlePlace::Path("/mnt/w1.bundle".into());
        let kinstall = KinstallPlace::Url(url("http://192.0.2.1/kinstall"));
        insta::assert_snapshot!(told(place, kinstall, Some("/etc/passphrase")), @r#"
        #cloud-config
        # Made by kinstall cloud-init: this machine becomes node w1 of kubernetes.
        runcmd:
        - - sh
          - -euc
          - |
            umask 077
            dir=$(mktemp -d /var/lib/kinstall-bundle.XXXXXX)
            trap 'rm -rf "$dir"' EXIT
            same() { echo "$1  $2" | sha256sum --check --status || { echo "$2 is not the file that was meant" >&2; exit 1; }; }
            bundle='/mnt/w1.bundle'
            same DIGEST "$bundle"
            kinstall=$dir/kinstall
            curl --fail --silent --show-error --location --retry 20 --retry-connrefused --output "$kinstall" 'http://192.0.2.1/kinstall'
            same 0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c "$kinstall"
            chmod 0700 "$kinstall"
            "$kinstall" node --bundle "$bundle" --digest sha256:DIGEST --passphrase-file '/etc/passphrase' --bin-dir '/opt/it'\''s/bin' --timeout 1800
        "#);
    }

    #[test]
    fn a_bundle_is_embedded() {
        let place = BundlePlace::Embedded(Zeroizing::new(b"a bundle".to_vec()));
        insta::assert_snapshot!(told(place, KinstallPlace::Machine, None), @r#"
        #cloud-config
        # Made by kinstall cloud-init: this machine becomes node w1 of kubernetes.
        # It holds the node's keys in the clear: whoever can read this can be the node.
        write_files:
        - path: /var/lib/kinstall-bundle/bundle
          owner: root:root
          permissions: "0600"
          encoding: b64
          content: YSBidW5kbGU=
        runcmd:
        - - sh
          - -euc
          - |
            umask 077
            dir=$(mktemp -d /var/lib/kinstall-bundle.XXXXXX)
            trap 'rm -rf "$dir" /var/lib/kinstall-bundle' EXIT
            same() { echo "$1  $2" | sha256sum --check --status || { echo "$2 is not the file that was meant" >&2; exit 1; }; }
            bundle=/var/lib/kinstall-bundle/bundle
            same DIGEST "$bundle"
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            kinstall=kinstall
            "$kinstall" node --bundle "$bundle" --digest sha256:DIGEST --bin-dir '/opt/it'\''s/bin' --timeout 1800
        "#);
    }

    #[test]
    fn an_address_is_one_word() {
        for text in [
            "ftp://example.org/x",
            "https://",
            "https:///x",
            "https://example.org/'; rm -rf /; '",
            "https://example.org/a b",
            "https://example.org/\n",
            "https://example.org/\u{e9}",
            "file:///etc/shadow",
            "",
        ] {
            assert_eq!(text.parse::<WebAddress>(), Err(NoWebAddress), "{text}");
        }
        assert!(url("http://[2001:db8::1]:8080/w1").is_open());
        assert!(!url("https://example.org").is_open());
    }
}
