//! The only module that knows rcgen, but for `interop`, which lends an authority to it: it lays out what is to be signed.
//!
//! rcgen writes every extension well, but names go through a model that holds one value of each
//! attribute type, so two `O=` or `DC=corp, DC=example` would lose one silently; and a Kubernetes
//! group is an `O=`. So rcgen lays out the certificate with a stand-in for both names, and our own
//! bytes take their place before anything is linted or signed. `tests::rcgen_still_loses_names`
//! fails when rcgen no longer needs this.

pub(super) mod revocation;

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::LazyLock;

use der::asn1::ObjectIdentifier;
use ipnet::IpNet;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SigningKey,
};

use super::{
    CERTIFICATE_TEMPLATE, DistinguishedName, ExtendedKeyUsage, Extensions, KeyAlgorithm, KeyUsage,
    NameConstraints, PathLength, PublicKey, SerialNumber, SubjectAltName, Usage, Validity, asn1,
};

/// Everything that a certificate says, in our own values.
pub(super) struct Layout<'a> {
    pub serial: &'a SerialNumber,
    pub issuer: &'a DistinguishedName,
    pub subject: &'a DistinguishedName,
    pub validity: Validity,
    pub public_key: &'a PublicKey,
    /// The key that will sign: it decides the signature algorithm.
    pub signing_algorithm: KeyAlgorithm,
    /// Names the certified key in what it will sign.
    pub subject_key_identifier: &'a [u8],
    pub authority_key_identifier: &'a [u8],
    pub kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    Authority {
        path_length: Option<u8>,
        name_constraints: &'a NameConstraints,
    },
    /// A leaf, or a CA with whatever else it is to say.
    Other(&'a Extensions),
}

/// A text that rcgen will not put into a certificate: not ASCII where IA5String is demanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LayoutError(pub(super) String);

/// The to-be-signed certificate in DER.
pub(super) fn to_be_signed(layout: &Layout<'_>) -> Result<Vec<u8>, LayoutError> {
    let refused = |error: rcgen::Error| LayoutError(error.to_string());
    let subject_key = Key {
        algorithm: signature_algorithm(layout.public_key.algorithm())?,
        bytes: layout.public_key.key_bytes(),
    };
    let recorder = Recorder {
        key: Key {
            algorithm: signature_algorithm(Some(layout.signing_algorithm))?,
            bytes: &[],
        },
        message: RefCell::default(),
    };
    params(layout)?
        .signed_by(&subject_key, &Issuer::from_params(&ISSUER, &recorder))
        .map_err(refused)?;
    with_names(&recorder.message.take(), layout.issuer, layout.subject)
}

/// A signing request laid out but not signed.
pub(super) struct RequestLayout {
    /// The CertificationRequestInfo (RFC 2986 section 4.1).
    pub to_be_signed: Vec<u8>,
    /// The AlgorithmIdentifier of the signature.
    algorithm: Vec<u8>,
}

/// The to-be-signed part of a signing request.
pub(super) fn request(
    subject: &DistinguishedName,
    extensions: &Extensions,
    public_key: &PublicKey,
) -> Result<RequestLayout, LayoutError> {
    let unreadable = |error: der::Error| LayoutError(error.to_string());
    let recorder = Recorder {
        key: Key {
            algorithm: signature_algorithm(public_key.algorithm())?,
            bytes: public_key.key_bytes(),
        },
        message: RefCell::default(),
    };
    let mut params = CertificateParams::default();
    stand_in_for(subject, &mut params);
    chosen(&mut params, extensions)?;
    if let Some(path_length) = extensions.authority {
        params.is_ca = ca(path_length);
    }
    let unsigned = params
        .serialize_request(&recorder)
        .map_err(|error| LayoutError(error.to_string()))?;
    let message = recorder.message.take();
    // `version, SUBJECT, subjectPKInfo, attributes`.
    let mut elements = asn1::elements(&message).map_err(unreadable)?;
    elements[1] = subject.der();
    Ok(RequestLayout {
        to_be_signed: asn1::sequence(&elements),
        algorithm: asn1::elements(unsigned.der()).map_err(unreadable)?[1].to_vec(),
    })
}

