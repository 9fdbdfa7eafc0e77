//! Services under kinstall's supervisor: its client.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::desired::Service;
use crate::machine::{EffectError, ServiceManager, ServiceState};

use super::definition;
use super::paths::SupervisorPaths;
use super::protocol::{Answer, Phase, Request};
use super::record::Record;
use super::systemd::at;

/// How long a supervisor may take until it answers: on a busy machine it first has to be read from the disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the supervisor is started.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// kinstall.
    pub program: PathBuf,
    /// The command that calls [`daemon::run`](super::daemon::run) and detaches.
    pub arguments: Vec<OsString>,
    /// Further environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// Services under kinstall's supervisor.
#[derive(Clone, Debug)]
pub struct Supervised {
    paths: SupervisorPaths,
    launcher: Launcher,
}

impl Launcher {
    /// `kinstall supervise --detach`.
    pub fn kinstall(program: PathBuf) -> Self {
        Self {
            program,
            arguments: vec!["supervise".into(), "--detach".into()],
            environment: Vec::new(),
        }
    }
}

impl Supervised {
    /// With a supervisor at `paths`, which `launcher` starts when there is none.
    pub fn new(paths: SupervisorPaths, launcher: Launcher) -> Self {
        Self { paths, launcher }
    }

    /// Where that supervisor keeps its things.
    pub fn paths(&self) -> &SupervisorPaths {
        &self.paths
    }

