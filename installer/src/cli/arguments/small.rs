//! The commands that take little.

use std::path::PathBuf;

use clap::Args;

use super::Directory;

const CHECK_EXAMPLES: &str = "\
Examples:
  kinstall check
  kinstall check --dir /srv/cluster --node cp1
  kinstall check --json | jq '.findings[]'";

/// Prove that a node could start with its files: all are there, keys belong to their certificates,
/// nothing has expired, and the TLS connections of the node work.
///
/// Only reads. Connections that need files which are not here, such as another machine's, are named and
/// not tried. Exits with 1 when there is a fault; a warning alone is exit code 0.
#[derive(Debug, Args)]
#[command(before_help = CHECK_EXAMPLES)]
pub struct Check {
    /// The cluster's directory: cluster.toml and nodes/.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// Which node [default: this host].
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

const STATUS_EXAMPLES: &str = "\
Examples:
  kinstall status
  kinstall status --json | jq .healthy
  kinstall status --cluster
  kinstall status --cluster --dir kubernetes --json | jq '.problems[]'";

/// Tell what runs on this node, since when, how healthy it is, in which version, and how long its certificates last.
///
/// With --cluster the same of the whole cluster: all nodes, etcd's members, API servers, versions, certificates' days left,
/// and what is the matter. Exits with 1 when something is not as it should be.
#[derive(Debug, Args)]
#[command(before_help = STATUS_EXAMPLES)]
pub struct Status {
    /// Tell of the whole cluster: from a control-plane node, or from where kpki init made the cluster's directory.
    #[arg(long)]
    pub cluster: bool,
    #[command(flatten)]
    pub directory: Directory,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Print what a component logged.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall logs kubelet\n  kinstall logs kube-apiserver --lines 20 --follow"
)]
pub struct Logs {
    /// Which: `kinstall status` names them.
    #[arg(value_name = "COMPONENT")]
    pub component: String,
    /// How many of the last lines.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Go on with what comes.
    #[arg(long, short)]
    pub follow: bool,
}

/// Draw this node as a picture (SVG): what runs where, who talks to whom over which port and certificate, and how
/// healthy it is.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall graph > node.svg\n  kinstall graph --output node.svg"
)]
pub struct Graph {
    /// Write to this file.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Stop what runs on this node: the kubelet, its pods, containerd.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  kinstall stop\n  kinstall stop kubelet")]
pub struct Stop {
    /// Only these services; pods go on [default: all, and the pods].
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Start what `kinstall stop` stopped, or what a boot has to start.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  kinstall start\n  kinstall start kubelet")]
pub struct Start {
    /// Only these services [default: all].
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Take away what kinstall put on this machine, exactly that, and give settings their former values.
///
/// Asks first. A member of etcd leaves the others first, which never costs them the quorum. etcd's data stays unless --purge.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall reset\n  kinstall reset --yes --purge\n  kinstall reset --dry-run"
)]
pub struct Reset {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Take etcd's data away too: every object of the cluster.
    #[arg(long)]
    pub purge: bool,
    /// Do not leave etcd's members, where it is one of several: where it cannot, or where all of them go.
    #[arg(long)]
    pub keep_member: bool,
    /// Only show what would be taken away.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Print a shell's completions of kinstall.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  kinstall completions bash > /etc/bash_completion.d/kinstall")]
pub struct Completions {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

/// Print the man page, or write all pages into a directory.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall man | man -l -\n  kinstall man --dir /usr/local/share/man/man1"
)]
pub struct Man {
    /// Where to write kinstall.1 and one page for each command.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What the supervisor is started with.
#[derive(Debug, Args)]
pub struct Supervise {
    /// Leave the terminal and the session first.
    #[arg(long)]
    pub detach: bool,
}
