//! Why there is no authority, and why nothing was issued.

use time::OffsetDateTime;

use crate::x509::lint::{self, Finding};
use crate::x509::validity::rfc3339;
use crate::x509::{DistinguishedName, LayoutError, RandomError, SignError};

/// Why a certificate and a signer do not make an [`Authority`](super::Authority).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// No certificate was given.
    #[error("no certificate")]
    Empty,
    /// basicConstraints does not say that it is a CA.
    #[error("the certificate of {subject} is not a CA's (basicConstraints)")]
    NotAuthority {
        /// The certificate's subject.
        subject: DistinguishedName,
    },
    /// keyUsage does not allow it to sign certificates.
    #[error("the certificate of {subject} may not sign certificates (keyUsage lacks keyCertSign)")]
    MayNotSign {
        /// The certificate's subject.
        subject: DistinguishedName,
    },
    /// The key is another certificate's.
    #[error("the key ({key}) does not belong to the certificate of {subject} ({certificate})")]
    KeyMismatch {
        /// The certificate's subject.
        subject: DistinguishedName,
        /// What kind of key the certificate certifies.
        certificate: String,
        /// What kind of key was given.
        key: String,
    },
    /// Its time is over.
    #[error("the certificate of {subject} expired at {}", rfc3339(*not_after))]
    Expired {
        /// The certificate's subject.
        subject: DistinguishedName,
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// Its time has not begun.
    #[error("the certificate of {subject} is not valid before {}", rfc3339(*not_before))]
    NotYetValid {
        /// The certificate's subject.
        subject: DistinguishedName,
        /// Its first second.
        not_before: OffsetDateTime,
    },
    /// The certificates above it do not issue one another in the order given.
    #[error("the certificate of {subject} is not issued by the next one in the file, {next}")]
    BrokenChain {
        /// The lower certificate's subject.
        subject: DistinguishedName,
        /// The next certificate's subject.
        next: DistinguishedName,
    },
}

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The system has no randomness to give.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A name does not fit into a certificate.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The holder of the CA's key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was to be signed breaks rules.
    #[error("the certificate would break {} of the rules: {}", .0.len(), lint::joined(.0))]
    Lint(Vec<Finding>),
    /// A CA was asked for below one that issues leaves only.
    #[error("{issuer} may not issue CAs: its path length is 0")]
    NoAuthorityBelow {
        /// The CA that was to issue it.
        issuer: DistinguishedName,
    },
    /// The authority's own end leaves no time at all.
    #[error("the authority ends at {}", rfc3339(*not_after))]
    AuthorityOver {
        /// The authority's last second.
        not_after: OffsetDateTime,
    },
}
