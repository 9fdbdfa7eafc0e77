use super::super::testing::{NOW, fixture};
use super::super::{PemError, PrivateKey, to_pem};
use super::*;
use time::Duration;

fn text(bytes: &[u8]) -> String {
    Report::of(bytes, NOW).unwrap().to_string()
}

fn error(bytes: &[u8]) -> String {
    Report::of(bytes, NOW).unwrap_err().to_string()
}

#[test]
fn a_chain_with_its_key() {
    insta::assert_snapshot!(
        text(&[fixture!("chain.pem"), fixture!("ec-sec1.key")].concat()),
        @r#"
    1. certificate (CERTIFICATE)
       subject:             O=dev, O=ops, CN=db.corp.example
       issuer:              DC=corp, DC=example, OU=Platform, OU=PKI\, Zürich, CN=Corporate CA 3
       valid from:          2026-11-23T15:27:08Z
       valid until:         2126-10-30T15:27:08Z (36492 days left)
       DNS names:           db.corp.example, *.db.corp.example
       addresses:           10.3.0.1
       URIs:                spiffe://corp.example/db
       key usages:          digitalSignature
       extended usages:     server, client, code-signing, 1.3.6.1.4.1.311.20.2.2
       serial:              c0ffee
       key algorithm:       ecdsa-p256
       public key SHA-256:  1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538
       key identifier:      b1d15ac3a74032779d3902ff2430c1e1b5376612
       issuer's identifier: 39926f03396bee832ddc480728fecf170de30a6d
       signature:           ecdsa-with-SHA384
       SHA-256:             a13916494c6843203a93463511f5d0b75a9af5deb1aa0d9895b7960edb82ba7a
       next in this file:   issued it
       key in this file:    belongs to it

    2. CA certificate (CERTIFICATE)
       subject:             DC=corp, DC=example, OU=Platform, OU=PKI\, Zürich, CN=Corporate CA 3
       issuer:              DC=corp, DC=example, O=Example AG, CN=Corporate Root
       valid from:          2026-11-23T15:27:08Z
       valid until:         2126-10-30T15:27:08Z (36492 days left)
       CA:                  yes, for leaves only
       only names:          dns corp.example, ip 10.0.0.0/8
       never names:         dns secret.corp.example, email .example
       key usages:          digitalSignature, keyCertSign, cRLSign
       serial:              1001
       key algorithm:       ecdsa-p384
       public key SHA-256:  8db6143d6a1ff5563d47e495f01dd74b1fa809ad8c2a857b4a0ca2bdd759cdea
       key identifier:      39926f03396bee832ddc480728fecf170de30a6d
       issuer's identifier: bba0ff54f210d93d72efae7c35a767a8bae50b46
       signature:           sha256WithRSAEncryption
       SHA-256:             7fe2ccf50c447c286e46b9f9e60c64878eba466c842cadfe5374df8ba3d20477

    3. passed over (EC PARAMETERS)
       length: 10 bytes

    4. private key (EC PRIVATE KEY)
       form:               SEC1
       key algorithm:      ecdsa-p256
       public key SHA-256: 1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538
       belongs to:         1
    "#
    );
}

#[test]
fn a_root() {
    insta::assert_snapshot!(
        text(fixture!("corporate-root.crt")),
        @r#"
    CA certificate (CERTIFICATE)
       subject:            DC=corp, DC=example, O=Example AG, CN=Corporate Root
       issuer:             itself
       valid from:         2026-11-23T15:27:08Z
       valid until:        2126-10-30T15:27:08Z (36492 days left)
       CA:                 yes
       key usages:         keyCertSign, cRLSign
       serial:             2ce75676e363c098fdd68ef6b89672f69c7e2fb3
       key algorithm:      rsa-2048
       public key SHA-256: d471325981dbfbaf446f269c06820878826834ec6db9872f60125dc0d0e33f13
       key identifier:     bba0ff54f210d93d72efae7c35a767a8bae50b46
       signature:          sha256WithRSAEncryption
       SHA-256:            dc83ac07128563eab85facbbf5130ff042ab70513f6a9a4b182461355e2b5aad
    "#
    );
}

