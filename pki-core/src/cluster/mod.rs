//! Kubernetes, pure: what a cluster needs, without a disk.

pub mod spec;

pub mod blueprint;
pub mod consumer;
mod encryption;
mod file_mode;
mod kubeconfig;
pub mod lint;
mod location;
pub mod policy;
pub mod profile;
mod tls_secret;
mod yaml;

pub use encryption::{
    EncryptionError, check_encryption_configuration, generate_encryption_configuration,
};
pub use file_mode::FileMode;
pub use kubeconfig::{Kubeconfig, KubeconfigClient, KubeconfigContents, KubeconfigError, Material};
pub(crate) use location::CONTROL_DIRECTORY;
pub use location::{Location, PathError, RelativePath, Root};
pub use tls_secret::secret_tls_manifest;
pub use yaml::YamlError;
