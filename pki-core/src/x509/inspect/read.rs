//! From the bytes of a file to the objects in it.

use der::{Decode, Reader, SliceReader};
use zeroize::Zeroizing;

use super::{Encoding, PrivateKeyForm};
use crate::x509::{
    Certificate, PemBlock, PemError, PrivateKey, PrivateKeyError, PublicKey, SigningRequest, asn1,
    parse_pem,
};

/// Why a file cannot be inspected. None of these quote any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It has the beginnings of PEM blocks, but one is damaged.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// An object in it is damaged.
    #[error("object {number} ({label}): {reason}")]
    Object {
        /// Which one, counted from 1.
        number: usize,
        /// Its PEM label.
        label: String,
        /// What is wrong with it.
        reason: String,
    },
    /// DER that is shorter than it says.
    #[error("the file ends after {has} of {needs} bytes")]
    Truncated {
        /// Its length.
        has: usize,
        /// The length that its beginning announces.
        needs: usize,
    },
    /// No certificate, signing request or key, neither in PEM nor in DER.
    #[error("neither PEM nor DER of a certificate, a signing request or a key")]
    Unrecognised,
}

/// An object, ready to be told of.
pub(super) enum Object {
    Certificate(Box<Certificate>),
    SigningRequest(Box<SigningRequest>),
    /// Only the public half goes on from here.
    PrivateKey {
        form: PrivateKeyForm,
        outcome: Result<PublicKey, PrivateKeyError>,
    },
    PublicKey(PublicKey),
    Other {
        bytes: usize,
    },
}

/// The objects of a file with their PEM labels.
type Labelled = Vec<(Option<String>, Object)>;

pub(super) fn objects(bytes: &[u8]) -> Result<(Encoding, Labelled), InspectError> {
    if bytes.is_empty() {
        return Err(InspectError::Empty);
    }
    match parse_pem(bytes) {
        Ok(blocks) => {
            let objects = (1..).zip(blocks).map(|(number, block)| {
                let label = block.label.clone();
                of_block(number, block).map(|object| (Some(label), object))
            });
            Ok((Encoding::Pem, objects.collect::<Result<_, _>>()?))
        }
        Err(PemError::Empty) => Ok((Encoding::Der, vec![(None, of_der(bytes)?)])),
        Err(damaged) => Err(damaged.into()),
    }
}

fn of_block(number: usize, block: PemBlock) -> Result<Object, InspectError> {
    let PemBlock {
        label,
        der,
        encrypted,
    } = block;
    let shortfall = shortfall(&der);
    let damaged = |reason: &dyn std::fmt::Display| InspectError::Object {
        number,
        label: label.clone(),
        // Cut short is what a person can mend, so it comes before what a parser makes of it.
        reason: match shortfall {
            Some((has, needs)) => format!("it ends after {has} of {needs} bytes"),
            None => reason.to_string(),
        },
    };
    if label == "CERTIFICATE" {
        return match Certificate::from_der(&der) {
            Ok(certificate) => Ok(Object::Certificate(Box::new(certificate))),
            Err(error) => Err(damaged(&error)),
        };
    }
    if SigningRequest::is_label(&label) {
        return match SigningRequest::from_der(&der) {
            Ok(request) => Ok(Object::SigningRequest(Box::new(request))),
            Err(error) => Err(damaged(&error)),
        };
    }
    if label == "PUBLIC KEY" {
        return match PublicKey::from_der(&der) {
            Ok(key) => Ok(Object::PublicKey(key)),
            Err(error) => Err(damaged(&error)),
        };
    }
    if label.ends_with("PRIVATE KEY") {
        let outcome = if encrypted {
            Err(PrivateKeyError::Encrypted)
        } else {
            PrivateKey::from_block(&label, der)
        };
        return match outcome.map(|key| key.public_key().clone()) {
            Err(error @ PrivateKeyError::Damaged(_)) => Err(damaged(&error)),
            outcome => Ok(Object::PrivateKey {
                form: PrivateKeyForm::of_label(&label),
                outcome,
            }),
        };
    }
    Ok(Object::Other { bytes: der.len() })
}

/// Tries one kind after the other: their structures are so different that at most one fits.
fn of_der(bytes: &[u8]) -> Result<Object, InspectError> {
    if let Some((has, needs)) = shortfall(bytes) {
        return Err(InspectError::Truncated { has, needs });
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        return Ok(Object::Certificate(Box::new(certificate)));
    }
    if let Ok(request) = SigningRequest::from_der(bytes) {
        return Ok(Object::SigningRequest(Box::new(request)));
    }
    if let Ok(key) = PublicKey::from_der(bytes) {
        return Ok(Object::PublicKey(key));
    }
    if let Some(label) = private_key_label(bytes) {
        let outcome = PrivateKey::from_block(label, Zeroizing::new(bytes.to_vec()));
        let outcome = outcome.map(|key| key.public_key().clone());
        if !matches!(outcome, Err(PrivateKeyError::Damaged(_))) {
            let form = PrivateKeyForm::of_label(label);
            return Ok(Object::PrivateKey { form, outcome });
        }
    }
    Err(InspectError::Unrecognised)
}

/// The label that a private key of this structure would have in PEM, told by the tags of its elements.
fn private_key_label(der: &[u8]) -> Option<&'static str> {
    let elements = asn1::elements(der).ok()?;
    let tags: Vec<_> = elements.iter().map(|element| element[0]).collect();
    const INTEGER: u8 = 2;
    const OCTETS: u8 = 4;
    const SEQUENCE: u8 = 0x30;
    match tags[..] {
        [INTEGER, SEQUENCE, OCTETS, ..] => Some("PRIVATE KEY"),
        [INTEGER, OCTETS, ..] => Some("EC PRIVATE KEY"),
        [INTEGER, INTEGER, ..] => Some("RSA PRIVATE KEY"),
        [SEQUENCE, OCTETS] => Some("ENCRYPTED PRIVATE KEY"),
        _ => None,
    }
}

/// How long a SEQUENCE is and how long it says to be, where it is shorter than that.
fn shortfall(der: &[u8]) -> Option<(usize, usize)> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = der::Header::decode(&mut reader).ok()?;
    header.tag().assert_eq(der::Tag::Sequence).ok()?;
    let start = usize::try_from(reader.position()).ok()?;
    let needs = start.saturating_add(usize::try_from(header.length()).ok()?);
    (needs > der.len()).then_some((der.len(), needs))
}