#[test]
fn requests_under_both_labels() {
    insta::assert_snapshot!(
        text(&[fixture!("request.csr"), fixture!("request-new.csr")].concat()),
        @r#"
    1. signing request (CERTIFICATE REQUEST)
       subject:            O=system:nodes, CN=system:node:n1
       DNS names:          n1
       addresses:          10.0.0.1
       emails:             ops@corp.example
       key usages:         digitalSignature
       extended usages:    server
       key algorithm:      ecdsa-p256
       public key SHA-256: 1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538
       signed:             by its own key (ecdsa-with-SHA256)

    2. signing request (NEW CERTIFICATE REQUEST)
       subject:            CN=old label
       key algorithm:      ed25519
       public key SHA-256: bd71f5e5b29b611a778fc1e601d41a072fa5cb01ddcf096cb8b42c3a8373a485
       signed:             by its own key (Ed25519)
    "#
    );
}

#[test]
fn one_request_in_der() {
    insta::assert_snapshot!(
        text(fixture!("request-rsa.der")),
        @r#"
    signing request (DER)
       subject:            CN=rsa
       CA:                 asks to become one
       key algorithm:      rsa-2048
       public key SHA-256: d471325981dbfbaf446f269c06820878826834ec6db9872f60125dc0d0e33f13
       signed:             by its own key (sha256WithRSAEncryption)
    "#
    );
}

#[test]
fn keys_in_every_form() {
    insta::assert_snapshot!(
        text(
            &[
                fixture!("rsa-pkcs1.key"),
                fixture!("rsa-pkcs8.key"),
                fixture!("p384-sec1.key"),
                fixture!("ed25519.key"),
                fixture!("p521-sec1.key"),
                fixture!("encrypted-pkcs8.key"),
                fixture!("encrypted-sec1.key"),
                fixture!("ec.pub"),
            ]
            .concat()
        ),
        @r#"
    1. private key (RSA PRIVATE KEY)
       form:               PKCS#1
       key algorithm:      rsa-2048
       public key SHA-256: d471325981dbfbaf446f269c06820878826834ec6db9872f60125dc0d0e33f13

    2. private key (PRIVATE KEY)
       form:               PKCS#8
       key algorithm:      rsa-2048
       public key SHA-256: d471325981dbfbaf446f269c06820878826834ec6db9872f60125dc0d0e33f13

    3. private key (EC PRIVATE KEY)
       form:               SEC1
       key algorithm:      ecdsa-p384
       public key SHA-256: 8db6143d6a1ff5563d47e495f01dd74b1fa809ad8c2a857b4a0ca2bdd759cdea

    4. private key (PRIVATE KEY)
       form:               PKCS#8
       key algorithm:      ed25519
       public key SHA-256: bd71f5e5b29b611a778fc1e601d41a072fa5cb01ddcf096cb8b42c3a8373a485

    5. private key (EC PRIVATE KEY)
       form:    SEC1
       problem: a private key of a kind that is not supported: EC key on curve 1.3.132.0.35

    6. private key (ENCRYPTED PRIVATE KEY)
       form:    PKCS#8, encrypted
       problem: the private key is encrypted

    7. private key (EC PRIVATE KEY)
       form:    SEC1
       problem: the private key is encrypted

    8. public key (PUBLIC KEY)
       key algorithm:      ecdsa-p256
       public key SHA-256: 1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538
    "#
    );
}

