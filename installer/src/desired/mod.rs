//! What a node needs. Pure.

mod node;

pub use node::{NeededFile, NodeNeeds};
