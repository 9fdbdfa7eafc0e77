//! `kinstall bundle`, as it is typed, on a cluster of two nodes and programs that only say their versions.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use installer::bundle::{Bundle, unpack};
use installer::desired::digest;
use installer::machine::node_source;
use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use pki_core::x509::Passphrase;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

/// What each program says, and what its distribution has to have.
const PROGRAMS: [(&str, &str); 12] = [
    ("kubelet", "Kubernetes v1.37.2"),
    ("kube-proxy", "Kubernetes v1.37.2"),
    ("coredns", "CoreDNS-1.14.7"),
    ("flanneld", "v0.28.10"),
    (
        "containerd",
        "containerd github.com/containerd/containerd/v2 v2.4.2",
    ),
    ("ctr", "ctr github.com/containerd/containerd/v2 v2.4.2"),
    ("containerd-shim-runc-v2", "Version: v2.4.2"),
    ("runc", "runc version 1.3.0 libseccomp: 2.5.4"),
    ("nft", "nftables v1.0.6"),
    ("iptables", "iptables v1.8.9"),
    ("ip6tables", "ip6tables v1.8.9"),
    ("kinstall", ""),
];
const PLUGINS: [&str; 4] = ["bridge", "host-local", "loopback", "portmap"];
const OURS: [&str; 2] = ["kinstall-flannel", "kinstall-pause"];