#[test]
fn the_same_as_json() {
    insta::assert_snapshot!(
        {
            let file = [fixture!("chain.pem"), fixture!("ec-sec1.key")].concat();
            serde_json::to_string_pretty(&Report::of(&file, NOW).unwrap()).unwrap()
        },
        @r#"
    {
      "encoding": "pem",
      "objects": [
        {
          "label": "CERTIFICATE",
          "kind": "certificate",
          "subject": "O=dev, O=ops, CN=db.corp.example",
          "issuer": "DC=corp, DC=example, OU=Platform, OU=PKI\\, Zürich, CN=Corporate CA 3",
          "self-signed": false,
          "serial": "c0ffee",
          "not-before": "2026-11-23T15:27:08Z",
          "not-after": "2126-10-30T15:27:08Z",
          "status": "valid",
          "days-left": 36492,
          "public-key": {
            "algorithm": "ecdsa-p256",
            "sha256": "1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538"
          },
          "signature-algorithm": "ecdsa-with-SHA384",
          "alternative-names": [
            {
              "kind": "dns",
              "value": "db.corp.example"
            },
            {
              "kind": "dns",
              "value": "*.db.corp.example"
            },
            {
              "kind": "ip",
              "value": "10.3.0.1"
            },
            {
              "kind": "uri",
              "value": "spiffe://corp.example/db"
            }
          ],
          "ca": false,
          "path-length": null,
          "key-usages": [
            "digitalSignature"
          ],
          "extended-key-usages": [
            "server",
            "client",
            "code-signing",
            "1.3.6.1.4.1.311.20.2.2"
          ],
          "name-constraints": null,
          "subject-key-identifier": "b1d15ac3a74032779d3902ff2430c1e1b5376612",
          "authority-key-identifier": "39926f03396bee832ddc480728fecf170de30a6d",
          "sha256": "a13916494c6843203a93463511f5d0b75a9af5deb1aa0d9895b7960edb82ba7a",
          "issued-by-next": true,
          "key-in-file": true
        },
        {
          "label": "CERTIFICATE",
          "kind": "certificate",
          "subject": "DC=corp, DC=example, OU=Platform, OU=PKI\\, Zürich, CN=Corporate CA 3",
          "issuer": "DC=corp, DC=example, O=Example AG, CN=Corporate Root",
          "self-signed": false,
          "serial": "1001",
          "not-before": "2026-11-23T15:27:08Z",
          "not-after": "2126-10-30T15:27:08Z",
          "status": "valid",
          "days-left": 36492,
          "public-key": {
            "algorithm": "ecdsa-p384",
            "sha256": "8db6143d6a1ff5563d47e495f01dd74b1fa809ad8c2a857b4a0ca2bdd759cdea"
          },
          "signature-algorithm": "sha256WithRSAEncryption",
          "alternative-names": [],
          "ca": true,
          "path-length": 0,
          "key-usages": [
            "digitalSignature",
            "keyCertSign",
            "cRLSign"
          ],
          "extended-key-usages": [],
          "name-constraints": {
            "permitted": [
              {
                "kind": "dns",
                "value": "corp.example"
              },
              {
                "kind": "ip",
                "value": "10.0.0.0/8"
              }
            ],
            "excluded": [
              {
                "kind": "dns",
                "value": "secret.corp.example"
              },
              {
                "kind": "email",
                "value": ".example"
              }
            ]
          },
          "subject-key-identifier": "39926f03396bee832ddc480728fecf170de30a6d",
          "authority-key-identifier": "bba0ff54f210d93d72efae7c35a767a8bae50b46",
          "sha256": "7fe2ccf50c447c286e46b9f9e60c64878eba466c842cadfe5374df8ba3d20477",
          "issued-by-next": null,
          "key-in-file": false
        },
        {
          "label": "EC PARAMETERS",
          "kind": "other",
          "bytes": 10
        },
        {
          "label": "EC PRIVATE KEY",
          "kind": "private-key",
          "form": "sec1",
          "public-key": {
            "algorithm": "ecdsa-p256",
            "sha256": "1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538"
          },
          "problem": null,
          "belongs-to": [
            1
          ]
        }
      ]
    }
    "#
    );
}

