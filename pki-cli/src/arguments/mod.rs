//! The command line, one file a command.

mod apply;
mod ca;
mod check;
mod color;
mod completions;
mod csr;
mod export;
mod graph;
mod groups;
mod import;
mod init;
mod inspect;
mod issue;
mod lint;
mod makecerts;
mod man;
mod plan;
mod policy;
mod profile;
mod renew;
mod report;
mod revoke;
mod schedule;
mod sign;
mod tree;
mod trust;
mod usage;
mod user;
mod verify;
mod watch;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use apply::Apply;
pub use ca::{Ca, CaCommand, CaImport, CaList, CaNew, CaShow};
pub use check::Check;
pub use color::Color;
pub use completions::Completions;
pub use csr::Csr;
pub use export::{Export, Format};
pub use graph::{Graph, GraphFormat};
pub use import::Import;
pub use init::{ImportedAuthority, Init};
pub use inspect::Inspect;
pub use issue::Issue;
pub use lint::Lint;
pub use makecerts::Makecerts;
pub use man::Man;
pub use plan::Plan;
pub use policy::{Policy, PolicyCommand};
pub use profile::{Profile, ProfileCommand};
pub use renew::Renew;
pub use report::Report;
pub use revoke::{Crl, Revoke};
pub use schedule::{Every, JobKind, Schedule};
pub use sign::{CaFiles, Sign};
pub use tree::Tree;
pub use trust::{Trust, TrustAction, TrustCommand};
pub use usage::Usage;
pub use user::User;
pub use verify::Verify;
pub use watch::Watch;

const EXAMPLES: &str = "\
Examples:
  kpki init --service-cidr 10.3.0.0/24       a whole cluster's PKI, for this host
  kpki plan                                  what differs from cluster.toml, and why
  kpki apply                                 mend it: renew, reissue, rewrite
  kpki renew --if-within 33%                 for a job: issue anew what is near its end
  kpki verify                                a TLS handshake over every connection of the cluster
  kpki check                                 how long every certificate lasts, and what is wrong
  kpki report --output report.html           expiries, findings and a picture, in one page
  kpki inspect kubernetes/ca/ca.crt          what is in a certificate, key or kubeconfig";

const EXIT: &str = "\
Exit codes: 0 fine; 1 something needs your attention; 2 a bug in kpki, or what check could not tell.
Documents go to standard output, everything else to standard error. docs/kpki.md describes the JSON.";

/// A Kubernetes cluster's PKI, made from one short spec and kept right for years.
#[derive(Debug, Parser)]
#[command(name = "kpki", version, before_help = EXAMPLES, after_help = EXIT)]
#[command(max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours; by itself on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        display_order = 900
    )]
    pub color: Color,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(Box<Init>),
    Plan(Plan),
    Apply(Apply),
    Renew(Box<Renew>),
    Verify(Verify),
    Check(Check),
    Lint(Lint),
    Graph(Graph),
    Report(Report),
    Inspect(Inspect),
    Import(Import),
    Csr(Csr),
    Sign(Sign),
    Policy(Policy),
    User(User),
    Schedule(Schedule),
    Watch(Watch),
    Ca(Ca),
    Issue(Issue),
    Revoke(Revoke),
    Crl(Crl),
    Makecerts(Box<Makecerts>),
    Export(Export),
    Trust(Trust),
    Profile(Profile),
    /// Print the JSON schema of cluster.toml, for editors.
    #[command(before_help = "Example:\n  kpki schema > cluster.schema.json")]
    Schema,
    Completions(Completions),
    Man(Man),
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Usage> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut definition = definition();
    definition
        .try_get_matches_from_mut(&arguments)
        .and_then(|mut matches| {
            Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))
        })
        .map_err(|error| Usage::new(error, &arguments))
}

/// The definition that help, man pages and completions are made from.
pub fn definition() -> clap::Command {
    groups::listed(Cli::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::definition().debug_assert();
    }
}
