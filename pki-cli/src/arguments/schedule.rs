//! `kpki schedule`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki schedule --dir /srv/kubernetes                     show the job that fits this machine
  kpki schedule --dir /srv/kubernetes --install           and write it
  kpki schedule --as cron --every hourly
  kpki schedule --check-only --prometheus /var/lib/node_exporter/textfile/kpki.prom
  kpki schedule --as kubernetes --image registry.example/kpki:0.1.0 --node cp1 | kubectl apply -f -";

/// Write the job that renews what is near its end and checks the rest: for systemd, cron or Kubernetes.
///
/// The job runs kpki renew --if-within 33% and then kpki check, which fails when something needs attention. Where the
/// directory holds no cluster.toml, as on a node, it only checks. Runs that overlap do no harm: one of them works, the
/// others are told so. Without --install it is printed.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Schedule {
    /// What runs the job [default: systemd where it runs this machine, else cron].
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<JobKind>,
    #[command(flatten)]
    pub tree: Tree,
    /// How often. Renewal is due in the last third of a life: hourly for lives of less than a week.
    #[arg(long, value_enum, value_name = "HOW OFTEN", default_value = "daily")]
    pub every: Every,
    /// Renew nothing.
    #[arg(long)]
    pub check_only: bool,
    /// Let the check write its figures to this file, for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
    /// The name of the job, where one machine has several [default: kpki-renew, or kpki-check].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where the program is when the job runs [default: this one].
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// The image with kpki in it, for Kubernetes.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// The node whose files the job is for, for Kubernetes.
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// The namespace, for Kubernetes. It has to admit pods with hostPath volumes.
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    pub namespace: String,
    /// Write the files.
    #[arg(long)]
    pub install: bool,
    /// The directory to write them to [default: /etc/systemd/system, /etc/cron.d].
    #[arg(long, value_name = "DIR", requires = "install")]
    pub to: Option<PathBuf>,
    /// Only show what --install would write.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What runs jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JobKind {
    /// A service and its timer.
    Systemd,
    /// A file for /etc/cron.d.
    Cron,
    /// A CronJob.
    Kubernetes,
}

/// How often a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Every {
    /// Once an hour.
    Hourly,
    /// Once a day.
    Daily,
    /// Once a week.
    Weekly,
}
