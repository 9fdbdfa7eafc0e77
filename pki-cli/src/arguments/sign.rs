//! `kpki sign`.

use std::path::PathBuf;

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki sign w1.csr                                   the policy follows from what the request asks for
  kpki sign w1.csr --requester w1                    and it comes from node w1: only its own name is given
  kpki sign *.csr --policy ./mine.toml --dry-run     what would be signed, and why not
  kpki sign hook.csr --policy ./mine.toml --ca corp.crt,corp.key
  kubectl get csr csr-x7k2p -o json | kpki sign - |
    kubectl replace --raw /apis/certificates.k8s.io/v1/certificatesigningrequests/csr-x7k2p/status -f -";

/// Sign requests, as far as a policy lets the requester have what it asks for.
///
/// A file is a signing request (PEM or DER), which gets its certificate beside it (w1.csr: w1.crt), or a Kubernetes
/// CertificateSigningRequest object (YAML or JSON), which is written anew with its certificate in it (x.yaml:
/// x.signed.yaml). Each request is judged by itself: those that are refused are told with every reason, the
/// others are signed, and the exit code is 1.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Sign {
    /// Signing requests; `-` is standard input, and what comes of it goes to standard output.
    #[arg(value_name = "FILE|-", required = true)]
    pub files: Vec<PathBuf>,
    /// What may be signed: see `kpki policy list`, or a file [default: by what the request asks for].
    #[arg(long, value_name = "NAME|FILE")]
    pub policy: Option<String>,
    /// The node that the requests come from: it may ask for its own name only.
    #[arg(long, value_name = "NODE")]
    pub requester: Option<String>,
    /// No longer a life than this, within what the policy allows.
    #[arg(long, value_name = "TIME")]
    pub validity: Option<String>,
    #[command(flatten)]
    pub tree: Tree,
    /// The authority of the cluster that signs [default: the one of the kubelets' certificates of that kind].
    #[arg(long, value_name = "ID", conflicts_with = "ca")]
    pub authority: Option<String>,
    /// What opens the key of --ca, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE", requires = "ca")]
    pub passphrase_file: Option<PathBuf>,
    /// Sign with this CA; its certificate's file may hold those above it. A cluster is then needed only by
    /// policies that speak of one.
    #[arg(long, value_name = "CERT,KEY", value_parser = CaFiles::parse)]
    pub ca: Option<CaFiles>,
    /// Write there instead of beside the requests.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Only tell what would be signed.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `CERT,KEY`.
#[derive(Clone, Debug)]
pub struct CaFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl CaFiles {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = text.split_once(',');
        let (certificate, key) = parts
            .filter(|(certificate, key)| !certificate.is_empty() && !key.is_empty())
            .ok_or("not CERT,KEY")?;
        Ok(Self {
            certificate: certificate.into(),
            key: key.into(),
        })
    }
}
