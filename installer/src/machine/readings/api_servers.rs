//! What an API server of another node said of itself.

/// An API server that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its node.
    pub node: String,
    /// What it said, or why it said nothing.
    pub answer: Result<ApiServer, String>,
}

/// What an API server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiServer {
    /// Its version, without a leading `v`: `1.37.2`.
    pub version: String,
    /// By how many seconds its clock is ahead of this machine's; negative where it is behind.
    pub ahead: i64,
}
