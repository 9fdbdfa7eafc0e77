//! A corporation's CA, made by OpenSSL as a corporation would: a root, and an intermediate for Kubernetes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::succeed;

/// Root and intermediate in a directory.
#[derive(Debug)]
pub struct Corporate {
    /// The root's certificate.
    pub root: PathBuf,
    /// The intermediate's certificate.
    pub certificate: PathBuf,
    /// The intermediate's key.
    pub key: PathBuf,
}

/// The forms of a private key's file.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Key {
    RsaPkcs1,
    RsaPkcs8,
    EcSec1,
    EcPkcs8,
}

/// How the text of names is encoded.
#[derive(Clone, Copy, Debug)]
pub enum Text {
    /// UTF8String, as OpenSSL does by default.
    Utf8,
    /// PrintableString, as old CAs do. Not the same bytes, and so not the same name.
    Printable,
}

/// The intermediate's name, attribute by attribute.
pub const NAME: [(&str, &str); 5] = [
    ("0.9.2342.19200300.100.1.25", "corp"),
    ("0.9.2342.19200300.100.1.25", "example"),
    ("2.5.4.11", "Security"),
    ("2.5.4.11", "Platform"),
    ("2.5.4.3", "Kubernetes Issuing CA"),
];

impl Corporate {
    /// Makes both in a directory.
    pub fn new(directory: &Path, key: Key, text: Text) -> Self {
        let at = |name: &str| directory.join(name);
        let mask = match text {
            Text::Utf8 => "utf8only",
            Text::Printable => "nombstr",
        };
        let config = format!(
            "[req]\nstring_mask = {mask}\ndistinguished_name = name\n[name]\n\
             [ca]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n\
             subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always\n"
        );
        fs::write(at("openssl.cnf"), config).expect("written");
        let openssl = |arguments: &[&str]| {
            succeed(
                Command::new("openssl")
                    .args(arguments)
                    .current_dir(directory),
            );
        };
        openssl(&[
            "ecparam",
            "-genkey",
            "-name",
            "secp384r1",
            "-noout",
            "-out",
            "root.key",
        ]);
        openssl(&[
            "req",
            "-x509",
            "-config",
            "openssl.cnf",
            "-extensions",
            "ca",
            "-days",
            "7300",
            "-key",
            "root.key",
            "-subj",
            "/DC=corp/DC=example/CN=Corporate Root",
            "-out",
            "root.crt",
        ]);
        match key {
            Key::RsaPkcs1 => openssl(&["genrsa", "-traditional", "-out", "corp.key", "2048"]),
            Key::RsaPkcs8 => openssl(&["genrsa", "-out", "corp.key", "2048"]),
            Key::EcSec1 => openssl(&[
                "ecparam",
                "-genkey",
                "-name",
                "prime256v1",
                "-noout",
                "-out",
                "corp.key",
            ]),
            Key::EcPkcs8 => openssl(&[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                "corp.key",
            ]),
        }
        let label = fs::read_to_string(at("corp.key")).expect("readable");
        let label = label.lines().next().unwrap_or_default().to_owned();
        let wanted = match key {
            Key::RsaPkcs1 => "-----BEGIN RSA PRIVATE KEY-----",
            Key::EcSec1 => "-----BEGIN EC PRIVATE KEY-----",
            Key::RsaPkcs8 | Key::EcPkcs8 => "-----BEGIN PRIVATE KEY-----",
        };
        assert_eq!(label, wanted);
        openssl(&[
            "req",
            "-new",
            "-config",
            "openssl.cnf",
            "-key",
            "corp.key",
            "-out",
            "corp.csr",
            "-subj",
            "/DC=corp/DC=example/OU=Security/OU=Platform/CN=Kubernetes Issuing CA",
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            "corp.csr",
            "-CA",
            "root.crt",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "3650",
            "-extfile",
            "openssl.cnf",
            "-extensions",
            "ca",
            "-out",
            "corp.crt",
        ]);
        Self {
            root: at("root.crt"),
            certificate: at("corp.crt"),
            key: at("corp.key"),
        }
    }

    /// What `--authority` takes to put it in place of the authority `id`.
    pub fn flag(&self, id: &str) -> String {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        format!("{id}={certificate},{key}")
    }
}