struct Place {
    scratch: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            scratch: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.path("bin")).unwrap();
        for (name, says) in PROGRAMS {
            place.program(name, &format!("echo '{says}'"));
        }
        for name in OURS {
            place.program(name, "");
        }
        for name in PLUGINS {
            place.program(
                name,
                r#"echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'"#,
            );
        }
        place.cluster("kubeadm", &Profile::shipped("kubeadm").unwrap());
        place
    }

    fn path(&self, below: &str) -> PathBuf {
        self.scratch.path().join(below)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A control plane and a worker, as kpki makes them.
    fn cluster(&self, name: &str, profile: &Profile) {
        let dir = self.path("kubernetes");
        let _ = fs::remove_dir_all(&dir);
        let spec = ClusterSpec::builder()
            .service_cidrs(["10.3.0.0/24"])
            .profile(name)
            .node_flag("cp1=192.0.2.11:control-plane,etcd")
            .node_flag("w1=192.0.2.21:worker")
            .build()
            .unwrap();
        let blueprint = Blueprint::new(&spec, profile).unwrap();
        let inventory = Inventory::empty();
        let plan = Plan::new(&blueprint, &inventory, OffsetDateTime::now_utc());
        let mut changes = plan.execute(&SystemRandom::new()).unwrap();
        let text = spec.to_toml().into_bytes();
        changes.add(
            Location::tree("cluster.toml").unwrap(),
            text,
            FileMode::PUBLIC,
        );
        let mut store = Store::open(&dir, &dir.join("ca")).unwrap();
        changes.commit(&mut store).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
        command.arg("bundle").args(arguments);
        command
            .args(["--bin-dir", "bin"])
            .current_dir(self.scratch.path());
        command.env("NO_COLOR", "1");
        command
    }

    fn bundle(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn packs(&self, arguments: &[&str]) -> String {
        let output = self.bundle(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What standard error says, with nothing written.
    #[track_caller]
    fn refuses(&self, arguments: &[&str]) -> String {
        let before = names(self.scratch.path());
        let output = self.bundle(arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty());
        assert_eq!(names(self.scratch.path()), before);
        let said = String::from_utf8(output.stderr).unwrap();
        said.replace(self.scratch.path().to_str().unwrap(), "/srv")
    }

    fn open(&self, name: &str) -> Bundle {
        Bundle::open(&self.path(name), None, None).unwrap()
    }
}

fn names(below: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(below).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn a_worker_gets_its_own_tree_and_programs_and_nobody_else_s() {
    let place = Place::new();
    let said = place.packs(&["w1", "--out", "w1.bundle"]);
    let bytes = fs::read(place.path("w1.bundle")).unwrap();
    let digest = digest::hex(&bytes);
    let shown: Vec<_> = said.lines().skip(1).collect();
    assert!(
        said.starts_with("w1.bundle: node w1 of kubernetes, "),
        "{said}"
    );
    assert!(
        said.contains("it holds keys, and is not encrypted"),
        "{said}"
    );
    assert_eq!(
        shown,
        [
            &format!("sha256:{digest}"),
            "",
            "Bring it to w1, and there:",
            "",
            &format!("  kinstall node --bundle w1.bundle --digest sha256:{digest}"),
        ]
    );
    let bundle = place.open("w1.bundle");
    let files = bundle.manifest.files.iter();
    let files: Vec<_> = files
        .map(|file| format!("{} {}", file.mode, file.path))
        .collect();
    insta::assert_snapshot!(files.join("\n"), @r#"
    0644 cluster.toml
    0600 tree/kube-proxy.conf
    0600 tree/kubelet.conf
    0644 tree/pki/ca.crt
    0644 tree/pki/kubelet.crt
    0600 tree/pki/kubelet.key
    0755 bin/bridge
    0755 bin/containerd
    0755 bin/containerd-shim-runc-v2
    0755 bin/coredns
    0755 bin/ctr
    0755 bin/flanneld
    0755 bin/host-local
    0755 bin/ip6tables
    0755 bin/iptables
    0755 bin/kinstall
    0755 bin/kinstall-flannel
    0755 bin/kinstall-pause
    0755 bin/kube-proxy
    0755 bin/kubelet
    0755 bin/loopback
    0755 bin/nft
    0755 bin/portmap
    0755 bin/runc
    "#);
    // Nothing of it is another's: no key of the cluster but the worker's own.
    let there = place.path("there");
    let placed = unpack(&bundle, &there).unwrap();
    let own = secrets(&place.path("kubernetes/nodes/w1"));
    assert!(!own.is_empty());
    assert_eq!(secrets(&there), own);
    // And it is all that kinstall node needs.
    let source = node_source::load(&placed.dir, None, "w1").unwrap();
    let packed = node_source::load(&place.path("kubernetes"), None, "w1").unwrap();
    assert!(source.tree.keys().eq(packed.tree.keys()));
    for name in ["kubelet", "bridge", "kinstall", "kinstall-pause"] {
        let same = fs::read(placed.bin_dir.join(name)).unwrap()
            == fs::read(place.path("bin").join(name)).unwrap();
        assert!(same, "{name}");
    }
    assert!(!placed.bin_dir.join("kube-apiserver").exists());
}

/// Every private key below a directory, alone or in a kubeconfig.
fn secrets(below: &Path) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            if text.contains("PRIVATE KEY") || text.contains("client-key-data") {
                found.insert(bytes);
            }
        }
    }
    found
}

#[test]
fn a_bundle_replaces_nothing_unasked() {
    let place = Place::new();
    fs::write(place.path("w1.bundle"), "mine").unwrap();
    let said = place.refuses(&["w1", "--out", "w1.bundle"]);
    insta::assert_snapshot!(said, @r#"
    error: w1.bundle exists already
    hint: choose another name, or replace it with --force
    "#);
    assert_eq!(fs::read_to_string(place.path("w1.bundle")).unwrap(), "mine");
    place.packs(&["w1", "--out", "w1.bundle", "--force"]);
    let mode = place
        .path("w1.bundle")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn what_is_not_there_cannot_be_packed() {
    let place = Place::new();
    let out = ["--out", "w.bundle"];
    let with = |first: &[&str]| place.refuses(&[first, &out].concat());
    insta::assert_snapshot!(with(&["w2"]), @r#"
    error: /srv/kubernetes/cluster.toml has no node "w2"
    hint: name one of cp1, w1; or add it to cluster.toml and run kpki apply
    "#);
    insta::assert_snapshot!(with(&["w1", "--dir", "elsewhere"]), @r#"
    error: /srv/elsewhere/cluster.toml does not exist
    hint: name the cluster's directory with --dir, or make one: kpki init --service-cidr 10.3.0.0/24
    "#);
    assert!(with(&["w1", "--passphrase-file", "none"]).contains("none: "));
    fs::write(place.path("empty"), "\n").unwrap();
    fs::set_permissions(place.path("empty"), fs::Permissions::from_mode(0o600)).unwrap();
    insta::assert_snapshot!(with(&["w1", "--passphrase-file", "empty"]), @r#"
    error: empty: an empty passphrase
    hint: write the passphrase into its first line
    "#);
    let said = place.refuses(&["w1"]);
    assert!(said.contains("--out"), "{said}");
    fs::rename(place.path("bin/kubelet"), place.path("kubelet")).unwrap();
    assert!(with(&["w1"]).contains("kubelet is in none of "));
    fs::rename(place.path("kubelet"), place.path("bin/kubelet")).unwrap();
    fs::remove_file(place.path("kubernetes/nodes/w1/pki/kubelet.key")).unwrap();
    let said = with(&["w1"]);
    assert!(
        said.contains("is not complete: pki/kubelet.key is missing"),
        "{said}"
    );
}

#[test]
fn digests_alone_and_what_would_go_in() {
    let place = Place::new();
    let shown = place.packs(&["w1", "--dry-run"]);
    assert!(shown.contains(" 0600 tree/pki/kubelet.key\n"), "{shown}");
    assert!(shown.contains(" 0755 bin/kubelet\n"), "{shown}");
    assert!(!place.path("w1.bundle").exists());
    let shown = place.packs(&["w1", "--dry-run", "--digests"]);
    assert!(
        shown.contains("to be on the machine, just these\n  bridge"),
        "{shown}"
    );
    assert!(!shown.contains("bin/kubelet"), "{shown}");
    let json = place.packs(&[
        "w1",
        "--out",
        "w1.bundle",
        "--digests",
        "--network",
        "none",
        "--proxy-mode",
        "iptables",
        "--json",
    ]);
    let said: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(said["file"], "w1.bundle");
    assert_eq!(said["encrypted"], false);
    assert_eq!(said["manifest"]["network"], "none");
    assert_eq!(said["manifest"]["proxy-mode"], "iptables");
    let bundle = place.open("w1.bundle");
    assert_eq!(said["digest"], format!("sha256:{}", bundle.digest));
    assert!(!bundle.manifest.has_programs());
    let programs = bundle
        .manifest
        .programs
        .iter()
        .map(|program| program.name.as_str());
    let programs: Vec<_> = programs.collect();
    assert!(
        programs.contains(&"kubelet") && !programs.contains(&"flanneld"),
        "{programs:?}"
    );
}

/// From standard input or a file; and a file that others can read is told.
#[test]
fn a_passphrase_is_the_first_line() {
    let place = Place::new();
    let arguments = [
        "w1",
        "--out",
        "w1.bundle",
        "--digests",
        "--passphrase-file",
        "-",
    ];
    let mut child = place.command(&arguments);
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"correct horse\r\nand more\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(", encrypted\n") && said.contains(" --passphrase-file FILE "),
        "{said}"
    );
    let passphrase = Passphrase::new("correct horse".to_owned().into()).unwrap();
    Bundle::open(&place.path("w1.bundle"), Some(&passphrase), None).unwrap();

    fs::write(place.path("open"), "correct horse\n").unwrap();
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.bundle(&[
        "w1",
        "--out",
        "2.bundle",
        "--digests",
        "--passphrase-file",
        "open",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("can be read by others") && !said.contains("horse"),
        "{said}"
    );
    Bundle::open(&place.path("2.bundle"), Some(&passphrase), None).unwrap();
}

/// One's own profile goes along, under the name that the bundle's cluster.toml has for it.
#[test]
fn a_profile_of_one_s_own_goes_along() {
    let place = Place::new();
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles/kubeadm.toml"));
    let text = text.unwrap();
    let profile = place.path("mine.toml");
    fs::write(&profile, &text).unwrap();
    let name = profile.to_str().unwrap();
    place.cluster(name, &Profile::from_toml(&text).unwrap());
    place.packs(&["w1", "--out", "w1.bundle"]);
    fs::remove_file(&profile).unwrap();
    let placed = unpack(&place.open("w1.bundle"), &place.path("there")).unwrap();
    let source = node_source::load(&placed.dir, None, "w1").unwrap();
    assert!(source.tree.contains_key(Path::new("kubelet.conf")));
    assert_eq!(
        fs::read_to_string(placed.dir.join("profile.toml")).unwrap(),
        text
    );
}

#[test]
fn a_bundle_is_no_beginning_of_another_cluster() {
    let place = Place::new();
    place.packs(&["w1", "--out", "w1.bundle", "--digests"]);
    for (arguments, wanted) in [
        (
            &["--service-cidr", "10.3.0.0/24"][..],
            "cannot be used with",
        ),
        (&["--dir", "kubernetes"], "cannot be used with"),
        (&["--digest", "sha256:12"], "64 hexadecimal digits"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
        command
            .args(["node", "--bundle", "w1.bundle", "--dry-run"])
            .args(arguments);
        let output = command.current_dir(place.scratch.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
    for alone in ["--digest", "--passphrase-file"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
        let output = command
            .args(["node", alone, &"0a".repeat(32)])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--bundle"), "{said}");
    }
}

/// `kinstall cloud-init`, on what was packed: exit code, standard output and standard error.
fn cloud_init(place: &Place, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
    command.arg("cloud-init").args(arguments);
    let output = command
        .current_dir(place.scratch.path())
        .env("NO_COLOR", "1")
        .output();
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn user_data_holds_a_digest_and_no_key() {
    let place = Place::new();
    place.packs(&["w1", "--out", "w1.bundle"]);
    let bundle = place.open("w1.bundle");
    let arguments = ["w1", "--bundle", "w1.bundle", "--bundle-url"];
    let url = "https://files.example/w1.bundle";
    let (code, said, warned) = cloud_init(&place, &[&arguments[..], &[url]].concat());
    assert_eq!((code, warned.as_str()), (Some(0), ""));
    assert!(said.starts_with("#cloud-config\n"), "{said}");
    assert!(
        said.contains(&bundle.digest) && said.contains(url),
        "{said}"
    );
    assert!(!said.contains("write_files"), "{said}");
    // By an address that others on the way can read along.
    let (code, _, warned) = cloud_init(
        &place,
        &[&arguments[..], &["http://files.example/x"]].concat(),
    );
    assert_eq!(code, Some(0));
    assert!(
        warned.starts_with("warning: the bundle is neither encrypted nor"),
        "{warned}"
    );
    // What is written for somebody is written for its owner.
    let to_file = [&arguments[..], &[url, "--out", "user-data"]].concat();
    let (code, told, _) = cloud_init(&place, &to_file);
    assert_eq!(code, Some(0));
    assert_eq!(
        told,
        format!("user-data: {} bytes of user-data for w1\n", said.len())
    );
    assert_eq!(fs::read_to_string(place.path("user-data")).unwrap(), said);
    let mode = place
        .path("user-data")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let (code, _, refused) = cloud_init(&place, &to_file);
    assert_eq!(code, Some(1));
    assert!(
        refused.starts_with("error: user-data exists already\n"),
        "{refused}"
    );
}

#[test]
fn an_embedded_bundle_is_the_bundle() {
    use base64ct::{Base64, Encoding};

    let place = Place::new();
    place.packs(&["w1", "--out", "w1.bundle", "--digests"]);
    let (code, said, warned) = cloud_init(&place, &["w1", "--bundle", "w1.bundle", "--embed"]);
    assert_eq!(code, Some(0));
    assert!(warned.contains("holds w1's keys in the clear"), "{warned}");
    assert!(
        said.contains("# It holds the node's keys in the clear"),
        "{said}"
    );
    assert!(said.len() < 16 << 10, "{} bytes", said.len());
    let read = installer::addon::yaml::read(&said).unwrap();
    let file = &read[0]["write_files"][0];
    assert_eq!(file["permissions"], "0600");
    let content = file["content"].as_str().unwrap();
    let bytes = Base64::decode_vec(content).unwrap();
    assert_eq!(bytes, fs::read(place.path("w1.bundle")).unwrap());
    // A control plane's tree is larger.
    for name in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ] {
        place.program(name, "echo Kubernetes v1.37.2");
    }
    place.program("etcd", "echo etcd Version: 3.7.3");
    for name in ["kinstall-probe", "kinstall-etcd"] {
        place.program(name, "");
    }
    place.packs(&["cp1", "--out", "cp1.bundle", "--digests"]);
    let (code, _, warned) = cloud_init(&place, &["cp1", "--bundle", "cp1.bundle", "--embed"]);
    assert_eq!(code, Some(0));
    assert!(warned.contains("Amazon EC2 takes 16384"), "{warned}");
}

#[test]
fn what_no_machine_could_use_is_no_user_data() {
    let place = Place::new();
    place.packs(&["w1", "--out", "w1.bundle"]);
    fs::write(place.path("passphrase"), "correct horse\n").unwrap();
    fs::set_permissions(place.path("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    place.packs(&["w1", "--out", "e.bundle", "--passphrase-file", "passphrase"]);
    let path = ["--bundle-path", "/mnt/w1.bundle"];
    let cases: [(&[&str], &str); 8] = [
        (&["w1", "--bundle", "w1.bundle"], "required"),
        (
            &[
                "w1",
                "--bundle",
                "w1.bundle",
                "--embed",
                "--bundle-path",
                "/x",
            ],
            "cannot be used with",
        ),
        (
            &["w1", "--bundle", "w1.bundle", "--embed"],
            "has programs in it",
        ),
        (
            &["w1", "--bundle", "w1.bundle", "--bundle-path", "x"],
            "an absolute path",
        ),
        (
            &[
                "w1",
                "--bundle",
                "w1.bundle",
                "--bundle-url",
                "https://a/'b",
            ],
            "not https:// or http://",
        ),
        (
            &["cp1", "--bundle", "w1.bundle", path[0], path[1]],
            "is for node w1, and not for cp1",
        ),
        (
            &["w1", "--bundle", "e.bundle", path[0], path[1]],
            "is encrypted",
        ),
        (
            &[
                "w1",
                "--bundle",
                "e.bundle",
                "--passphrase-file",
                "passphrase",
                path[0],
                path[1],
            ],
            "--passphrase-path",
        ),
    ];
    for (arguments, wanted) in cases {
        let (code, said, refused) = cloud_init(&place, arguments);
        assert_eq!((code, said.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(refused.contains(wanted), "{wanted}: {refused}");
    }
    let encrypted = [
        "w1",
        "--bundle",
        "e.bundle",
        "--passphrase-file",
        "passphrase",
        "--passphrase-path",
        "/p",
    ];
    let (code, said, _) = cloud_init(&place, &[&encrypted[..], &path].concat());
    assert_eq!(code, Some(0));
    assert!(
        said.contains("--passphrase-file '/p'") && !said.contains("horse"),
        "{said}"
    );
}
