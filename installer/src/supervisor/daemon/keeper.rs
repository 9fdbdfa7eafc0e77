//! Keeps one service as its definition and its owner want it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::Backoff;
use super::child::{self, Child};
use super::journal::Journal;
use super::output::Output;
use super::ready::Ready;
use super::reaper::Reaper;
use crate::desired::Service;
use crate::supervisor::definition;
use crate::supervisor::paths::SupervisorPaths;
use crate::supervisor::protocol::{Phase, Status};
use crate::supervisor::record::Record;
use crate::supervisor::unit::tells_when_ready;

/// How long a killed process may take to be gone: one that waits for a disk does not hear.
const KILL_SECONDS: u64 = 10;

/// What all keepers share.
#[derive(Clone)]
pub struct Shared {
    pub paths: Rc<SupervisorPaths>,
    pub journal: Rc<Journal>,
    pub reaper: Reaper,
    pub board: Rc<RefCell<BTreeMap<String, Status>>>,
}

/// What a keeper is told to do. Answered when it is done, or with the reason why not.
pub enum Order {
    /// Keep it running.
    Start,
    /// Stop it, until told otherwise.
    Stop,
    /// It is defined so now.
    Define(Box<Service>),
    /// It is defined no more: stop it and forget it.
    Forget,
    /// Leave it running to another supervisor.
    Leave,
}

/// The way to a keeper.
pub struct Keeper {
    orders: mpsc::Sender<(Order, oneshot::Sender<Result<(), String>>)>,
    ready: Ready,
}

impl Keeper {
    /// Begins to keep a service: adopts its process where there is one, else starts it unless its owner stopped it. That
    /// attempt has been made when this returns.
    pub fn start(service: Service, shared: Shared) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let mut keeping = Keeping::new(service, shared);
        keeping.begin();
        let ready = keeping.ready.clone();
        tokio::task::spawn_local(keeping.run(receiver));
        Self {
            orders: sender,
            ready,
        }
    }

    /// Has an order done.
    pub async fn order(&self, order: Order) -> Result<(), String> {
        let (sender, receiver) = oneshot::channel();
        // The keeper ends only by an order.
        if self.orders.send((order, sender)).await.is_err() {
            return Ok(());
        }
        receiver.await.unwrap_or(Ok(()))
    }

    /// Waits a while for the service to answer, if it is one that tells.
    pub async fn ready(&self) {
        self.ready.wait().await;
    }
}

struct Keeping {
    service: Service,
    record: Record,
    child: Option<Child>,
    output: Option<Output>,
    ready: Ready,
    started: Instant,
    backoff: Backoff,
    again: Option<Instant>,
    shared: Shared,
}

impl Keeping {
    fn new(service: Service, shared: Shared) -> Self {
        let path = shared.paths.record(&service.name);
        let record = Record::read(&path).unwrap_or_else(|| Record::new(service.clone()));
        Self {
            service,
            record,
            child: None,
            output: None,
            ready: Ready::new(),
            started: Instant::now(),
            backoff: Backoff::new(),
            again: None,
            shared,
        }
    }

    fn begin(&mut self) {
        let known = self.record.process.take();
        self.child = known.as_ref().and_then(Child::adopt).or_else(|| {
            let output = self.shared.paths.output(&self.service.name);
            let found = child::find(&self.service, &output)?;
            self.record.definition = self.service.clone();
            Child::adopt(&found)
        });
        let name = &self.service.name;
        if let Some(child) = &self.child {
            let id = child.process.id;
            self.record.process = Some(child.process.clone());
            self.shared
                .journal
                .say(&format!("{name}: goes on as process {id}"));
            if let Err(fact) = self.open_output() {
                self.shared.journal.say(&fact);
            }
            self.tell(Phase::Up);
        } else if self.record.stopped {
            self.tell(Phase::Down);
        } else {
            if known.is_some() {
                self.record.last_end = Some("it ended while no supervisor was there".into());
            }
            // Tried again until it succeeds; the board and the journal tell.
            let _ = self.spawn();
        }
    }

