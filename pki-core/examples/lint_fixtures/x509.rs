//! The certificates that break the rules of `x509/lint`.

use pki_core::x509::AttributeKind;

use super::forge::*;

/// Every fixture file with its text, by its path below `pki-core/src`.
pub fn files() -> Vec<(String, String)> {
    let mut files = vec![
        ("authority", vec![Forged::authority()]),
        ("good", good()),
        // Issuers for the rules that look at two certificates.
        ("issuer-may-sign.issuer", vec![Forged::server()]),
        ("issuer-path-length.issuer", vec![leaves_only()]),
        ("issuer-name-constraints.issuer", vec![constrained()]),
        ("issuer-odd-constraints.issuer", vec![oddly_constrained()]),
        ("issuer-extended-key-usage.issuer", vec![for_clients()]),
    ];
    files.extend(names_and_numbers());
    files.extend(basics_and_key_usage());
    files.extend(purposes_and_key_identifiers());
    files.extend(alternative_names());
    files.extend(constraints_and_issuers());
    let path = |name| format!("x509/lint/fixtures/{name}.pem");
    files
        .into_iter()
        .map(|(name, certificates)| (path(name), pem(&certificates)))
        .collect()
}

type Files = Vec<(&'static str, Vec<Forged>)>;

fn good() -> Vec<Forged> {
    let rsa_server = Forged::server().with_key(rsa(3072));
    vec![
        Forged::server(),
        Forged::client("alice", &["dev", "ops"]),
        rsa_server.with_key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]),
        Forged::server()
            .with_key(p256())
            .with_purposes(&[SERVER, CLIENT]),
        Forged::lower_authority(),
        constrained().issued_by(&Forged::authority()),
        // A name in capitals, a wildcard, an address, a mailbox and a URI.
        Forged::server().with_sans(&[
            dns("Leaf.Test"),
            dns("*.test"),
            ip(&[192, 0, 2, 1]),
            email("ann@leaf.test"),
            uri("spiffe://test/leaf"),
            uri("urn:test:leaf"),
        ]),
        // No subject, hence critical names.
        Forged::server()
            .changed(|made| made.subject = sequence(&[]))
            .critical(SUBJECT_ALT_NAME, true),
        // A CA that changes its key issues to its own name.
        Forged::root("lint-ca", 9).issued_by(&Forged::authority()),
    ]
}

fn names_and_numbers() -> Files {
    let with = |change: fn(&mut Forged)| Forged::server().changed(change);
    let subject = |kind, value: &str| {
        let subject = attribute(kind, value);
        Forged::server().changed(|made| made.subject = subject)
    };
    vec![
        ("version", vec![with(|made| made.version = 1)]),
        (
            "serial-number",
            vec![
                with(|made| made.serial = vec![0]),
                with(|made| made.serial = vec![0xff, 1]),
                with(|made| made.serial = vec![0x40; 21]),
            ],
        ),
        (
            "signature-algorithm",
            vec![
                // sha1WithRSAEncryption, md5WithRSAEncryption, and RSASSA-PSS, whose hash is SHA-1 where it says none.
                with(|made| made.signature_algorithm = sequence(&[&oid(&[PKCS1, &[5]].concat())])),
                with(|made| made.signature_algorithm = sequence(&[&oid(&[PKCS1, &[4]].concat())])),
                with(|made| {
                    let parameters = sequence(&[]);
                    made.signature_algorithm =
                        sequence(&[&oid(&[PKCS1, &[10]].concat()), &parameters]);
                }),
            ],
        ),
        (
            "issuer-empty",
            vec![with(|made| made.issuer = sequence(&[]))],
        ),
        (
            "validity-encoding",
            vec![
                with(|made| made.not_after = generalized_time("20270101000000Z")),
                with(|made| made.not_before = generalized_time("20260101000000Z")),
            ],
        ),
        (
            "validity-order",
            vec![with(|made| made.not_after = utc_time("251231235959Z"))],
        ),
        (
            "subject-empty",
            vec![
                Forged::client("", &[]).changed(|made| made.subject = sequence(&[])),
                Forged::lower_authority().changed(|made| made.subject = sequence(&[])),
            ],
        ),
        (
            "attribute-length",
            vec![
                subject(AttributeKind::CommonName, &"n".repeat(65)),
                subject(AttributeKind::Organization, &"\u{e9}".repeat(65)),
                subject(AttributeKind::OrganizationalUnit, &"u".repeat(65)),
                subject(AttributeKind::Country, "DEU"),
                subject(AttributeKind::CommonName, ""),
            ],
        ),
        // P-521: 1.3.132.0.35.
        (
            "public-key",
            vec![Forged::server().with_key(ec(&[0x2b, 0x81, 0x04, 0x00, 0x23], &[4; 133]))],
        ),
        ("rsa-key-size", vec![Forged::server().with_key(rsa(1024))]),
        (
            "extension-duplicate",
            vec![with(|made| {
                let first = made.extensions[0].clone();
                made.extensions.push(first);
            })],
        ),
        (
            "critical-extension-unknown",
            // 2.5.29.99 is nothing.
            vec![Forged::server().with(99, true, sequence(&[]))],
        ),
    ]
}

