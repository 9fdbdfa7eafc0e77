//! `kpki makecerts`: the command line of Makecerts, which also reads its environment variables.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use pki_core::converge::makecerts::{
    AuthorityOptions, FileNames, Mode, Options, alternative_name, words,
};
use pki_core::x509::{ExtendedKeyUsage, KeyAlgorithm, KeyUsage, Lifetime, SubjectAltName};

const EXAMPLES: &str = "\
Examples:
  kpki makecerts certificate host1 host2,10.0.0.1
  kpki makecerts certificate host1 -- request host2 -- sign host3
  kpki makecerts request 'issuing_ca?ca=1&maxpathlen=1&name=Test Issuing CA'
  kpki makecerts < operations.txt           the same, one word a line; `--` before the next operation";

const SPECS: &str = "\
A spec is subject[,subject...][?option=value&...]. Subjects are host names, addresses, emails or URIs.
Options: usage, extusage, ca, maxpathlen, template, name, cert, key, csr; docs/makecerts.md explains each.";

/// Make certificates from Makecerts' own command lines: a CA, and a flat folder of certificates, keys and requests.
///
/// All files of a batch are written, or none. What is there is left as it is, unless --overwrite is given.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, after_help = SPECS)]
pub struct Makecerts {
    /// certificate, request, sign or root-ca, and its specs.
    #[arg(value_name = "OPERATION SPEC...")]
    pub operations: Vec<String>,
    /// The next operation and its specs, and so on.
    #[arg(last = true, value_name = "OPERATION SPEC...")]
    pub more: Vec<String>,
    /// Do nothing where no operation is given, instead of reading standard input.
    #[arg(long, env = "MAKECERTS_NO_STDIN", hide_env = true)]
    pub no_stdin: bool,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,

    /// The kind of key: rsa2048, rsa3072, rsa4096, ecp256, ecp384 or ed25519.
    #[arg(long, value_name = "KIND", default_value = "ecp256", value_parser = words::key_type)]
    #[arg(env = "MAKECERTS_PRIVATE_KEY_TYPE", hide_env = true)]
    pub private_key_type: KeyAlgorithm,
    /// How long certificates are valid: 9552h, 90d, 1y.
    #[arg(long, value_name = "TIME", default_value = "9552h", value_parser = words::lifetime)]
    #[arg(env = "MAKECERTS_DURATION", hide_env = true)]
    pub duration: Lifetime,
    /// Key usages of all, in place of the default digitalsignature.
    #[arg(long, value_name = "WORD,...", value_delimiter = ',', value_parser = words::key_usage)]
    #[arg(env = "MAKECERTS_USAGE", hide_env = true)]
    pub usage: Vec<KeyUsage>,
    /// Extended key usages of all, in place of the default serverauth.
    #[arg(long, value_name = "WORD,...", value_delimiter = ',', value_parser = words::extended_key_usage)]
    #[arg(env = "MAKECERTS_EXTENDED_USAGE", hide_env = true)]
    pub extended_usage: Vec<ExtendedKeyUsage>,
    /// Alternative names for all.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = alternative_name)]
    #[arg(env = "MAKECERTS_COMMON_SANS", hide_env = true)]
    pub common_sans: Vec<SubjectAltName>,
    /// Give all the usages of a TLS server where no others are given for all: the default.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(env = "MAKECERTS_DEFAULTS", hide_env = true, default_value = "true")]
    #[arg(value_parser = words::truth, action = ArgAction::Set)]
    pub defaults: bool,
    /// Give nothing that was not asked for.
    #[arg(long)]
    pub no_defaults: bool,
    /// Replace certificates, keys and requests that are there, but never the CA's.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(env = "MAKECERTS_OVERWRITE", hide_env = true, default_value = "false")]
    #[arg(value_parser = words::truth, action = ArgAction::Set)]
    pub overwrite: bool,
    /// Leave what is there as it is: the default.
    #[arg(long)]
    pub no_overwrite: bool,

    #[command(flatten)]
    pub authority: Authority,
    #[command(flatten)]
    pub names: Names,
    #[command(flatten)]
    pub logging: Logging,
}

