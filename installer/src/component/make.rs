//! Short ways to say a resource.

use std::path::PathBuf;

use pki_core::cluster::FileMode;

use crate::desired::{
    Contents, Directory, DirectoryContents, File, Kind, Owner, Resource, Service, Stage, Symlink,
    Trace,
};

/// `0700`: nobody else has business in it.
pub(super) const PRIVATE: FileMode = FileMode::new(0o700).expect("permission bits");
/// `0755`: everybody may look.
pub(super) const OPEN: FileMode = FileMode::new(0o755).expect("permission bits");

pub(super) fn directory(
    stage: Stage,
    why: &str,
    path: impl Into<PathBuf>,
    mode: FileMode,
    owner: Owner,
    contents: DirectoryContents,
) -> Resource {
    Resource {
        stage,
        why: why.into(),
        kind: Kind::Directory(Directory {
            path: path.into(),
            mode,
            owner,
            contents,
        }),
    }
}

pub(super) fn file(
    stage: Stage,
    why: &str,
    path: impl Into<PathBuf>,
    contents: Contents,
    mode: FileMode,
    owner: Owner,
) -> Resource {
    Resource {
        stage,
        why: why.into(),
        kind: Kind::File(File {
            path: path.into(),
            contents,
            mode,
            owner,
        }),
    }
}

pub(super) fn link(why: &str, path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Resource {
    Resource {
        stage: Stage::Files,
        why: why.into(),
        kind: Kind::Symlink(Symlink {
            path: path.into(),
            target: target.into(),
        }),
    }
}

pub(super) fn service(stage: Stage, why: &str, service: Service) -> Resource {
    Resource {
        stage,
        why: why.into(),
        kind: Kind::Service(service),
    }
}

pub(super) fn trace(why: &str, trace: Trace) -> Resource {
    Resource {
        stage: Stage::Host,
        why: why.into(),
        kind: Kind::Trace(trace),
    }
}
