//! SHA-256 in hexadecimal.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256};

/// SHA-256 of `bytes`, in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

/// SHA-256 of what comes piece by piece.
pub struct Digest(Context);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// One more piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// A whole field: no two different lists of fields have the same digest.
    pub fn field(&mut self, bytes: &[u8]) {
        self.update(&(bytes.len() as u64).to_be_bytes());
        self.update(bytes);
    }

    /// The digest, in hexadecimal.
    pub fn finish(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0.finish().as_ref() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(b"abc"), wanted);
    }

    #[test]
    fn fields_do_not_run_together() {
        let of = |fields: [&[u8]; 2]| {
            let mut digest = Digest::new();
            fields.iter().for_each(|field| digest.field(field));
            digest.finish()
        };
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
    }
}
