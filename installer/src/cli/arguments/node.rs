//! `kinstall node` and `kinstall preflight`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use installer::desired::{Network, ProxyMode};

use super::{FromBundle, Tree};

const NODE_EXAMPLES: &str = "\
Examples:
  kinstall node --service-cidr 10.3.0.0/24
  kinstall node --service-cidr 10.3.0.0/24,fd00:3::/112 --bin-dir /opt/kubernetes/bin
  kinstall node --service-cidr 172.20.0.0/16 --cluster-dns 172.20.0.53 --domain corp.example
  kinstall node --dir /srv/cluster --node cp1
  kinstall node --bundle w1.bundle --passphrase-file passphrase
  kinstall node --dry-run --render /tmp/review";

const PREFLIGHT_EXAMPLES: &str = "\
Examples:
  kinstall preflight
  kinstall preflight --dir /srv/cluster --node cp1
  kinstall preflight --json | jq '.findings[]'";

/// Make this machine a running, secured node of a cluster.
///
/// With the directory that kpki init made, with a bundle that kinstall bundle packed of it, or, where there is none, with a new cluster of this one machine for which
/// --service-cidr is enough. Run again it changes nothing; after a change of cluster.toml it changes just that;
/// after an interruption it finishes.
#[derive(Debug, Args)]
#[command(before_help = NODE_EXAMPLES)]
pub struct Node {
    #[command(flatten)]
    pub tree: Tree,
    #[command(flatten)]
    pub make: Make,
    #[command(flatten)]
    pub options: Options,
    #[command(flatten)]
    pub bundle: FromBundle,
    /// Also write the admin kubeconfig here, for whoever ran sudo.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How long to wait for each thing to become healthy, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub timeout: u32,
    /// Only run the preflight checks.
    #[arg(long)]
    pub check_only: bool,
    /// Only show what would be changed.
    #[arg(long)]
    pub dry_run: bool,
    /// Write every file that would be on the machine below this directory, to look at; changes nothing else.
    #[arg(long, value_name = "DIR")]
    pub render: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Tell whether this machine can be a node: each check with its reason and its fix. Changes nothing.
#[derive(Debug, Args)]
#[command(before_help = PREFLIGHT_EXAMPLES)]
pub struct Preflight {
    #[command(flatten)]
    pub tree: Tree,
    #[command(flatten)]
    pub make: Make,
    #[command(flatten)]
    pub options: Options,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What a new cluster should be, where there is none yet.
#[derive(Debug, Args)]
#[command(next_help_heading = "A new cluster")]
pub struct Make {
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
    /// Where clients reach the API server [default: this machine, port 6443].
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Option<String>,
    /// This machine's addresses, the preferred first [default: all that others can dial].
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    pub address: Vec<String>,
    /// One more name or address of the API server.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub san: Vec<String>,
    /// Which certificates there are: see `kpki profile list`; or the path of your own.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096 [default: ecdsa-p256].
    #[arg(long, value_name = "ALGORITHM")]
    pub key_algorithm: Option<String>,
}

/// What is this machine's and not the cluster's. Remembered for the next run.
#[derive(Debug, Args)]
pub struct Options {
    /// How pods of different nodes reach each other [default: flannel].
    #[arg(long, value_enum, value_name = "NAME")]
    pub network: Option<NetworkName>,
    /// How kube-proxy leads packets to Services; the control plane's choice holds for all nodes [default: nftables].
    #[arg(long, value_enum, value_name = "NAME")]
    pub proxy_mode: Option<ProxyModeName>,
    /// Look for programs here first (repeatable).
    #[arg(long, value_name = "DIR")]
    pub bin_dir: Vec<PathBuf>,
    /// Accept the failure of a preflight check (repeatable).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub ignore_preflight: Vec<String>,
}

/// The networks, as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum NetworkName {
    /// flannel, in VXLAN.
    Flannel,
    /// flannel, by plain routes: for nodes that are all on one network segment.
    HostGw,
    /// None: bring your own.
    None,
}

impl From<NetworkName> for Network {
    fn from(name: NetworkName) -> Self {
        match name {
            NetworkName::Flannel => Self::Flannel,
            NetworkName::HostGw => Self::HostGw,
            NetworkName::None => Self::None,
        }
    }
}

impl From<Network> for NetworkName {
    fn from(network: Network) -> Self {
        match network {
            Network::Flannel => Self::Flannel,
            Network::HostGw => Self::HostGw,
            Network::None => Self::None,
        }
    }
}

/// kube-proxy's modes, as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ProxyModeName {
    /// Rules of nftables, where the kernel has them.
    Nftables,
    /// Rules of iptables.
    Iptables,
}

impl From<ProxyModeName> for ProxyMode {
    fn from(name: ProxyModeName) -> Self {
        match name {
            ProxyModeName::Nftables => Self::Nftables,
            ProxyModeName::Iptables => Self::Iptables,
        }
    }
}

impl From<ProxyMode> for ProxyModeName {
    fn from(mode: ProxyMode) -> Self {
        match mode {
            ProxyMode::Nftables => Self::Nftables,
            ProxyMode::Iptables => Self::Iptables,
        }
    }
}
