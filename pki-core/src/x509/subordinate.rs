//! CAs below a CA: intermediates with a key of their own, and CAs that are there already, signed across.

use ring::rand::SecureRandom;
use time::OffsetDateTime;

use super::layout::{self, Kind, Layout};
use super::{
    Authority, CaOptions, Certificate, DistinguishedName, IssueError, Issued, Prepared, PrivateKey,
    PublicKey, SerialNumber, Validity, lint,
};

impl Authority {
    /// Makes a CA below this one, with a new key. Its path length is that of `options`, or what this CA still
    /// permits where that is less; it ends with this CA at the latest.
    ///
    /// ```
    /// use pki_core::x509::{Authority, CaOptions, LeafRequest, LocalSigner};
    /// use ring::rand::SystemRandom;
    /// use time::OffsetDateTime;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    /// let options = CaOptions { path_length: Some(1), ..CaOptions::default() };
    /// let (root, _its_key) = Authority::generate("root", &options, now, &rng)?;
    /// let made = root.issue_authority("team", &CaOptions::default(), now, &rng)?;
    /// let chain = [vec![made.certificate], root.chain().to_vec()].concat();
    /// let team = Authority::load(chain, LocalSigner::new(&made.key)?, now)?;
    /// let server = team.issue(&LeafRequest::server("db.test")?, now, &rng)?;
    /// assert_eq!(server.chain().len(), 2, "the root is left out");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`IssueError`]; [`IssueError::NoAuthorityBelow`] where this CA issues leaves only.
    pub fn issue_authority(
        &self,
        common_name: &str,
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Issued, IssueError> {
        let key = PrivateKey::generate(options.key_algorithm, rng)?;
        let certificate = self
            .prepare_authority(common_name, key.public_key(), options, now, rng)?
            .lint(&[lint::RULES])?
            .issue()?;
        Ok(Issued {
            certificate,
            key,
            intermediates: self.intermediates(),
        })
    }

    /// Certifies the subject and key of another CA, byte for byte and under its key identifier: whoever trusts
    /// this CA then also trusts what that one issued. Of `options` the kind of key means nothing.
    ///
    /// # Errors
    /// [`IssueError`], as for [`Self::issue_authority`].
    pub fn cross_sign(
        &self,
        other: &Certificate,
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Certificate, IssueError> {
        self.prepare_cross_signed(other, options, now, rng)?
            .lint(&[lint::RULES])?
            .issue()
    }

    /// Lays out what [`Self::issue_authority`] issues, for a public key. Next: [`Prepared::lint`].
    ///
    /// # Errors
    /// [`IssueError::NoAuthorityBelow`] where this CA issues leaves only; when the name does not fit into a
    /// certificate; when this CA's time is over.
    pub fn prepare_authority(
        &self,
        common_name: &str,
        public_key: &PublicKey,
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Prepared<'_>, IssueError> {
        let subject = DistinguishedName::new(common_name, &[] as &[&str]);
        let identifier = public_key.key_identifier();
        self.prepare_below(&subject, public_key, &identifier, options, now, rng)
    }

    /// Lays out what [`Self::cross_sign`] issues. Next: [`Prepared::lint`].
    ///
    /// # Errors
    /// As [`Self::prepare_authority`].
    pub fn prepare_cross_signed(
        &self,
        other: &Certificate,
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Prepared<'_>, IssueError> {
        let (subject, public_key) = (&other.subject, &other.public_key);
        let own = public_key.key_identifier();
        let identifier = other.subject_key_identifier.as_deref().unwrap_or(&own);
        self.prepare_below(subject, public_key, identifier, options, now, rng)
    }

    fn prepare_below(
        &self,
        subject: &DistinguishedName,
        public_key: &PublicKey,
        key_identifier: &[u8],
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Prepared<'_>, IssueError> {
        let issuer = self.certificate();
        let not_after = issuer.validity.not_after;
        if issuer.validity.is_over(now) {
            return Err(IssueError::AuthorityOver { not_after });
        }
        let to_be_signed = layout::to_be_signed(&Layout {
            serial: &SerialNumber::random(rng)?,
            issuer: &issuer.subject,
            subject,
            validity: Validity::new(now, options.lifetime, Some(not_after)),
            public_key,
            signing_algorithm: self.signer().algorithm(),
            subject_key_identifier: key_identifier,
            authority_key_identifier: self.key_identifier(),
            kind: Kind::Authority {
                path_length: self.path_length_below(options.path_length)?,
                name_constraints: &options.name_constraints,
            },
        })?;
        Ok(self.prepared(subject, public_key, to_be_signed))
    }

    /// What a CA below may have of path length, when so much is wanted (RFC 5280 section 4.2.1.9).
    fn path_length_below(&self, wanted: Option<u8>) -> Result<Option<u8>, IssueError> {
        let own = self.certificate();
        let Some(length) = own.path_length else {
            return Ok(wanted);
        };
        let Some(most) = length.checked_sub(1) else {
            let issuer = own.subject.clone();
            return Err(IssueError::NoAuthorityBelow { issuer });
        };
        let most = u8::try_from(most).unwrap_or(u8::MAX);
        Ok(Some(wanted.map_or(most, |wanted| wanted.min(most))))
    }
}

#[cfg(test)]
mod tests;
