//! What a leaf certificate may be used for in TLS.

use serde::{Deserialize, Serialize};

/// A purpose of the extended key usage extension (RFC 5280 section 4.2.1.12) that a cluster needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// id-kp-serverAuth: proves who answers.
    Server,
    /// id-kp-clientAuth: proves who asks.
    Client,
}

impl Usage {
    /// The word for it in a profile and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
