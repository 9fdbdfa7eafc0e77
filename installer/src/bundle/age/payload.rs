//! The payload: chunks, each sealed with its number and whether it is the last one. So none can be changed, left out, moved
//! or cut off without being noticed.

use std::io::{self, Read, Write};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use super::{FileKey, derive};

/// What is in a chunk, but for the last one.
const CHUNK: usize = 64 << 10;
/// Poly1305's code after each.
const TAG: usize = 16;

/// Seals what is written to it.
pub struct Writer<W> {
    to: W,
    chunks: Chunks,
    buffer: Zeroizing<Vec<u8>>,
}

/// Opens what is read from a source.
pub struct Reader<R> {
    from: R,
    chunks: Chunks,
    /// What is open of the chunk at hand, and from where on it was not given out yet.
    buffer: Zeroizing<Vec<u8>>,
    given: usize,
    /// The first byte of the chunk after that one.
    ahead: Option<u8>,
    begun: bool,
}

struct Chunks {
    key: LessSafeKey,
    number: u64,
}

impl Chunks {
    fn new(key: &FileKey, salt: &[u8; 16]) -> Self {
        let key = derive(key, salt, b"payload");
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).expect("32 bytes");
        Self {
            key: LessSafeKey::new(key),
            number: 0,
        }
    }

    fn nonce(&mut self, is_last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(is_last);
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

impl<W: Write> Writer<W> {
    /// Begins with a salt.
    ///
    /// # Errors
    /// When that cannot be written.
    ///
    /// # Panics
    /// When the system gives no randomness.
    pub fn new(mut to: W, key: &FileKey, random: &dyn SecureRandom) -> io::Result<Self> {
        let mut salt = [0; 16];
        random.fill(&mut salt).expect("randomness");
        to.write_all(&salt)?;
        Ok(Self {
            to,
            chunks: Chunks::new(key, &salt),
            buffer: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
        })
    }

    /// Writes the last chunk. Without it, a reader says that the end is missing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.to)
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.chunks.nonce(is_last);
        self.chunks
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut *self.buffer)
            .expect("a chunk is not too long");
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not before more comes: the last chunk may be whole, and never empty.
        if self.buffer.len() == CHUNK && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<R: Read> Reader<R> {
    /// Of what follows the header.
    ///
    /// # Errors
    /// When the source has no salt.
    pub fn new(mut from: R, key: &FileKey) -> io::Result<Self> {
        let mut salt = [0; 16];
        from.read_exact(&mut salt)?;
        Ok(Self {
            from,
            chunks: Chunks::new(key, &salt),
            buffer: Zeroizing::new(Vec::with_capacity(CHUNK + TAG + 1)),
            given: 0,
            ahead: None,
            begun: false,
        })
    }

    fn open(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.given = 0;
        self.buffer.extend(self.ahead.take());
        // One byte more than a chunk tells whether another follows.
        let most = (CHUNK + TAG + 1 - self.buffer.len()) as u64;
        (&mut self.from).take(most).read_to_end(&mut self.buffer)?;
        if self.buffer.len() > CHUNK + TAG {
            self.ahead = self.buffer.pop();
        }
        let nonce = self.chunks.nonce(self.ahead.is_none());
        let opened = self
            .chunks
            .key
            .open_in_place(nonce, Aad::empty(), &mut self.buffer)
            .map_err(|_| damaged("it was changed, or a part of it is missing"))?
            .len();
        // Another way to write the same is none.
        if opened == 0 && self.begun {
            return Err(damaged("it ends with an empty chunk"));
        }
        self.buffer.truncate(opened);
        self.begun = true;
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.buffer.len() && (!self.begun || self.ahead.is_some()) {
            self.open()?;
        }
        let rest = &self.buffer[self.given..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
