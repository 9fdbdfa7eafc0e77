//! Certificate signing requests: PKCS#10 (RFC 2986).

use std::collections::HashSet;
use std::fmt;

use der::{
    Decode, Tag,
    asn1::{AnyRef, BmpString},
};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;

use super::certificate::{extended_key_usages, sort_names};
use super::layout::{self, LayoutError};
use super::{
    CERTIFICATE_TEMPLATE, DistinguishedName, ExtendedKeyUsage, Extensions, KeyUsage, LocalSigner,
    PrivateKey, PublicKey, SignError, Signer, SubjectAltName, Usage, asn1, parse_pem, signature,
    to_pem,
};

/// A wish for a certificate: its bytes, and what they ask for. Reading one proves only that it can be
/// read: [`Self::verify_signature`] proves that the asker holds the key, and nothing proves that the
/// asker deserves what it asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningRequest {
    der: Vec<u8>,
    /// Whom it is for, byte for byte as asked.
    pub subject: DistinguishedName,
    /// The key to certify: its kind is what it is, whatever the signature algorithm says.
    pub public_key: PublicKey,
    /// subjectAltName: the entries that are a name this library writes.
    pub sans: Vec<SubjectAltName>,
    /// subjectAltName: entries of other kinds, or that are no valid name, as text.
    pub odd_sans: Vec<String>,
    /// keyUsage, `None` where it asks for none.
    pub key_usage: Option<KeyUsage>,
    /// extendedKeyUsage in the order it has; empty where it asks for none.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// Whether it asks to become a CA.
    pub is_ca: bool,
    /// How many CAs may stand below it, where it asks to become a CA and for a limit.
    pub path_length: Option<u32>,
    /// The certificate template of Microsoft AD CS that it asks for; its extension is among the others too.
    pub certificate_template: Option<String>,
    /// Extensions that it asks for besides these, as object identifiers in dotted numbers.
    pub other_extensions: Vec<String>,
    /// Those of [`Self::other_extensions`] that are marked critical: whoever does not know them must
    /// not go on (RFC 5280 section 4.2).
    pub critical_extensions: Vec<String>,
    /// The signature algorithm as its object identifier in dotted numbers.
    pub signature_algorithm: String,
}

