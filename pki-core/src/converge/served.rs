//! Whether servers serve the certificates that are on disk: the proof that a renewal is in use.

use std::thread;
use std::time::{Duration, Instant};

use super::check::Target;
use super::dial::{DialError, ServerAddress, dial};
use super::inventory::Inventory;
use super::plan::source;
use crate::cluster::blueprint::{ArtifactId, Blueprint};
use crate::x509::Certificate;

/// One handshake with a server on the same network takes milliseconds.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Between two rounds. Servers that read a file again by themselves look once a minute, or are told by the system.
const PAUSE: Duration = Duration::from_millis(500);

/// A server, and what it served when it was dialled last.
#[derive(Debug)]
pub struct Serving {
    /// What it should serve.
    pub artifact: ArtifactId,
    /// Where it is.
    pub address: ServerAddress,
    /// What it serves.
    pub state: ServingState,
}

/// What a server serves.
#[derive(Debug)]
pub enum ServingState {
    /// The certificate that is on disk.
    OnDisk,
    /// Another one.
    Other(Box<Certificate>),
    /// It could not be seen.
    Unknown(DialError),
}

impl Serving {
    /// Whether it serves what is on disk.
    pub const fn is_on_disk(&self) -> bool {
        matches!(self.state, ServingState::OnDisk)
    }
}

/// Dials those of `targets` whose certificate is in the inventory, again and again, until each serves that or `patience`
/// is over. With no patience at all each is dialled once.
pub fn wait_until_served(
    targets: &[Target],
    blueprint: &Blueprint,
    inventory: &Inventory,
    patience: Duration,
) -> Vec<Serving> {
    let deadline = Instant::now() + patience;
    let wanted = targets.iter().filter_map(|target| {
        let artifact = blueprint.artifact(target.artifact.as_ref()?)?;
        let found = source::certificates(artifact, inventory)?;
        Some((target, &found.chain[0]))
    });
    let wanted: Vec<_> = wanted.collect();
    let mut seen: Vec<_> = wanted.iter().map(|one| look(one.0, one.1)).collect();
    while !seen.iter().all(Serving::is_on_disk) && Instant::now() < deadline {
        thread::sleep(PAUSE);
        for (serving, (target, certificate)) in seen.iter_mut().zip(&wanted) {
            if !serving.is_on_disk() {
                *serving = look(target, certificate);
            }
        }
    }
    seen
}

fn look(target: &Target, wanted: &Certificate) -> Serving {
    let state = match dial(&target.address, target.client.as_ref(), HANDSHAKE) {
        Ok(served) if served.certificate() == wanted => ServingState::OnDisk,
        Ok(served) => ServingState::Other(Box::new(served.certificate().clone())),
        Err(error) => ServingState::Unknown(error),
    };
    let artifact = target.artifact.clone();
    Serving {
        artifact: artifact.expect("only known artifacts are looked for"),
        address: target.address.clone(),
        state,
    }
}
