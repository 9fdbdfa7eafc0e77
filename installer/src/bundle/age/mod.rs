//! age's file format under a passphrase (C2SP, `age-encryption.org/v1`), so that the program age opens what we encrypt.
//!
//! The cryptography is ring's and scrypt's; here is only how they are put together. The crate age would bring a hundred more
//! crates, forty of them in a second version.

mod header;
mod payload;

pub use header::{Header, HeaderError, MAGIC};
pub use payload::{Reader, Writer};

use zeroize::Zeroizing;

/// What the payload's key is derived from. Made anew for each file.
pub struct FileKey(Zeroizing<[u8; 16]>);

/// HKDF-SHA-256 of a file key, 32 bytes.
fn derive(key: &FileKey, salt: &[u8], label: &[u8]) -> Zeroizing<[u8; 32]> {
    use ring::hkdf::{HKDF_SHA256, Salt};

    let pseudorandom = Salt::new(HKDF_SHA256, salt).extract(key.0.as_slice());
    let mut derived = Zeroizing::new([0; 32]);
    let info = [label];
    let expanded = pseudorandom.expand(&info, HKDF_SHA256);
    expanded
        .and_then(|material| material.fill(derived.as_mut_slice()))
        .expect("32 bytes are what SHA-256 gives at once");
    derived
}

#[cfg(test)]
mod tests;
