//! The course of an installation: stage after stage, and what each waits for before the next.

use std::path::Path;
use std::time::{Duration, Instant};

use pki_core::cluster::spec::Role;

use super::pod_subnet;
use super::replace;
use super::role_label::mark_control_plane;
use crate::component;
use crate::desired::{NodeSpec, Resource, Service, Stage, layout};
use crate::etcd::{self, EtcdError};
use crate::health::{Gate, GateError, Probes};
use crate::machine::etcd_data;
use crate::machine::{Effects, Host, HostError, ImageStore, Progress, ServiceManager};
use crate::plan::{Action, Plan};

/// What a member that joined others waits for.
const VOTE: &str = "etcd has its vote";

/// Who is told how far it is.
pub trait Watcher {
    /// This is being done or waited for now.
    fn now(&mut self, what: &str);
    /// This is done.
    fn done(&mut self, what: &str, took: Duration);
}

/// One installation.
pub struct Course<'a> {
    /// What is wanted of the machine.
    pub spec: &'a NodeSpec,
    /// The same, as resources.
    pub desired: &'a [Resource],
    /// What differs.
    pub plan: &'a Plan,
    /// What keeps services running.
    pub services: &'a dyn ServiceManager,
    /// What holds images.
    pub images: &'a dyn ImageStore,
    /// Whether etcd begins now, without data, as the spec says.
    pub etcd_begins: bool,
    /// How long to wait for each gate.
    pub timeout: Duration,
}

/// When what was reached, from the start.
#[derive(Clone, Debug, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Timeline(pub Vec<Step>);

/// Something that was done or became so.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// What.
    pub name: String,
    /// How long after the start, in seconds.
    pub at_seconds: f64,
}

/// Why an installation stopped. A later run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CourseError {
    /// The machine did not do what it was asked.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Something did not become healthy.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// etcd did not become a member with a vote.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
}

impl CourseError {
    /// What would mend it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Gate(error) => error.hint(),
            Self::Etcd(error) => Some(error.hint()),
        }
    }
}

impl Course<'_> {
    /// Does what the plan says, and waits for each thing to become healthy. Run with an empty plan, it only waits.
    ///
    /// # Errors
    /// [`CourseError`] at the first thing that fails; what was done before it stays.
    pub async fn run(
        &self,
        host: &mut Host,
        watcher: &mut dyn Watcher,
    ) -> Result<Timeline, CourseError> {
        let began = Instant::now();
        let mut timeline = Timeline::default();
        let before = Probes::of(self.spec);
        let kubelet = self.kubelet_to_restart(&before, watcher).await?;
        // Others: the credentials that those asked with may be replaced now.
        let probes = Probes::of(self.spec);
        for stage in Stage::ALL {
            if stage == Stage::ControlPlane {
                self.let_etcd_begin()?;
            }
            self.stage(stage, host, watcher, began, &mut timeline)?;
            if let Some((of, kubelet)) = kubelet
                && of == stage
            {
                self.services.install(kubelet).map_err(HostError::from)?;
            }
            let told = async {
                if stage == Stage::Addons {
                    pod_subnet::tell(self.spec).await;
                }
                std::future::pending::<std::convert::Infallible>().await
            };
            tokio::select! {
                opened = self.gates(stage, &probes, watcher, began, &mut timeline) => opened?,
                never = told => match never {},
            }
        }
        Ok(timeline)
    }

    /// Waits for all that has to be so after a stage.
    async fn gates(
        &self,
        stage: Stage,
        probes: &Probes,
        watcher: &mut dyn Watcher,
        began: Instant,
        timeline: &mut Timeline,
    ) -> Result<(), CourseError> {
        for gate in gates(self.spec, stage) {
            watcher.now(&format!("waiting: {}", gate.name()));
            let gate_began = Instant::now();
            let opened = probes
                .wait_beside(&gate, self.timeout, &|service| self.restarts(service))
                .await;
            if opened.is_err() && gate == Gate::Etcd && etcd::is_removed(self.spec).await {
                // What it says itself before it ends is no more than that it ends.
                let node = self.spec.node.name().to_string();
                return Err(EtcdError::Removed { node }.into());
            }
            opened?;
            watcher.done(gate.name(), gate_began.elapsed());
            timeline.reached(gate.name(), began);
            if gate == Gate::Etcd {
                self.settle_etcd(watcher, began, timeline).await?;
            }
            if gate == Gate::Node && self.spec.has(Role::ControlPlane) {
                mark_control_plane(self.spec)
                    .await
                    .map_err(HostError::from)?;
            }
        }
        Ok(())
    }

    /// Where it was found out how etcd begins without data, it may, just so.
    fn let_etcd_begin(&self) -> Result<(), CourseError> {
        let data = Path::new(layout::ETCD_DATA);
        // Of a tree that lacks one of etcd's files there would be no plan.
        if self.etcd_begins
            && let Ok((arguments, owner)) = component::etcd_command_line(self.spec)
        {
            etcd_data::give_leave(data, &arguments, owner)
                .map_err(|source| HostError::io(data, "cannot be written", source))?;
        }
        Ok(())
    }

    /// etcd has data now, and never begins without again; where it joined others, it gets its vote.
    async fn settle_etcd(
        &self,
        watcher: &mut dyn Watcher,
        began: Instant,
        timeline: &mut Timeline,
    ) -> Result<(), CourseError> {
        let data = Path::new(layout::ETCD_DATA);
        etcd_data::take_leave(data)
            .map_err(|source| HostError::io(data, "cannot be written", source))?;
        let settle_began = Instant::now();
        let mut had_none = false;
        etcd::settle(self.spec, self.timeout, &mut |what| {
            had_none = true;
            watcher.now(what);
        })
        .await?;
        if had_none {
            watcher.done(VOTE, settle_began.elapsed());
            timeline.reached(VOTE, began);
        }
        Ok(())
    }

    /// The kubelet, stopped, where it would not replace pods by itself; with the stage in which it is needed again.
    async fn kubelet_to_restart(
        &self,
        probes: &Probes,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<(Stage, &Service)>, HostError> {
        let replaced = replace::ended(replace::replaced(self.plan));
        // One that starts anew has not heard of the API server either, and it may be the one that ended the old pods.
        let starts_anew = replace::restarts_kubelet(self.plan);
        if replaced.is_empty() || (!starts_anew && probes.ask(Gate::ApiServer).await.is_ok()) {
            return Ok(None);
        }
        watcher.now(&format!("ending {}", replaced.join(", ")));
        let init = self.spec.facts.init;
        let stopped = replace::forget(&replaced, self.services, init)?;
        Ok(replace::kubelet(self.desired).filter(|_| stopped && !starts_anew))
    }

    /// How often a service was started again after it had ended by itself.
    fn restarts(&self, service: &str) -> u32 {
        let state = self.services.state(service).ok().flatten();
        state.map_or(0, |state| state.restarts)
    }

    fn stage(
        &self,
        stage: Stage,
        host: &mut Host,
        watcher: &mut dyn Watcher,
        began: Instant,
        timeline: &mut Timeline,
    ) -> Result<(), HostError> {
        let changes = self
            .plan
            .changes
            .iter()
            .filter(|change| change.stage == stage)
            .count();
        let stage_began = Instant::now();
        let effects = Effects {
            services: self.services,
            images: Some(self.images),
        };
        host.apply_stage(self.plan, stage, self.desired, effects, &mut |progress| {
            if let Progress::Begins(change) = progress {
                let verb = match change.action {
                    Action::Remove => "removing",
                    Action::Create | Action::Update => "making",
                    Action::Restart => "restarting",
                };
                watcher.now(&format!("{verb} {}", change.id));
            }
        })?;
        // Without a change there may still be something for the ledger, so not before.
        if changes == 0 {
            return Ok(());
        }
        let noun = if changes == 1 { "change" } else { "changes" };
        let what = format!("{stage}: {changes} {noun}");
        watcher.done(&what, stage_began.elapsed());
        timeline.reached(&what, began);
        Ok(())
    }
}

