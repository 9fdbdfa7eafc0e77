//! `kpki graph`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki graph --output cluster.svg
  kpki graph --format dot | dot -Tpdf > cluster.pdf
  kpki graph --format mermaid            for a wiki
  kpki graph --json | jq '.authorities[] | select(.state != \"fine\")'";

/// Draw the cluster: who issues, who presents and who trusts what, with expiry as colour.
///
/// Nodes with the same roles are one column, so that a picture of fifty nodes can be read.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Graph {
    #[command(flatten)]
    pub tree: Tree,
    /// In which form: svg for people, dot for Graphviz, mermaid for wikis.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: GraphFormat,
    /// Write to this file; one that kpki made before is replaced [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print what is in the picture as one JSON document.
    #[arg(long, conflicts_with_all = ["format", "output"])]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum GraphFormat {
    #[default]
    Svg,
    Dot,
    Mermaid,
}
