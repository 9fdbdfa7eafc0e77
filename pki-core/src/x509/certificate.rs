//! Certificates, read.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use time::OffsetDateTime;
use x509_parser::certificate::{TbsCertificate, X509Certificate};
use x509_parser::extensions::{GeneralName, ParsedExtension, SubjectAlternativeName};
use x509_parser::prelude::FromDer;

use super::{
    DistinguishedName, DnsName, ExtendedKeyUsage, KeyUsage, NameConstraints, PublicKey,
    SerialNumber, Usage, Validity, parse_pem, to_pem,
};

/// A certificate: its bytes, and what they say. Reading one proves only that it can be read; see
/// [`TrustAnchors::verify`](super::TrustAnchors::verify) for signatures and [`lint`](super::lint) for rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    details: Details,
}

/// What the to-be-signed part of a certificate says, in owned values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The serial number.
    pub serial: SerialNumber,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// Whom it is for.
    pub subject: DistinguishedName,
    /// From when until when.
    pub validity: Validity,
    /// The key it certifies.
    pub public_key: PublicKey,
    /// basicConstraints: `cA`.
    pub is_ca: bool,
    /// basicConstraints: `pathLenConstraint`.
    pub path_length: Option<u32>,
    /// keyUsage, `None` where the extension is absent.
    pub key_usage: Option<KeyUsage>,
    /// extendedKeyUsage in the order it has; empty where the extension is absent.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// subjectAltName: the entries that are a name this library writes.
    pub sans: Vec<super::SubjectAltName>,
    /// subjectAltName: entries of other kinds, or that are no valid name, as text.
    pub odd_sans: Vec<String>,
    /// nameConstraints: permitted DNS names and addresses.
    pub name_constraints: Option<NameConstraints>,
    /// nameConstraints: excluded DNS names and addresses.
    pub excluded_names: NameConstraints,
    /// nameConstraints: permitted and excluded names of other kinds, or that are no valid name, as text.
    pub odd_name_constraints: Vec<String>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// authorityKeyIdentifier: its key identifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// The signature algorithm as its object identifier in dotted numbers.
    pub signature_algorithm: Cow<'static, str>,
}

/// Why bytes are no [`Certificate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM at all, or damaged.
    #[error(transparent)]
    Pem(#[from] super::PemError),
    /// PEM, but none of its blocks is a certificate.
    #[error("a PEM text without a certificate")]
    NoCertificate,
    /// Not the structure of RFC 5280.
    #[error("a damaged certificate: {0}")]
    Damaged(String),
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// When `der` is not one whole certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(damaged)?;
        if !rest.is_empty() {
            return Err(CertificateError::Damaged(format!(
                "{} bytes after its end",
                rest.len()
            )));
        }
        Ok(Self {
            details: Details::of(&parsed.tbs_certificate)?,
            der: der.to_vec(),
        })
    }

    /// Reads every certificate in a PEM text, in order; other kinds of block are passed over.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub fn from_pem_chain(text: &[u8]) -> Result<Vec<Self>, CertificateError> {
        let chain: Vec<_> = parse_pem(text)?
            .iter()
            .filter(|block| block.label == "CERTIFICATE")
            .map(|block| Self::from_der(&block.der))
            .collect::<Result<_, _>>()?;
        if chain.is_empty() {
            Err(CertificateError::NoCertificate)
        } else {
            Ok(chain)
        }
    }

    /// Joins bytes that were just assembled with what they are known to say.
    pub(super) fn assembled(der: Vec<u8>, details: Details) -> Self {
        Self { der, details }
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// As a PEM block.
    pub fn pem(&self) -> String {
        std::mem::take(&mut *to_pem("CERTIFICATE", &self.der))
    }

    /// The SHA-256 digest of the whole certificate in hexadecimal.
    pub fn fingerprint(&self) -> String {
        super::hex(ring::digest::digest(&ring::digest::SHA256, &self.der).as_ref())
    }

    /// Whether subject and issuer are the same name, as in a root.
    pub fn is_self_issued(&self) -> bool {
        self.subject.der() == self.issuer.der()
    }
}

