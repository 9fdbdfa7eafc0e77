//! A Kubernetes cluster's PKI as a library: no command line, no terminal and, in two of its three
//! rooms, no disk.
//!
//! A whole cluster from one spec, in memory:
//!
//! ```
//! use pki_core::cluster::blueprint::Blueprint;
//! use pki_core::cluster::profile::Profile;
//! use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
//! use pki_core::converge::inventory::Inventory;
//! use pki_core::converge::plan::Plan;
//! use ring::rand::SystemRandom;
//! use time::OffsetDateTime;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = ClusterSpec::builder()
//!     .service_cidrs(["10.3.0.0/24"])
//!     .node(NodeDocument::new("cp1").addresses(["192.0.2.11"]))
//!     .build()?; // every mistake at once, each with its place and a hint
//! let blueprint = Blueprint::new(&spec, &Profile::kubeadm())?; // what is wanted
//! let inventory = Inventory::empty(); // what is there
//! let plan = Plan::new(&blueprint, &inventory, OffsetDateTime::now_utc()); // what differs, and why
//! let changes = plan.execute(&SystemRandom::new())?; // keys and certificates, nothing written yet
//!
//! let files: Vec<_> = changes
//!     .secret_files()
//!     .map(|(location, mode, contents)| (location.path.as_str(), mode.to_string(), contents))
//!     .collect();
//! let (_, mode, key) = files
//!     .iter()
//!     .find(|(path, ..)| *path == "nodes/cp1/pki/apiserver.key")
//!     .expect("every control-plane node has one");
//! assert_eq!(mode, "0600");
//! assert!(key.starts_with(b"-----BEGIN EC PRIVATE KEY-----"));
//! # Ok(())
//! # }
//! ```
//!
//! On a disk, `Inventory::read` takes the place of `Inventory::empty`, and
//! [`Plan::apply`](converge::plan::Plan::apply) writes through a [`Store`](converge::store::Store): all
//! files in one transaction.
//!
//! A server certificate for a test, without Kubernetes:
//!
//! ```
//! use pki_core::x509::{Authority, CaOptions, LeafRequest};
//! use ring::rand::SystemRandom;
//! use time::OffsetDateTime;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
//! let (ca, _its_key) = Authority::generate("test-ca", &CaOptions::default(), now, &rng)?;
//! let request = LeafRequest::server("db.test")?.with_address([127, 0, 0, 1]);
//! let server = ca.issue(&request, now, &rng)?;
//! let config: rustls::ServerConfig = server.server_config()?;
//! # drop(config);
//! # Ok(())
//! # }
//! ```
//!
//! # Three rooms
//!
//! | room | what it knows | what it does not |
//! |---|---|---|
//! | [`x509`] | names, keys, certificates, authorities, rules of RFC 5280, paths, TLS handshakes | Kubernetes, disks |
//! | [`cluster`] | spec, profile, blueprint, trust edges, kubeconfigs, rules of Kubernetes | disks |
//! | [`converge`] | inventory, plan, apply, store, verify, import | terminals |
//!
//! A room uses those above it in this table, never one below. Only [`converge`] reads files, and only
//! [`converge::store`] writes them.
//!
//! The rooms above `x509` are features, both on by default: `cluster`, and `converge`, which needs it. For code that uses rcgen or
//! rustls beside this library see [`x509::interop`].
//!
//! # What every function keeps to
//!
//! - Time and randomness are arguments: `now` and an RNG of [`ring`]. The same input gives the same plan.
//! - An error states facts as fields. What to do about it is apart, in `hint()`.
//! - What is or may hold a secret is reached through a method whose name begins with `secret_`; private
//!   keys have no `Clone` and no contents in `Debug`.
//! - A value that exists was checked: an [`Authority`](x509::Authority) can sign, a
//!   [`ClusterSpec`](cluster::spec::ClusterSpec) has no mistakes.
#![forbid(unsafe_code)]
// What only the rooms above use, where they are left out.
#![cfg_attr(not(feature = "converge"), allow(dead_code, unused_imports))]

pub mod x509;

#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "converge")]
pub mod converge;