/// 1.2.840.113549.1.1
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

fn basics_and_key_usage() -> Files {
    let ca = Forged::lower_authority;
    let server = Forged::server;
    vec![
        (
            "basic-constraints-critical",
            vec![ca().critical(BASIC_CONSTRAINTS, false)],
        ),
        (
            "path-length",
            // pathLenConstraint 0 without cA.
            vec![server().with(BASIC_CONSTRAINTS, true, sequence(&[&[0x02, 1, 0]]))],
        ),
        (
            "ca-key-usage",
            vec![ca().without(KEY_USAGE), ca().with_key_usage(&[CRL_SIGN])],
        ),
        ("ca-crl-sign", vec![ca().with_key_usage(&[KEY_CERT_SIGN])]),
        (
            "cert-sign-without-ca",
            vec![server().with_key_usage(&[DIGITAL_SIGNATURE, KEY_CERT_SIGN])],
        ),
        (
            "leaf-key-usage",
            vec![server().with_key(p256()).with_key_usage(&[KEY_AGREEMENT])],
        ),
        ("leaf-key-usage-missing", vec![server().without(KEY_USAGE)]),
        (
            "key-usage-critical",
            vec![
                server().critical(KEY_USAGE, false),
                ca().critical(KEY_USAGE, false),
            ],
        ),
        (
            "key-usage-encoding",
            vec![
                // digitalSignature in a byte whose other seven bits count, and before a byte of zeros.
                server().with(KEY_USAGE, true, tlv(0x03, &[&[0, 0x80]])),
                server().with(KEY_USAGE, true, tlv(0x03, &[&[0, 0x80, 0]])),
            ],
        ),
        (
            "ecdsa-key-usage",
            vec![
                server()
                    .with_key(p256())
                    .with_key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]),
            ],
        ),
        (
            "ed25519-key-usage",
            vec![server().with_key_usage(&[DIGITAL_SIGNATURE, KEY_AGREEMENT])],
        ),
        (
            "rsa-key-usage",
            vec![
                ca().with_key(rsa(2048)).with_key_usage(&[
                    KEY_ENCIPHERMENT,
                    KEY_CERT_SIGN,
                    CRL_SIGN,
                ]),
                server()
                    .with_key(rsa(2048))
                    .with_key_usage(&[DIGITAL_SIGNATURE, KEY_AGREEMENT]),
            ],
        ),
    ]
}

fn purposes_and_key_identifiers() -> Files {
    let ca = Forged::lower_authority;
    let server = Forged::server;
    let any = [oid(&[ID_KP, &[SERVER]].concat()), oid(&[0x55, 0x1d, 37, 0])].concat();
    let encrypting_client = Forged::client("alice", &[]).with_key(rsa(2048));
    // Only an issuer and a serial number.
    let by_serial = sequence(&[
        &tlv(0xa1, &[&tlv(0xa4, &[&name("lint-ca", &[])])]),
        &[0x82, 1, 0x41],
    ]);
    vec![
        (
            "extended-key-usage-missing",
            vec![server().without(EXTENDED_KEY_USAGE)],
        ),
        (
            "extended-key-usage-empty",
            vec![server().with_purposes(&[])],
        ),
        (
            "extended-key-usage-any",
            vec![server().with(EXTENDED_KEY_USAGE, false, sequence(&[&any]))],
        ),
        (
            "extended-key-usage-critical",
            vec![server().critical(EXTENDED_KEY_USAGE, true)],
        ),
        ("ca-extended-key-usage", vec![ca().with_purposes(&[SERVER])]),
        (
            "key-usage-consistent",
            vec![encrypting_client.with_key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT])],
        ),
        (
            "authority-key-identifier",
            vec![
                server().without(AUTHORITY_KEY_IDENTIFIER),
                server().with(AUTHORITY_KEY_IDENTIFIER, false, by_serial),
            ],
        ),
        (
            "authority-key-identifier-root",
            vec![Forged::authority().without(AUTHORITY_KEY_IDENTIFIER)],
        ),
        (
            "authority-key-identifier-match",
            vec![server().with(AUTHORITY_KEY_IDENTIFIER, false, authority_key(&[7; 20]))],
        ),
        (
            "subject-key-identifier",
            vec![ca().without(SUBJECT_KEY_IDENTIFIER)],
        ),
        (
            "subject-key-identifier-leaf",
            vec![server().without(SUBJECT_KEY_IDENTIFIER)],
        ),
        (
            "key-identifier-critical",
            vec![
                server().critical(AUTHORITY_KEY_IDENTIFIER, true),
                server().critical(SUBJECT_KEY_IDENTIFIER, true),
            ],
        ),
    ]
}

