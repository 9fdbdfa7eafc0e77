//! Which artifact a file is of: by the blueprint of the cluster that it belongs to, else by kubeadm's file names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::cluster::blueprint::{ArtifactId, Blueprint, Content};
use crate::cluster::consumer::{Component, Consumer, Need, consumers};
use crate::cluster::profile::Profile;
use crate::cluster::spec::{ClusterSpec, NodeDocument};
use crate::converge::cluster_directory::{ClusterDirectory, SPEC};
use crate::converge::problem::Problem;

/// The artifacts whose files may be found.
pub(super) struct Known {
    /// Of clusters, by their absolute path.
    files: HashMap<PathBuf, KnownFile>,
    /// Of kubeadm's layout, by their name.
    names: HashMap<String, Vec<Named>>,
    problems: Vec<Problem>,
}

/// Whose a file is.
#[derive(Clone)]
pub(super) struct KnownFile {
    pub artifact: ArtifactId,
    /// Who reads it.
    pub consumers: Vec<Consumer>,
    /// Whether it is a CA's own: then further CAs in it are its successors.
    pub is_authority: bool,
}

struct Named {
    /// The path below a node's `/etc/kubernetes`.
    below: PathBuf,
    file: KnownFile,
}

impl Known {
    /// The clusters in whose directories `paths` are, and kubeadm's names for all that is in none.
    pub fn of(paths: &[PathBuf]) -> Self {
        let mut known = Self {
            files: HashMap::new(),
            names: names(),
            problems: Vec::new(),
        };
        let mut seen = Vec::new();
        for path in paths {
            let Some(dir) = cluster_above(path) else {
                continue;
            };
            if !seen.contains(&dir) {
                known.cluster(&dir);
                seen.push(dir);
            }
        }
        known
    }

    /// What is wrong with the cluster.toml of one of them.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.problems.iter().cloned()
    }

    /// Which artifact the file is of, and who reads it. `path` may be relative.
    pub fn at(&self, path: &Path) -> Option<&KnownFile> {
        let absolute = std::path::absolute(path).ok()?;
        if let Some(file) = self.files.get(&absolute) {
            return Some(file);
        }
        let name = path.file_name()?.to_str()?;
        let named = self.names.get(name)?;
        let one = named.iter().find(|one| path.ends_with(&one.below))?;
        Some(&one.file)
    }

    fn cluster(&mut self, dir: &Path) {
        let cluster = match ClusterDirectory::read(dir, None) {
            Ok(cluster) => cluster,
            Err(error) => return self.problems.extend(error.problems()),
        };
        for artifact in cluster.blueprint.artifacts() {
            let known = KnownFile {
                artifact: artifact.id.clone(),
                consumers: consumers(&cluster.blueprint, artifact),
                is_authority: matches!(artifact.content, Content::Authority(_)),
            };
            for placement in &artifact.placements {
                let path = std::path::absolute(cluster.path(&placement.location));
                self.files
                    .extend(path.ok().map(|path| (path, known.clone())));
            }
        }
    }
}

/// The directory of the cluster that a path is in, or is.
pub(super) fn cluster_above(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let is_cluster = |dir: &&Path| dir.join(SPEC).is_file();
    absolute.ancestors().find(is_cluster).map(Path::to_owned)
}

/// kubeadm's files, of any node.
fn names() -> HashMap<String, Vec<Named>> {
    let mut names: HashMap<String, Vec<Named>> = HashMap::new();
    let mut add = |below: &str, file: KnownFile| {
        let below = PathBuf::from(below);
        let name = below.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default().to_owned();
        names.entry(name).or_default().push(Named { below, file });
    };
    let any = any_node();
    for artifact in any.artifacts() {
        let mut readers = consumers(&any, artifact);
        readers.iter_mut().for_each(|reader| reader.node = None);
        for placement in &artifact.placements {
            let path = placement.location.path.as_str();
            if let Some(below) = path.strip_prefix("nodes/any/") {
                let file = KnownFile {
                    artifact: ArtifactId::cluster(&artifact.id.name),
                    consumers: readers.clone(),
                    is_authority: matches!(artifact.content, Content::Authority(_)),
                };
                add(below, file);
            }
        }
    }
    // What it renews by itself, and what it makes for itself where nobody gives it a serving certificate.
    for (below, id) in [
        ("pki/kubelet-client-current.pem", "kubelet-client"),
        ("pki/kubelet-server-current.pem", "kubelet"),
    ] {
        let kubelet = Consumer {
            component: Component::Kubelet,
            node: None,
            need: Need::Nothing,
        };
        let file = KnownFile {
            artifact: ArtifactId::cluster(id),
            consumers: vec![kubelet],
            is_authority: false,
        };
        add(below, file);
    }
    names
}

/// A blueprint of kubeadm's profile whose only node stands for every node.
fn any_node() -> Blueprint {
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.96.0.0/12"])
        .node(NodeDocument::new("any").addresses(["192.0.2.1"]))
        .build()
        .expect("constants that are checked by a test");
    Blueprint::new(&spec, &Profile::kubeadm()).expect("the profile is shipped")
}
