//! The few DER moves that no crate offers as a call: cut a SEQUENCE into its elements, wrap bytes.

use der::{Encode, Header, Length, Reader, SliceReader, Tag, asn1::AnyRef};

/// The complete encodings (tag, length, value) of the elements inside the one SEQUENCE that `der` is.
pub(super) fn elements(der: &[u8]) -> der::Result<Vec<&[u8]>> {
    let outer = AnyRef::try_from(der)?;
    outer.header().tag().assert_eq(Tag::Sequence)?;
    inner(outer.value())
}

/// The complete encodings of the values that follow one another in `bytes`.
pub(super) fn inner(bytes: &[u8]) -> der::Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(bytes)?;
    let mut found = Vec::with_capacity(8);
    while !reader.is_finished() {
        found.push(reader.tlv_bytes()?);
    }
    Ok(found)
}

/// `parts`, each a complete encoding, as one SEQUENCE.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    joined(Tag::Sequence, parts)
}

/// `content` under `tag`.
pub(super) fn tagged(tag: Tag, content: &[u8]) -> Vec<u8> {
    joined(tag, &[content])
}

/// `parts` one after the other under `tag`, in one allocation: every certificate passes here several
/// times.
pub(super) fn joined(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    /// The longest header of what fits into a DER length here: one byte of tag, five of length.
    const HEADER: usize = 6;
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut encoded = Vec::with_capacity(HEADER + length);
    Length::try_from(length)
        .and_then(|length| Header::new(tag, length).encode_to_vec(&mut encoded))
        .expect("a certificate is far below the 256 MiB that a DER length can say here");
    for part in parts {
        encoded.extend_from_slice(part);
    }
    encoded
}
