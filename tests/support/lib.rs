//! What the tests across crates share: trees to judge, the programs that judge them, and guards that
//! clean up even when a test panics.

pub mod attacker;
pub mod browser;
pub mod cluster;
pub mod command;
pub mod component;
pub mod control_plane;
pub mod corporate;
pub mod image;
pub mod judge;
pub mod kpki;
pub mod machine;
pub mod memory;
pub mod namespace;
pub mod node;
pub mod nodes;
pub mod phases;
pub mod process;
pub mod record;
pub mod snapshot;
pub mod web;
