//! What can be wrong with a certificate, and how grave that is.

use std::fmt;
use std::path::PathBuf;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::cluster::FileMode;
use crate::x509::{Certificate, DistinguishedName, Lifetime, VerifyError};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is wrong.
    Fine,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work, or soon will not.
    Critical,
}

/// How soon an end is near.
///
/// Counted for long lives: with so little left of a life of eight hours it would be near all the time. So no end is
/// near before the last third of a life, when it is due for renewal, and none is critical before the last tenth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Less than this is worth a warning.
    pub warn: Lifetime,
    /// Less than this is critical.
    pub critical: Lifetime,
}

/// Something wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Its time is over.
    #[error("expired at {}", rfc3339(*.not_after))]
    Expired {
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// Its time has not begun.
    #[error("not valid before {}", rfc3339(*.not_before))]
    NotYetValid {
        /// Its first second.
        not_before: OffsetDateTime,
    },
    /// Little is left.
    #[error("expires in {}", in_words(*.left))]
    Expiring {
        /// How much.
        left: Duration,
        /// Whether it is less than the critical threshold.
        critical: bool,
    },
    /// The key beside it is another's.
    #[error("the key in {} does not belong to it", .path.display())]
    KeyMismatch {
        /// The key's file.
        path: PathBuf,
    },
    /// The key beside it makes no sense.
    #[error("the key in {}: {reason}", .path.display())]
    KeyUnusable {
        /// The key's file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Everybody on the machine can read its key.
    #[error("everybody can read its key: {} has mode {mode}", .path.display())]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: FileMode,
    },
    /// An authority of its issuer's name is here, and did not sign it.
    #[error("the authority {issuer} that is here did not sign it: it is another of the same name")]
    ForeignIssuer {
        /// The issuer's name.
        issuer: DistinguishedName,
    },
    /// It is to last longer than its issuer, and will not.
    #[error("ends with its issuer at {}, not at {}", rfc3339(*.issuer_end), rfc3339(*.not_after))]
    OutlivesIssuer {
        /// Its own last second.
        not_after: OffsetDateTime,
        /// Its issuer's last second.
        issuer_end: OffsetDateTime,
    },
    /// What a server serves is not what a client relies on.
    #[error("clients refuse it: {0}")]
    Refused(Box<VerifyError>),
    /// A server does not take the certificate that was shown to it.
    #[error("{reason}")]
    ClientRefused {
        /// Why, in words.
        reason: String,
    },
    /// A server serves another certificate than the one in its file.
    #[error("serves another certificate than {}{}", .path.display(), cure(.needs))]
    NotOnDisk {
        /// The file.
        path: PathBuf,
        /// What the server needs so that it reads the file anew, as far as that is known.
        needs: Option<String>,
    },
}

impl Finding {
    /// A word for its kind, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expiring { .. } => "expiring",
            Self::KeyMismatch { .. } => "key-mismatch",
            Self::KeyUnusable { .. } => "key-unusable",
            Self::KeyExposed { .. } => "key-exposed",
            Self::ForeignIssuer { .. } => "foreign-issuer",
            Self::OutlivesIssuer { .. } => "outlives-issuer",
            Self::Refused(_) => "refused",
            Self::ClientRefused { .. } => "client-refused",
            Self::NotOnDisk { .. } => "not-on-disk",
        }
    }

    /// How grave it is.
    pub fn level(&self) -> Level {
        match self {
            Self::Expiring { critical, .. } if !critical => Level::Warning,
            Self::KeyExposed { .. } | Self::OutlivesIssuer { .. } | Self::NotOnDisk { .. } => {
                Level::Warning
            }
            _ => Level::Critical,
        }
    }

    /// What is wrong with the times of `certificate` at `now`.
    pub(super) fn of_time(
        certificate: &Certificate,
        thresholds: &Thresholds,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let validity = &certificate.validity;
        let (not_before, not_after) = (validity.not_before, validity.not_after);
        if validity.is_over(now) {
            return Some(Self::Expired { not_after });
        }
        if !validity.contains(now) {
            return Some(Self::NotYetValid { not_before });
        }
        let (left, life) = (validity.left(now), validity.length());
        let near = |threshold: Lifetime, share: i32| left < threshold.duration().min(life / share);
        let critical = near(thresholds.critical, 10);
        (critical || near(thresholds.warn, 3)).then_some(Self::Expiring { left, critical })
    }
}

/// The level of the gravest of `findings`.
pub(super) fn gravest(findings: &[Finding]) -> Level {
    let levels = findings.iter().map(Finding::level);
    levels.max().unwrap_or(Level::Fine)
}

impl Level {
    /// As programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

fn cure(needs: &Option<String>) -> String {
    needs
        .as_ref()
        .map(|needs| format!("; {needs}"))
        .unwrap_or_default()
}

fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_default()
}

/// `3 days`, `1 hour`, `40 minutes`.
fn in_words(left: Duration) -> String {
    let (number, unit) = match (left.whole_days(), left.whole_hours()) {
        (0, 0) => (left.whole_minutes(), "minute"),
        (0, hours) => (hours, "hour"),
        (days, _) => (days, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}
