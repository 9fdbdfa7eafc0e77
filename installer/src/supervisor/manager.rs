//! What keeps services running on this machine, whichever it is.

use std::io::Write;
use std::path::PathBuf;

use crate::desired::{InitSystem, Service};
use crate::machine::{EffectError, ServiceManager, ServiceState};

use super::SupervisorPaths;
use super::logs::{self, LogPlaces};
use super::order::start_order;
use super::pods::Pods;
use super::supervised::{Launcher, Supervised};
use super::systemd::Systemd;

/// What keeps services running on this machine.
#[derive(Clone, Debug)]
pub enum Manager {
    /// systemd.
    Systemd(Systemd),
    /// kinstall's supervisor.
    Supervised(Supervised),
}

impl Manager {
    /// The one of a machine with this init system. `kinstall` is where this program is.
    pub fn new(init: InitSystem, kinstall: PathBuf) -> Self {
        match init {
            InitSystem::Systemd => Self::Systemd(Systemd::system()),
            InitSystem::Supervisor => {
                let launcher = Launcher::kinstall(kinstall);
                Self::Supervised(Supervised::new(SupervisorPaths::system(), launcher))
            }
        }
    }

    /// The definitions of all services, in the order in which they start.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn installed(&self) -> Result<Vec<Service>, EffectError> {
        let mut services = match self {
            Self::Systemd(systemd) => systemd.installed(),
            Self::Supervised(supervised) => supervised.installed(),
        }?;
        let order = start_order(&services);
        services.sort_by_key(|service| order.iter().position(|name| *name == service.name));
        Ok(services)
    }

    /// Starts these services, or all, in their order. What runs already is left alone. With nothing installed it does
    /// nothing.
    ///
    /// # Errors
    /// When there is none of that name, or one does not start.
    pub fn start(&self, names: &[String]) -> Result<(), EffectError> {
        let names = self.chosen(names)?;
        match self {
            _ if names.is_empty() => Ok(()),
            Self::Systemd(systemd) => systemd.start(&names),
            Self::Supervised(supervised) => supervised.start(&names),
        }
    }

    /// Stops these services, or all, in reverse order, until the next start or boot.
    ///
    /// When all are stopped the node is down: pods, which the kubelet leaves running, are ended between it and containerd.
    /// The supervisor ends as well.
    ///
    /// # Errors
    /// When there is none of that name, or something does not end.
    pub fn stop(&self, names: &[String], pods: &Pods) -> Result<(), EffectError> {
        let all = names.is_empty();
        for name in self.chosen(names)?.into_iter().rev() {
            if all && name == Pods::RUNTIME {
                self.end_pods(pods)?;
            }
            match self {
                Self::Systemd(systemd) => systemd.stop(&[name])?,
                Self::Supervised(supervised) => supervised.stop(&[name])?,
            }
        }
        match self {
            Self::Supervised(supervised) if all => supervised.shut_down(),
            _ => Ok(()),
        }
    }

    /// The pods of the containerd that is installed.
    ///
    /// # Errors
    /// When its definition cannot be read.
    pub fn pods(&self) -> Result<Pods, EffectError> {
        let services = self.installed()?;
        let runtime = services
            .iter()
            .find(|service| service.name == Pods::RUNTIME);
        // Both come from one release and are installed side by side.
        let ctr = runtime.map(|runtime| runtime.program.with_file_name("ctr"));
        Ok(Pods::system(ctr.unwrap_or_else(|| "ctr".into())))
    }

    fn end_pods(&self, pods: &Pods) -> Result<(), EffectError> {
        if !pods.are_there() {
            return Ok(());
        }
        // Pods go on without containerd, but only it ends them in peace.
        self.start(&[Pods::RUNTIME.into()])?;
        pods.end()
    }

    /// Writes the last `lines` lines of a component to `out`, and with `follow` all that come, until SIGINT.
    ///
    /// # Errors
    /// When there is no such component, or its log cannot be read.
    pub fn logs(
        &self,
        component: &str,
        lines: usize,
        follow: bool,
        out: &mut impl Write,
    ) -> Result<(), EffectError> {
        let services = self.installed()?;
        let services: Vec<_> = services.into_iter().map(|service| service.name).collect();
        let service_logs = match self {
            Self::Systemd(_) => None,
            Self::Supervised(supervised) => Some(supervised.paths().logs.clone()),
        };
        let places = LogPlaces {
            services,
            service_logs,
            pods: logs::POD_LOGS.into(),
        };
        logs::show(&places, component, lines, follow, out)
    }

    /// All installed services, or those of them that are named, in the order in which they start.
    fn chosen(&self, names: &[String]) -> Result<Vec<String>, EffectError> {
        let known = self.installed()?;
        let known: Vec<_> = known.into_iter().map(|service| service.name).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            return Err(EffectError {
                fact: format!("there is no service {name:?}"),
                hint: Some(match known.as_slice() {
                    [] => "kinstall node installs them".into(),
                    known => format!("there are {}", known.join(", ")),
                }),
            });
        }
        let is_chosen = |name: &String| names.is_empty() || names.contains(name);
        Ok(known.into_iter().filter(is_chosen).collect())
    }
}

impl ServiceManager for Manager {
    fn state(&self, name: &str) -> Result<Option<ServiceState>, EffectError> {
        match self {
            Self::Systemd(systemd) => systemd.state(name),
            Self::Supervised(supervised) => supervised.state(name),
        }
    }

    fn install(&self, service: &Service) -> Result<(), EffectError> {
        match self {
            Self::Systemd(systemd) => systemd.install(service),
            Self::Supervised(supervised) => supervised.install(service),
        }
    }

    fn remove(&self, name: &str) -> Result<(), EffectError> {
        match self {
            Self::Systemd(systemd) => systemd.remove(name),
            Self::Supervised(supervised) => supervised.remove(name),
        }
    }
}
