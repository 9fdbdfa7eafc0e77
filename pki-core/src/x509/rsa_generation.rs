//! RSA key generation, which ring lacks: the one use of the `rsa` crate. ring signs.

use std::convert::Infallible;

use ring::rand::SecureRandom;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use super::{KeyAlgorithm, RandomError};

/// A new RSAPrivateKey in DER with the public exponent 65537.
pub(super) fn generate(
    algorithm: KeyAlgorithm,
    rng: &dyn SecureRandom,
) -> Result<Zeroizing<Vec<u8>>, RandomError> {
    let bits = algorithm.rsa_bits().ok_or(RandomError)?;
    let mut source = Source { rng, failed: false };
    let key = rsa::PrivateKey::new(&mut source, bits).map_err(|_| RandomError)?;
    if source.failed {
        return Err(RandomError);
    }
    let document = key.to_pkcs1_der().map_err(|_| RandomError)?;
    Ok(document.to_bytes())
}

/// ring's randomness for the `rsa` crate. Its trait has no way to say that randomness failed while
/// primes are searched, so the failure is remembered and the key thrown away.
struct Source<'a> {
    rng: &'a dyn SecureRandom,
    failed: bool,
}

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= self.rng.fill(bytes).is_err();
        if self.failed {
            // All-zero bytes would let the search for a prime run for ever.
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = (index as u8).wrapping_mul(167) | 1;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}
