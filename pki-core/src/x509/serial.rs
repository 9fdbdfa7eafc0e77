//! Serial numbers.

use std::fmt;
use std::str::FromStr;

use ring::rand::SecureRandom;

use super::RandomError;

/// A certificate's serial number as its big-endian bytes without leading zeros.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber(Vec<u8>);

impl SerialNumber {
    /// 16 random bytes. The first bit is 0, so that it is positive in as many bytes, and the second
    /// is 1, so that its length never varies (RFC 5280 section 4.1.2.2 asks for at most 20 bytes, the CA/Browser
    /// Forum for at least 64 random bits).
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random(rng: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes).map_err(|_| RandomError)?;
        bytes[0] = bytes[0] & 0x7f | 0x40;
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes of an INTEGER as they stand in a certificate, which may lead with a zero byte.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Self(bytes[zeros..].to_vec())
    }

    /// Big-endian, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A text that is no serial number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serial number in hexadecimal, of at most 20 bytes")]
pub struct SerialNumberError;

/// Reads hexadecimal in either case, with colons or without, as OpenSSL and browsers show it. At most 20 bytes
/// (RFC 5280 section 4.1.2.2).
impl FromStr for SerialNumber {
    type Err = SerialNumberError;

    fn from_str(text: &str) -> Result<Self, SerialNumberError> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(SerialNumberError)?;
        if digits.is_empty() || digits.len() > 40 {
            return Err(SerialNumberError);
        }
        // Two digits a byte, counted from the end.
        let mut bytes: Vec<u8> = digits
            .rchunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        bytes.reverse();
        Ok(Self::from_bytes(&bytes))
    }
}

/// In hexadecimal, as OpenSSL prints it in one piece.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&super::hex(&self.0))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_and_others_write() {
        let serial = SerialNumber::from_bytes(&[0, 0x4f, 0xa0, 1]);
        for text in ["4fa001", "4FA001", "4f:a0:01", "004fa001"] {
            assert_eq!(text.parse(), Ok(serial.clone()), "{text}");
        }
        assert_eq!("1".parse(), Ok(SerialNumber::from_bytes(&[1])));
        for text in ["", ":", "0x1", "g", &"1".repeat(41)] {
            assert_eq!(text.parse::<SerialNumber>(), Err(SerialNumberError));
        }
    }

    #[test]
    fn always_sixteen_positive_bytes_and_never_twice() {
        let rng = ring::rand::SystemRandom::new();
        let serials: std::collections::HashSet<_> = (0..1000)
            .map(|_| SerialNumber::random(&rng).unwrap())
            .inspect(|serial| {
                assert_eq!(serial.as_bytes().len(), 16);
                assert_eq!(serial.as_bytes()[0] >> 6, 0b01);
            })
            .collect();
        assert_eq!(serials.len(), 1000);
    }
}
