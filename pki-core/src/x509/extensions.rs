//! What a certificate says besides names, time and key: any usages, whether it is a CA's, its alternative names.

use super::{ExtendedKeyUsage, KeyAlgorithm, KeyUsage, PublicKey, SubjectAltName, Usage};

/// The extensions of a certificate or of the request for one, chosen one by one. A cluster's own certificates get
/// theirs from a [`LeafRequest`](super::LeafRequest); this is for all other purposes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// basicConstraints: `None` for a leaf.
    pub authority: Option<PathLength>,
    /// keyUsage; the extension is left out where no bit is set.
    pub key_usage: KeyUsage,
    /// extendedKeyUsage; the extension is left out where there is none.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// subjectAltName, in this order; the extension is left out where there is none.
    pub sans: Vec<SubjectAltName>,
    /// The template that Microsoft AD CS is to apply, by its name ([`CERTIFICATE_TEMPLATE`]).
    pub certificate_template: Option<String>,
}

/// How many CAs may stand between a CA and a leaf; `None`: any number (RFC 5280 section 4.2.1.9).
pub type PathLength = Option<u8>;

/// szOID_ENROLL_CERTTYPE_EXTENSION: a text that names a certificate template of Microsoft AD CS (MS-WCCE section
/// 2.2.2.7.7.1).
pub const CERTIFICATE_TEMPLATE: &str = "1.3.6.1.4.1.311.20.2";

impl Extensions {
    /// What a leaf for TLS has: these purposes, and the key usages that its kind of key has for them.
    pub fn leaf(usages: &[Usage], sans: &[SubjectAltName], public_key: &PublicKey) -> Self {
        // RFC 8813 section 3 forbids keyEncipherment for ECDSA; RSA key exchange of TLS 1.2 needs it, but of the
        // server only: RFC 5280 section 4.2.1.12 knows no use for it in a client, and zlint reports it there.
        let rsa = public_key.algorithm().is_some_and(KeyAlgorithm::is_rsa);
        let key_usage = if rsa && usages.contains(&Usage::Server) {
            KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT)
        } else {
            KeyUsage::DIGITAL_SIGNATURE
        };
        Self {
            authority: None,
            key_usage,
            extended_key_usages: usages
                .iter()
                .copied()
                .map(ExtendedKeyUsage::Known)
                .collect(),
            sans: sans.to_vec(),
            certificate_template: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use time::OffsetDateTime;

    use super::super::{
        Authority, CaOptions, DistinguishedName, DnsName, IssueError, Lifetime, PrivateKey,
        SigningRequest, lint,
    };
    use super::*;

    /// Every bit and purpose there is, as asked for in a request.
    fn everything() -> Extensions {
        let oids = [
            "2.5.29.37.0",
            "1.3.6.1.4.1.311.10.3.3",
            "2.16.840.1.113730.4.1",
            "1.2.3.4",
        ];
        let other = oids.map(|oid| ExtendedKeyUsage::from_oid(oid).unwrap());
        let known = [Usage::Server, Usage::Client].map(ExtendedKeyUsage::Known);
        Extensions {
            authority: None,
            key_usage: KeyUsage::from_bits(0x1ff),
            extended_key_usages: known.into_iter().chain(other).collect(),
            sans: vec![
                SubjectAltName::Dns(DnsName::with_underscores("my_service").unwrap()),
                SubjectAltName::Email("ann@a.example".into()),
            ],
            certificate_template: Some("WebServer".into()),
        }
    }

    fn key() -> PrivateKey {
        PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap()
    }

    #[test]
    fn a_request_asks_for_every_usage_and_is_read_back() {
        let wanted = everything();
        let subject = DistinguishedName::new("a", &[] as &[&str]);
        let made = SigningRequest::generate_with(&subject, &wanted, &key()).unwrap();
        let read = SigningRequest::from_pem(made.pem().as_bytes()).unwrap();
        read.verify_signature().unwrap();
        assert_eq!(read.key_usage, Some(wanted.key_usage));
        assert_eq!(read.certificate_template.as_deref(), Some("WebServer"));
        let sorted = |mut usages: Vec<ExtendedKeyUsage>| {
            usages.sort();
            usages
        };
        assert_eq!(
            sorted(read.extended_key_usages),
            sorted(wanted.extended_key_usages)
        );
        // An underscore is no host name by RFC 1123, and is told apart.
        assert_eq!(read.odd_sans, ["DNS:my_service"]);
        assert_eq!(read.sans, [SubjectAltName::Email("ann@a.example".into())]);
        assert!(!read.is_ca);
    }

    #[test]
    fn a_request_for_a_ca_says_so() {
        let subject = DistinguishedName::new("a", &[] as &[&str]);
        for path_length in [None, Some(0), Some(7)] {
            let wanted = Extensions {
                authority: Some(path_length),
                key_usage: KeyUsage::KEY_CERT_SIGN,
                ..Extensions::default()
            };
            let made = SigningRequest::generate_with(&subject, &wanted, &key()).unwrap();
            assert!(made.is_ca);
            assert_eq!(made.path_length, path_length.map(u32::from));
        }
    }

    #[test]
    fn an_authority_issues_a_ca_below_it() {
        let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
        let options = CaOptions {
            path_length: None,
            ..CaOptions::default()
        };
        let (root, _) = Authority::generate("root", &options, now, &rng).unwrap();
        let subject = DistinguishedName::new("below", &[] as &[&str]);
        let wanted = Extensions {
            authority: Some(Some(0)),
            key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
            ..Extensions::default()
        };
        let key = key();
        let prepared = root
            .prepare_with(
                &subject,
                &wanted,
                Lifetime::years(1),
                key.public_key(),
                now,
                &rng,
            )
            .unwrap();
        let below = prepared.lint(&[lint::RULES]).unwrap().issue().unwrap();
        assert!(below.is_ca);
        assert_eq!(below.path_length, Some(0));
        assert_eq!(below.issuer.der(), root.certificate().subject.der());
    }

    /// What breaks a rule is refused, unless its rule was made a warning.
    #[test]
    fn what_no_rule_wants_is_issued_only_as_a_warning() {
        let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
        let (ca, _) = Authority::generate("ca", &CaOptions::default(), now, &rng).unwrap();
        let subject = DistinguishedName::new("a", &[] as &[&str]);
        let key = key();
        let prepare = || {
            ca.prepare_with(
                &subject,
                &everything(),
                Lifetime::years(1),
                key.public_key(),
                now,
                &rng,
            )
            .unwrap()
        };
        let Err(IssueError::Lint(findings)) = prepare().lint(&[lint::RULES]) else {
            panic!("keyCertSign in a leaf breaks a rule");
        };
        let rules: Vec<_> = lint::RULES.iter().map(|rule| rule.as_warning()).collect();
        let linted = prepare().lint(&[&rules]).unwrap();
        for finding in findings {
            assert!(
                linted
                    .warnings
                    .iter()
                    .any(|warning| warning.rule == finding.rule)
            );
        }
        let issued = linted.issue().unwrap();
        assert_eq!(issued.key_usage, Some(KeyUsage::from_bits(0x1ff)));
        assert_eq!(issued.extended_key_usages.len(), 6);
    }
}
