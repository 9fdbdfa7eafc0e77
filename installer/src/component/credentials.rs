//! A component's own copy of just those files that it needs.
//!
//! kubeadm's tree is root's; a component that is somebody else cannot read its keys. So each gets a directory of its
//! own, and sees it as `/etc/kubernetes`: the flags say the paths that everybody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;

use super::error::ComponentError;
use super::make::{self, PRIVATE};
use super::tree;
use crate::desired::digest::Digest;
use crate::desired::{
    Contents, DirectoryContents, NodeSpec, Owner, Resource, Stage, TreeFile, layout,
};

/// What one component may read.
#[derive(Debug)]
pub(super) struct Credentials<'a> {
    spec: &'a NodeSpec,
    component: &'static str,
    owner: Owner,
    files: BTreeMap<PathBuf, TreeFile>,
    /// Those that the component reads again by itself when they change.
    reread: BTreeSet<PathBuf>,
}

impl<'a> Credentials<'a> {
    /// Nothing yet.
    pub(super) fn new(spec: &'a NodeSpec, component: &'static str, owner: Owner) -> Self {
        Self {
            spec,
            component,
            owner,
            files: BTreeMap::new(),
            reread: BTreeSet::new(),
        }
    }

    /// A file of the node's tree; the path at which the component sees it.
    pub(super) fn file(&mut self, path: &'static str) -> Result<String, ComponentError> {
        self.first(&[path])
    }

    /// A file of the node's tree that the component reads again by itself when it changes: then it need not be restarted.
    pub(super) fn reread(&mut self, path: &'static str) -> Result<String, ComponentError> {
        let seen = self.file(path)?;
        self.reread.insert(path.into());
        Ok(seen)
    }

    /// The first of these files that the node's tree has; the path at which the component sees it.
    pub(super) fn first(&mut self, paths: &[&'static str]) -> Result<String, ComponentError> {
        let (path, file) = tree::first(self.spec, self.component, paths)?;
        Ok(self.insert(path, file.clone()))
    }

    /// A file that is not of the tree; the path at which the component sees it.
    pub(super) fn text(&mut self, path: &'static str, text: &str) -> String {
        let file = TreeFile {
            contents: Contents::new(text),
            mode: FileMode::SECRET,
        };
        self.insert(path, file)
    }

    fn insert(&mut self, path: &str, file: TreeFile) -> String {
        self.files.insert(path.into(), file);
        format!("{}/{path}", layout::KUBERNETES)
    }

    /// Where they are on the host.
    pub(super) fn directory(&self) -> PathBuf {
        Path::new(layout::CREDENTIALS).join(self.component)
    }

    /// SHA-256, in hexadecimal, over all paths, and the contents that are read once.
    pub(super) fn digest(&self) -> String {
        let mut digest = Digest::new();
        for (path, file) in &self.files {
            digest.field(path.as_os_str().as_encoded_bytes());
            if !self.reread.contains(path) {
                digest.field(file.contents.secret_bytes());
            }
        }
        digest.finish()
    }

    /// The directories and files.
    pub(super) fn resources(self) -> Vec<Resource> {
        let root = self.directory();
        let why = format!("{} reads just these files, as its own user", self.component);
        let ours = DirectoryContents::Ours;
        let directory =
            |path: &Path, owner| make::directory(Stage::Files, &why, path, PRIVATE, owner, ours);
        let mut resources = vec![directory(&root, self.owner)];
        let folders: BTreeSet<&Path> = self
            .files
            .keys()
            .flat_map(|path| path.ancestors().skip(1))
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        for folder in folders {
            resources.push(directory(&root.join(folder), self.owner));
        }
        for (path, file) in self.files {
            resources.push(make::file(
                Stage::Files,
                &why,
                root.join(path),
                file.contents,
                file.mode,
                self.owner,
            ));
        }
        resources
    }
}
