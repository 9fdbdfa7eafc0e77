//! `kpki export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki export cp1/apiserver --format pkcs12 --out apiserver.p12 --passphrase-file pass
  kpki export cp1/apiserver --format secret --name web-tls --out web-tls.yaml
  kpki export --format bundle > cas.pem      every CA of the cluster
  kpki export ca --format truststore --out trust.p12 --passphrase-file pass
  kpki export --cert db.crt --key db.key --ca ca.crt --format pkcs12 --out db.p12";

/// Hand out a certificate in the form that a program wants, or the CAs to trust.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Export {
    /// What to export, as kpki plan calls it: cp1/apiserver, user/alice, ca.
    #[arg(value_name = "ID", conflicts_with_all = ["cert", "key"])]
    pub id: Option<String>,
    /// In which form.
    #[arg(long, value_enum, value_name = "FORM")]
    pub format: Format,
    /// Where to. Forms without a private key go to standard output by themselves, `-` sends any form there.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file where it is there.
    #[arg(long)]
    pub overwrite: bool,
    /// A certificate, with those above it, in place of one of the cluster.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// A CA to trust, in place of the cluster's. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    pub ca: Vec<PathBuf>,
    /// The name of the Secret, or of the entry in a PKCS#12 file; the common name by itself.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The namespace of the Secret.
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// A file whose first line is the passphrase for PKCS#12; without it you are asked.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub tree: Tree,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Certificate, chain, CA and key in PKCS#12.
    Pkcs12,
    /// The certificate and those above it up to the CA, in PEM.
    Pem,
    /// The certificate alone, in DER.
    Der,
    /// The manifest of a Secret of the type kubernetes.io/tls.
    Secret,
    /// The CAs to trust, in PEM.
    Bundle,
    /// The CAs to trust, in PKCS#12 for Java.
    Truststore,
}
