//! The header: the file key, wrapped under the passphrase, and a code over all of it.

use std::io::{self, Read};

use base64ct::{Base64Unpadded, Encoding};
use pki_core::x509::Passphrase;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use super::{FileKey, derive};

/// What a file begins with.
pub const MAGIC: &[u8] = b"age-encryption.org/v1\n";

const LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
/// Two to this power is scrypt's cost, with 8 and 1: 128 MiB and a fraction of a second (OWASP's first choice). A machine
/// that becomes a node has that.
const COST: u8 = 17;
/// As much as a file of others may ask for: a gibibyte.
const HIGHEST_COST: u8 = 20;
/// No header with a passphrase is longer than 200 bytes.
const LONGEST: usize = 1024;
/// A wrapped file key: 16 bytes and Poly1305's 16.
const WRAPPED: usize = 32;

/// A header, read.
pub struct Header {
    /// All up to and with `---`: what the code is over.
    text: Vec<u8>,
    salt: [u8; 16],
    cost: u8,
    wrapped: [u8; WRAPPED],
    code: [u8; 32],
}

/// Why a header gives no file key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is no header of age's, or not one with a passphrase.
    #[error("{0}")]
    Malformed(&'static str),
    /// Another passphrase.
    #[error("the passphrase is another one")]
    WrongPassphrase,
}

impl Header {
    /// A header for a new file key under `passphrase`, as it is written, and that key.
    ///
    /// # Panics
    /// When the system gives no randomness.
    pub fn create(passphrase: &Passphrase, random: &dyn SecureRandom) -> (Vec<u8>, FileKey) {
        let mut key = FileKey(Zeroizing::new([0; 16]));
        let mut salt = [0; 16];
        random.fill(key.0.as_mut_slice()).expect("randomness");
        random.fill(&mut salt).expect("randomness");
        let mut wrapped = Zeroizing::new(key.0.to_vec());
        wrapping(passphrase, &salt, COST)
            .seal_in_place_append_tag(nonce(), Aad::empty(), &mut *wrapped)
            .expect("16 bytes are not too many");
        let mut text = MAGIC.to_vec();
        let stanza = format!(
            "-> scrypt {} {COST}\n{}\n---",
            Base64Unpadded::encode_string(&salt),
            Base64Unpadded::encode_string(&wrapped)
        );
        text.extend(stanza.as_bytes());
        let code = hmac::sign(&code_key(&key), &text);
        let code = format!(" {}\n", Base64Unpadded::encode_string(code.as_ref()));
        text.extend(code.as_bytes());
        (text, key)
    }

    /// Reads a header and not a byte more.
    ///
    /// # Errors
    /// When the source fails, or [`HeaderError`].
    pub fn read(source: &mut impl Read) -> io::Result<Result<Self, HeaderError>> {
        let mut text = Vec::new();
        loop {
            let mut byte = [0];
            if text.len() == LONGEST || source.read(&mut byte)? == 0 {
                return Ok(Err(HeaderError::Malformed("its header has no end")));
            }
            text.push(byte[0]);
            let last = text.rsplit(|byte| *byte == b'\n').nth(1);
            if byte[0] == b'\n' && last.is_some_and(|line| line.starts_with(b"--- ")) {
                return Ok(Self::parse(text));
            }
        }
    }

    fn parse(mut text: Vec<u8>) -> Result<Self, HeaderError> {
        const NOT_AGE: HeaderError = HeaderError::Malformed("its header is not as age writes it");
        let lines = std::str::from_utf8(&text).map_err(|_| NOT_AGE)?;
        let mut lines = lines.split('\n');
        let mut line = || lines.next().ok_or(NOT_AGE);
        if line()?.as_bytes() != &MAGIC[..MAGIC.len() - 1] {
            return Err(NOT_AGE);
        }
        let stanza = line()?.strip_prefix("-> scrypt ");
        let stanza = stanza.ok_or(HeaderError::Malformed(
            "it is encrypted to somebody's key, and not with a passphrase",
        ))?;
        let (salt, cost) = stanza.split_once(' ').ok_or(NOT_AGE)?;
        let wrapped = decoded(line()?).ok_or(NOT_AGE)?;
        let code = line()?.strip_prefix("--- ").and_then(decoded);
        // One stanza and no more: a passphrase that others can take out is none (age's specification, "scrypt").
        if !line()?.is_empty() || lines.next().is_some() {
            return Err(NOT_AGE);
        }
        let is_plain = !cost.starts_with(['0', '+']);
        let cost: u8 = cost.parse().ok().filter(|_| is_plain).ok_or(NOT_AGE)?;
        if cost > HIGHEST_COST {
            return Err(HeaderError::Malformed(
                "to open it would take more than a gibibyte of memory",
            ));
        }
        let header = Self {
            salt: decoded(salt).ok_or(NOT_AGE)?,
            cost,
            wrapped,
            code: code.ok_or(NOT_AGE)?,
            text: Vec::new(),
        };
        let end = text.len() - "\n".len() - Base64Unpadded::encode_string(&header.code).len() - 1;
        text.truncate(end);
        Ok(Self { text, ..header })
    }

    /// The file key.
    ///
    /// # Errors
    /// [`HeaderError::WrongPassphrase`]; [`HeaderError::Malformed`] when something else of the header was changed.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<FileKey, HeaderError> {
        let mut wrapped = Zeroizing::new(self.wrapped);
        let opened = wrapping(passphrase, &self.salt, self.cost)
            .open_in_place(nonce(), Aad::empty(), wrapped.as_mut_slice())
            .map_err(|_| HeaderError::WrongPassphrase)?;
        let mut key = FileKey(Zeroizing::new([0; 16]));
        key.0.copy_from_slice(opened);
        hmac::verify(&code_key(&key), &self.text, &self.code)
            .map_err(|_| HeaderError::Malformed("its header was changed"))?;
        Ok(key)
    }
}

/// The key that wraps the file key.
fn wrapping(passphrase: &Passphrase, salt: &[u8; 16], cost: u8) -> LessSafeKey {
    let salt = [LABEL, salt].concat();
    let parameters = scrypt::Params::new(cost, 8, 1).expect("a cost of a few bits");
    let mut key = Zeroizing::new([0; 32]);
    let password = passphrase.secret_text().as_bytes();
    scrypt::scrypt(password, &salt, &parameters, key.as_mut_slice()).expect("32 bytes are allowed");
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
    LessSafeKey::new(key.expect("32 bytes"))
}

/// Each of these keys is used once, so one nonce is enough.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn code_key(key: &FileKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, derive(key, &[], b"header").as_slice())
}

fn decoded<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let bytes = Base64Unpadded::decode_vec(text).ok()?;
    bytes.try_into().ok()
}
