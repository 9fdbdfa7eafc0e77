//! Signatures, proven one at a time.

use der::{
    Decode,
    asn1::{AnyRef, BitStringRef},
};
use webpki::ALL_VERIFICATION_ALGS;

use super::{PublicKey, asn1};

/// Whether `signed` carries a signature that `key` made. Certificates (RFC 5280 section 4.1), CRLs (section 5.1)
/// and signing requests (RFC 2986 section 4.2) share one shape: `SEQUENCE { what is signed,
/// AlgorithmIdentifier, BIT STRING }`. False too for an algorithm that ring does not verify, such as
/// any with SHA-1.
pub(super) fn is_signed_by(signed: &[u8], key: &PublicKey) -> bool {
    proof(signed, key).is_some()
}

fn proof(signed: &[u8], key: &PublicKey) -> Option<()> {
    let parts = asn1::elements(signed).ok()?;
    let [message, algorithm, bits] = parts[..] else {
        return None;
    };
    let algorithm = AnyRef::from_der(algorithm).ok()?;
    let signature = BitStringRef::from_der(bits).ok()?.as_bytes()?;
    let key_parts = asn1::elements(key.der()).ok()?;
    let key_algorithm = AnyRef::from_der(key_parts.first()?).ok()?;
    ALL_VERIFICATION_ALGS
        .iter()
        .filter(|known| known.signature_alg_id().as_ref() == algorithm.value())
        .filter(|known| known.public_key_alg_id().as_ref() == key_algorithm.value())
        .find_map(|known| {
            known
                .verify_signature(key.key_bytes(), message, signature)
                .ok()
        })
}
