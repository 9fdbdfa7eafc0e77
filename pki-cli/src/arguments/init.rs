//! `kpki init`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki init --service-cidr 10.3.0.0/24
  kpki init --service-cidr 10.96.0.0/16,fd00:3::/112 --domain corp.example --endpoint api.corp.example
  kpki init --service-cidr 10.3.0.0/24 --node cp1=192.0.2.11:control-plane,etcd --node w1=192.0.2.21:worker
  kpki init --service-cidr 10.3.0.0/24 --user alice:developers,oncall --profile hardened --validity 90d
  kpki init --service-cidr 10.3.0.0/24 --authority ca=corp-ca.crt,corp-ca.key
  kpki init --spec cluster.toml --dry-run";

/// Make a whole cluster's PKI, with the cluster.toml that describes it.
///
/// Run again it changes nothing and says so: later changes are made in cluster.toml, looked at with `kpki
/// plan` and made with `kpki apply`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Init {
    /// Where Services get their addresses; one CIDR, or one of each family for dual stack.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub service_cidr: Vec<String>,
    /// The address of the cluster DNS Service [default: the tenth of each service CIDR, or its last].
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    pub cluster_dns: Vec<String>,
    /// Where pods get their addresses [default: 10.244.0.0/16, fd00:10:244::/56].
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub pod_cidr: Vec<String>,
    /// The DNS domain of Services [default: cluster.local].
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// The cluster's name, in kubeconfigs [default: kubernetes].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where clients reach the API server [default: the control-plane node, port 6443; with several, a load balancer on each node, 127.0.0.1:7443].
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Option<String>,
    /// A machine; roles are control-plane, etcd and worker [default: this host and its addresses].
    #[arg(long, value_name = "NAME=ADDRESS[,ADDRESS...][:ROLE,...]")]
    pub node: Vec<String>,
    /// One more name or address of the API server.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub san: Vec<String>,
    /// A person (or program) with a kubeconfig of their own.
    #[arg(long, value_name = "NAME[:GROUP,...]")]
    pub user: Vec<String>,
    /// Which certificates there are: see `kpki profile list`; or the path of your own (kept as an absolute one).
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096 [default: ecdsa-p256].
    #[arg(long, value_name = "ALGORITHM")]
    pub key_algorithm: Option<String>,
    /// How long certificates last, such as 90d or 1y [default: the profile's choice].
    #[arg(long, value_name = "TIME")]
    pub validity: Option<String>,
    /// How long authorities last [default: the profile's choice].
    #[arg(long, value_name = "TIME")]
    pub ca_validity: Option<String>,
    /// Use an existing CA for the authority ID; its certificate file may hold those above it.
    #[arg(long, value_name = "ID=CERT,KEY", value_parser = ImportedAuthority::parse)]
    pub authority: Vec<ImportedAuthority>,
    /// The first line of this file opens encrypted keys of --authority [default: asked for on the terminal].
    /// In the directory they are kept without a passphrase, mode 0600, as components read them.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Begin with this cluster.toml; flags replace what it says.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// The directory to make.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// Keep CA certificates and keys here (kept as an absolute path) [default: ca/ in the directory to make].
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// Only show what would be made.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `ID=CERT,KEY`.
#[derive(Clone, Debug)]
pub struct ImportedAuthority {
    /// Which authority of the profile.
    pub id: String,
    /// The file of its certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

impl ImportedAuthority {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = text.split_once('=').and_then(|(id, files)| {
            let (certificate, key) = files.split_once(',')?;
            let all = [id, certificate, key];
            all.iter().all(|part| !part.is_empty()).then_some(all)
        });
        let [id, certificate, key] = parts.ok_or("not ID=CERT,KEY")?;
        Ok(Self {
            id: id.to_owned(),
            certificate: certificate.into(),
            key: key.into(),
        })
    }
}
