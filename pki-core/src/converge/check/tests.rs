use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ring::rand::SystemRandom;
use time::Duration;

use super::*;
use crate::cluster::{Kubeconfig, Material};
use crate::converge::dial::{ServerAddress, tests::serving};
use crate::x509::{Authority, CaOptions, Issued, LeafRequest, Lifetime};

const THRESHOLDS: Thresholds = Thresholds {
    warn: Lifetime::days(30),
    critical: Lifetime::days(7),
};

struct Place {
    dir: tempfile::TempDir,
    ca: Authority,
    now: OffsetDateTime,
}

impl Place {
    fn new() -> Self {
        let now = OffsetDateTime::now_utc();
        let (ca, _) = authority("kubernetes-ca", now);
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
            ca,
            now,
        };
        place.write("pki/ca.crt", place.ca.certificate().pem().as_bytes());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, contents: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn issue(&self, name: &str) -> Issued {
        let request = LeafRequest::server(name).unwrap();
        let issued = self.ca.issue(&request, self.now, &SystemRandom::new());
        issued.unwrap()
    }

    fn pair(&self, name: &str, issued: &Issued) {
        self.write(&format!("{name}.crt"), issued.certificate.pem().as_bytes());
        self.write(&format!("{name}.key"), issued.key.secret_pem().as_bytes());
    }

    fn check(&self) -> CheckedFiles {
        self.check_at(self.now)
    }

    fn check_at(&self, now: OffsetDateTime) -> CheckedFiles {
        CheckedFiles::read(&[self.dir.path().to_owned()], &THRESHOLDS, now)
    }
}

fn authority(name: &str, now: OffsetDateTime) -> (Authority, crate::x509::PrivateKey) {
    Authority::generate(name, &CaOptions::default(), now, &SystemRandom::new()).unwrap()
}

impl CheckedFiles {
    /// The one that is in that file.
    fn at(&self, path: &Path) -> &CheckedCertificate {
        let in_it = |checked: &&CheckedCertificate| checked.places.iter().any(|p| p.path == path);
        self.certificates.iter().find(in_it).unwrap()
    }
}

fn codes(checked: &CheckedCertificate) -> Vec<&'static str> {
    checked.findings.iter().map(Finding::code).collect()
}

#[test]
fn every_form_is_found_once_with_all_its_places() {
    let place = Place::new();
    let (pem, der, kubelet) = (
        place.issue("a.test"),
        place.issue("b.test"),
        place.issue("c.test"),
    );
    place.pair("pki/apiserver", &pem);
    place.write("copy.crt", pem.certificate.pem().as_bytes());
    place.write("b.der", der.certificate.der());
    // The kubelet has certificate and key in one file, and a link to the current one.
    let both = format!("{}{}", kubelet.certificate.pem(), *kubelet.key.secret_pem());
    place.write(
        "pki/kubelet-client-2026-11-27-10-00-00.pem",
        both.as_bytes(),
    );
    let current = place.path("pki/kubelet-client-current.pem");
    symlink("kubelet-client-2026-11-27-10-00-00.pem", &current).unwrap();
    place.write("notes.txt", b"nothing of the kind");
    let found = place.check();
    assert!(found.unknown.is_empty(), "{:?}", found.unknown);
    assert_eq!(found.certificates.len(), 4);
    let apiserver = found.at(&place.path("copy.crt"));
    assert_eq!(apiserver.places.len(), 2);
    assert_eq!(apiserver.name(), "apiserver");
    assert_eq!(apiserver.consumers[0].to_string(), "kube-apiserver");
    assert_eq!(found.at(&place.path("b.der")).name(), "b.test");
    let kubelet = found.at(&current);
    assert_eq!((kubelet.places.len(), codes(kubelet)), (1, vec![]));
    assert_eq!(kubelet.consumers[0].to_string(), "kubelet");
    assert!(found.certificates.iter().all(|c| c.level() == Level::Fine));
}

#[test]
fn what_was_removed_from_a_cluster_does_not_count() {
    let place = Place::new();
    let old = authority("old", place.now).0;
    place.write("removed/w1/pki/ca.crt", old.certificate().pem().as_bytes());
    assert_eq!(place.check().certificates.len(), 2, "a folder of anybody's");
    place.write("cluster.toml", b"");
    assert_eq!(place.check().certificates.len(), 1);
    // Who names it wants to know.
    let paths = [place.path("removed")];
    let found = CheckedFiles::read(&paths, &THRESHOLDS, place.now);
    assert_eq!(found.certificates.len(), 1);
}

