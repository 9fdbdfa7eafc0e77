//! What `kpki export` and `kpki trust` hand out, read back by OpenSSL, Go, Java and GnuTLS, and trusted by curl.
#![allow(missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tests::command::{refuse, run, succeed};
use tests::judge::Questions;
use tests::kpki;

const PASSPHRASE: &str = "open sesame";

/// A cluster in a scratch directory, and a passphrase in a file.
struct Place {
    scratch: tempfile::TempDir,
}

impl Place {
    fn new(algorithm: &str) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let place = Self { scratch };
        fs::write(place.at("pass"), format!("{PASSPHRASE}\n")).expect("written");
        fs::set_permissions(place.at("pass"), fs::Permissions::from_mode(0o600)).expect("chmod");
        let node = ["--node", "cp-1=192.0.2.10", "--key-algorithm", algorithm];
        place.kpki(&[&["init", "--service-cidr", "10.3.0.0/24"][..], &node].concat());
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn kpki(&self, arguments: &[&str]) -> String {
        succeed(kpki::command(arguments).current_dir(self.scratch.path()))
    }

    fn export(&self, id: &str, format: &str, out: &str) -> PathBuf {
        let passphrase = ["--passphrase-file", "pass"];
        let what = ["export", id, "--format", format, "--out", out];
        let with = matches!(format, "pkcs12" | "truststore");
        let arguments = if with {
            [&what[..], &passphrase].concat()
        } else {
            what.to_vec()
        };
        self.kpki(&arguments);
        self.at(out)
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn four_programs_open_the_pkcs12_file() {
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "rsa-2048"] {
        let place = Place::new(algorithm);
        let store = place.export("cp-1/apiserver", "pkcs12", "a.p12");
        assert_eq!(mode(&store), 0o600);
        let pass = place.at("pass");
        let pass_argument = format!("file:{}", pass.display());
        let said = succeed(
            Command::new("openssl")
                .args(["pkcs12", "-nodes", "-in"])
                .arg(&store)
                .args(["-passin", &pass_argument]),
        );
        assert!(
            said.contains("PRIVATE KEY")
                && said.contains("kube-apiserver")
                && said.contains("kubernetes-ca"),
            "{said}"
        );
        let said = run(Command::new("openssl")
            .args(["pkcs12", "-info", "-noout", "-in"])
            .arg(&store)
            .args(["-passin", &pass_argument]));
        for word in ["MAC: sha256", "AES-256-CBC", "hmacWithSHA256"] {
            assert!(said.stderr.contains(word), "{word}: {said}");
        }
        refuse(
            Command::new("openssl")
                .args(["pkcs12", "-noout", "-in"])
                .arg(&store)
                .args(["-passin", "pass:wrong"]),
            "invalid password",
        );
        let said = succeed(
            Command::new("certtool")
                .args([
                    "--p12-info",
                    "--inder",
                    "--password",
                    PASSPHRASE,
                    "--infile",
                ])
                .arg(&store),
        );
        assert!(
            said.contains("BEGIN CERTIFICATE") && said.contains("PRIVATE KEY"),
            "{said}"
        );
        let said = succeed(
            Command::new("keytool")
                .args([
                    "-list",
                    "-v",
                    "-storetype",
                    "PKCS12",
                    "-storepass",
                    PASSPHRASE,
                    "-keystore",
                ])
                .arg(&store),
        );
        assert!(
            said.contains("PrivateKeyEntry") && said.contains("Certificate chain length: 2"),
            "{said}"
        );
        let mut go = Questions::default();
        go.ask(json!({"op": "pkcs12", "id": algorithm, "store": store, "passphrase_file": pass}));
        let answers = go.accepted();
        assert_eq!(
            answers[0].certificate.as_ref().map(|c| c.user.as_str()),
            Some("kube-apiserver")
        );
    }
}

#[test]
fn java_trusts_what_is_in_the_truststore() {
    let place = Place::new("ecdsa-p256");
    let (store, pass) = (place.export("ca", "truststore", "t.p12"), place.at("pass"));
    let said = succeed(
        Command::new("keytool")
            .args([
                "-list",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSPHRASE,
                "-keystore",
            ])
            .arg(&store),
    );
    assert!(
        said.contains("trustedCertEntry") && said.contains("contains 1 entry"),
        "{said}"
    );
    let said = succeed(
        Command::new("openssl")
            .args(["pkcs12", "-nokeys", "-in"])
            .arg(&store)
            .args(["-passin", &format!("file:{}", pass.display())]),
    );
    assert!(said.contains("BEGIN CERTIFICATE"), "{said}");
    // States the limit of p12-keystore 0.4, which writes an empty safe of keys too: go-pkcs12 wants a truststore to have
    // one safe. Go programs take the bundle in PEM.
    let mut go = Questions::default();
    go.ask(json!({"op": "pkcs12", "id": "trust", "store": store, "passphrase_file": pass, "trust": true}));
    let error = &go.refused()[0].error;
    assert!(error.contains("expected exactly 1 items"), "{error}");
}

#[test]
fn the_chain_in_pem_and_the_certificate_in_der_are_read() {
    let place = Place::new("ecdsa-p256");
    let (pem, der) = (
        place.export("cp-1/apiserver", "pem", "a.pem"),
        place.export("cp-1/apiserver", "der", "a.der"),
    );
    assert_eq!(mode(&pem), 0o644);
    let bundle = place.export("ca", "bundle", "ca.pem");
    succeed(
        Command::new("openssl")
            .args(["verify", "-x509_strict", "-CAfile"])
            .arg(&bundle)
            .arg(&pem),
    );
    succeed(
        Command::new("openssl")
            .args(["x509", "-inform", "DER", "-noout", "-in"])
            .arg(&der),
    );
    succeed(
        Command::new("certtool")
            .args(["--verify", "--load-ca-certificate"])
            .arg(&bundle)
            .arg("--infile")
            .arg(&pem),
    );
    let mut go = Questions::default();
    go.verify(
        "bundle",
        &bundle,
        &pem,
        &["server"],
        &["kubernetes.default.svc".into()],
    );
    go.accepted();
}

/// An HTTPS server of OpenSSL's on a port that it chose, until it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(certificate: &Path, key: &Path) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-www", "-accept", "127.0.0.1:0", "-cert"])
            .arg(certificate)
            .arg("-key")
            .arg(key)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        // `ACCEPT 127.0.0.1:41233`
        let port = lines.map_while(Result::ok).find_map(|line| {
            line.strip_prefix("ACCEPT ")?
                .rsplit(':')
                .next()?
                .trim()
                .parse()
                .ok()
        });
        Self {
            port: port.expect("it says where it listens"),
            child,
        }
    }

    fn ask(&self) -> Command {
        let mut curl = Command::new("curl");
        let name = "kubernetes.default.svc";
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--output",
            "/dev/null",
            "--max-time",
            "20",
        ])
        .args(["--resolve", &format!("{name}:{}:127.0.0.1", self.port)])
        .arg(format!("https://{name}:{}/", self.port));
        curl
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server(place: &Place) -> Server {
    let node = place.at("kubernetes/nodes/cp-1/pki");
    Server::start(&node.join("apiserver.crt"), &node.join("apiserver.key"))
}

