//! The cluster's directory without a node. cluster.toml is written and the tree moved in one transaction.
//!
//! The tree is not destroyed: its keys may be the only proof of who the machine was, and whoever wants them gone can do that.
//! It lies in `removed/`, where nothing renews, counts or hands on what is there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{ClusterSpec, Host, NodeName, Role};
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::check::{CheckedFiles, Thresholds};
use pki_core::converge::cluster_directory::{ClusterDirectory, REMOVED, SPEC, read_text};
use pki_core::converge::plan::Plan;
use pki_core::converge::problem::Problem;
use pki_core::converge::store::{Store, StoreError};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::text::{with_endpoint, without_node};

/// What a directory will be without a node; nothing is done yet.
#[derive(Debug)]
pub struct Forgetting {
    dir: PathBuf,
    name: NodeName,
    text: String,
    after: ClusterDirectory,
    /// Where its tree will be, below the directory; none where there is no tree here.
    pub kept_in: Option<String>,
    /// When the last of its certificates ends, where they are here.
    pub valid_until: Option<OffsetDateTime>,
    /// Whether its tree holds an authority's key.
    pub had_authorities: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Where its tree is now.
    pub kept_in: Option<PathBuf>,
    /// How many artifacts of others are to be made anew without it: people's kubeconfigs, where it was the control plane that
    /// they name.
    pub to_apply: usize,
}

