//! Bundles: what a machine needs to become a node, in one file. One place packs it, the machine opens it, and no token, registry
//! or network is in between.
//!
//! A bundle is a tar in a zstd frame, with a [`Manifest`] first, and can be under a passphrase, as age does it. It is [opened](Bundle::open)
//! by reading all of it, before anything of it is written: so a machine that it is not for, or that it was changed on the way to,
//! stays as it was.

mod age;
mod error;
mod gather;
mod manifest;
mod open;
mod pack;
mod place;
mod sealed;
mod suit;
mod user_data;

pub use error::BundleError;
pub use gather::{Carried, Gathered, Request, gather};
pub use manifest::{Manifest, ManifestError, PackedFile, PackedProgram};
pub use open::Bundle;
pub use pack::{Packed, pack, write_secret};
pub use place::{Placed, directory, place, unpack};
pub use suit::{Machine, suits};
pub use user_data::{
    BundlePlace, KinstallPlace, LARGEST_USER_DATA, NoWebAddress, UserData, WebAddress, user_data,
};

#[cfg(test)]
mod tests;
