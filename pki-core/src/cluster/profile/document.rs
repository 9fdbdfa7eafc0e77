//! A profile as it is written: every value as text, with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// The whole file. A field that is none of these is a mistake.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    pub name: Spanned<String>,
    #[serde(default)]
    pub description: String,
    pub validity: Option<Spanned<String>>,
    pub ca_validity: Option<Spanned<String>>,
    #[serde(default)]
    pub authority: Table<Authority>,
    #[serde(default)]
    pub certificate: Table<Certificate>,
    #[serde(default)]
    pub kubeconfig: Table<Kubeconfig>,
    #[serde(default)]
    pub bundle: Table<Bundle>,
    #[serde(default)]
    pub service_account: Table<Secret>,
    #[serde(default)]
    pub encryption: Table<Secret>,
    pub user: Option<User>,
    #[serde(default)]
    pub edge: Vec<Spanned<Edge>>,
}

/// `[kind.ID]` tables; the place of each identifier gives back the order of the file.
pub(super) type Table<T> = BTreeMap<Spanned<String>, T>;
pub(super) type Texts = Vec<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Authority {
    pub common_name: Spanned<String>,
    pub file: Spanned<String>,
    #[serde(default)]
    pub certificate_on: Texts,
    #[serde(default)]
    pub key_on: Texts,
    pub path_length: Option<u8>,
    #[serde(default)]
    pub name_constraints: bool,
    pub validity: Option<Spanned<String>>,
    pub key_algorithm: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Certificate {
    pub on: Texts,
    pub scope: Option<Spanned<String>>,
    pub file: Spanned<String>,
    pub issuer: Spanned<String>,
    pub common_name: Spanned<String>,
    #[serde(default)]
    pub organizations: Vec<String>,
    pub usages: Texts,
    #[serde(default)]
    pub sans: Texts,
    pub validity: Option<Spanned<String>>,
    pub key_algorithm: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Kubeconfig {
    pub on: Texts,
    pub file: Spanned<String>,
    pub issuer: Spanned<String>,
    pub trusts: Texts,
    pub common_name: Spanned<String>,
    #[serde(default)]
    pub organizations: Vec<String>,
    pub server: Spanned<String>,
    pub validity: Option<Spanned<String>>,
    pub key_algorithm: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct User {
    pub issuer: Spanned<String>,
    pub trusts: Texts,
    pub server: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bundle {
    pub on: Texts,
    pub file: Spanned<String>,
    pub authorities: Texts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Secret {
    pub on: Texts,
    pub file: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Edge {
    pub name: String,
    pub client: Option<Spanned<String>>,
    pub server: Spanned<String>,
    #[serde(default)]
    pub client_trusts: Texts,
    #[serde(default)]
    pub server_trusts: Texts,
    pub dials: Texts,
    pub reach: Option<Spanned<String>>,
}
