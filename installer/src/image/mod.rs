//! Container images from the files of this machine: no registry, no builder, no daemon but containerd.
//!
//! | file | for |
//! |---|---|
//! | [`contents`](ImageContents) | what is in an image, and the name that follows from it |
//! | `layer` | its files as one tar, the same bits every time |
//! | [`archive`](write()) | layer, configuration and manifest as an OCI image layout in a tar |
//! | [`containerd`](ContainerdImages) | which images containerd has, importing and removing them |
//! | `client` | `ctr`, within time limits |
//! | [`durable`] | what a power cut must not empty |

mod archive;
mod client;
mod containerd;
mod contents;
pub mod durable;
mod error;
mod layer;

pub use archive::{Digests, write};
pub use containerd::{ContainerdImages, Unpack};
pub use contents::{ImageContents, PREFIX, reference};
pub use error::ImageError;
