//! `kpki completions`.

use clap::Args;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  kpki completions bash > /etc/bash_completion.d/kpki
  kpki completions zsh > ~/.zfunc/_kpki";

/// Print the completions for a shell.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: Shell,
}
