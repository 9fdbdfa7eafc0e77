//! `kpki user`.

use std::path::PathBuf;

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki user alice --group developers                    alice.conf, good for 8 hours
  kpki user bob --group oncall,developers --validity 30m --out ~/.kube/bob
  kpki user eve --group system:masters --break-glass    may do everything: no RBAC rule holds her back";

/// Make a kubeconfig for a person, for a while.
///
/// It is not kept in cluster.toml, so nothing renews it and nothing remembers it. For somebody who stays,
/// add a `[[user]]` to cluster.toml.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct User {
    /// Their name: the common name of the certificate.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A Kubernetes group that they are in.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub group: Vec<String>,
    /// How long it is good.
    #[arg(long, value_name = "TIME", default_value = "8h")]
    pub validity: String,
    /// The file to write, with mode 0600; `-` is standard output [default: NAME.conf].
    #[arg(long, value_name = "FILE|-")]
    pub out: Option<PathBuf>,
    /// Agree to a group that begins with system:, such as system:masters. RBAC does not hold it back, and only
    /// a new CA ends it before its time.
    #[arg(long)]
    pub break_glass: bool,
    #[command(flatten)]
    pub tree: Tree,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document; the kubeconfig is not in it.
    #[arg(long)]
    pub json: bool,
}
