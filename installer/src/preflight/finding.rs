//! What a check found.

use serde::Serialize;

/// What is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is so, with the value and the place.
    pub fact: String,
    /// What would mend it.
    pub fix: String,
    /// Whether `kinstall node` mends it by itself.
    pub mendable: bool,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The node would not work, or not for long.
    Error,
    /// The node works, and still somebody should know.
    Warning,
}

impl Finding {
    /// Something that keeps a node from working.
    pub(super) fn error(fact: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            fact: fact.into(),
            fix: fix.into(),
            mendable: false,
        }
    }

    /// Something to know.
    pub(super) fn warning(fact: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(fact, fix)
        }
    }

    /// `kinstall node` mends it by itself.
    pub(super) fn mendable(self) -> Self {
        Self {
            mendable: true,
            ..self
        }
    }
}