/// The CA.
#[derive(Debug, Args)]
#[command(next_help_heading = "The CA")]
pub struct Authority {
    /// What to do where it is not there.
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    #[arg(env = "MAKECERTS_CA_MODE", hide_env = true)]
    ca_mode: CaMode,
    /// Its common name, which its files are called by.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    #[arg(env = "MAKECERTS_CA_COMMON_NAME", hide_env = true)]
    ca_common_name: String,
    /// Its country, and that of all.
    #[arg(long, value_name = "XX", default_value = "US")]
    #[arg(env = "MAKECERTS_CA_COUNTRY", hide_env = true)]
    ca_country: String,
    /// Its organization, and that of all.
    #[arg(long, value_name = "TEXT", default_value = "makecerts")]
    #[arg(env = "MAKECERTS_CA_ORGANIZATION", hide_env = true)]
    ca_organization: String,
    /// Its organizational unit, and that of all.
    #[arg(long, value_name = "TEXT", default_value = "Root CA")]
    #[arg(env = "MAKECERTS_CA_ORGANIZATIONAL_UNIT", hide_env = true)]
    ca_organizational_unit: String,
    /// How long it is valid.
    #[arg(long, value_name = "TIME", default_value = "175199h", value_parser = words::lifetime)]
    #[arg(env = "MAKECERTS_CA_DURATION", hide_env = true)]
    ca_duration: Lifetime,
    /// Its certificate's file.
    #[arg(
        long,
        value_name = "FILE",
        env = "MAKECERTS_CA_CERT_NAME",
        hide_env = true
    )]
    ca_cert_name: Option<PathBuf>,
    /// Its key's file.
    #[arg(
        long,
        value_name = "FILE",
        env = "MAKECERTS_CA_KEY_NAME",
        hide_env = true
    )]
    ca_key_name: Option<PathBuf>,
    /// What opens its key, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Its signing request's file.
    #[arg(
        long,
        value_name = "FILE",
        env = "MAKECERTS_CA_CSR_NAME",
        hide_env = true
    )]
    ca_csr_name: Option<PathBuf>,
    /// What the names of its files begin with.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(env = "MAKECERTS_CA_PREFIX", hide_env = true)]
    ca_prefix: String,
    /// What the names of its files end with.
    #[arg(long, value_name = "TEXT", default_value = "ca")]
    #[arg(env = "MAKECERTS_CA_SUFFIX", hide_env = true)]
    ca_suffix: String,
}

/// `--ca-mode`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum CaMode {
    /// Refuse.
    Existing,
    /// Make it.
    #[default]
    Generate,
    /// Make its key and a signing request, and wait for the certificate.
    GenerateCsr,
}

/// The names of files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Names of files")]
pub struct Names {
    /// What every name begins with, before a dot.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(env = "MAKECERTS_NAME_PREFIX", hide_env = true)]
    name_prefix: String,
    /// What every name ends with, after a dot.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(env = "MAKECERTS_NAME_SUFFIX", hide_env = true)]
    name_suffix: String,
    /// The extension of certificates.
    #[arg(long, value_name = "EXT", default_value = "crt")]
    #[arg(env = "MAKECERTS_CERT_FILE_EXT", hide_env = true)]
    cert_file_ext: String,
    /// The extension of keys.
    #[arg(long, value_name = "EXT", default_value = "key")]
    #[arg(env = "MAKECERTS_KEY_FILE_EXT", hide_env = true)]
    key_file_ext: String,
    /// The extension of signing requests.
    #[arg(long, value_name = "EXT", default_value = "req")]
    #[arg(env = "MAKECERTS_REQUEST_FILE_EXT", hide_env = true)]
    request_file_ext: String,
}

/// What is said.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is said")]
pub struct Logging {
    /// debug and info: all; warn: warnings and errors; error: errors only.
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = ["debug", "info", "warn", "error"])]
    #[arg(env = "MAKECERTS_LOG_LEVEL", hide_env = true)]
    pub log_level: String,
    /// json is the same as --json.
    #[arg(long, value_name = "FORMAT", default_value = "console", value_parser = ["console", "json"])]
    #[arg(env = "MAKECERTS_LOG_FORMAT", hide_env = true)]
    pub log_format: String,
}

impl Makecerts {
    /// Everything that holds for the batch.
    pub fn options(&self) -> Options {
        let (ca, names) = (&self.authority, &self.names);
        let usages = self.usage.iter().copied();
        Options {
            authority: AuthorityOptions {
                mode: match ca.ca_mode {
                    CaMode::Existing => Mode::Existing,
                    CaMode::Generate => Mode::Generate,
                    CaMode::GenerateCsr => Mode::GenerateCsr,
                },
                common_name: ca.ca_common_name.clone(),
                country: ca.ca_country.clone(),
                organization: ca.ca_organization.clone(),
                organizational_unit: ca.ca_organizational_unit.clone(),
                lifetime: ca.ca_duration,
                cert: ca.ca_cert_name.clone(),
                key: ca.ca_key_name.clone(),
                csr: ca.ca_csr_name.clone(),
                prefix: ca.ca_prefix.clone(),
                suffix: ca.ca_suffix.clone(),
            },
            names: FileNames {
                prefix: names.name_prefix.clone(),
                suffix: names.name_suffix.clone(),
                cert_extension: names.cert_file_ext.clone(),
                key_extension: names.key_file_ext.clone(),
                request_extension: names.request_file_ext.clone(),
            },
            key_algorithm: self.private_key_type,
            lifetime: self.duration,
            key_usage: usages.fold(KeyUsage::default(), KeyUsage::and),
            extended_key_usages: self.extended_usage.clone(),
            defaults: self.defaults && !self.no_defaults,
            common_sans: self.common_sans.clone(),
            overwrite: self.overwrite && !self.no_overwrite,
        }
    }

    /// The operations of the command line, as they were typed: clap keeps the first `--` to itself.
    pub fn arguments(&self) -> Vec<String> {
        let mut all = self.operations.clone();
        if !self.more.is_empty() && !all.is_empty() {
            all.push("--".into());
        }
        all.extend_from_slice(&self.more);
        all
    }
}
