//! A policy as it is written: every value as text, with its place.

use serde::Deserialize;
use toml::Spanned;

/// The whole file. A field that is none of these is a mistake.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    pub name: Spanned<String>,
    #[serde(default)]
    pub description: String,
    /// The `signerName` of CertificateSigningRequest objects that it is for.
    pub signer: Option<String>,
    #[serde(default)]
    pub common_names: Texts,
    #[serde(default = "yes")]
    pub common_name_required: bool,
    #[serde(default)]
    pub groups: Texts,
    #[serde(default)]
    pub groups_required: bool,
    pub usages: Texts,
    #[serde(default)]
    pub dns: Texts,
    #[serde(default)]
    pub addresses: Texts,
    #[serde(default)]
    pub emails: Texts,
    #[serde(default)]
    pub uris: Texts,
    #[serde(default)]
    pub wildcards: bool,
    #[serde(default)]
    pub names_required: bool,
    /// The longest, and what a request gets that asks for none.
    pub validity: Spanned<String>,
    /// All, where it says nothing.
    pub key_algorithms: Option<Texts>,
}

pub(super) type Texts = Vec<Spanned<String>>;

fn yes() -> bool {
    true
}