/// What it says is used as if it were the certificate itself: `certificate.subject`.
impl std::ops::Deref for Certificate {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.details
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} {})", self.subject, self.serial)
    }
}

/// What the one who lays out a certificate knows to be in it.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub names: [Option<&'a DistinguishedName>; 2],
    pub public_key: Option<&'a PublicKey>,
}

impl Details {
    pub(super) fn of(tbs: &TbsCertificate<'_>) -> Result<Self, CertificateError> {
        Self::with_known(tbs, &Known::default())
    }

    /// Reads what `tbs` says; names and the key that are byte for byte those in `known` are shared
    /// with it and not read again, which is a third of the work of reading.
    pub(super) fn with_known(
        tbs: &TbsCertificate<'_>,
        known: &Known<'_>,
    ) -> Result<Self, CertificateError> {
        let name = |raw: &[u8]| match known.names.iter().flatten().find(|name| name.der() == raw) {
            Some(name) => Ok((*name).clone()),
            None => DistinguishedName::from_der(raw).map_err(damaged),
        };
        let key = |raw: &[u8]| match known.public_key.filter(|key| key.der() == raw) {
            Some(key) => Ok(key.clone()),
            None => PublicKey::from_der(raw).map_err(damaged),
        };
        let time = |time: x509_parser::time::ASN1Time| -> OffsetDateTime { time.to_datetime() };
        let mut details = Self {
            serial: SerialNumber::from_bytes(tbs.raw_serial()),
            issuer: name(tbs.issuer.as_raw())?,
            subject: name(tbs.subject.as_raw())?,
            validity: Validity {
                not_before: time(tbs.validity.not_before),
                not_after: time(tbs.validity.not_after),
            },
            public_key: key(tbs.subject_pki.raw)?,
            is_ca: false,
            path_length: None,
            key_usage: None,
            extended_key_usages: Vec::new(),
            sans: Vec::new(),
            odd_sans: Vec::new(),
            name_constraints: None,
            excluded_names: NameConstraints::default(),
            odd_name_constraints: Vec::new(),
            subject_key_identifier: None,
            authority_key_identifier: None,
            signature_algorithm: signature_algorithm(tbs),
        };
        for extension in tbs.extensions() {
            details.read_extension(extension.parsed_extension())?;
        }
        Ok(details)
    }

    fn read_extension(&mut self, extension: &ParsedExtension<'_>) -> Result<(), CertificateError> {
        match extension {
            ParsedExtension::BasicConstraints(basic) => {
                self.is_ca = basic.ca;
                self.path_length = basic.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsage::from_bits(usage.flags))
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usages = extended_key_usages(usage);
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                sort_names(names, &mut self.sans, &mut self.odd_sans);
            }
            ParsedExtension::NameConstraints(constraints) => {
                let mut permitted = NameConstraints::default();
                let odd = &mut self.odd_name_constraints;
                for subtree in constraints.permitted_subtrees.iter().flatten() {
                    add_constraint(&mut permitted, odd, &subtree.base);
                }
                for subtree in constraints.excluded_subtrees.iter().flatten() {
                    add_constraint(&mut self.excluded_names, odd, &subtree.base);
                }
                self.name_constraints = Some(permitted);
            }
            ParsedExtension::SubjectKeyIdentifier(identifier) => {
                self.subject_key_identifier = Some(identifier.0.to_vec());
            }
            ParsedExtension::AuthorityKeyIdentifier(identifier) => {
                self.authority_key_identifier =
                    identifier.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::ParseError { error } => return Err(damaged(error)),
            _ => {}
        }
        Ok(())
    }

    /// Whether the certificate may be used for `usage` in TLS.
    pub fn allows(&self, usage: Usage) -> bool {
        self.extended_key_usages
            .contains(&ExtendedKeyUsage::Known(usage))
    }
}