/// Why bytes are no [`SigningRequest`], or why none was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningRequestError {
    /// Not PEM at all, or damaged.
    #[error(transparent)]
    Pem(#[from] super::PemError),
    /// PEM, but none of its blocks is a signing request.
    #[error("a PEM text without a signing request")]
    NoRequest,
    /// Two requests or more where one is meant.
    #[error("{0} signing requests in one text")]
    Several(usize),
    /// Not the structure of RFC 2986.
    #[error("a damaged signing request: {0}")]
    Damaged(String),
    /// Something is asked for twice, so that two readers could see two different wishes.
    #[error("a signing request that asks for {0} twice")]
    Repeated(String),
    /// The signature is not that of the key in it, or of a kind that ring does not verify.
    #[error("the signing request of {subject} is not signed by its own key")]
    SignatureInvalid {
        /// The request's subject.
        subject: DistinguishedName,
    },
    /// A name does not fit into a request.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The labels of a PEM block with a request: that of RFC 7468 section 7, and the older one it mentions.
const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

impl SigningRequest {
    /// Asks for a certificate over `key` for `subject`, with these alternative names and extended key
    /// usages and the keyUsage that a leaf with such a key has.
    ///
    /// # Errors
    /// When a name does not fit into a request.
    pub fn generate(
        subject: &DistinguishedName,
        sans: &[SubjectAltName],
        usages: &[Usage],
        key: &PrivateKey,
    ) -> Result<Self, SigningRequestError> {
        let extensions = Extensions::leaf(usages, sans, key.public_key());
        Self::generate_with(subject, &extensions, key)
    }

    /// Asks for a certificate over `key` for `subject` with extensions chosen one by one.
    ///
    /// # Errors
    /// When a name does not fit into a request.
    pub fn generate_with(
        subject: &DistinguishedName,
        extensions: &Extensions,
        key: &PrivateKey,
    ) -> Result<Self, SigningRequestError> {
        let laid_out = layout::request(subject, extensions, key.public_key())?;
        let signature = LocalSigner::new(key)?.sign(&laid_out.to_be_signed)?;
        Self::from_der(&laid_out.assemble(&signature))
    }

    /// Reads one request.
    ///
    /// # Errors
    /// When `der` is not one whole request, or asks for something twice.
    pub fn from_der(der: &[u8]) -> Result<Self, SigningRequestError> {
        let (rest, parsed) = X509CertificationRequest::from_der(der).map_err(damaged)?;
        if !rest.is_empty() {
            return Err(SigningRequestError::Damaged(format!(
                "{} bytes after its end",
                rest.len()
            )));
        }
        let info = &parsed.certification_request_info;
        if info.version.0 != 0 {
            return Err(SigningRequestError::Damaged(format!(
                "version {}",
                info.version
            )));
        }
        let mut request = Self {
            der: der.to_vec(),
            subject: DistinguishedName::from_der(info.subject.as_raw()).map_err(damaged)?,
            public_key: PublicKey::from_der(info.subject_pki.raw).map_err(damaged)?,
            sans: Vec::new(),
            odd_sans: Vec::new(),
            key_usage: None,
            extended_key_usages: Vec::new(),
            is_ca: false,
            path_length: None,
            certificate_template: None,
            other_extensions: Vec::new(),
            critical_extensions: Vec::new(),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
        };
        let mut seen = HashSet::new();
        for attribute in info.iter_attributes() {
            let ParsedCriAttribute::ExtensionRequest(wishes) = attribute.parsed_attribute() else {
                continue;
            };
            // SET OF one Extensions (RFC 2985 section 5.4.2, single-valued).
            let set = AnyRef::from_der(attribute.value).map_err(damaged)?;
            let values = asn1::inner(set.value()).map_err(damaged)?.len();
            if values != 1 || !seen.insert(attribute.oid.to_id_string()) {
                return Err(SigningRequestError::Repeated("its extensions".into()));
            }
            for extension in &wishes.extensions {
                let oid = extension.oid.to_id_string();
                if !seen.insert(oid.clone()) {
                    return Err(SigningRequestError::Repeated(format!("extension {oid}")));
                }
                request.read_extension(extension)?;
            }
        }
        Ok(request)
    }

    /// Reads the one request in a PEM text, under its present or its older label; other kinds of
    /// block are passed over.
    ///
    /// # Errors
    /// When there is not exactly one, or it cannot be read.
    pub fn from_pem(text: &[u8]) -> Result<Self, SigningRequestError> {
        let blocks: Vec<_> = parse_pem(text)?
            .into_iter()
            .filter(|block| LABELS.contains(&block.label.as_str()))
            .collect();
        match &blocks[..] {
            [] => Err(SigningRequestError::NoRequest),
            [block] => Self::from_der(&block.der),
            several => Err(SigningRequestError::Several(several.len())),
        }
    }

    /// Whether a PEM block of this label holds a request.
    pub(super) fn is_label(label: &str) -> bool {
        LABELS.contains(&label)
    }

    /// Proves that whoever made the request holds the key in it.
    ///
    /// # Errors
    /// When the signature is another key's or of a kind that ring does not verify.
    pub fn verify_signature(&self) -> Result<(), SigningRequestError> {
        if signature::is_signed_by(&self.der, &self.public_key) {
            Ok(())
        } else {
            Err(SigningRequestError::SignatureInvalid {
                subject: self.subject.clone(),
            })
        }
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// As a PEM block.
    pub fn pem(&self) -> String {
        std::mem::take(&mut *to_pem(LABELS[0], &self.der))
    }

    /// Whether it asks for `usage` in TLS.
    pub fn asks_for(&self, usage: Usage) -> bool {
        self.extended_key_usages
            .contains(&ExtendedKeyUsage::Known(usage))
    }

    fn read_extension(&mut self, extension: &X509Extension<'_>) -> Result<(), SigningRequestError> {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                self.is_ca = basic.ca;
                self.path_length = basic.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsage::from_bits(usage.flags));
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usages = extended_key_usages(usage);
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                sort_names(names, &mut self.sans, &mut self.odd_sans);
            }
            ParsedExtension::ParseError { error } => return Err(damaged(error)),
            _ => {
                let oid = extension.oid.to_id_string();
                if extension.critical {
                    self.critical_extensions.push(oid.clone());
                }
                if oid == CERTIFICATE_TEMPLATE {
                    self.certificate_template = Some(text(extension.value).map_err(damaged)?);
                }
                self.other_extensions.push(oid);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SigningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningRequest({} {:?})", self.subject, self.public_key)
    }
}

/// A string of any of the types in use for template names.
fn text(der: &[u8]) -> der::Result<String> {
    let any = AnyRef::from_der(der)?;
    match any.header().tag() {
        Tag::BmpString => any.decode_as::<BmpString>().map(|text| text.to_string()),
        tag @ (Tag::PrintableString | Tag::Utf8String | Tag::Ia5String) => {
            let text = std::str::from_utf8(any.value());
            text.map(str::to_owned)
                .map_err(|_| tag.value_error().into())
        }
        tag => Err(tag.unexpected_error(None).into()),
    }
}

fn damaged(error: impl fmt::Display) -> SigningRequestError {
    SigningRequestError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::testing::fixture;
    use super::super::{DnsName, KeyAlgorithm};
    use super::*;
    use ring::rand::SystemRandom;

    fn names() -> [SubjectAltName; 2] {
        [
            SubjectAltName::Dns(DnsName::new("n1").unwrap()),
            SubjectAltName::Ip([10, 0, 0, 1].into()),
        ]
    }

    #[test]
    fn reads_back_what_it_asks_for_with_every_kind_of_key() {
        let subject = DistinguishedName::new("alice", &["dev", "ops"]);
        for algorithm in KeyAlgorithm::ALL {
            let key = PrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
            let made =
                SigningRequest::generate(&subject, &names(), &[Usage::Client], &key).unwrap();
            let read = SigningRequest::from_pem(made.pem().as_bytes()).unwrap();
            assert_eq!(read, made);
            assert_eq!(read.verify_signature(), Ok(()), "{algorithm}");
            assert_eq!(read.subject.der(), subject.der());
            assert_eq!(read.public_key, *key.public_key());
            assert_eq!(read.sans, names());
            assert!(read.asks_for(Usage::Client) && !read.asks_for(Usage::Server) && !read.is_ca);
            assert_eq!(read.key_usage, Some(KeyUsage::DIGITAL_SIGNATURE));
        }
    }

    #[test]
    fn asks_for_nothing_but_a_name_where_nothing_else_is_wanted() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
        let made = SigningRequest::generate(&DistinguishedName::empty(), &[], &[], &key).unwrap();
        assert_eq!(made.verify_signature(), Ok(()));
        assert!(made.subject.is_empty() && made.sans.is_empty());
    }

    #[test]
    fn another_signature_is_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
        let subject = DistinguishedName::new("a", &["b"]);
        let made = SigningRequest::generate(&subject, &[], &[Usage::Client], &key).unwrap();
        // One letter of the subject is changed after signing.
        let mut der = made.der().to_vec();
        let place = der.windows(3).position(|w| w == [12, 1, b'b']).unwrap();
        der[place + 2] = b'c';
        let changed = SigningRequest::from_der(&der).unwrap();
        assert_eq!(changed.subject.to_string(), "O=c, CN=a");
        assert_eq!(
            changed.verify_signature().unwrap_err().to_string(),
            "the signing request of O=c, CN=a is not signed by its own key"
        );
    }

    #[test]
    fn requests_of_openssl_are_read_under_both_labels() {
        let node = SigningRequest::from_pem(fixture!("request.csr")).unwrap();
        assert_eq!(
            node.subject.to_string(),
            "O=system:nodes, CN=system:node:n1"
        );
        assert_eq!(node.sans.len(), 3);
        assert!(node.asks_for(Usage::Server));
        let old = SigningRequest::from_pem(fixture!("request-new.csr")).unwrap();
        assert_eq!(old.public_key.algorithm(), Some(KeyAlgorithm::Ed25519));
        let rsa = SigningRequest::from_der(fixture!("request-rsa.der")).unwrap();
        assert_eq!(rsa.public_key.algorithm(), Some(KeyAlgorithm::Rsa2048));
        assert!(rsa.is_ca);
        for request in [node, old, rsa] {
            assert_eq!(request.verify_signature(), Ok(()));
        }
    }

    #[test]
    fn what_is_no_single_request_is_told_apart() {
        let pem = fixture!("request.csr");
        let error = |text: &[u8]| SigningRequest::from_pem(text).unwrap_err();
        assert_eq!(error(fixture!("leaf.crt")), SigningRequestError::NoRequest);
        assert_eq!(error(&[pem, pem].concat()), SigningRequestError::Several(2));
        let whole = SigningRequest::from_pem(pem).unwrap();
        let longer = [whole.der(), &[0]].concat();
        assert!(SigningRequest::from_der(&longer).is_err());
        assert!(SigningRequest::from_der(&whole.der()[..100]).is_err());
        assert!(SigningRequest::from_der(fixture!("leaf.der")).is_err());
    }

    /// Two readers that each take another of two wishes would see two different requests.
    #[test]
    fn nothing_is_asked_for_twice() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
        let subject = DistinguishedName::new("a", &[] as &[&str]);
        let made = SigningRequest::generate(&subject, &names(), &[], &key).unwrap();
        let parts = asn1::elements(made.der()).unwrap();
        let mut info = asn1::elements(parts[0]).unwrap();
        // attributes [0]: the one attribute a second time.
        let attribute = AnyRef::from_der(info[3]).unwrap().value();
        let tag = AnyRef::from_der(info[3]).unwrap().header().tag();
        let twice = asn1::tagged(tag, &[attribute, attribute].concat());
        info[3] = &twice;
        let info = asn1::sequence(&info);
        let der = asn1::sequence(&[&info, parts[1], parts[2]]);
        assert_eq!(
            SigningRequest::from_der(&der),
            Err(SigningRequestError::Repeated("its extensions".into()))
        );
    }

    /// States the limit of rcgen 0.14 that `layout::request` is there for.
    #[test]
    fn rcgen_still_loses_names_of_requests() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &SystemRandom::new()).unwrap();
        let subject = DistinguishedName::new("alice", &["dev", "ops"]);
        let made = SigningRequest::generate(&subject, &[], &[], &key).unwrap();
        let der = rustls_pki_types::CertificateSigningRequestDer::from(made.der());
        let read = rcgen::CertificateSigningRequestParams::from_der(&der).unwrap();
        let kept = read.params.distinguished_name.iter().count();
        assert_eq!(kept, 2, "rcgen keeps one O= of two");
    }
}
