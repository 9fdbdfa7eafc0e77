//! `kpki ca`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  kpki ca new \"Example Root\" --path-length 1 --encrypt
  kpki ca new \"Team CA\" --parent ca --out team --permit-dns team.example --permit-cidr 192.0.2.0/24
  kpki ca new --cross-sign other/ca.crt --parent ca --out other-by-ours.crt
  kpki ca import corp.crt corp.key --out corp
  kpki ca show kubernetes/ca/etcd/ca.crt
  kpki ca list";

/// CAs, with or without a cluster: make, import, show and list them.
///
/// A CA is a file (corp.crt) with its key beside it (corp.key, mode 0600), or a directory with ca.crt and ca.key. The CAs of
/// a cluster are such files too: kubernetes/ca/ca.crt and others. Beside them kpki keeps what it issued and revoked
/// (ca.register.json).
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, subcommand_required = true)]
pub struct Ca {
    #[command(subcommand)]
    pub command: CaCommand,
}

#[derive(Debug, Subcommand)]
pub enum CaCommand {
    New(Box<CaNew>),
    Import(CaImport),
    Show(CaShow),
    List(CaList),
}

const NEW: &str = "\
Examples:
  kpki ca new \"Example Root\"
  kpki ca new \"Example Root\" --path-length 1 --encrypt --out root
  kpki ca new \"Team CA\" --parent root --out team --permit-dns team.example --permit-cidr 192.0.2.0/24
  kpki ca new --cross-sign other/ca.crt --parent root --out other-by-root.crt --dry-run";

/// Make a root CA, a CA below another, or another CA's certificate anew under one of ours.
#[derive(Debug, Args)]
#[command(before_help = NEW)]
pub struct CaNew {
    /// Its common name.
    #[arg(
        value_name = "NAME",
        required_unless_present = "cross_sign",
        conflicts_with = "cross_sign"
    )]
    pub name: Option<String>,
    /// Where it goes: a directory, or the file of its certificate, with the key beside it.
    #[arg(long, value_name = "DIR|FILE", default_value = "ca")]
    pub out: PathBuf,
    /// The CA that signs it; without it, it is a root.
    #[arg(long, value_name = "DIR|FILE")]
    pub parent: Option<PathBuf>,
    /// Certify the name and key of this existing CA, so that who trusts the parent trusts it too.
    #[arg(long, value_name = "FILE", requires = "parent")]
    pub cross_sign: Option<PathBuf>,
    /// It may issue for this domain and what is below it, and no other; several may be given.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    pub permit_dns: Vec<String>,
    /// It may issue for addresses in this range, and no other; several may be given.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub permit_cidr: Vec<String>,
    /// How many CAs may stand below it, one under the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub path_length: u8,
    /// How long it lasts; below a parent no longer than that.
    #[arg(long, value_name = "TIME", default_value = "10y")]
    pub validity: String,
    /// ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096.
    #[arg(long, value_name = "ALGORITHM", default_value = "ecdsa-p256")]
    pub key_algorithm: String,
    /// Keep its key under a passphrase, which is asked for on the terminal.
    #[arg(long, conflicts_with = "cross_sign")]
    pub encrypt: bool,
    /// Keep its key under the passphrase in the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "cross_sign")]
    pub passphrase_file: Option<PathBuf>,
    /// What opens the parent's key, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE", requires = "parent")]
    pub parent_passphrase_file: Option<PathBuf>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

const IMPORT: &str = "\
Examples:
  kpki ca import corp.crt corp.key
  kpki ca import corp.crt corp.key --out corp --passphrase-file passphrase";

/// Take over a CA that is there already, byte for byte, after proving that it can sign.
///
/// Its certificate is a CA's, may sign and is valid now, the key belongs to it, and each further certificate of the file
/// issued the one before it. An encrypted key stays encrypted.
#[derive(Debug, Args)]
#[command(before_help = IMPORT)]
pub struct CaImport {
    /// Its certificate; those above it may follow in the same file.
    #[arg(value_name = "CERT")]
    pub certificate: PathBuf,
    /// Its private key.
    #[arg(value_name = "KEY")]
    pub key: PathBuf,
    /// Where it goes: a directory, or the file of its certificate, with the key beside it.
    #[arg(long, value_name = "DIR|FILE", default_value = "ca")]
    pub out: PathBuf,
    /// What opens the key, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

const SHOW: &str = "\
Examples:
  kpki ca show
  kpki ca show team --json";

/// Show a CA: its certificate, what it may issue, what it issued and revoked. Needs no key.
#[derive(Debug, Args)]
#[command(before_help = SHOW)]
pub struct CaShow {
    /// The CA [default: the one of the cluster in ./kubernetes].
    #[arg(value_name = "DIR|FILE")]
    pub ca: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

const LIST: &str = "\
Examples:
  kpki ca list
  kpki ca list . --json";

/// List every CA whose certificate is in or below a directory.
#[derive(Debug, Args)]
#[command(before_help = LIST)]
pub struct CaList {
    /// The directory.
    #[arg(value_name = "DIR", default_value = "kubernetes/ca")]
    pub dir: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