/// A directory without any is a mistake, and not all well.
#[test]
fn nothing_at_all_is_not_fine() {
    let dir = tempfile::tempdir().unwrap();
    let path = [dir.path().to_owned()];
    let found = CheckedFiles::read(&path, &THRESHOLDS, OffsetDateTime::now_utc());
    assert!(found.unknown[0].fact.starts_with("no certificate below "));
}

#[test]
fn what_a_kubelet_had_before_is_passed_over() {
    let place = Place::new();
    let old = authority("old", place.now - Duration::days(4000)).0;
    place.write(
        "pki/kubelet-client-2015-11-27-10-00-00.pem",
        old.certificate().pem().as_bytes(),
    );
    let new = place.issue("n.test").certificate.pem();
    place.write("pki/kubelet-client-2026-11-27-10-00-00.pem", new.as_bytes());
    let current = place.path("pki/kubelet-client-current.pem");
    symlink("kubelet-client-2026-11-27-10-00-00.pem", current).unwrap();
    let found = place.check();
    assert!(found.certificates.iter().all(|c| c.level() == Level::Fine));
    assert_eq!(found.certificates.len(), 2);
}

#[test]
fn kubeconfigs_embed_and_refer() {
    let place = Place::new();
    let embedded = place.issue("a.test");
    let config = Kubeconfig {
        cluster: "kubernetes".into(),
        server: "https://192.0.2.1:6443".into(),
        user: "me".into(),
        trusts: Material::Embedded(place.ca.chain().to_vec()),
        chain: Material::Embedded(embedded.chain()),
        key: Material::Embedded(
            crate::x509::PrivateKey::from_pem(embedded.key.secret_pem().as_bytes()).unwrap(),
        ),
    };
    place.write("admin.conf", config.secret_yaml().as_bytes());
    place.pair("elsewhere/b", &place.issue("b.test"));
    place.write(
        "refers.conf",
        b"kind: Config\nusers: [{name: u, user: {client-certificate: elsewhere/b.crt, client-key: elsewhere/b.key}}]",
    );
    place.write(
        "dangles.conf",
        b"kind: Config\nusers: [{name: u, user: {client-certificate: gone.crt, client-key: gone.key}}]",
    );
    place.write(
        "pod.yaml",
        b"kind: Pod\nargs: [--kubelet-client-certificate=x]\n",
    );
    let found = CheckedFiles::read(
        &["admin.conf", "refers.conf", "dangles.conf", "pod.yaml"].map(|name| place.path(name)),
        &THRESHOLDS,
        place.now,
    );
    let names: Vec<_> = found
        .certificates
        .iter()
        .map(CheckedCertificate::name)
        .collect();
    assert_eq!(names, ["admin", "b.test", "kubernetes-ca"]);
    assert_eq!(
        found.at(&place.path("elsewhere/b.crt")).level(),
        Level::Fine
    );
    let unknown: Vec<_> = found.unknown.iter().map(|problem| &problem.fact).collect();
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    assert!(unknown[0].contains("gone.crt: No such file") && unknown[0].ends_with("refers to"));
    assert!(unknown[1].ends_with("pod.yaml: no certificate in it"));
}

#[test]
fn what_is_wrong_is_told() {
    let place = Place::new();
    let (a, b) = (place.issue("a.test"), place.issue("b.test"));
    place.write("mixed.crt", a.certificate.pem().as_bytes());
    place.write("mixed.key", b.key.secret_pem().as_bytes());
    place.pair("exposed", &b);
    fs::set_permissions(place.path("exposed.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let stranger = authority("kubernetes-ca", place.now).0;
    let foreign = stranger
        .issue(&LeafRequest::client("x"), place.now, &SystemRandom::new())
        .unwrap();
    place.pair("foreign", &foreign);
    place.write("torn.crt", b"-----BEGIN CERTIFICATE-----\nMII");
    let found = place.check();
    assert_eq!(codes(found.at(&place.path("mixed.crt"))), ["key-mismatch"]);
    assert_eq!(codes(found.at(&place.path("exposed.crt"))), ["key-exposed"]);
    assert_eq!(
        codes(found.at(&place.path("foreign.crt"))),
        ["foreign-issuer"]
    );
    let unknown: Vec<_> = found.unknown.iter().map(|problem| &problem.fact).collect();
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].ends_with("torn.crt: damaged PEM: a block without an END line"));
}

