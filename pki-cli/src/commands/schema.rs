//! `kpki schema`.

use pki_core::cluster::spec::ClusterSpec;

use crate::output::errors::Failure;
use crate::output::{Outcome, json};

pub fn run() -> Result<Outcome, Failure> {
    Ok(Outcome::fine(json::document(&ClusterSpec::json_schema())))
}
