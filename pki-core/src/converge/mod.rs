//! From what is on disk to what should be: the only room that touches files.

pub mod store;
pub mod trust;

pub mod apply;
pub mod ca_files;
pub mod check;
pub mod cluster_directory;
pub mod dial;
pub mod export;
pub mod external;
pub mod graph;
pub mod host;
pub mod import;
pub mod inventory;
mod load_authority;
pub mod makecerts;
pub mod marked_file;
pub mod markup;
pub mod outputs;
pub mod plan;
pub mod problem;
pub mod served;
pub mod verify;
pub mod watch;

pub use load_authority::{NoAuthority, load_authority};