impl RequestLayout {
    /// `CertificationRequest ::= SEQUENCE { info, signatureAlgorithm, signature }`.
    pub(super) fn assemble(&self, signature: &[u8]) -> Vec<u8> {
        let bits = asn1::joined(der::Tag::BitString, &[&[0], signature]);
        asn1::sequence(&[&self.to_be_signed, &self.algorithm, &bits])
    }
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }`.
pub(super) fn assemble(to_be_signed: &[u8], signature: &[u8]) -> Result<Vec<u8>, LayoutError> {
    // The algorithm stands in the to-be-signed part too, third after version and serial, and must be the same.
    let elements = asn1::elements(to_be_signed).map_err(|error| LayoutError(error.to_string()))?;
    let bits = asn1::joined(der::Tag::BitString, &[&[0], signature]);
    Ok(asn1::sequence(&[to_be_signed, elements[2], &bits]))
}

fn params(layout: &Layout<'_>) -> Result<CertificateParams, LayoutError> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(rcgen::SerialNumber::from_slice(layout.serial.as_bytes()));
    params.not_before = layout.validity.not_before;
    params.not_after = layout.validity.not_after;
    let identifier = layout.authority_key_identifier;
    params.custom_extensions = vec![authority_key_identifier(identifier)];
    params.key_identifier_method =
        KeyIdMethod::PreSpecified(layout.subject_key_identifier.to_vec());
    stand_in_for(layout.subject, &mut params);
    match &layout.kind {
        Kind::Authority {
            path_length,
            name_constraints,
        } => {
            params.is_ca = ca(*path_length);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            if !name_constraints.is_empty() {
                params.name_constraints = Some(constraints(name_constraints));
            }
        }
        Kind::Other(extensions) => {
            chosen(&mut params, extensions)?;
            // An end-entity certificate says so: OpenSSL's strict mode and zlint read its absence as a doubt.
            params.is_ca = extensions.authority.map_or(IsCa::ExplicitNoCa, ca);
        }
    }
    Ok(params)
}

fn ca(path_length: PathLength) -> IsCa {
    IsCa::Ca(path_length.map_or(
        BasicConstraints::Unconstrained,
        BasicConstraints::Constrained,
    ))
}

/// rcgen marks alternative names critical when its subject is empty, as it should, so the stand-in has
/// to be empty exactly when ours is. By default it has one attribute.
fn stand_in_for(subject: &DistinguishedName, params: &mut CertificateParams) {
    if subject.is_empty() {
        params.distinguished_name = rcgen::DistinguishedName::new();
    }
}

/// What rcgen asks of an issuer is its name, in whose place ours is put, and its key identifier,
/// which we write ourselves: one issuer does for all.
static ISSUER: LazyLock<CertificateParams> = LazyLock::new(|| {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
});

/// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] ... }` (RFC 5280 section 4.2.1.1).
fn authority_key_identifier(identifier: &[u8]) -> CustomExtension {
    let tag = der::Tag::ContextSpecific {
        constructed: false,
        number: der::TagNumber(0),
    };
    let content = asn1::sequence(&[&asn1::tagged(tag, identifier)]);
    CustomExtension::from_oid_content(&[2, 5, 29, 35], content)
}

/// What a certificate and the request for one have in common.
fn chosen(params: &mut CertificateParams, extensions: &Extensions) -> Result<(), LayoutError> {
    params.key_usages = extensions.key_usage.bits().map(purpose).collect();
    params.extended_key_usages = extensions
        .extended_key_usages
        .iter()
        .map(extended_purpose)
        .collect::<Result<_, _>>()?;
    params.subject_alt_names = extensions
        .sans
        .iter()
        .map(alternative_name)
        .collect::<Result<_, _>>()?;
    if let Some(name) = &extensions.certificate_template {
        params.custom_extensions.push(certificate_template(name)?);
    }
    Ok(())
}

/// What rcgen calls a single bit.
fn purpose(bit: KeyUsage) -> KeyUsagePurpose {
    match bit {
        KeyUsage::DIGITAL_SIGNATURE => KeyUsagePurpose::DigitalSignature,
        KeyUsage::NON_REPUDIATION => KeyUsagePurpose::ContentCommitment,
        KeyUsage::KEY_ENCIPHERMENT => KeyUsagePurpose::KeyEncipherment,
        KeyUsage::DATA_ENCIPHERMENT => KeyUsagePurpose::DataEncipherment,
        KeyUsage::KEY_AGREEMENT => KeyUsagePurpose::KeyAgreement,
        KeyUsage::KEY_CERT_SIGN => KeyUsagePurpose::KeyCertSign,
        KeyUsage::CRL_SIGN => KeyUsagePurpose::CrlSign,
        KeyUsage::ENCIPHER_ONLY => KeyUsagePurpose::EncipherOnly,
        _ => KeyUsagePurpose::DecipherOnly,
    }
}

