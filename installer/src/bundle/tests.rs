//! A bundle is what was packed, or it is refused.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::x509::Passphrase;
use tar::{EntryType, Header};

use super::gather::Origin;
use super::manifest::{MANIFEST, PackedFile, PackedProgram};
use super::*;
use crate::desired::{Contents, Network, ProxyMode, digest};
use crate::machine::fakes::FakeMachine;
use crate::machine::reset::{ResetOptions, reset};
use crate::machine::{Host, Ledger};

const SPEC: &str = r#"service-cidr = "10.3.0.0/24"
[[node]]
name = "cp1"
addresses = "192.0.2.11"
roles = ["control-plane", "etcd"]
[[node]]
name = "w1"
addresses = "192.0.2.21"
roles = ["worker"]
"#;
const CONF: &str = "a kubeconfig";

/// A directory with a program in it.
fn scratch() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("kubelet"), "kubelet 1").unwrap();
    scratch
}

fn gathered(scratch: &Path) -> Gathered {
    let mut gathered = Gathered {
        manifest: Manifest {
            format: Manifest::FORMAT,
            cluster: "kubernetes".into(),
            node: "w1".into(),
            network: Network::Flannel,
            proxy_mode: ProxyMode::default(),
            ignore_preflight: Vec::new(),
            architecture: std::env::consts::ARCH.into(),
            kinstall: "0.1.0".into(),
            programs: Vec::new(),
            machine_programs: Vec::new(),
            files: Vec::new(),
        },
        origins: Vec::new(),
    };
    add(&mut gathered, "cluster.toml", 0o644, SPEC);
    add(&mut gathered, "tree/pki/ca.crt", 0o644, "a certificate");
    add(&mut gathered, "tree/kubelet.conf", 0o600, CONF);
    add_program(&mut gathered, &scratch.join("kubelet"));
    gathered
}

fn add(gathered: &mut Gathered, path: &str, mode: u16, text: &str) {
    gathered.manifest.files.push(PackedFile {
        path: path.into(),
        mode: FileMode::new(mode).unwrap(),
        size: text.len() as u64,
        sha256: digest::hex(text.as_bytes()),
    });
    let contents = Contents::new(text);
    gathered.origins.push(Origin::Memory(contents));
}

fn add_program(gathered: &mut Gathered, path: &Path) {
    let bytes = fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    gathered.manifest.programs.push(PackedProgram {
        name: name.into(),
        version: "1.37.2".into(),
        sha256: digest::hex(&bytes),
    });
    gathered.manifest.files.push(PackedFile {
        path: format!("bin/{name}"),
        mode: FileMode::new(0o755).unwrap(),
        size: bytes.len() as u64,
        sha256: digest::hex(&bytes),
    });
    gathered.origins.push(Origin::Disk(path.to_owned()));
}

fn packed(scratch: &Path) -> PathBuf {
    let out = scratch.join("w1.bundle");
    pack(&gathered(scratch), &out, true, None).unwrap();
    out
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned().into()).unwrap()
}

fn refused(path: &Path) -> String {
    match Bundle::open(path, None, None) {
        Ok(_) => String::new(),
        Err(error) => {
            let problems = error.problems();
            assert!(
                problems.iter().all(|one| one.hint.is_some()),
                "{problems:?}"
            );
            error.to_string()
        }
    }
}

#[test]
fn what_is_packed_is_opened() {
    let scratch = scratch();
    let out = scratch.path().join("w1.bundle");
    let packed = pack(&gathered(scratch.path()), &out, false, None).unwrap();
    let data = out.metadata().unwrap();
    assert_eq!(
        (data.len(), data.permissions().mode() & 0o7777),
        (packed.size, 0o600)
    );
    let bundle = Bundle::open(&out, None, Some(&packed.digest)).unwrap();
    assert_eq!(bundle.digest, packed.digest);
    assert_eq!(bundle.manifest, gathered(scratch.path()).manifest);
    assert_eq!(bundle.node.name().as_str(), "w1");
    assert!(!bundle.is_encrypted());
    // The same again is the same, bit for bit.
    let again = scratch.path().join("again");
    assert_eq!(
        pack(&gathered(scratch.path()), &again, false, None).unwrap(),
        packed
    );
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 3);
}

