//! `kpki watch`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use pki_core::x509::Lifetime;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki watch --dir /srv/kubernetes
  kpki watch --dir /srv/kubernetes --listen 127.0.0.1:9879 --check /etc/kubernetes
  kill -HUP $(pidof kpki)                    read cluster.toml anew, and look now";

/// Stay, and renew every certificate at two thirds of its life.
///
/// Renews what is due, and up to three hundredths of a life later by chance, so that many watches do not work at the same
/// moment. It looks by the clock on the wall once in --every or sooner, notices when that is put, and issues nothing by a
/// clock that has just jumped. Errors never end it: they are told on standard error and in the figures, and tried again.
///
/// SIGHUP reads cluster.toml anew and looks at once; SIGTERM and SIGINT end it between two looks.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Watch {
    #[command(flatten)]
    pub tree: Tree,
    /// Serve the figures for Prometheus at this address of this machine: http://127.0.0.1:9879/metrics.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// The longest time between two looks.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub every: Lifetime,
    /// Look at these too, for the figures alone.
    #[arg(long, value_name = "PATH")]
    pub check: Vec<PathBuf>,
}