#[test]
fn a_request_and_a_public_key_as_json() {
    insta::assert_snapshot!(
        {
            let file = [fixture!("request.csr"), fixture!("ec.pub")].concat();
            serde_json::to_string_pretty(&Report::of(&file, NOW).unwrap()).unwrap()
        },
        @r#"
    {
      "encoding": "pem",
      "objects": [
        {
          "label": "CERTIFICATE REQUEST",
          "kind": "signing-request",
          "subject": "O=system:nodes, CN=system:node:n1",
          "public-key": {
            "algorithm": "ecdsa-p256",
            "sha256": "1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538"
          },
          "signature-algorithm": "ecdsa-with-SHA256",
          "signature-valid": true,
          "alternative-names": [
            {
              "kind": "dns",
              "value": "n1"
            },
            {
              "kind": "ip",
              "value": "10.0.0.1"
            },
            {
              "kind": "email",
              "value": "ops@corp.example"
            }
          ],
          "key-usages": [
            "digitalSignature"
          ],
          "extended-key-usages": [
            "server"
          ],
          "ca": false,
          "other-extensions": [],
          "key-in-file": null
        },
        {
          "label": "PUBLIC KEY",
          "kind": "public-key",
          "algorithm": "ecdsa-p256",
          "sha256": "1128cc336b5edb480aecf1a759544447c126df58fb4daec0de7750c1d0114538"
        }
      ]
    }
    "#
    );
}

#[test]
fn der_is_recognised_without_a_label() {
    for (bytes, kind) in [
        (fixture!("leaf.der"), "certificate (DER)\n"),
        (fixture!("request-rsa.der"), "signing request (DER)\n"),
    ] {
        assert!(text(bytes).starts_with(kind), "{}", text(bytes));
    }
    for (pem, form) in [
        (fixture!("rsa-pkcs1.key"), PrivateKeyForm::Pkcs1),
        (fixture!("rsa-pkcs8.key"), PrivateKeyForm::Pkcs8),
        (fixture!("p384-sec1.key"), PrivateKeyForm::Sec1),
        (fixture!("ed25519.key"), PrivateKeyForm::Pkcs8),
    ] {
        let block = super::super::parse_pem(pem).unwrap().remove(0);
        let report = Report::of(&block.der, NOW).unwrap();
        let Entry {
            label: None,
            object: ObjectReport::PrivateKey(key),
        } = &report.objects[0]
        else {
            panic!("{report}");
        };
        assert_eq!((report.encoding, key.form), (Encoding::Der, form));
        assert_eq!(key.problem, None);
    }
    let public = super::super::parse_pem(fixture!("ec.pub"))
        .unwrap()
        .remove(0);
    assert!(text(&public.der).starts_with("public key (DER)\n"));
}

#[test]
fn where_now_lies_is_told_in_days() {
    let leaf = Certificate::from_der(fixture!("leaf.der")).unwrap();
    let at = |now| {
        let report = CertificateReport::new(&leaf, now);
        let line = report.to_string();
        let line = line.lines().find(|line| line.starts_with("valid until"));
        let words = line
            .unwrap()
            .split_once('(')
            .unwrap()
            .1
            .trim_end_matches(')');
        (report.status, report.days_left, words.to_owned())
    };
    use CertificateStatus::{Expired, NotYetValid, Valid};
    let (first, last) = (leaf.validity.not_before, leaf.validity.not_after);
    let early = at(first - Duration::SECOND);
    assert_eq!((early.0, early.2.as_str()), (NotYetValid, "NOT YET VALID"));
    assert_eq!(at(last), (Valid, 0, "less than a day left".into()));
    assert_eq!(at(last - Duration::DAY), (Valid, 1, "1 day left".into()));
    let over = last + Duration::SECOND;
    assert_eq!(at(over), (Expired, 0, "EXPIRED less than a day ago".into()));
    assert_eq!(
        at(over + Duration::hours(1)),
        (Expired, 0, "EXPIRED less than a day ago".into())
    );
    assert_eq!(
        at(over + Duration::days(12)),
        (Expired, -12, "EXPIRED 12 days ago".into())
    );
}

