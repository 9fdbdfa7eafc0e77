//! Takes the exit status of every child: of services, and of what they leave behind.
//!
//! containerd's shims lose their parent at once, by design, and are then this process's children (it is a child subreaper),
//! on machines whose process 1 reaps nothing too. Only those that were asked for are anybody's business.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use rustix::process::{WaitOptions, WaitStatus};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Who waits for which process.
#[derive(Clone, Default)]
pub struct Reaper(Rc<RefCell<BTreeMap<u32, oneshot::Sender<Option<WaitStatus>>>>>);

impl Reaper {
    /// Begins to reap.
    pub fn start() -> io::Result<Self> {
        let reaper = Self::default();
        let mut signals = signal(SignalKind::child())?;
        let own = reaper.clone();
        tokio::task::spawn_local(async move {
            loop {
                own.reap();
                signals.recv().await;
            }
        });
        // Without it, orphans are process 1's business.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        Ok(reaper)
    }

    /// What will tell how the child `id` ended. Asked for in the same breath as it is started: nothing else runs on this
    /// thread in between.
    pub fn end_of(&self, id: u32) -> oneshot::Receiver<Option<WaitStatus>> {
        let (sender, receiver) = oneshot::channel();
        self.0.borrow_mut().insert(id, sender);
        receiver
    }

    fn reap(&self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let id = pid.as_raw_nonzero().get().unsigned_abs();
            if let Some(waits) = self.0.borrow_mut().remove(&id) {
                // Whoever asked may be gone.
                let _ = waits.send(Some(status));
            }
        }
    }
}