/// The algorithms that this library signs with have constant names; a text for each certificate would
/// cost more than reading all its extensions.
fn signature_algorithm(tbs: &TbsCertificate<'_>) -> Cow<'static, str> {
    let oid = &tbs.signature.algorithm;
    match oid.as_bytes() {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => "1.2.840.10045.4.3.2".into(),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => "1.2.840.10045.4.3.3".into(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b] => "1.2.840.113549.1.1.11".into(),
        [0x2b, 0x65, 0x70] => "1.3.101.112".into(),
        _ => oid.to_id_string().into(),
    }
}

fn damaged(error: impl fmt::Display) -> CertificateError {
    CertificateError::Damaged(error.to_string())
}

/// The purposes of an extendedKeyUsage extension.
pub(super) fn extended_key_usages(
    usage: &x509_parser::extensions::ExtendedKeyUsage<'_>,
) -> Vec<ExtendedKeyUsage> {
    let other = |oid: &str| ExtendedKeyUsage::Other(oid.to_owned());
    let known = [
        (usage.server_auth, ExtendedKeyUsage::Known(Usage::Server)),
        (usage.client_auth, ExtendedKeyUsage::Known(Usage::Client)),
        (usage.any, other("2.5.29.37.0")),
        (usage.code_signing, other("1.3.6.1.5.5.7.3.3")),
        (usage.email_protection, other("1.3.6.1.5.5.7.3.4")),
        (usage.time_stamping, other("1.3.6.1.5.5.7.3.8")),
        (usage.ocsp_signing, other("1.3.6.1.5.5.7.3.9")),
    ];
    let known = known
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, usage)| usage);
    let others = usage.other.iter().map(|oid| other(&oid.to_id_string()));
    known.chain(others).collect()
}

/// Appends the names that this library writes to `sans`, and all others, as text, to `odd`.
pub(super) fn sort_names(
    names: &SubjectAlternativeName<'_>,
    sans: &mut Vec<super::SubjectAltName>,
    odd: &mut Vec<String>,
) {
    for general in &names.general_names {
        match alternative_name(general) {
            Ok(san) => sans.push(san),
            Err(text) => odd.push(text),
        }
    }
}

pub(super) fn alternative_name(general: &GeneralName<'_>) -> Result<super::SubjectAltName, String> {
    use super::SubjectAltName as San;
    match general {
        GeneralName::DNSName(text) => DnsName::new(*text)
            .map(San::Dns)
            .map_err(|_| format!("DNS:{text}")),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Ok(San::Ip(IpAddr::from(
                <[u8; 4]>::try_from(*bytes).unwrap_or_default(),
            ))),
            16 => Ok(San::Ip(IpAddr::from(
                <[u8; 16]>::try_from(*bytes).unwrap_or_default(),
            ))),
            _ => Err(format!("IP:{}", super::hex(bytes))),
        },
        GeneralName::RFC822Name(text) => Ok(San::Email((*text).to_owned())),
        GeneralName::URI(text) => Ok(San::Uri((*text).to_owned())),
        other => Err(other.to_string()),
    }
}

/// Adds a name constraint to those of its kind, or its text to the odd ones.
fn add_constraint(known: &mut NameConstraints, odd: &mut Vec<String>, base: &GeneralName<'_>) {
    match base {
        GeneralName::DNSName(text) => match DnsName::new(text.to_ascii_lowercase()) {
            Ok(name) => known.dns.push(name),
            Err(_) => odd.push(format!("DNS:{text}")),
        },
        GeneralName::IPAddress(bytes) => match address_range(bytes) {
            Some(range) => known.addresses.push(range),
            None => odd.push(format!("IP:{}", super::hex(bytes))),
        },
        other => odd.push(other.to_string()),
    }
}

/// An address and a mask, as a constraint has them; `None` for a mask with holes.
pub(super) fn address_range(bytes: &[u8]) -> Option<IpNet> {
    let address = |half: &[u8]| -> Option<IpAddr> {
        match half.len() {
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(half).ok()?)),
            16 => Some(IpAddr::from(<[u8; 16]>::try_from(half).ok()?)),
            _ => None,
        }
    };
    let (base, mask) = bytes.split_at(bytes.len() / 2);
    IpNet::with_netmask(address(base)?, address(mask)?).ok()
}