    async fn run(
        mut self,
        mut orders: mpsc::Receiver<(Order, oneshot::Sender<Result<(), String>>)>,
    ) {
        loop {
            let ended = async {
                match &mut self.child {
                    Some(child) => child.ended().await,
                    None => pending().await,
                }
            };
            let due = async {
                match self.again {
                    Some(again) => sleep_until(again).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                how = ended => self.ended_by_itself(how),
                () = due => {
                    self.record.restarts += 1;
                    let _ = self.spawn();
                }
                order = orders.recv() => {
                    let Some((order, answer)) = order else { return };
                    let last = matches!(order, Order::Forget | Order::Leave);
                    let _ = answer.send(self.obey(order).await);
                    if last {
                        return;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Start => {
                self.record.stopped = false;
                if self.child.is_some() && self.record.definition == self.service {
                    return Ok(());
                }
                self.stop().await?;
                self.backoff = Backoff::new();
                self.spawn()
            }
            Order::Stop => {
                self.record.stopped = true;
                self.stop().await?;
                self.tell(Phase::Down);
                Ok(())
            }
            Order::Define(service) => {
                self.service = *service;
                let same = self.record.definition == self.service;
                if same || (self.record.stopped && self.child.is_none()) {
                    self.tell_again();
                    return Ok(());
                }
                let name = &self.service.name;
                self.shared
                    .journal
                    .say(&format!("{name}: its definition changed"));
                self.stop().await?;
                self.backoff = Backoff::new();
                self.spawn()
            }
            Order::Forget => {
                self.stop().await?;
                let name = &self.service.name;
                self.shared.board.borrow_mut().remove(name);
                let paths = &self.shared.paths;
                for path in [paths.record(name), paths.output(name), paths.notify(name)] {
                    let removed = definition::remove(&path);
                    removed.map_err(|error| format!("{}: {error}", path.display()))?;
                }
                Ok(())
            }
            Order::Leave => {
                if let Some(output) = &self.output {
                    output.drain();
                }
                Ok(())
            }
        }
    }

    fn spawn(&mut self) -> Result<(), String> {
        let name = self.service.name.clone();
        self.again = None;
        let spawned = self.open_output().and_then(|()| {
            let output = self.output.as_ref().expect("opened just now");
            let notify = self.expect_ready();
            let reaper = &self.shared.reaper;
            Child::spawn(&self.service, output, notify.as_deref(), reaper)
                .map_err(|error| format!("{name}: {}: {error}", self.service.program.display()))
        });
        match spawned {
            Ok(child) => {
                let id = child.process.id;
                self.shared
                    .journal
                    .say(&format!("{name}: started as process {id}"));
                self.record.process = Some(child.process.clone());
                self.record.definition = self.service.clone();
                self.child = Some(child);
                self.started = Instant::now();
                self.tell(Phase::Up);
                Ok(())
            }
            Err(fact) => {
                self.shared.journal.say(&fact);
                self.record.last_end = Some(fact.clone());
                self.wait_and_try_again();
                Err(fact)
            }
        }
    }

    fn open_output(&mut self) -> Result<(), String> {
        if self.output.is_none() {
            let Shared { paths, journal, .. } = &self.shared;
            let name = &self.service.name;
            let path = paths.output(name);
            let output = Output::open(&path, &paths.log(name), journal);
            self.output = Some(output.map_err(|error| format!("{}: {error}", path.display()))?);
        }
        Ok(())
    }

    /// Where the service is to tell that it answers, if it is one that tells.
    fn expect_ready(&self) -> Option<PathBuf> {
        let path = self.shared.paths.notify(&self.service.name);
        let expected = tells_when_ready(&self.service.name).then(|| self.ready.expect(&path));
        // Where that fails, nobody waits.
        expected.is_some_and(|done| done.is_ok()).then_some(path)
    }

    fn ended_by_itself(&mut self, how: String) {
        let name = &self.service.name;
        self.shared
            .journal
            .say(&format!("{name}: ended by itself: {how}"));
        self.child = None;
        self.record.process = None;
        self.record.last_end = Some(how);
        self.backoff.ran(self.started.elapsed());
        self.ready.ended();
        self.wait_and_try_again();
    }

    fn wait_and_try_again(&mut self) {
        self.again = Some(Instant::now() + self.backoff.next_wait());
        self.tell(Phase::Waiting);
    }

    /// Ends the main process, by force when it takes too long.
    async fn stop(&mut self) -> Result<(), String> {
        self.again = None;
        if self.child.is_none() {
            return Ok(());
        }
        self.tell(Phase::Stopping);
        let child = self.child.as_mut().expect("looked just now");
        let name = &self.service.name;
        // As its own definition says, not as the next one.
        let patience = Duration::from_secs(self.record.definition.stop_seconds.into());
        child.signal(Signal::TERM);
        let how = match timeout(patience, child.ended()).await {
            Ok(how) => how,
            Err(_) => {
                let seconds = patience.as_secs();
                let fact = format!("{name}: still runs after {seconds} s, killed");
                self.shared.journal.say(&fact);
                child.signal(Signal::KILL);
                let killed = timeout(Duration::from_secs(KILL_SECONDS), child.ended()).await;
                killed.map_err(|_| {
                    let id = child.process.id;
                    format!("{name}: process {id} does not end, though it was killed")
                })?
            }
        };
        self.shared.journal.say(&format!("{name}: stopped: {how}"));
        self.child = None;
        self.record.process = None;
        self.record.last_end = Some(format!("stopped: {how}"));
        if let Some(output) = &self.output {
            output.drain();
        }
        self.tell(Phase::Down);
        Ok(())
    }

    fn tell_again(&self) {
        let phase = self
            .shared
            .board
            .borrow()
            .get(&self.service.name)
            .map(|known| known.phase);
        self.tell(phase.unwrap_or(Phase::Down));
    }

    /// Puts what is known where others read it.
    fn tell(&self, phase: Phase) {
        let name = &self.service.name;
        let process = self.record.process.as_ref();
        let status = Status {
            definition: self.record.definition.clone(),
            phase,
            process: process.map(|process| process.id),
            since: process.map(|process| process.since),
            restarts: self.record.restarts,
            last_end: self.record.last_end.clone(),
        };
        self.shared.board.borrow_mut().insert(name.clone(), status);
        let path = self.shared.paths.record(name);
        if let Err(error) = self.record.write(&path) {
            self.shared
                .journal
                .say(&format!("{}: {error}", path.display()));
        }
    }
}