fn alternative_names() -> Files {
    let sans = |sans: &[Vec<u8>]| vec![Forged::server().with_sans(sans)];
    vec![
        ("san-empty", sans(&[])),
        (
            "san-critical",
            vec![Forged::server().changed(|made| made.subject = sequence(&[]))],
        ),
        (
            "san-needlessly-critical",
            vec![Forged::server().critical(SUBJECT_ALT_NAME, true)],
        ),
        (
            "san-address-as-dns",
            sans(&[dns("leaf.test"), dns("10.3.0.1")]),
        ),
        (
            "san-dns-name",
            [sans(&[dns("leaf_1.test")]), sans(&[dns("leaf..test")])].concat(),
        ),
        ("san-ip-address", sans(&[ip(&[10, 3, 0, 1, 255])])),
        (
            "san-email",
            [sans(&[email("leaf.test")]), sans(&[email("@leaf.test")])].concat(),
        ),
        (
            "san-uri",
            [sans(&[uri("/leaf")]), sans(&[uri("https://")])].concat(),
        ),
        (
            "san-duplicate",
            sans(&[dns("leaf.test"), ip(&[192, 0, 2, 1]), dns("leaf.test")]),
        ),
    ]
}

fn constraints_and_issuers() -> Files {
    let server = Forged::server;
    let permitted = constraints(&[dns("test")], &[]);
    vec![
        (
            "name-constraints-critical",
            vec![Forged::lower_authority().with(NAME_CONSTRAINTS, false, permitted.clone())],
        ),
        (
            "name-constraints-leaf",
            vec![server().with(NAME_CONSTRAINTS, true, permitted)],
        ),
        (
            "name-constraints-empty",
            vec![Forged::lower_authority().with(NAME_CONSTRAINTS, true, sequence(&[]))],
        ),
        (
            "issuer-name",
            vec![server().changed(|made| made.issuer = name("Lint-CA", &[]))],
        ),
        ("issuer-may-sign", vec![server().issued_by(&server())]),
        (
            "issuer-validity",
            vec![server().changed(|made| made.not_after = utc_time("360101000001Z"))],
        ),
        (
            "issuer-path-length",
            vec![Forged::root("lint-lowest-ca", 5).issued_by(&leaves_only())],
        ),
        (
            "issuer-extended-key-usage",
            vec![server().issued_by(&for_clients())],
        ),
        (
            "issuer-name-constraints",
            [
                dns("leaf.example"),
                dns("Leaf.Example"),
                // Ends with the same letters, but is not below.
                dns("nottest"),
                ip(&[192, 0, 3, 1]),
                ip(&[&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 12]].concat()),
                dns("a.secret.test"),
                // Stands for secret.test among others.
                dns("*.test"),
                ip(&[192, 0, 2, 99]),
            ]
            .map(|san| server().with_sans(&[san]).issued_by(&constrained()))
            .to_vec(),
        ),
        (
            "issuer-odd-constraints",
            vec![server().issued_by(&oddly_constrained())],
        ),
    ]
}

/// pathLenConstraint 0.
fn leaves_only() -> Forged {
    let content = sequence(&[&TRUE, &[0x02, 1, 0]]);
    Forged::root("lint-leaves-only-ca", 4).with(BASIC_CONSTRAINTS, true, content)
}

fn for_clients() -> Forged {
    Forged::root("lint-client-ca", 6).with_purposes(&[CLIENT])
}

/// A root for test and 192.0.2.0/24, but not for secret.test and 192.0.2.99.
fn constrained() -> Forged {
    let permitted = [dns("test"), ip(&[192, 0, 2, 0, 255, 255, 255, 0])];
    let excluded = [dns("secret.test"), ip(&[192, 0, 2, 99, 255, 255, 255, 255])];
    let content = constraints(&permitted, &excluded);
    Forged::root("lint-constrained-ca", 7).with(NAME_CONSTRAINTS, true, content)
}

/// DNS names below test, in a form that only some programs know, and a directory name.
fn oddly_constrained() -> Forged {
    let directory = tlv(0xa4, &[&name("leaf.test", &[])]);
    let content = constraints(&[dns(".test"), directory], &[]);
    Forged::root("lint-oddly-constrained-ca", 10).with(NAME_CONSTRAINTS, true, content)
}
