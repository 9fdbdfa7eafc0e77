//! A stream that ends with its own digest, in a frame that zstd skips (RFC 8878, 3.1.2): `tar --zstd` reads it as it is, and no
//! byte of it can be another without being noticed.

use std::io::{self, Read, Write};

use crate::desired::digest::Digest;

/// The first of the sixteen kinds of frames that zstd skips, and how much is in this one.
const FRAME: [u8; 8] = *b"\x50\x2a\x4d\x18\x40\0\0\0";
/// That and a digest in hexadecimal.
const END: usize = FRAME.len() + 64;
const CHUNK: usize = 64 << 10;

/// Passes on what is written to it.
pub struct Writer<W> {
    to: W,
    digest: Digest,
}

/// Gives out what a source has but for its end, and an error in the place of the end if that does not fit.
pub struct Reader<R> {
    from: R,
    digest: Digest,
    /// What was read; the last [`END`] bytes of it may be the end.
    buffer: Vec<u8>,
    given: usize,
    is_done: bool,
}

impl<W: Write> Writer<W> {
    /// Nothing is written yet.
    pub fn new(to: W) -> Self {
        Self {
            to,
            digest: Digest::new(),
        }
    }

    /// Writes the end.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&FRAME)?;
        self.to.write_all(self.digest.finish().as_bytes())?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<R: Read> Reader<R> {
    /// Nothing is read yet.
    pub fn new(from: R) -> Self {
        Self {
            from,
            digest: Digest::new(),
            buffer: Vec::with_capacity(CHUNK + END),
            given: 0,
            is_done: false,
        }
    }

    /// What can be given out.
    fn ready(&self) -> usize {
        self.buffer
            .len()
            .saturating_sub(END)
            .saturating_sub(self.given)
    }

    fn fill(&mut self) -> io::Result<()> {
        let given = std::mem::take(&mut self.given);
        self.digest.update(&self.buffer[..given]);
        self.buffer.drain(..given);
        let most = (CHUNK + END - self.buffer.len()) as u64;
        if (&mut self.from).take(most).read_to_end(&mut self.buffer)? > 0 {
            return Ok(());
        }
        self.is_done = true;
        let (frame, digest) = self
            .buffer
            .split_at_checked(FRAME.len())
            .unwrap_or_default();
        let wanted = std::mem::take(&mut self.digest).finish();
        if frame == FRAME && digest == wanted.as_bytes() {
            Ok(())
        } else {
            let reason = "it was changed, or a part of it is missing";
            Err(io::Error::new(io::ErrorKind::InvalidData, reason))
        }
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.ready() == 0 && !self.is_done {
            self.fill()?;
        }
        let count = self.ready().min(to.len());
        to[..count].copy_from_slice(&self.buffer[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Reader::new(sealed).read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn what_is_sealed_is_opened_whatever_its_length() {
        for length in [0, 1, END, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + END] {
            let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
            assert!(opened(&sealed(&plain)).unwrap() == plain, "{length}");
        }
    }

    #[test]
    fn every_byte_counts() {
        let sealed = sealed(b"twelve bytes");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x20;
            assert!(opened(&changed).is_err(), "{at}");
            assert!(opened(&sealed[..at]).is_err(), "{at}");
        }
        assert!(opened(&[&sealed[..], b"x"].concat()).is_err());
    }
}
