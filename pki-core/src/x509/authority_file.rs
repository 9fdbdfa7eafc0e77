//! What is in a CA's file: the CA itself, those above it, and those that are to follow it.

use super::Certificate;

/// The certificates of a CA's file (`ca.crt`), told apart. The first is the CA's own, and each next one belongs to it for as
/// long as it issued, by name, the one before; that ends with a root. Whatever CA comes then begins anew: a successor, which
/// is trusted beside the CA while consumers pass from one to the other. So a file may be what Kubernetes' guide to the manual
/// rotation of CA certificates has on every node: the old root and the new one.
///
/// Nothing is proven of the certificates here; see [`Authority::load`](super::Authority::load).
///
/// ```
/// use pki_core::x509::{Authority, AuthorityFile, CaOptions};
/// use ring::rand::SystemRandom;
/// use time::OffsetDateTime;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
/// let (old, _its_key) = Authority::generate("ca", &CaOptions::default(), now, &rng)?;
/// let (new, _its_key) = Authority::generate("ca", &CaOptions::default(), now, &rng)?;
/// let both = [old.chain(), new.chain()].concat();
/// let file = AuthorityFile::of(&both);
/// assert_eq!(file.chain(), old.chain());
/// assert!(file.successors().eq([new.certificate()]));
/// assert_eq!(file.trusted().count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorityFile<'a> {
    chain: &'a [Certificate],
    following: &'a [Certificate],
}

impl<'a> AuthorityFile<'a> {
    /// Tells apart what is in a file.
    pub fn of(certificates: &'a [Certificate]) -> Self {
        let (chain, following) = certificates.split_at(chain_length(certificates));
        Self { chain, following }
    }

    /// The CA's own certificate, then those above it; empty where the file is.
    pub fn chain(self) -> &'a [Certificate] {
        self.chain
    }

    /// The CAs that follow it, each one's own certificate, the next first. What is no CA follows nobody.
    pub fn successors(self) -> impl Iterator<Item = &'a Certificate> {
        let mut rest = self.following;
        let next = move || {
            let (chain, others) = rest.split_at(chain_length(rest));
            rest = others;
            chain.first()
        };
        std::iter::from_fn(next).filter(|certificate| certificate.is_ca)
    }

    /// Whom those who read the file are to trust: the CA and its successors, each one's own certificate. Not those above
    /// them: who trusted the root above an intermediate would trust everything else that the root ever issued.
    pub fn trusted(self) -> impl Iterator<Item = &'a Certificate> {
        self.chain.iter().take(1).chain(self.successors())
    }
}

/// How many of the first certificates are one CA and those above it.
fn chain_length(certificates: &[Certificate]) -> usize {
    let issued = |pair: &&[Certificate]| {
        !pair[0].is_self_issued() && pair[0].issuer.der() == pair[1].subject.der()
    };
    let above = certificates.windows(2).take_while(issued).count();
    certificates.len().min(1 + above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::testing::{NOW, below, deep_root, root};
    use crate::x509::{Authority, CaOptions, LeafRequest};

    fn own(authority: &Authority) -> Certificate {
        authority.certificate().clone()
    }

    #[test]
    fn chains_end_where_the_next_one_is_not_the_issuer() {
        let (old, new) = (root("ca").0, root("ca").0);
        let top = deep_root("top", None);
        let team = below(&top, "team", &CaOptions::default());
        let other = below(&top, "other", &CaOptions::default());
        let (old, new, top) = (own(&old), own(&new), own(&top));
        let (team, other) = (own(&team), own(&other));
        // What is in the file; how many of it are the CA's own chain; which of it are trusted.
        type Case<'a> = (&'a [&'a Certificate], usize, &'a [usize]);
        let cases: [Case<'_>; 9] = [
            (&[], 0, &[]),
            (&[&old], 1, &[0]),
            // The same name, and still another CA: a root has nothing above it.
            (&[&old, &new], 1, &[0, 1]),
            (&[&team], 1, &[0]),
            (&[&team, &top], 2, &[0]),
            (&[&team, &top, &new], 2, &[0, 2]),
            (&[&team, &other], 1, &[0, 1]),
            (&[&old, &team, &top], 1, &[0, 1]),
            (&[&team, &top, &other, &top, &new], 2, &[0, 2, 4]),
        ];
        for (place, (file, chain, trusted)) in cases.into_iter().enumerate() {
            let all: Vec<_> = file.iter().map(|one| (*one).clone()).collect();
            let read = AuthorityFile::of(&all);
            assert_eq!(read.chain(), &all[..chain], "{place}");
            let wanted = trusted.iter().map(|position| &all[*position]);
            assert!(read.trusted().eq(wanted), "{place}");
        }
    }

    #[test]
    fn what_is_no_ca_follows_nobody() {
        let (ca, _) = root("ca");
        let rng = ring::rand::SystemRandom::new();
        let leaf = ca.issue(&LeafRequest::client("c"), NOW, &rng).unwrap();
        let all = [own(&ca), leaf.certificate];
        assert_eq!(AuthorityFile::of(&all).successors().count(), 0);
        assert_eq!(AuthorityFile::of(&all).trusted().count(), 1);
    }
}
