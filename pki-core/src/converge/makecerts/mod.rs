//! Makecerts: its operations, read from its own command lines and carried out as one batch.
//!
//! A batch is planned in memory as a whole: every spec is read, every key and certificate made and linted. Only when
//! there is no mistake anywhere are the files written, all of them or none ([`Outputs`](super::outputs::Outputs)).
//! docs/makecerts.md compares its options with ours.

mod authority;
mod batch;
mod file_names;
mod operations;
mod options;
mod request;
mod spec;
pub mod words;

pub use authority::Ask;
pub use batch::{Batch, Done, Outcome};
pub use file_names::FileNames;
pub use operations::{Kind, Operation, Operations, of_arguments, of_lines};
pub use options::{AuthorityOptions, Mode, Options};
pub use spec::{Spec, alternative_name};