#[test]
fn the_end_is_near_by_the_length_of_life() {
    let place = Place::new();
    place.pair("year", &place.issue("a.test"));
    let request = LeafRequest::client("short").with_lifetime("8h".parse().unwrap());
    let short = place
        .ca
        .issue(&request, place.now, &SystemRandom::new())
        .unwrap();
    place.pair("short", &short);
    let at = |name: &str, later: Duration| {
        let found = place.check_at(place.now + later);
        let checked = found.at(&place.path(name));
        (checked.level(), codes(checked).first().copied())
    };
    let expiring = Some("expiring");
    assert_eq!(at("year.crt", Duration::days(334)), (Level::Fine, None));
    assert_eq!(
        at("year.crt", Duration::days(336)),
        (Level::Warning, expiring)
    );
    assert_eq!(
        at("year.crt", Duration::days(359)),
        (Level::Critical, expiring)
    );
    assert_eq!(
        at("year.crt", Duration::days(366)),
        (Level::Critical, Some("expired"))
    );
    assert_eq!(
        at("year.crt", Duration::days(-1)),
        (Level::Critical, Some("not-yet-valid"))
    );
    assert_eq!(at("short.crt", Duration::hours(5)), (Level::Fine, None));
    assert_eq!(
        at("short.crt", Duration::hours(6)),
        (Level::Warning, expiring)
    );
    assert_eq!(
        at("short.crt", Duration::minutes(450)),
        (Level::Critical, expiring)
    );
}

fn served(issued: &Issued) -> ServerAddress {
    serving(issued.server_config().unwrap())
}

fn look(place: &Place, address: ServerAddress, now: OffsetDateTime) -> EndpointCheck {
    let target = Target {
        address,
        artifact: None,
        client: None,
    };
    let patience = std::time::Duration::from_secs(20);
    let checked = check_endpoints(vec![target], &place.check(), &THRESHOLDS, patience, now);
    checked.into_iter().next().unwrap()
}

#[test]
fn what_is_served_is_held_against_the_file() {
    let place = Place::new();
    let server = || {
        let request = LeafRequest::server("kube-apiserver").unwrap();
        let request = request.with_address([127, 0, 0, 1]);
        let issued = place.ca.issue(&request, place.now, &SystemRandom::new());
        issued.unwrap()
    };
    let (old, new) = (server(), server());
    place.pair("pki/apiserver", &old);
    let file = place.path("pki/apiserver.crt");
    let check = look(&place, served(&old), place.now);
    assert_eq!(
        (&check.on_disk, check.level()),
        (&OnDisk::Same(file.clone()), Level::Fine)
    );
    assert_eq!(check.consumers[0].to_string(), "kube-apiserver");
    // Renewed, and the server has not seen it.
    place.pair("pki/apiserver", &new);
    let check = look(&place, served(&old), place.now);
    assert_eq!(check.on_disk, OnDisk::Other(file));
    let [finding] = &check.findings[..] else {
        panic!("{:?}", check.findings);
    };
    let text = finding.to_string();
    assert!(text.contains("serves another certificate than ") && text.contains("kube-apiserver"));
    let check = look(&place, served(&new), place.now + Duration::days(400));
    let codes: Vec<_> = check.findings.iter().map(Finding::code).collect();
    assert_eq!(codes, ["expired"]);
}

#[test]
fn what_clients_refuse_is_told_and_silence_is_no_answer() {
    let place = Place::new();
    let stranger = authority("kubernetes-ca", place.now).0;
    let request = LeafRequest::server("x.test")
        .unwrap()
        .with_address([127, 0, 0, 1]);
    let foreign = stranger
        .issue(&request, place.now, &SystemRandom::new())
        .unwrap();
    let check = look(&place, served(&foreign), place.now);
    assert_eq!(check.on_disk, OnDisk::Nothing);
    assert_eq!(check.findings[0].code(), "refused");
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let check = look(&place, free.to_string().parse().unwrap(), place.now);
    assert!(check.served.is_err() && check.findings.is_empty());
}