impl Forgetting {
    /// Looks what the directory would be without the node `name`.
    ///
    /// # Errors
    /// Where the cluster cannot be without it, with what to do instead.
    pub fn of(dir: &Path, ca_dir: Option<&Path>, name: &str) -> Result<Self, Vec<Problem>> {
        let (file, text) = read_text(dir).map_err(|error| error.problems())?;
        let before = ClusterDirectory::read(dir, ca_dir)
            .map_err(|error| error.problems())?
            .spec;
        may_go(&before, name).map_err(|problem| vec![problem])?;
        let changed = |error: super::TextError| {
            let fact = format!("{}: {error}", file.display());
            vec![Problem::new(
                fact,
                "take the node out of it with an editor, and run this again",
            )]
        };
        let mut text = without_node(&text, name).map_err(changed)?;
        let read = |text: &str| {
            ClusterSpec::from_toml(text)
                .map_err(|error| Problem::of_spec(&error, &file.display().to_string()))
        };
        let mut spec = read(&text)?;
        if spec.endpoint() != before.endpoint() {
            // By itself it would become another with so few control planes, and all kubeconfigs with it.
            text = with_endpoint(&text, &before.endpoint().to_string()).map_err(changed)?;
            spec = read(&text)?;
        }
        let after = ClusterDirectory::of(dir, spec, &file, ca_dir);
        let after = after.map_err(|error| error.problems())?;
        let name: NodeName = name.parse().expect("a node of the spec");
        let tree = dir.join("nodes").join(name.as_str());
        let files = files(&tree).map_err(|error| vec![Problem::io(&tree, &error)])?;
        Ok(Self {
            kept_in: (!files.is_empty()).then(|| place(dir, &name)),
            valid_until: last_end(&tree),
            had_authorities: files.iter().any(|path| is_authority_key(&tree, path)),
            dir: dir.to_owned(),
            name,
            text,
            after,
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// When something cannot be read or written; then nothing was changed.
    pub fn commit(self, now: OffsetDateTime) -> Result<Forgotten, Vec<Problem>> {
        let store_error = |error: StoreError| {
            vec![Problem {
                fact: error.to_string(),
                hint: error.hint(),
            }]
        };
        let tree = self.dir.join("nodes").join(self.name.as_str());
        let mut store = Store::open(&self.dir, &self.after.authorities).map_err(store_error)?;
        let mut transaction = store.transaction();
        if let Some(to) = &self.kept_in {
            for path in files(&tree).map_err(|error| vec![Problem::io(&tree, &error)])? {
                let from = tree.join(&path);
                let (contents, mode) =
                    read(&from).map_err(|error| vec![Problem::io(&from, &error)])?;
                let below = path.to_str().ok_or_else(|| vec![foreign(&from)])?;
                let location = |above: &str| {
                    Location::tree(format!("{above}/{below}").as_str())
                        .map_err(|_| vec![foreign(&from)])
                };
                let old = location(&format!("nodes/{}", self.name))?;
                transaction.write(location(to)?, contents, mode);
                transaction.remove(old);
            }
        }
        let spec = Location::tree(SPEC).expect("a file name is a path");
        transaction.write(spec, self.text.into_bytes(), FileMode::PUBLIC);
        transaction.commit().map_err(store_error)?;
        drop(store);
        remove_empty(&tree);
        let inventory = self.after.inventory();
        let inventory =
            inventory.map_err(|error| vec![Problem::new(error.to_string(), "run kpki plan")])?;
        let to_apply = Plan::new(&self.after.blueprint, &inventory, now)
            .steps()
            .len();
        // Where the CA keys are not, a plan tells of all that other machines have.
        let is_whole = self.after.authorities.is_dir();
        Ok(Forgotten {
            kept_in: self.kept_in.map(|below| self.dir.join(below)),
            to_apply: if is_whole { to_apply } else { 0 },
        })
    }
}

/// Whether a cluster can be without a node.
fn may_go(spec: &ClusterSpec, name: &str) -> Result<(), Problem> {
    let Some(node) = spec.node(name) else {
        return Err(Problem::new(
            format!("{SPEC} has no node {name:?}"),
            "nothing is to be taken out of it",
        ));
    };
    let only = |role: Role| node.has(role) && spec.nodes_with(role).count() == 1;
    if only(Role::ControlPlane) {
        return Err(Problem::new(
            format!("{name} is the only control plane, and nothing works without one"),
            "add another to cluster.toml and install it first; or, to end the cluster: kinstall reset --purge on each node",
        ));
    }
    if only(Role::Etcd) {
        return Err(Problem::new(
            format!("{name} is the only node with the role etcd, and has all the data"),
            "give the role to another node and install it first; or, to end the cluster: kinstall reset --purge on each node",
        ));
    }
    let endpoint = spec.endpoint();
    let is_there = match endpoint.host() {
        Host::Ip(address) => node.addresses().contains(address),
        Host::Dns(host) => host.as_str() == name,
    };
    if is_there {
        return Err(Problem::new(
            format!("the endpoint {endpoint} is at {name}: no node would find the API without it"),
            "write another endpoint into cluster.toml, run kpki apply, and kinstall node on every node; then remove it",
        ));
    }
    Ok(())
}

/// Where its tree will be. One of that name may have been removed before.
fn place(dir: &Path, name: &NodeName) -> String {
    let free = |place: &String| dir.join(place).symlink_metadata().is_err();
    let first = format!("{REMOVED}/{name}");
    let others = (2..).map(|number| format!("{REMOVED}/{name}.{number}"));
    let mut places = std::iter::once(first).chain(others);
    places.find(free).expect("there is always another number")
}

/// Every regular file below a directory, by its path below it. A directory that is not there has none.
fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(dir.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> io::Result<(Zeroizing<Vec<u8>>, FileMode)> {
    use std::os::unix::fs::MetadataExt as _;
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    // One byte over, so that the buffer never grows and leaves a piece of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.read_to_end(&mut bytes)?;
    let mode = FileMode::new((metadata.mode() & 0o777) as u16);
    Ok((bytes, mode.unwrap_or(FileMode::SECRET)))
}

fn foreign(path: &Path) -> Problem {
    Problem::new(
        format!("{}: a name that kpki makes no files of", path.display()),
        "take it out of the node's tree, and run this again",
    )
}

/// The directories of a tree whose files have gone. What kinstall did not move stays.
fn remove_empty(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    // Not where something is in it.
    let _ = fs::remove_dir(dir);
}

fn last_end(tree: &Path) -> Option<OffsetDateTime> {
    let thresholds = Thresholds {
        warn: "1d".parse().expect("a lifetime"),
        critical: "1d".parse().expect("a lifetime"),
    };
    if !tree.is_dir() {
        return None;
    }
    let files = CheckedFiles::read(&[tree.to_owned()], &thresholds, OffsetDateTime::UNIX_EPOCH);
    let own = files
        .certificates
        .iter()
        .filter(|one| !one.certificate.is_ca);
    own.map(|one| one.certificate.validity.not_after).max()
}

/// A key beside an authority's certificate, as the profile `kubeadm` gives it to control planes.
fn is_authority_key(tree: &Path, path: &Path) -> bool {
    let is_key = path.extension().is_some_and(|extension| extension == "key");
    let certificate = tree.join(path.with_extension("crt"));
    is_key
        && fs::read(certificate)
            .ok()
            .and_then(|bytes| pki_core::x509::Certificate::from_pem_chain(&bytes).ok())
            .is_some_and(|chain| chain.first().is_some_and(|one| one.is_ca))
}
