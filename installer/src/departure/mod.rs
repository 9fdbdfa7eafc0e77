//! A node that leaves the cluster for good: its pods moved, its member of etcd and its Node taken out, its certificates
//! renewed no more, its machine reset.
//!
//! | file | for |
//! |---|---|
//! | `steps` | what has to be done, in which order, and what it refuses; pure |
//! | `text` | cluster.toml without the node, all else as its owner wrote it; pure |
//! | `directory` | the cluster's directory without it: the old tree lies in `removed/` |

mod directory;
mod steps;
#[cfg(test)]
mod tests;
mod text;

pub use directory::{Forgetting, Forgotten};
pub use steps::{Situation, Step, steps};
pub use text::{TextError, with_endpoint, without_node};
