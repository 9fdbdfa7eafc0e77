//! Hears from a service that it answers (sd_notify(3)), so that what comes after it finds it.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::supervisor::definition;

/// What comes after a service that does not tell starts all the same, and tries until it finds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a service answers.
#[derive(Clone)]
pub struct Ready(Rc<Inner>);

struct Inner {
    answers: watch::Sender<bool>,
    /// What listens for the start that is expected now: not longer than that start is.
    listening: RefCell<Option<AbortHandle>>,
}

impl Ready {
    /// It does: nobody has reason to wait.
    pub fn new() -> Self {
        Self(Rc::new(Inner {
            answers: watch::Sender::new(true),
            listening: RefCell::new(None),
        }))
    }

    /// It starts now, and will tell at the socket `path`.
    pub fn expect(&self, path: &Path) -> io::Result<()> {
        self.forget();
        definition::remove(path)?;
        let socket = UnixDatagram::bind(path)?;
        self.0.answers.send_replace(false);
        let ready = self.clone();
        let listening = tokio::task::spawn_local(async move {
            let mut message = [0; 4096];
            while let Ok(count) = socket.recv(&mut message).await {
                let mut lines = message[..count].split(|&byte| byte == b'\n');
                if lines.any(|line| line == b"READY=1") {
                    break;
                }
            }
            ready.0.answers.send_replace(true);
        });
        self.0.listening.replace(Some(listening.abort_handle()));
        Ok(())
    }

    /// It ended: nobody knows when it will answer, so nobody waits for it.
    pub fn ended(&self) {
        self.forget();
        self.0.answers.send_replace(true);
    }

    fn forget(&self) {
        if let Some(listening) = self.0.listening.take() {
            listening.abort();
        }
    }

    /// Waits until it answers, but not for ever.
    pub async fn wait(&self) {
        let mut watched = self.0.answers.subscribe();
        let _ = timeout(PATIENCE, watched.wait_for(|ready| *ready)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::task::LocalSet;
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn one_that_ended_is_not_waited_for_and_leaves_nothing_open() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("notify");
        let open = || fs::read_dir("/proc/self/fd").unwrap().count();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async {
            let ready = Ready::new();
            ready.expect(&path).unwrap();
            tokio::task::yield_now().await;
            let before = open();
            let began = Instant::now();
            for _ in 0..100 {
                ready.ended();
                ready.wait().await;
                ready.expect(&path).unwrap();
                tokio::task::yield_now().await;
            }
            // A single wait for it would have been as long.
            assert!(began.elapsed() < PATIENCE);
            // Other tests of this process open files too, but not so many.
            assert!(open() < before + 50);
            let teller = UnixDatagram::unbound().unwrap();
            teller.send_to(b"READY=1\n", &path).await.unwrap();
            ready.wait().await;
            assert!(began.elapsed() < PATIENCE * 2);
        });
    }
}
