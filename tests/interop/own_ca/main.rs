//! CAs without a cluster: encrypted keys are read by OpenSSL, GnuTLS and Java, revocation lists by Go and GnuTLS. (OpenSSL's word
//! on lists is in kpki's transcripts, rustls-webpki's in pki-core's tests.)
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::x509::{KeyAlgorithm, Passphrase, PrivateKey};
use ring::rand::SystemRandom;
use tests::command::{refuse, succeed};
use tests::kpki;

const SECRET: &str = "correct horse";

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("interop/own_ca")
        .join(name)
}

#[test]
fn encrypted_keys_of_every_kind_are_read_by_others() {
    let dir = tempfile::tempdir().unwrap();
    let rng = SystemRandom::new();
    let passphrase = Passphrase::new(SECRET.to_owned().into()).unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("right"), SECRET).unwrap();
    std::fs::write(at("wrong"), "battery staple").unwrap();
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm, &rng).unwrap();
        let file = at(&format!("{algorithm}.key"));
        std::fs::write(&file, key.encrypted_pem(&passphrase, &rng).unwrap()).unwrap();

        let openssl = |word: &str| {
            let mut command = Command::new("openssl");
            command.args(["pkey", "-pubout", "-in"]).arg(&file);
            let pass = format!("file:{}", at(word).display());
            command.args(["-passin", &pass]);
            command
        };
        let public = succeed(&mut openssl("right"));
        let wanted = pki_core::x509::to_pem("PUBLIC KEY", key.public_key().der());
        assert_eq!(public, *wanted, "{algorithm}");
        refuse(&mut openssl("wrong"), "");

        let mut certtool = Command::new("certtool");
        certtool.args(["--key-info", "--password", SECRET, "--infile"]);
        succeed(certtool.arg(&file));

        let java = |word: &str| {
            let mut command = Command::new("java");
            command.arg(here("ReadKey.java")).arg(&file).arg(at(word));
            command
        };
        assert!(!succeed(&mut java("right")).is_empty(), "{algorithm}");
        refuse(&mut java("wrong"), "BadPadding");
    }
}

#[test]
fn revocation_lists_are_read_by_go_and_gnutls() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        succeed(kpki::command(arguments).current_dir(dir.path()));
    };
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"] {
        run(&[
            "ca",
            "new",
            "team",
            "--out",
            algorithm,
            "--key-algorithm",
            algorithm,
        ]);
        for name in ["lost", "kept"] {
            let name = format!("{name}-{algorithm}");
            run(&["issue", &name, "--ca", algorithm]);
        }
        let lost = format!("lost-{algorithm}.crt");
        run(&["crl", "--ca", algorithm]);
        run(&[
            "revoke",
            &lost,
            "--ca",
            algorithm,
            "--reason",
            "key-compromise",
        ]);
        run(&["crl", "--ca", algorithm]);
        let (authority, list) = (format!("{algorithm}/ca.crt"), format!("{algorithm}/ca.crl"));
        let mut go = Command::new("go");
        go.arg("run").arg(here("crl.go")).args([&authority, &list]);
        go.env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        let serial = succeed(
            Command::new("openssl")
                .args(["x509", "-noout", "-serial", "-in", &lost])
                .current_dir(dir.path()),
        );
        let serial = serial.trim().trim_start_matches("serial=").to_lowercase();
        assert_eq!(
            succeed(go.current_dir(dir.path())),
            format!("number 2\nrevoked {serial} reason 1\n")
        );
        let mut certtool = Command::new("certtool");
        certtool.args([
            "--verify-crl",
            "--load-ca-certificate",
            &authority,
            "--infile",
            &list,
        ]);
        let said = succeed(certtool.current_dir(dir.path()));
        assert!(said.contains("Verified"), "{said}");
    }
}
