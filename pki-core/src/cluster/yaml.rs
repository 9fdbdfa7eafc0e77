//! The only module that knows which YAML library there is.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// The text is no YAML of the wanted form. The library's own message can quote the text, which may
/// be a secret, so it is not kept; its place is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the expected YAML{}", .line.map(|line| format!(" (line {line})")).unwrap_or_default())]
pub struct YamlError {
    /// The line, counted from 1, where it is known.
    pub line: Option<u64>,
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str(text).map_err(|error| YamlError {
        line: error.location().map(|location| location.line()),
    })
}

pub(super) fn write<T: Serialize>(value: &T) -> Zeroizing<String> {
    // One line a value, as kubectl and kubeadm write and as grep and sed expect.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(value, options);
    Zeroizing::new(text.expect("plain structures of texts always have a YAML form"))
}