impl Timeline {
    fn reached(&mut self, name: &str, began: Instant) {
        self.0.push(Step {
            name: name.to_owned(),
            at_seconds: began.elapsed().as_secs_f64(),
        });
    }
}

/// What has to be so after a stage.
fn gates(spec: &NodeSpec, stage: Stage) -> Vec<Gate> {
    let control_plane = spec.has(Role::ControlPlane);
    let has_etcd = spec.has(Role::Etcd);
    match stage {
        Stage::Runtime => vec![Gate::Containerd],
        // Before the kubelet is started, whose own words about it are many; but the API server waits for etcd.
        Stage::Images if !control_plane && !has_etcd => vec![Gate::Endpoint],
        Stage::LaterImages => {
            let mut gates = Vec::new();
            if has_etcd {
                gates.push(Gate::Etcd);
            }
            if control_plane {
                gates.push(Gate::ApiServer);
            } else if has_etcd {
                gates.push(Gate::Endpoint);
            }
            gates
        }
        Stage::Addons => {
            let mut gates = Vec::new();
            if control_plane {
                gates.extend([Gate::Addons, Gate::ControllerManager, Gate::Scheduler]);
            }
            gates.extend([Gate::Node, Gate::Services]);
            if spec.options.network.is_flannel() {
                gates.push(Gate::PodNetwork);
            }
            // The server may be on another node.
            gates.push(Gate::ClusterDns);
            gates
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addon::testing::{UNUSUAL, spec};

    /// A member gets its vote when its etcd is healthy, so that is waited for wherever there is one.
    #[test]
    fn etcd_is_waited_for_also_without_an_api_server() {
        let of = |roles: &str| {
            let all = "['control-plane', 'etcd', 'worker']";
            let other = "[[node]]\nname = 'api'\naddresses = ['198.51.100.8', 'fd12:3456:789a::8']\nroles = ['control-plane', 'etcd']\n";
            let toml = UNUSUAL.replace(all, roles);
            gates(&spec(&format!("{toml}{other}")), Stage::LaterImages)
        };
        assert_eq!(of("['etcd', 'worker']"), [Gate::Etcd, Gate::Endpoint]);
        assert_eq!(
            of("['control-plane', 'etcd']"),
            [Gate::Etcd, Gate::ApiServer]
        );
        assert_eq!(of("['control-plane']"), [Gate::ApiServer]);
        assert!(of("['worker']").is_empty());
    }
}
