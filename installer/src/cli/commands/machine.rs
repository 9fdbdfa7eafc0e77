//! This machine's own services and images.

use std::path::PathBuf;

use installer::desired::{InitSystem, NodeSpec, layout};
use installer::image::ContainerdImages;
use installer::machine::{EffectError, ServiceManager};
use installer::supervisor::{Supervised, Systemd};

/// What keeps services on this machine.
pub fn services(init: InitSystem) -> Box<dyn ServiceManager> {
    match init {
        InitSystem::Systemd => Box::new(Systemd::system()),
        InitSystem::Supervisor => Box::new(Supervised::system()),
    }
}

/// What holds images on this machine.
pub fn images(spec: &NodeSpec) -> ContainerdImages {
    ContainerdImages::new(
        spec.programs.named("ctr").path.clone(),
        PathBuf::from(layout::CONTAINERD_SOCKET),
    )
}

/// One runtime on this thread, for what waits.
pub fn runtime() -> Result<tokio::runtime::Runtime, EffectError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| EffectError {
            fact: format!("the asynchronous runtime: {error}"),
            hint: None,
        })
}
