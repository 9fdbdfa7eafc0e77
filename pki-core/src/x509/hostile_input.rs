//! Whatever the bytes, reading ends in a value or an error, never in a panic; and what was read can be
//! verified, told and written again. Inputs are arbitrary bytes, and good files with a few bytes changed,
//! which reach deeper.

use proptest::collection::vec;
use proptest::prelude::*;

use super::inspect::Report;
use super::testing::{NOW, fixture};
use super::*;

/// A change to a file: put a byte in another's place, cut the end off, or take a byte out.
#[derive(Clone, Debug)]
enum Change {
    Put(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Take(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        8 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
        1 => any::<prop::sample::Index>().prop_map(Change::Take),
    ];
    vec(change, 1..6)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Put(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Take(at) => drop(bytes.remove(at.index(bytes.len()))),
        }
    }
    bytes
}

fn read_as_everything(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        use_certificate(&certificate);
    }
    if let Ok(request) = SigningRequest::from_der(bytes) {
        let _ = request.verify_signature();
        let _ = SigningRequest::from_pem(request.pem().as_bytes()).unwrap();
    }
    for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
        if let Ok(key) = PrivateKey::from_block(label, bytes.to_vec().into()) {
            let _ = LocalSigner::new(&key).unwrap();
            let _ = PrivateKey::from_pem(key.secret_pem().as_bytes()).unwrap();
        }
    }
    let _ = PublicKey::from_der(bytes).map(|key| key.fingerprint());
    let _ = DistinguishedName::from_der(bytes).map(|name| name.to_string());
    let _ = parse_pem(bytes);
    let _ = PrivateKey::from_pem(bytes);
    let _ = Certificate::from_pem_chain(bytes);
    if let Ok(report) = Report::of(bytes, NOW) {
        let _ = report.to_string();
        serde_json::to_string(&report).unwrap();
    }
}

fn use_certificate(certificate: &Certificate) {
    let again = Certificate::from_pem_chain(certificate.pem().as_bytes()).unwrap();
    assert_eq!(again, std::slice::from_ref(certificate));
    let root = Certificate::from_pem_chain(fixture!("corporate-root.crt")).unwrap();
    let trusted = TrustAnchors::new(&root).unwrap();
    let name = "db.corp.example".parse().unwrap();
    let _ = trusted.verify(&again, Usage::Server, Some(&name), NOW);
    let _ = TrustAnchors::new(&again).map(|own| own.verify(&again, Usage::Client, None, NOW));
    let _ = signature_valid(certificate, &root[0]);
    let _ = lint::lint(certificate, Some(&root[0]), &[lint::RULES]);
    let _ = Authority::check(certificate, NOW).map_err(|error| error.to_string());
    let _ = (
        certificate.validity.left(NOW),
        certificate.validity.length(),
    );
}

const PEM: [&[u8]; 15] = [
    fixture!("chain.pem"),
    fixture!("corporate-root.crt"),
    fixture!("client-ca.crt"),
    fixture!("request.csr"),
    fixture!("request-new.csr"),
    fixture!("ec.pub"),
    fixture!("ec-sec1.key"),
    fixture!("ec-pkcs8.key"),
    fixture!("p384-sec1.key"),
    fixture!("p521-sec1.key"),
    fixture!("ed25519.key"),
    fixture!("rsa-pkcs1.key"),
    fixture!("rsa-pkcs8.key"),
    fixture!("encrypted-pkcs8.key"),
    fixture!("encrypted-sec1.key"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..600)) {
        read_as_everything(&bytes);
        let mut sequence = vec![0x30, 0x82, (bytes.len() >> 8) as u8, bytes.len() as u8];
        sequence.extend_from_slice(&bytes);
        read_as_everything(&sequence);
    }

    #[test]
    fn arbitrary_text_around_the_marks_of_pem(text in "(-----BEGIN [A-Z ]{0,12}-----|-----END [A-Z ]{0,12}-----|[A-Za-z0-9+/=]{0,16}|\r?\n|[:\u{0}é -]){0,40}") {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn changed_files(which in 0..PEM.len(), changes in changes()) {
        read_as_everything(&changed(PEM[which], &changes));
    }

    #[test]
    fn changed_objects(which in 0..PEM.len(), changes in changes()) {
        for block in parse_pem(PEM[which]).unwrap() {
            let der = changed(&block.der, &changes);
            read_as_everything(&der);
            read_as_everything(to_pem(&block.label, &der).as_bytes());
        }
    }
}
