//! From what is on disk to what should be: the only room that touches files.

pub mod store;

pub mod apply;
pub mod import;
pub mod inventory;
pub mod plan;
pub mod verify;