    /// The definitions of all services.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn installed(&self) -> Result<Vec<Service>, EffectError> {
        let dir = &self.paths.definitions;
        let found = definition::read_all(dir).map_err(|error| at(dir, &error))?;
        Ok(found.0)
    }

    /// Starts services, or all, and the supervisor where there is none.
    ///
    /// # Errors
    /// When one does not start, or a definition makes no sense.
    pub fn start(&self, names: &[String]) -> Result<(), EffectError> {
        self.launch()?;
        let names = names.to_vec();
        let answer = self.ask(&Request::Start { names })?;
        match answer.problems.first() {
            None => Ok(()),
            Some(fact) => Err(EffectError {
                fact: fact.clone(),
                hint: Some("kinstall node writes it again".into()),
            }),
        }
    }

    /// Stops services, or all, the last first, and waits until they are down.
    ///
    /// # Errors
    /// When one does not stop.
    pub fn stop(&self, names: &[String]) -> Result<(), EffectError> {
        if self.connect().is_none() {
            // Services may live on without a supervisor; only one that knows them can stop them in peace.
            if self.living().is_empty() {
                return Ok(());
            }
            self.launch()?;
        }
        let names = names.to_vec();
        self.ask(&Request::Stop { names }).map(drop)
    }

    /// Stops all services and ends the supervisor. No error when there is none.
    ///
    /// # Errors
    /// When a service does not stop.
    pub fn shut_down(&self) -> Result<(), EffectError> {
        self.stop(&[])?;
        self.end(&Request::Shutdown)
    }

    /// Ends the supervisor, and leaves the services to the next one, as for an upgrade of kinstall.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn leave(&self) -> Result<(), EffectError> {
        self.end(&Request::Leave)
    }

    fn end(&self, request: &Request) -> Result<(), EffectError> {
        if self.connect().is_none() {
            return Ok(());
        }
        self.ask(request)?;
        let end = Instant::now() + PATIENCE;
        while self.connect().is_some() || self.paths.socket().exists() {
            if Instant::now() > end {
                return Err(self.silent("does not end"));
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn connect(&self) -> Option<UnixStream> {
        UnixStream::connect(self.paths.socket()).ok()
    }

    /// Those of which a process lives.
    fn living(&self) -> Vec<Service> {
        let services = self.installed().unwrap_or_default();
        let lives = |service: &Service| {
            let record = Record::read(&self.paths.record(&service.name));
            let process = record.and_then(|record| record.process);
            process.is_some_and(|process| process.lives())
        };
        services.into_iter().filter(lives).collect()
    }

    /// Sees to it that there is a supervisor.
    fn launch(&self) -> Result<(), EffectError> {
        if self.connect().is_some() {
            return Ok(());
        }
        let Launcher {
            program,
            arguments,
            environment,
        } = &self.launcher;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| at(program, &error))?;
        let end = Instant::now() + PATIENCE;
        while self.connect().is_none() {
            // Also when another one was quicker: then that one will answer.
            let ended = child.try_wait().ok().flatten().is_some();
            if ended && self.connect().is_none() && !self.is_locked() {
                return Err(self.failed(child));
            }
            if Instant::now() > end {
                return Err(self.silent("does not answer"));
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn is_locked(&self) -> bool {
        use rustix::fs::{FlockOperation, flock};
        let file = std::fs::File::open(self.paths.lock());
        file.is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
    }

    fn failed(&self, mut child: Child) -> EffectError {
        let mut said = String::new();
        if let Some(stderr) = &mut child.stderr {
            let _ = stderr.read_to_string(&mut said);
        }
        let fact = |line: &str| line.strip_prefix("error: ").unwrap_or(line).to_owned();
        let hint = said.lines().find_map(|line| line.strip_prefix("hint: "));
        EffectError {
            fact: format!(
                "the supervisor does not start: {}",
                said.lines().next().map_or("it says nothing".into(), fact)
            ),
            hint: hint.map(str::to_owned),
        }
    }

    fn silent(&self, what: &str) -> EffectError {
        let (socket, log) = (self.paths.socket(), self.paths.log("supervisor"));
        EffectError {
            fact: format!("the supervisor {what}: {}", socket.display()),
            hint: Some(format!("see {}", log.display())),
        }
    }

    fn ask(&self, request: &Request) -> Result<Answer, EffectError> {
        let mut stream = self
            .connect()
            .ok_or_else(|| self.silent("does not answer"))?;
        let stops: u32 = match request {
            Request::State => 0,
            // Each may take its time, and then that of being killed.
            _ => {
                let services = self.installed()?;
                let each = services.iter().map(|service| service.stop_seconds + 10);
                each.fold(0, u32::saturating_add)
            }
        };
        let patience = PATIENCE + Duration::from_secs(stops.into());
        let mut text = serde_json::to_vec(request).expect("texts and numbers");
        text.push(b'\n');
        let mut line = String::new();
        let said = stream
            .set_read_timeout(Some(patience))
            .and_then(|()| stream.write_all(&text))
            .and_then(|()| BufReader::new(&stream).read_line(&mut line));
        let answer = said.ok().and_then(|_| serde_json::from_str(&line).ok());
        let answer: Answer = answer.ok_or_else(|| self.silent("does not answer"))?;
        if answer.errors.is_empty() {
            return Ok(answer);
        }
        Err(EffectError {
            fact: answer.errors.join("; "),
            hint: None,
        })
    }
}

impl ServiceManager for Supervised {
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError> {
        let path = self.paths.definition(name);
        if !path.exists() {
            return Ok(None);
        }
        // One that makes no sense is as good as none: an install writes it again.
        let Ok(installed) = definition::read(&path) else {
            return Ok(None);
        };
        if self.connect().is_some() {
            let answer = self.ask(&Request::State)?;
            let mut services = answer.services.into_iter();
            if let Some(status) = services.find(|status| status.definition.name == name) {
                return Ok(Some(ServiceState {
                    running: status.phase == Phase::Up && status.definition == installed,
                    definition: installed,
                    since: status.since,
                    process: status.process,
                    restarts: status.restarts,
                    last_end: status.last_end,
                }));
            }
        }
        // What runs without a supervisor is not kept running, so an install has something to do.
        let record = Record::read(&self.paths.record(name));
        let living = |record: &Record| record.process.clone().filter(|process| process.lives());
        let process = record.as_ref().and_then(living);
        Ok(Some(ServiceState {
            definition: installed,
            running: false,
            since: process.as_ref().map(|process| process.since),
            process: process.map(|process| process.id),
            restarts: record.as_ref().map_or(0, |record| record.restarts),
            last_end: match record.and_then(|record| record.last_end) {
                None => Some("no supervisor is there".into()),
                known => known,
            },
        }))
    }

    fn install(&self, service: &Service) -> Result<(), EffectError> {
        let name = &service.name;
        if !definition::is_name(name) {
            return Err(EffectError {
                fact: format!("{name:?} is no name for a service"),
                hint: None,
            });
        }
        let path = self.paths.definition(name);
        if definition::read(&path).as_ref() != Ok(service) {
            let text = serde_json::to_vec_pretty(service).expect("texts and numbers");
            definition::write_whole(&path, &text).map_err(|error| at(&path, &error))?;
        }
        self.launch()?;
        let reloaded = self.ask(&Request::Reload);
        // Only this service's end matters here, and a start tells of it.
        let names = vec![name.clone()];
        self.ask(&Request::Start { names })
            .map_err(|error| EffectError {
                hint: Some(match reloaded {
                    Err(other) if other.fact != error.fact => other.fact,
                    _ => format!("see why with: kinstall logs {name}"),
                }),
                ..error
            })?;
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), EffectError> {
        let path = self.paths.definition(name);
        let was_there = path.exists();
        definition::remove(&path).map_err(|error| at(&path, &error))?;
        if was_there || self.paths.record(name).exists() {
            self.launch()?;
            self.ask(&Request::Reload)?;
        }
        if self.installed()?.is_empty() && !self.paths.definitions.join(name).exists() {
            // With nothing to keep, it only stands in the way of a reset.
            self.end(&Request::Shutdown)?;
        }
        Ok(())
    }
}
