//! `kinstall addon-manager`, a service of control-plane nodes.

use std::path::Path;

use installer::addon::manager;
use installer::desired::layout;
use tokio::signal::unix::{SignalKind, signal};

use super::machine;
use crate::cli::output::{Failure, Outcome};

/// Keeps the cluster's addons until it is told to end.
pub fn run() -> Result<Outcome, Failure> {
    let runtime = machine::runtime()?;
    // Before RBAC is applied no other kubeconfig may do anything (kubeadm.kubernetes.io/super-admin).
    let kubeconfig = Path::new(layout::KUBERNETES).join("super-admin.conf");
    let ended = async {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            // Without a handler both end this process at once: it has nothing to tidy up.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let folder = Path::new(layout::ADDONS);
    runtime.block_on(manager::run(folder, &kubeconfig, ended));
    Ok(Outcome::fine(""))
}
