//! Hears from a service that it answers (sd_notify(3)), so that what comes after it finds it.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::supervisor::definition;

/// What comes after a service that does not tell starts all the same, and tries until it finds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a service answers.
#[derive(Clone)]
pub struct Ready(Rc<watch::Sender<bool>>);

impl Ready {
    /// It does: nobody has reason to wait.
    pub fn new() -> Self {
        Self(Rc::new(watch::Sender::new(true)))
    }

    /// It starts now, and will tell at the socket `path`.
    pub fn expect(&self, path: &Path) -> io::Result<()> {
        definition::remove(path)?;
        let socket = UnixDatagram::bind(path)?;
        self.0.send_replace(false);
        let ready = self.clone();
        tokio::task::spawn_local(async move {
            let mut message = [0; 4096];
            while let Ok(count) = socket.recv(&mut message).await {
                let mut lines = message[..count].split(|&byte| byte == b'\n');
                if lines.any(|line| line == b"READY=1") {
                    break;
                }
            }
            ready.0.send_replace(true);
        });
        Ok(())
    }

    /// Waits until it answers, but not for ever.
    pub async fn wait(&self) {
        let mut watched = self.0.subscribe();
        let _ = timeout(PATIENCE, watched.wait_for(|ready| *ready)).await;
    }
}
