//! One difference between what is on disk and what is wanted, in words.

use time::OffsetDateTime;

use crate::cluster::FileMode;
use crate::x509::{KeyAlgorithm, SubjectAltName, Usage};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Drift {
    /// A file is not there.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A file is there but makes no sense.
    #[error("{path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// Why, in words.
        reason: String,
    },
    /// A file is readable for more, or fewer, than it should be.
    #[error("{path} has mode {has}, wanted {wanted}")]
    Mode {
        /// The file.
        path: String,
        /// Its mode.
        has: FileMode,
        /// The wanted mode.
        wanted: FileMode,
    },
    /// A copy differs from its original.
    #[error("{path} differs from {original}")]
    Copy {
        /// The copy.
        path: String,
        /// The original.
        original: String,
    },
    /// The key is another certificate's.
    #[error("the key in {path} does not belong to the certificate")]
    KeyMismatch {
        /// The key's file.
        path: String,
    },
    /// User or groups are others.
    #[error("the subject is {has:?}, wanted {wanted:?}")]
    Subject {
        /// The subject.
        has: String,
        /// The wanted subject.
        wanted: String,
    },
    /// Names are missing.
    #[error("not valid for {}", list(.0))]
    NamesMissing(Vec<SubjectAltName>),
    /// There are names too many.
    #[error("valid for {}, which it should not be", .0.join(", "))]
    NamesExtra(Vec<String>),
    /// Usages are others.
    #[error("the usages are {has}, wanted {}", words(.wanted))]
    Usages {
        /// The usages.
        has: String,
        /// The wanted usages.
        wanted: Vec<Usage>,
    },
    /// The kind of key is another.
    #[error("the key is {has}, wanted {wanted}")]
    Algorithm {
        /// The kind of key.
        has: String,
        /// The wanted kind.
        wanted: KeyAlgorithm,
    },
    /// It was issued by somebody else.
    #[error("it is issued by {has:?}, not by authority {wanted}")]
    Issuer {
        /// The issuer's name.
        has: String,
        /// The wanted authority.
        wanted: String,
    },
    /// Its authority changes, so that it must be issued anew.
    #[error("its authority {authority} is replaced")]
    AuthorityReplaced {
        /// The authority.
        authority: String,
    },
    /// The certificates between it and the root are not there, or are others.
    #[error("{path} lacks the certificates of the authorities above it")]
    Chain {
        /// The file.
        path: String,
    },
    /// Basic constraints, key usage or path length of a CA are others.
    #[error("{what} is {has}, wanted {wanted}")]
    Constraint {
        /// Which.
        what: &'static str,
        /// What it is.
        has: String,
        /// What it should be.
        wanted: String,
    },
    /// Its time is over.
    #[error("it expired at {}", moment(.not_after))]
    Expired {
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// It is in the last third of its time.
    #[error("it expires at {}, within the last third of its life", moment(.not_after))]
    Expiring {
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// It ends sooner than somebody wants to wait.
    #[error("it expires at {}, within {within}", moment(.not_after))]
    ExpiresWithin {
        /// Its last second.
        not_after: OffsetDateTime,
        /// How soon, in words.
        within: String,
    },
    /// Somebody wants another one.
    #[error("its renewal is asked for")]
    Asked,
    /// Its time has not begun.
    #[error("it is not valid before {}", moment(.not_before))]
    NotYetValid {
        /// Its first second.
        not_before: OffsetDateTime,
    },
    /// It would be valid longer than its authority.
    #[error("it outlives its authority {authority}")]
    OutlivesAuthority {
        /// The authority.
        authority: String,
    },
    /// A kubeconfig names another server.
    #[error("the server is {has}, wanted {wanted}")]
    Server {
        /// The URL.
        has: String,
        /// The wanted URL.
        wanted: String,
    },
    /// A kubeconfig calls cluster or user otherwise.
    #[error("it is for {has:?}, wanted {wanted:?}")]
    Context {
        /// As USER@CLUSTER.
        has: String,
        /// As USER@CLUSTER.
        wanted: String,
    },
    /// A file trusts others than it should.
    #[error("{path} does not trust just {wanted}")]
    Trust {
        /// The file.
        path: String,
        /// The wanted authorities.
        wanted: String,
    },
    /// A kubeconfig refers to other files for what it should hold.
    #[error("its {what} is in another file, {path}")]
    Elsewhere {
        /// Certificate or key.
        what: &'static str,
        /// The other file.
        path: String,
    },
}

impl Drift {
    /// Whether it is a reason to renew what is otherwise as it should be: its time, or that somebody asks.
    pub(super) const fn is_renewal(&self) -> bool {
        matches!(
            self,
            Self::Expired { .. }
                | Self::Expiring { .. }
                | Self::ExpiresWithin { .. }
                | Self::NotYetValid { .. }
                | Self::Asked
        )
    }

    /// A word for the kind of difference, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Unusable { .. } => "unusable",
            Self::Mode { .. } => "mode",
            Self::Copy { .. } => "copy",
            Self::KeyMismatch { .. } => "key-mismatch",
            Self::Subject { .. } => "subject",
            Self::NamesMissing(_) => "names-missing",
            Self::NamesExtra(_) => "names-extra",
            Self::Usages { .. } => "usages",
            Self::Algorithm { .. } => "algorithm",
            Self::Issuer { .. } => "issuer",
            Self::AuthorityReplaced { .. } => "authority-replaced",
            Self::Chain { .. } => "chain",
            Self::Constraint { .. } => "constraint",
            Self::Expired { .. } => "expired",
            Self::Expiring { .. } => "expiring",
            Self::ExpiresWithin { .. } => "expires-within",
            Self::Asked => "asked",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::OutlivesAuthority { .. } => "outlives-authority",
            Self::Server { .. } => "server",
            Self::Context { .. } => "context",
            Self::Trust { .. } => "trust",
            Self::Elsewhere { .. } => "elsewhere",
        }
    }
}

fn list(names: &[SubjectAltName]) -> String {
    names
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn words(usages: &[Usage]) -> String {
    usages
        .iter()
        .map(|usage| usage.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn moment(moment: &OffsetDateTime) -> String {
    moment
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}
