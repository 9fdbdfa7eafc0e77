//! `kpki man`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki man | man -l -
  kpki man --dir /usr/local/share/man/man1";

/// Print the man page, or write one for each command.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Man {
    /// Write a page for kpki and one for each command into this directory.
    #[arg(long, value_name = "OUT")]
    pub dir: Option<PathBuf>,
}