#[test]
fn curl_trusts_a_server_through_the_bundle() {
    let place = Place::new("ecdsa-p256");
    let server = server(&place);
    place.kpki(&["export", "--format", "bundle", "--out", "all.pem"]);
    succeed(server.ask().arg("--cacert").arg(place.at("all.pem")));
    // Another CA of the same cluster is not enough.
    let other = place.export("etcd-ca", "bundle", "etcd.pem");
    refuse(server.ask().arg("--cacert").arg(other), "certificate");
}

/// In a mount namespace of its own, where the folders of the trust store are copies in memory.
#[test]
fn curl_trusts_what_trust_install_installed() {
    let place = Place::new("ecdsa-p256");
    let server = server(&place);
    let curl = server.ask();
    let words: Vec<_> = curl
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let script = r#"
set -eu
for folder in /etc/ssl /usr/local/share/ca-certificates; do
  mkdir -p "$folder"
  copy=$(mktemp -d)
  cp -a "$folder/." "$copy/"
  mount -t tmpfs tmpfs "$folder"
  cp -a "$copy/." "$folder/"
  rm -r "$copy"
done
count() { find /usr/local/share/ca-certificates -name 'kpki-*' | wc -l; }
curl "$@" 2>/dev/null && { echo trusted before; exit 1; }
touch /usr/local/share/ca-certificates/kpki-mine.crt
"$KPKI" trust install --authority ca --dry-run
[ "$(count)" = 1 ]
"$KPKI" trust install --authority ca
[ "$(count)" = 2 ]
curl "$@"
"$KPKI" trust install --authority ca | grep -q 'nothing to do'
"$KPKI" trust remove --all --dry-run
curl "$@"
"$KPKI" trust remove --authority ca
curl "$@" 2>/dev/null && { echo trusted after; exit 1; }
# What kpki did not make stays, whatever its name.
[ "$(count)" = 1 ]
"$KPKI" trust remove --all | grep -q 'nothing to do'
echo whole
"#;
    let before = listing();
    let said = succeed(
        Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                script,
                "sh",
            ])
            .args(words)
            .env("KPKI", kpki::path())
            .current_dir(place.scratch.path()),
    );
    assert!(said.ends_with("whole\n"), "{said}");
    assert_eq!(listing(), before, "the machine's own store is as it was");
}

fn listing() -> String {
    succeed(Command::new("find").args([
        "/usr/local/share/ca-certificates",
        "/etc/ssl/certs",
        "-newermt",
        "2000-01-01",
        "-printf",
        "%p %s %l\\n",
    ]))
}
