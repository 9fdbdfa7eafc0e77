//! What makes a machine a running, secured Kubernetes node, from the PKI that kpki made.
//!
//! Wanted resources are compared with what a machine has; the [`plan`] that comes of it is applied stage by
//! stage, and a ledger remembers what a reset has to undo. [`check()`] proves that a node could start with
//! its tree, and changes nothing.
//!
//! ```no_run
//! use std::path::Path;
//! use installer::machine::ClusterDirectory;
//! use time::OffsetDateTime;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = ClusterDirectory::read(Path::new("kubernetes"), None)?;
//! let node = cluster.spec.nodes()[0].name();
//! let report = installer::check(&cluster.blueprint, &cluster.inventory, node, OffsetDateTime::now_utc());
//! for finding in &report.findings {
//!     println!("{}: {}", finding.severity, finding.fact);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | room | for |
//! |---|---|
//! | [`desired`] | what a node needs; pure |
//! | [`component`] | what each component needs on its machine; pure |
//! | [`cni`] | the CNI plugin `flannel`, a program of its own |
//! | [`api_servers`] | the cluster's API servers, each asked by itself |
//! | [`departure`] | a node that leaves the cluster for good |
//! | [`drain`] | moving a node's pods elsewhere |
//! | [`etcd`] | etcd's members: who they are, how one joins, how one goes |
//! | [`bundle`] | what a machine needs to become a node, in one file |
//! | [`plan`] | what has to change, with reasons; pure |
//! | [`machine`] | reading and changing the machine; the only room that touches it |
//! | [`check`](mod@check) | the comparison of the two; pure |
#![forbid(unsafe_code)]

pub mod addon;
pub mod api_servers;
pub mod bundle;
pub mod check;
pub mod cni;
pub mod component;
pub mod departure;
pub mod desired;
pub mod drain;
pub mod etcd;
pub mod fleet;
pub mod graph;
pub mod health;
pub mod image;
pub mod install;
pub mod machine;
pub mod plan;
pub mod preflight;
pub mod remote;
pub mod status;
pub mod supervisor;

pub use check::check;
