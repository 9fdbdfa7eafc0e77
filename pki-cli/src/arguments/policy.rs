//! `kpki policy`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  kpki policy list
  kpki policy show server > mine.toml && kpki sign hook.csr --policy ./mine.toml";

/// Show the signing policies: who may have which certificate.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Policy {
    #[command(subcommand)]
    pub command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Name those that come with kpki.
    #[command(before_help = "Example:\n  kpki policy list")]
    List {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print one as TOML, to start your own from.
    #[command(before_help = "Example:\n  kpki policy show server > mine.toml")]
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}
