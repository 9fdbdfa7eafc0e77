//! `kinstall drain` and `kinstall uncordon`.

use clap::Args;

use super::Directory;

const DRAIN_EXAMPLES: &str = "\
Examples:
  kinstall drain node3 --dry-run
  kinstall drain node3
  kinstall drain node3 --force --delete-emptydir-data --grace-period 5
  kinstall uncordon node3                    pods may come again";

/// Move a node's pods elsewhere: no new ones come, and those that are there are evicted.
///
/// PodDisruptionBudgets are kept to, as kubectl drain does: a pod that one holds back is asked again until it may go or time
/// is over. Pods of DaemonSets and static pods stay. Exits with 1 when a pod has not gone.
#[derive(Debug, Args)]
#[command(before_help = DRAIN_EXAMPLES)]
pub struct Drain {
    /// Which node.
    #[arg(value_name = "NODE")]
    pub node: String,
    #[command(flatten)]
    pub draining: Draining,
    #[command(flatten)]
    pub directory: Directory,
    /// Only show which pods would go and which stay.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What a drain may do, in the words of kubectl drain.
#[derive(Debug, Args)]
pub struct Draining {
    /// Let pods go that no controller makes anew.
    #[arg(long)]
    pub force: bool,
    /// Let pods go that keep data in emptyDir volumes: they are lost.
    #[arg(long)]
    pub delete_emptydir_data: bool,
    /// How long each pod has to end, in seconds [default: as the pod says].
    #[arg(long, value_name = "SECONDS")]
    pub grace_period: Option<u32>,
    /// How long to wait until all have gone, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// They are left always; for whoever is used to say so.
    #[arg(long, hide = true)]
    pub ignore_daemonsets: bool,
}

/// Let pods come to a node again: the way back from kinstall drain.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  kinstall uncordon node3")]
pub struct Uncordon {
    /// Which node.
    #[arg(value_name = "NODE")]
    pub node: String,
    #[command(flatten)]
    pub directory: Directory,
}
