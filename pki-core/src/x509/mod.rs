//! Names, keys, certificates and authorities of a small private PKI. Knows nothing of Kubernetes.

mod asn1;
mod authority;
mod authority_file;
mod certificate;
mod dialed_name;
mod distinguished_name;
mod dns_name;
mod encrypted_key;
mod extensions;
mod handshake;
#[cfg(test)]
mod hostile_input;
pub mod inspect;
pub mod interop;
mod key_algorithm;
mod key_usage;
mod layout;
mod leaf_request;
mod lifetime;
pub mod lint;
mod name_constraints;
pub(crate) mod observer;
mod pem;
#[cfg(feature = "pkcs12")]
pub mod pkcs12;
mod preset;
mod private_key;
mod public_key;
mod revocation;
mod rsa_generation;
mod san;
mod serial;
mod signature;
mod signer;
mod signing_request;
mod subordinate;
#[cfg(test)]
mod testing;
mod tls;
mod usage;
mod validity;
mod verify;

pub use self::pem::{PemBlock, PemError, parse_pem, to_pem};
pub use authority::{
    Authority, AuthorityError, CaOptions, IssueError, Issued, Linted, Prepared,
    prepare_self_signed, renew_self_signed, self_signed,
};
pub use authority_file::AuthorityFile;
pub use certificate::{Certificate, CertificateError, Details};
pub use dialed_name::DialedName;
pub use distinguished_name::{Attribute, AttributeKind, DistinguishedName, DistinguishedNameError};
pub use dns_name::{DnsName, DnsNameError};
pub use encrypted_key::{EmptyPassphrase, Passphrase};
pub use extensions::{CERTIFICATE_TEMPLATE, Extensions, PathLength};
pub use handshake::{Agreed, HandshakeError, HandshakeFault, Side, TlsVersion, handshake};
pub use key_algorithm::{KeyAlgorithm, UnknownKeyAlgorithm};
pub use key_usage::{ExtendedKeyUsage, KeyUsage, NotAnObjectIdentifier};
pub use layout::LayoutError;
pub use leaf_request::LeafRequest;
pub use lifetime::{Lifetime, LifetimeError};
pub use name_constraints::NameConstraints;
pub use preset::{Preset, UnknownPreset};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use public_key::{PublicKey, PublicKeyError};
pub use revocation::{
    Revocation, RevocationList, RevocationListError, RevocationReason, UnknownReason,
};
pub use san::{SubjectAltName, SubjectAltNameError};
pub use serial::{SerialNumber, SerialNumberError};
pub use signer::{LocalSigner, SignError, Signer};
pub use signing_request::{SigningRequest, SigningRequestError};
pub use tls::{Identity, IdentityError};
pub use usage::Usage;
pub use validity::{BACKDATE, Validity};
pub use verify::{TrustAnchors, TrustAnchorsError, VerifyError, signature_valid};

/// The system has no randomness to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct RandomError;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
