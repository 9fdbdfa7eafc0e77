//! Where a cluster's things are, in every JSON document about it.

use serde::Serialize;

use crate::cluster::{Cluster, SPEC};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Places {
    dir: String,
    spec: String,
    ca_dir: String,
}

impl Places {
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            dir: cluster.dir.display().to_string(),
            spec: cluster.dir.join(SPEC).display().to_string(),
            ca_dir: cluster.authorities.display().to_string(),
        }
    }
}
