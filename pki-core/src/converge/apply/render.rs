//! From keys and certificates to the bytes of files.

use zeroize::Zeroizing;

use super::changes::{Changes, Done, FileChange};
use crate::cluster::Location;
use crate::cluster::blueprint::{Artifact, Content, Part};
use crate::converge::plan::{Step, source};
use crate::x509::lint::Finding;
use crate::x509::{Certificate, PrivateKey, to_pem};

/// Adds the files of one step. A certificate and its key are one group, the certificate first.
pub(in crate::converge) fn render(
    artifact: &Artifact,
    step: &Step,
    state: &State<'_>,
    changes: &mut Changes,
) {
    let mut files: Vec<(String, FileChange)> = Vec::new();
    for index in &step.writes {
        let placement = &artifact.placements[*index];
        let contents = match placement.part {
            Part::Certificate => {
                let kept = match artifact.content {
                    Content::Authority(_) => source::kept_at(&placement.location, &state.chain),
                    _ => state.chain.clone(),
                };
                let text: String = kept.iter().map(Certificate::pem).collect();
                Zeroizing::new(text.into_bytes())
            }
            Part::PrivateKey => match &state.key {
                Some(key) => into_bytes(key.get().secret_pem()),
                None => continue,
            },
            Part::PublicKey => match &state.key {
                Some(key) => into_bytes(to_pem("PUBLIC KEY", key.get().public_key().der())),
                None => continue,
            },
            Part::Whole => match &state.whole {
                Some(text) => Zeroizing::new(text.as_bytes().to_vec()),
                None => continue,
            },
        };
        let location = placement.location.clone();
        files.push((
            stem(&location),
            FileChange {
                location,
                mode: placement.mode,
                contents: Some(contents),
            },
        ));
    }
    for index in &step.modes {
        let placement = &artifact.placements[*index];
        let location = placement.location.clone();
        files.push((
            stem(&location),
            FileChange {
                location,
                mode: placement.mode,
                contents: None,
            },
        ));
    }
    changes.done.push(Done {
        artifact: step.artifact.clone(),
        kind: step.kind,
        action: step.action,
        certificate: match artifact.content {
            Content::TrustBundle(_) => None,
            _ => state.chain.first().cloned(),
        },
        files: files
            .iter()
            .map(|(_, file)| file.location.clone())
            .collect(),
        warnings: state.warnings.clone(),
    });
    while !files.is_empty() {
        let first = files[0].0.clone();
        let (group, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(stem, _)| *stem == first);
        changes
            .groups
            .push(group.into_iter().map(|(_, file)| file).collect());
        files = others;
    }
}

/// What the files of an artifact are written from.
#[derive(Default)]
pub(in crate::converge) struct State<'a> {
    pub chain: Vec<Certificate>,
    pub key: Option<Key<'a>>,
    /// The whole file, where the artifact is one.
    pub whole: Option<Zeroizing<String>>,
    pub warnings: Vec<Finding>,
}

pub(in crate::converge) enum Key<'a> {
    New(PrivateKey),
    Found(&'a PrivateKey),
}

impl State<'_> {
    /// Whether there is a new key, and a certificate for it.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.key, Some(Key::New(_))) || self.whole.is_some() && !self.chain.is_empty()
    }
}

impl Key<'_> {
    pub(super) fn get(&self) -> &PrivateKey {
        match self {
            Self::New(key) => key,
            Self::Found(key) => key,
        }
    }
}

/// What a certificate's file and its key's file have in common: the path without its ending.
fn stem(location: &Location) -> String {
    let path = location.path.as_str();
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    format!("{:?}/{stem}", location.root)
}

fn into_bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}
