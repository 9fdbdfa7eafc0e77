//! `kpki profile`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  kpki profile list
  kpki profile show hardened > mine.toml && kpki init --service-cidr 10.3.0.0/24 --profile ./mine.toml";

/// Show the profiles: which authorities, certificates and files there are.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Profile {
    #[command(subcommand)]
    pub command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Name those that come with kpki.
    #[command(before_help = "Example:\n  kpki profile list")]
    List {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print one as TOML, to start your own from.
    #[command(before_help = "Example:\n  kpki profile show kubeadm > mine.toml")]
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}