#[test]
fn nothing_is_replaced_unasked_and_nothing_is_left_half() {
    let scratch = scratch();
    let out = scratch.path().join("w1.bundle");
    fs::write(&out, "mine").unwrap();
    let refused = pack(&gathered(scratch.path()), &out, false, None);
    assert!(matches!(refused, Err(BundleError::Exists(_))));
    let gathered = gathered(scratch.path());
    for changed in ["kubelet 2", "kubelet", "kubelet 1 and more"] {
        fs::write(scratch.path().join("kubelet"), changed).unwrap();
        let packed = pack(&gathered, &out, true, None);
        // What came after what is packed is not in it.
        assert_eq!(
            packed.is_ok(),
            changed == "kubelet 1 and more",
            "{changed}: {packed:?}"
        );
        if packed.is_err() {
            assert!(matches!(packed, Err(BundleError::Changed(_))), "{packed:?}");
            assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
        }
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
    let nowhere = pack(&gathered, &scratch.path().join("no/w1.bundle"), false, None);
    assert!(
        matches!(nowhere, Err(BundleError::Io { .. })),
        "{nowhere:?}"
    );
    let directory = pack(&gathered, scratch.path(), true, None);
    assert!(
        matches!(directory, Err(BundleError::Io { .. })),
        "{directory:?}"
    );
}

/// Every byte counts, and so does the length.
#[test]
fn a_changed_or_shortened_bundle_is_refused() {
    let scratch = scratch();
    let path = packed(scratch.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert_ne!(refused(&path), "", "byte {at} of {}", whole.len());
        fs::write(&path, &whole[..at]).unwrap();
        assert_ne!(refused(&path), "", "cut at {at} of {}", whole.len());
    }
    fs::write(&path, [&whole[..], b"\0"].concat()).unwrap();
    assert_ne!(refused(&path), "");
    fs::write(&path, [&whole[..], &whole[..]].concat()).unwrap();
    assert_ne!(refused(&path), "");
    fs::write(&path, &whole).unwrap();
    assert_eq!(refused(&path), "");
}

#[test]
fn an_encrypted_bundle_opens_with_its_passphrase_alone() {
    let scratch = scratch();
    let out = scratch.path().join("w1.bundle");
    let right = passphrase("correct horse");
    pack(&gathered(scratch.path()), &out, false, Some(&right)).unwrap();
    let whole = fs::read(&out).unwrap();
    assert!(whole.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    let bundle = Bundle::open(&out, Some(&right), None).unwrap();
    assert!(bundle.is_encrypted());
    assert_eq!(bundle.manifest, gathered(scratch.path()).manifest);
    unpack(&bundle, &scratch.path().join("there")).unwrap();

    assert!(matches!(
        Bundle::open(&out, None, None),
        Err(BundleError::Encrypted(_))
    ));
    let wrong = Bundle::open(&out, Some(&passphrase("wrong")), None);
    assert!(matches!(wrong, Err(BundleError::WrongPassphrase(_))));
    // Deriving a key takes its time: of the header, the salt, the first chunk and the end one byte each.
    for at in [60, 150, 200, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&out, &changed).unwrap();
        assert!(Bundle::open(&out, Some(&right), None).is_err(), "{at}");
    }
    fs::write(&out, &whole[..whole.len() - 1]).unwrap();
    assert!(Bundle::open(&out, Some(&right), None).is_err());
    // One that anybody can make does not pass for it.
    let plain = packed(scratch.path());
    let plain = Bundle::open(&plain, Some(&right), None);
    assert!(matches!(plain, Err(BundleError::NotEncrypted(_))));
}

#[test]
fn only_the_file_that_is_meant() {
    let scratch = scratch();
    let path = packed(scratch.path());
    let other = "0a".repeat(32);
    let error = Bundle::open(&path, None, Some(&other)).err().unwrap();
    assert!(error.to_string().contains(&other), "{error}");
    for text in [
        "",
        "x",
        "age-encryption.org/v1",
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        fs::write(&path, text).unwrap();
        assert!(refused(&path).contains("not a bundle"), "{text}");
    }
    assert!(refused(scratch.path()).contains("not a bundle"));
    assert!(refused(Path::new("/dev/zero")).contains("not a bundle"));
}

/// An archive of these entries, with a manifest that fits a bundle of one certificate. Whoever makes one knows the format: only
/// the digest of the file, or a passphrase, tells whose it is.
fn forged(change: impl FnOnce(&mut Vec<(Header, Vec<u8>)>)) -> String {
    let scratch = scratch();
    let gathered = gathered(scratch.path());
    let mut entries = vec![entry(MANIFEST, 0o600, &gathered.manifest.to_bytes())];
    for (file, origin) in gathered.manifest.files.iter().zip(&gathered.origins) {
        let bytes = match origin {
            Origin::Memory(contents) => contents.secret_bytes().to_vec(),
            Origin::Disk(path) => fs::read(path).unwrap(),
        };
        entries.push(entry(&file.path, file.mode.bits().into(), &bytes));
    }
    change(&mut entries);
    let mut tar = tar::Builder::new(Vec::new());
    for (header, bytes) in entries {
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    let path = scratch.path().join("forged");
    fs::write(&path, sealed(&tar.into_inner().unwrap())).unwrap();
    refused(&path)
}

fn entry(path: &str, mode: u32, bytes: &[u8]) -> (Header, Vec<u8>) {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    // Byte for byte, since no path that leads elsewhere can be set.
    header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    (header, bytes.to_vec())
}

fn sealed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(sealed::Writer::new(Vec::new()), 1).unwrap();
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap().finish().unwrap()
}

#[test]
fn a_forged_archive_is_refused() {
    assert_eq!(forged(|_| {}), "");
    type Change = fn(&mut Vec<(Header, Vec<u8>)>);
    let changes: [(&str, Change); 13] = [
        ("more in it", |all| {
            all.push(entry("tree/more", 0o600, b"x"))
        }),
        ("more in it", |all| {
            all.push(entry("../../etc/cron.d/x", 0o644, b"x"))
        }),
        ("is missing", |all| all.truncate(4)),
        ("something else", |all| all.swap(2, 3)),
        ("something else", |all| {
            all[2] = entry("tree/../../x", 0o644, b"a certificate")
        }),
        ("something else", |all| {
            all[2] = entry("/tree/pki/ca.crt", 0o644, b"a certificate")
        }),
        ("something else", |all| {
            all[4] = entry("bin/kubelet", 0o4755, b"kubelet 1")
        }),
        ("something else", |all| {
            all[2] = entry("tree/pki/ca.crt", 0o644, b"another length")
        }),
        ("not what its manifest", |all| all[2].1[0] ^= 1),
        ("begin with its manifest", |all| all.swap(0, 1)),
        ("begin with its manifest", Vec::clear_but_first),
        ("something else", |all| all[2] = linked(EntryType::Symlink)),
        ("something else", |all| all[2] = linked(EntryType::Link)),
    ];
    for (number, (wanted, change)) in changes.into_iter().enumerate() {
        let said = forged(change);
        assert!(said.contains(wanted), "{number}, {wanted}: {said}");
    }
    for kind in [
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::Directory,
        EntryType::GNULongName,
        EntryType::XHeader,
    ] {
        let said = forged(|all| {
            all[2].0.set_entry_type(kind);
            all[2].0.set_cksum();
        });
        assert!(said.contains("something else"), "{kind:?}: {said}");
    }
}

trait ClearButFirst {
    fn clear_but_first(&mut self);
}

impl ClearButFirst for Vec<(Header, Vec<u8>)> {
    /// The manifest's place alone, with something else in it.
    fn clear_but_first(&mut self) {
        self.truncate(1);
        self[0] = entry(MANIFEST, 0o644, b"{}");
    }
}

/// A link to where a key is, in the place of a certificate.
fn linked(kind: EntryType) -> (Header, Vec<u8>) {
    let (mut header, _) = entry("tree/pki/ca.crt", 0o644, b"");
    header.set_entry_type(kind);
    header.set_link_name("/etc/shadow").unwrap();
    header.set_cksum();
    (header, Vec::new())
}

#[test]
fn nothing_follows_the_end() {
    let scratch = scratch();
    let path = scratch.path().join("forged");
    let mut tar = Vec::new();
    {
        let mut builder = tar::Builder::new(&mut tar);
        let gathered = gathered(scratch.path());
        let manifest = gathered.manifest.to_bytes();
        let (header, bytes) = entry(MANIFEST, 0o600, &manifest);
        builder.append(&header, bytes.as_slice()).unwrap();
        for (file, text) in
            gathered
                .manifest
                .files
                .iter()
                .zip([SPEC, "a certificate", CONF, "kubelet 1"])
        {
            let (header, bytes) = entry(&file.path, file.mode.bits().into(), text.as_bytes());
            builder.append(&header, bytes.as_slice()).unwrap();
        }
        builder.finish().unwrap();
    }
    fs::write(&path, sealed(&tar)).unwrap();
    assert_eq!(refused(&path), "");
    tar.extend([0; 512]);
    fs::write(&path, sealed(&tar)).unwrap();
    assert!(
        refused(&path).contains("after its end"),
        "{}",
        refused(&path)
    );
    // A second frame of zstd, which `tar --zstd` would read on.
    tar.truncate(tar.len() - 512);
    let mut two = sealed::Writer::new(Vec::new());
    two.write_all(&zstd::encode_all(tar.as_slice(), 1).unwrap())
        .unwrap();
    two.write_all(&zstd::encode_all(&b"more"[..], 1).unwrap())
        .unwrap();
    fs::write(&path, two.finish().unwrap()).unwrap();
    assert!(
        refused(&path).contains("after its end"),
        "{}",
        refused(&path)
    );
}

#[test]
fn what_becomes_larger_than_a_bundle_may_be_is_refused_unread() {
    let said = forged(|all| {
        let (header, _) = entry(MANIFEST, 0o600, &vec![b' '; (1 << 20) + 1]);
        all[0] = (header, vec![b' '; (1 << 20) + 1]);
    });
    assert!(said.contains("begin with its manifest"), "{said}");
}

#[test]
fn a_bundle_is_for_its_own_machine() {
    let scratch = scratch();
    let open = |gathered: &Gathered| {
        let path = scratch.path().join("bundle");
        pack(gathered, &path, true, None).unwrap();
        Bundle::open(&path, None, None).unwrap()
    };
    let bundle = open(&gathered(scratch.path()));
    let own = Machine {
        addresses: vec!["192.0.2.21".parse().unwrap(), "10.1.1.1".parse().unwrap()],
        ..Machine::default()
    };
    suits(&bundle, &own).unwrap();
    let said = |machine: Machine| suits(&bundle, &machine).unwrap_err().to_string();
    let other = said(Machine {
        addresses: vec![
            "192.0.2.22".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        ],
        ..Machine::default()
    });
    assert!(
        other.ends_with(
            "is for node w1 at 192.0.2.21, and this machine has 192.0.2.22, 2001:db8::2"
        ),
        "{other}"
    );
    let with = |change: fn(&mut Machine)| {
        let mut machine = own.clone();
        change(&mut machine);
        said(machine)
    };
    let node = with(|machine| machine.wanted_node = Some("w2".into()));
    assert!(node.ends_with("is for node w1, and not for w2"), "{node}");
    let cluster = with(|machine| machine.wanted_cluster = Some("prod".into()));
    assert!(
        cluster.ends_with("is for cluster kubernetes, and not for prod"),
        "{cluster}"
    );
    let already = with(|machine| machine.node = Some("cp1".into()));
    assert!(
        already.starts_with("this machine is node cp1 already"),
        "{already}"
    );

    let mut foreign = gathered(scratch.path());
    foreign.manifest.architecture = "riscv64".into();
    let error = suits(&open(&foreign), &own).unwrap_err();
    assert!(error.to_string().contains("riscv64"), "{error}");

    let mut digests = gathered(scratch.path());
    digests.manifest.files.pop();
    digests.origins.pop();
    let digests = open(&digests);
    let missing = suits(&digests, &own).unwrap_err().to_string();
    assert!(
        missing.contains("\n  kubelet 1.37.2, sha256:") && missing.ends_with(": missing"),
        "{missing}"
    );
    let has = |digest: &str| Machine {
        programs: [("kubelet".to_owned(), digest.to_owned())].into(),
        ..own.clone()
    };
    let another = suits(&digests, &has("0a")).unwrap_err().to_string();
    assert!(another.ends_with("here is another, sha256:0a"), "{another}");
    suits(&digests, &has(&digest::hex(b"kubelet 1"))).unwrap();
}

#[test]
fn a_manifest_of_another_cluster_toml_is_refused() {
    for change in [
        (|manifest: &mut Manifest| manifest.node = "w2".into()) as fn(&mut Manifest),
        |manifest| manifest.cluster = "prod".into(),
    ] {
        let scratch = scratch();
        let mut gathered = gathered(scratch.path());
        change(&mut gathered.manifest);
        let path = scratch.path().join("bundle");
        pack(&gathered, &path, false, None).unwrap();
        assert!(
            refused(&path).contains("cluster.toml has not"),
            "{}",
            refused(&path)
        );
    }
}

/// Every file below a directory, with its mode and contents.
fn files(below: &Path) -> Vec<(String, u32, String)> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
            if path.is_dir() {
                assert_eq!(mode, 0o700, "{}", path.display());
                folders.push(path);
            } else {
                let name = path.strip_prefix(below).unwrap().display().to_string();
                found.push((name, mode, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_bundle_is_placed_once_and_a_newer_one_brings_what_differs() {
    let scratch = scratch();
    let machine = FakeMachine::new();
    let before = machine.tree();
    let home = machine.root().join("/var/lib/kinstall/bundle");
    let mut gathered = gathered(scratch.path());
    fs::write(scratch.path().join("runc"), "runc 1").unwrap();
    add_program(&mut gathered, &scratch.path().join("runc"));
    let bring = |gathered: &Gathered| {
        let path = scratch.path().join("bundle");
        pack(gathered, &path, true, None).unwrap();
        let bundle = Bundle::open(&path, None, None).unwrap();
        let mut host = Host::open(machine.root()).unwrap();
        place(&mut host, &bundle).unwrap()
    };
    let placed = bring(&gathered);
    assert_eq!(placed.dir, home.join("cluster"));
    assert_eq!(placed.bin_dir, home.join("bin"));
    let there: Vec<_> = files(&home)
        .into_iter()
        .map(|(name, mode, _)| (name, mode))
        .collect();
    let wanted = [
        ("bin/kubelet", 0o755),
        ("bin/runc", 0o755),
        ("cluster/cluster.toml", 0o644),
        ("cluster/nodes/w1/kubelet.conf", 0o600),
        ("cluster/nodes/w1/pki/ca.crt", 0o644),
        ("manifest.json", 0o600),
    ];
    assert_eq!(there, wanted.map(|(name, mode)| (name.to_owned(), mode)));
    let inode =
        |name: &str| std::os::unix::fs::MetadataExt::ino(&fs::metadata(home.join(name)).unwrap());
    let (kubelet, ca) = (inode("bin/kubelet"), inode("cluster/nodes/w1/pki/ca.crt"));

    // The same: not even what was mended here goes back.
    let conf = home.join("cluster/nodes/w1/kubelet.conf");
    fs::write(&conf, "mended").unwrap();
    assert_eq!(bring(&gathered).changed, 0);
    assert_eq!(
        (inode("bin/kubelet"), inode("cluster/nodes/w1/pki/ca.crt")),
        (kubelet, ca)
    );
    assert_eq!(fs::read_to_string(&conf).unwrap(), "mended");

    // A tree that was renewed, one program newer, one gone, and what a killed run left.
    let mut newer = self::gathered(scratch.path());
    newer.manifest.files.remove(2);
    newer.origins.remove(2);
    add(&mut newer, "tree/kubelet.conf", 0o600, "renewed");
    fs::create_dir_all(home.join(".new/bin")).unwrap();
    fs::write(home.join(".new/bin/kubelet"), "half").unwrap();
    assert_eq!(bring(&newer).changed, 1);
    assert_eq!(fs::read_to_string(&conf).unwrap(), "renewed");
    assert_eq!(inode("bin/kubelet"), kubelet, "it runs, and is the same");
    assert!(!home.join("bin/runc").exists() && !home.join(".new").exists());
    fs::write(scratch.path().join("kubelet"), "kubelet 2").unwrap();
    assert_eq!(bring(&self::gathered(scratch.path())).changed, 2);
    assert_eq!(
        fs::read_to_string(home.join("bin/kubelet")).unwrap(),
        "kubelet 2"
    );

    // One with digests alone, as for the next renewal, leaves the programs.
    let mut digests = self::gathered(scratch.path());
    digests.manifest.files.pop();
    digests.origins.pop();
    bring(&digests);
    assert_eq!(
        fs::read_to_string(home.join("bin/kubelet")).unwrap(),
        "kubelet 2"
    );

    // Killed when it had begun to give names: nothing that is there is believed.
    fs::remove_file(home.join("manifest.json")).unwrap();
    fs::write(home.join("bin/kubelet"), "half").unwrap();
    bring(&self::gathered(scratch.path()));
    assert_eq!(
        fs::read_to_string(home.join("bin/kubelet")).unwrap(),
        "kubelet 2"
    );

    assert!(!Ledger::read(&machine.root()).unwrap().is_empty());
    let host = Host::open(machine.root()).unwrap();
    let report = reset(
        host,
        &machine.services,
        ResetOptions::default(),
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(report.kept, Vec::<String>::new());
    assert_eq!(machine.tree(), before);
}

/// Whenever it ends: each program and the tree are of the one or the other bundle, and either bundle can be brought again.
#[test]
fn a_bundle_that_is_killed_while_it_is_placed_is_finished_by_the_next() {
    let scratch = scratch();
    let file = |name: &str, gathered: &Gathered| {
        let path = scratch.path().join(name);
        pack(gathered, &path, true, None).unwrap();
        Bundle::open(&path, None, None).unwrap()
    };
    fs::write(scratch.path().join("runc"), "runc 1").unwrap();
    let mut old = gathered(scratch.path());
    add_program(&mut old, &scratch.path().join("runc"));
    let old = file("old", &old);
    fs::write(scratch.path().join("kubelet"), "kubelet 2").unwrap();
    let mut new = gathered(scratch.path());
    new.manifest.files.remove(2);
    new.origins.remove(2);
    add(&mut new, "tree/kubelet.conf", 0o600, "renewed");
    let new = file("new", &new);
    let wanted = |bundle: &Bundle| {
        let machine = FakeMachine::new();
        let mut host = Host::open(machine.root()).unwrap();
        place(&mut host, bundle).unwrap();
        files(&machine.root().join("/var/lib/kinstall/bundle"))
    };
    let (wanted_old, wanted_new) = (wanted(&old), wanted(&new));
    let mut kills = 0;
    for effects in 0.. {
        let machine = FakeMachine::new();
        let home = machine.root().join("/var/lib/kinstall/bundle");
        place(&mut Host::open(machine.root()).unwrap(), &old).unwrap();
        let mut host = Host::open(machine.root()).unwrap();
        host.burn_after(effects);
        let killed = place(&mut host, &new).is_err();
        drop(host);
        for (name, texts) in [
            ("bin/kubelet", ["kubelet 1", "kubelet 2"]),
            ("cluster/nodes/w1/kubelet.conf", [CONF, "renewed"]),
        ] {
            let there = fs::read_to_string(home.join(name)).unwrap();
            assert!(texts.contains(&there.as_str()), "{effects}: {there}");
        }
        if !killed {
            assert_eq!(files(&home), wanted_new);
            break;
        }
        kills += 1;
        let (next, wanted) = match effects % 2 {
            0 => (&new, &wanted_new),
            _ => (&old, &wanted_old),
        };
        place(&mut Host::open(machine.root()).unwrap(), next).unwrap();
        assert_eq!(files(&home), *wanted, "{effects}");
    }
    assert!(kills >= 7, "{kills}");
}

#[test]
fn what_is_not_ours_is_not_replaced() {
    let scratch = scratch();
    let machine = FakeMachine::new();
    let home = machine.root().join("/var/lib/kinstall/bundle");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("mine"), "").unwrap();
    let bundle = Bundle::open(&packed(scratch.path()), None, None).unwrap();
    let mut host = Host::open(machine.root()).unwrap();
    let refused = place(&mut host, &bundle);
    assert!(matches!(refused, Err(BundleError::Foreign(_))));
    assert_eq!(files(&home).len(), 1);
}