#[test]
fn what_does_not_belong_together_is_told() {
    let (leaf, root) = (fixture!("leaf.crt"), fixture!("corporate-root.crt"));
    let skipped = text(&[leaf, root, fixture!("ed25519.key")].concat());
    assert!(
        skipped.contains("next in this file:   did NOT issue it\n"),
        "{skipped}"
    );
    assert!(
        skipped.contains("belongs to:         NOTHING in this file\n"),
        "{skipped}"
    );
    assert!(!skipped.contains("belongs to it"), "{skipped}");
}

#[test]
fn one_key_has_one_fingerprint_everywhere() {
    let key = PrivateKey::from_pem(fixture!("ec-sec1.key")).unwrap();
    let fingerprint = key.public_key().fingerprint();
    for file in [
        fixture!("leaf.crt"),
        fixture!("request.csr"),
        fixture!("ec.pub"),
        fixture!("ec-sec1.key"),
        fixture!("ec-pkcs8.key"),
    ] {
        let line = format!("public key SHA-256: {fingerprint}");
        let text = text(file).replace("SHA-256:  ", "SHA-256: ");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn nothing_secret_is_told() {
    for file in [
        fixture!("rsa-pkcs1.key"),
        fixture!("ec-sec1.key"),
        fixture!("p384-sec1.key"),
        fixture!("ed25519.key"),
    ] {
        let key = PrivateKey::from_pem(file).unwrap();
        let block = super::super::parse_pem(file).unwrap().pop().unwrap();
        let secret = key.secret_bytes().map_or(&block.der[..], |bytes| bytes);
        let report = Report::of(file, NOW).unwrap();
        let told = format!(
            "{report}{report:?}{key:?}{}",
            serde_json::to_string(&report).unwrap()
        );
        for piece in secret.chunks(8).filter(|piece| piece.len() == 8) {
            assert!(!told.contains(&super::super::hex(piece)));
        }
        for line in std::str::from_utf8(file).unwrap().lines().skip(1) {
            assert!(line.starts_with('-') || !told.contains(line));
        }
    }
}

#[test]
fn bad_files_are_told_apart() {
    assert_eq!(error(b""), "the file is empty");
    let unrecognised = "neither PEM nor DER of a certificate, a signing request or a key";
    assert_eq!(error(b"apiVersion: v1\nkind: Config\n"), unrecognised);
    assert_eq!(error(&vec![0; 10 << 20]), unrecognised);
    assert_eq!(error(&[0x30, 3, 2, 1, 1]), unrecognised);

    let der = fixture!("leaf.der");
    let half = &der[..der.len() / 2];
    assert_eq!(
        error(half),
        format!("the file ends after {} of {} bytes", half.len(), der.len())
    );
    assert_eq!(error(&[der, &[0]].concat()), unrecognised);
    assert_eq!(
        error(to_pem("CERTIFICATE", half).as_bytes()),
        format!(
            "object 1 (CERTIFICATE): it ends after {} of {} bytes",
            half.len(),
            der.len()
        )
    );

    for file in [fixture!("ec-pkcs8.key"), fixture!("leaf.crt")] {
        assert!(matches!(
            Report::of(&file[..file.len() / 2], NOW),
            Err(InspectError::Pem(PemError::Damaged(_)))
        ));
    }
    let garbled = [
        fixture!("leaf.crt"),
        to_pem("EC PRIVATE KEY", &[1, 2, 3]).as_bytes(),
    ]
    .concat();
    assert_eq!(
        error(&garbled),
        "object 2 (EC PRIVATE KEY): a damaged private key (SEC1 form)"
    );
}