fn extended_purpose(usage: &ExtendedKeyUsage) -> Result<ExtendedKeyUsagePurpose, LayoutError> {
    Ok(match usage {
        ExtendedKeyUsage::Known(Usage::Server) => ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsage::Known(Usage::Client) => ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsage::Other(oid) => ExtendedKeyUsagePurpose::Other(arcs(oid)?),
    })
}

/// The numbers of an object identifier, which [`ExtendedKeyUsage::Other`] may hold unchecked.
fn arcs(oid: &str) -> Result<Vec<u64>, LayoutError> {
    let refused = || LayoutError(format!("{oid:?} is not an object identifier"));
    let oid = ObjectIdentifier::new(oid).map_err(|_| refused())?;
    Ok(oid.arcs().map(u64::from).collect())
}

/// As Go and OpenSSL write the name: PrintableString where it can be one, else UTF8String.
fn certificate_template(name: &str) -> Result<CustomExtension, LayoutError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if name.bytes().all(plain) {
        der::Tag::PrintableString
    } else {
        der::Tag::Utf8String
    };
    let content = asn1::tagged(tag, name.as_bytes());
    Ok(CustomExtension::from_oid_content(
        &arcs(CERTIFICATE_TEMPLATE)?,
        content,
    ))
}

fn alternative_name(san: &SubjectAltName) -> Result<SanType, LayoutError> {
    let ia5 = |text: &str| {
        rcgen::string::Ia5String::try_from(text).map_err(|error| LayoutError(error.to_string()))
    };
    Ok(match san {
        SubjectAltName::Dns(name) => SanType::DnsName(ia5(name.as_str())?),
        SubjectAltName::Ip(address) => SanType::IpAddress(*address),
        SubjectAltName::Email(text) => SanType::Rfc822Name(ia5(text)?),
        SubjectAltName::Uri(text) => SanType::URI(ia5(text)?),
    })
}

fn constraints(constraints: &NameConstraints) -> rcgen::NameConstraints {
    let dns = constraints
        .dns
        .iter()
        .map(|name| GeneralSubtree::DnsName(name.to_string()));
    let addresses = constraints
        .addresses
        .iter()
        .map(|range| GeneralSubtree::IpAddress(subnet(range)));
    rcgen::NameConstraints {
        permitted_subtrees: dns.chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    }
}

fn subnet(range: &IpNet) -> CidrSubnet {
    match (range.network(), range.netmask()) {
        (IpAddr::V4(base), IpAddr::V4(mask)) => CidrSubnet::V4(base.octets(), mask.octets()),
        (IpAddr::V6(base), IpAddr::V6(mask)) => CidrSubnet::V6(base.octets(), mask.octets()),
        _ => unreachable!("a range has one family"),
    }
}

/// Puts our names in the place of rcgen's: `version, serial, signature, ISSUER, validity, SUBJECT, ...`.
fn with_names(
    to_be_signed: &[u8],
    issuer: &DistinguishedName,
    subject: &DistinguishedName,
) -> Result<Vec<u8>, LayoutError> {
    let mut elements =
        asn1::elements(to_be_signed).map_err(|error| LayoutError(error.to_string()))?;
    elements[3] = issuer.der();
    elements[5] = subject.der();
    Ok(asn1::sequence(&elements))
}

pub(super) fn signature_algorithm(
    algorithm: Option<KeyAlgorithm>,
) -> Result<&'static rcgen::SignatureAlgorithm, LayoutError> {
    match algorithm {
        Some(KeyAlgorithm::EcdsaP256) => Ok(&rcgen::PKCS_ECDSA_P256_SHA256),
        Some(KeyAlgorithm::EcdsaP384) => Ok(&rcgen::PKCS_ECDSA_P384_SHA384),
        Some(KeyAlgorithm::Ed25519) => Ok(&rcgen::PKCS_ED25519),
        Some(_) => Ok(&rcgen::PKCS_RSA_SHA256),
        None => Err(LayoutError(
            "a public key of a kind that is not supported".into(),
        )),
    }
}

/// A public key as rcgen wants it.
pub(super) struct Key<'a> {
    pub(super) algorithm: &'static rcgen::SignatureAlgorithm,
    pub(super) bytes: &'a [u8],
}

impl PublicKeyData for Key<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.bytes
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

/// Stands where rcgen expects the CA's key, and keeps what it is given to sign.
pub(super) struct Recorder<'a> {
    pub(super) key: Key<'a>,
    pub(super) message: RefCell<Vec<u8>>,
}

impl PublicKeyData for Recorder<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.key.bytes
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.key.algorithm
    }
}

impl SigningKey for Recorder<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        *self.message.borrow_mut() = message.to_vec();
        Ok(Vec::new())
    }
}
