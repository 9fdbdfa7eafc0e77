//! `kpki renew`.

use clap::Args;
use pki_core::converge::plan::Within;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki renew apiserver                   the API servers' certificates, with new keys
  kpki renew 'cp1/*' --dry-run           everything of one node; only show it
  kpki renew --if-within 33% --reload    for a job: what is near its end, put to use and proven
  kpki renew --all --keep-key            revive a cluster whose every certificate is over, authorities too
  kpki renew ca                          an authority, under its own key: what it issued stays valid";

/// Issue certificates anew, whatever else differs from cluster.toml.
///
/// NAME is an artifact as kpki plan names it: cp1/apiserver, user/alice; apiserver alone means those of all nodes, and *
/// any letters. Certificates get new keys; each pair changes as a whole or not at all. Authorities keep their keys and
/// names, and are renewed when they are named, or with --all and --if-within when they are due themselves.
///
/// Then it tells what each program needs that reads them. Exits with 1 when something could not be renewed, stays over, or
/// is not served in time.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Renew {
    /// What to renew.
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "if_within"])]
    pub names: Vec<String>,
    #[command(flatten)]
    pub tree: Tree,
    /// Renew every certificate and kubeconfig, and the authorities that are due.
    #[arg(long, conflicts_with_all = ["names", "if_within"])]
    pub all: bool,
    /// Renew what is in the last part of its life (33%), or has only so much time left (30d).
    #[arg(long, value_name = "SHARE|TIME", conflicts_with = "names")]
    pub if_within: Option<Within>,
    /// Keep the keys of certificates.
    #[arg(long)]
    pub keep_key: bool,
    /// Then put the new files to use by kinstall node, on a node that it made, and wait until each server serves its new
    /// certificate.
    #[arg(long, conflicts_with = "dry_run")]
    pub reload: bool,
    /// As --reload, but put them to use by this shell command; KPKI_DIR and KPKI_RENEWED tell it what is new.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["dry_run", "reload"])]
    pub reload_command: Option<String>,
    /// How long to wait for servers, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: u32,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
