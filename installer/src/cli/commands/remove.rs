//! `kinstall remove`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use installer::api_servers;
use installer::departure::{Forgetting, Forgotten, Situation, Step, steps};
use installer::drain;
use installer::etcd::{self, EtcdError, Removal};
use installer::install::Watcher as _;
use installer::machine::node_source::Vantage;
use installer::remote::{Ssh, SshOptions};
use kube::Client;
use pki_core::cluster::spec::{Node, Role};
use pki_core::converge::cluster_directory::REMOVED;
use rustix::process::geteuid;
use serde::Serialize;
use time::OffsetDateTime;

use super::cluster::reach;
use super::elsewhere::Elsewhere;
use super::{drain as draining, machine, reset};
use crate::cli::arguments::Remove;
use crate::cli::consent;
use crate::cli::output::{self, Failure, GOOD, Outcome, STRONG, WARNING};
use crate::cli::progress::Progress;

/// Takes a node out of the cluster for good.
pub fn run(arguments: &Remove) -> Result<Outcome, Failure> {
    let vantage = machine::vantage(&arguments.directory)?;
    let runtime = machine::runtime()?;
    let ssh = over_ssh(arguments)?;
    let elsewhere = match &ssh {
        Some(ssh) => Some(Elsewhere::reach(ssh, in_spec(arguments, &vantage)?)?),
        None => None,
    };
    let mut departure = runtime.block_on(Departure::look(arguments, &vantage))?;
    departure.situation.elsewhere = elsewhere.as_ref().and_then(Elsewhere::found);
    let steps = steps(&departure.situation)?;
    if arguments.dry_run {
        return Ok(shown(&departure, &steps, arguments.json));
    }
    if steps.is_empty() {
        return Ok(Outcome::fine(departure.next()));
    }
    if departure.situation.here && !geteuid().is_root() {
        return Err(Failure::new(
            "this machine would be reset, and this is not root",
            "run it with sudo",
        ));
    }
    if !departure.situation.no_drain && departure.situation.object.is_some() {
        draining::refuse(&arguments.node, &departure.situation.choice)?;
    }
    if !arguments.yes {
        consent::ask("kinstall remove", departure.words(&steps))?;
    }
    let mut done = Done::default();
    for step in &steps {
        let mut progress = Progress::begin();
        progress.now(&format!("{}: {step}", arguments.node));
        if let (Step::ResetElsewhere { .. }, Some(elsewhere)) = (step, &elsewhere) {
            elsewhere.reset(&vantage.source.spec)?;
            continue;
        }
        runtime.block_on(departure.take(step, arguments, &vantage, &mut progress, &mut done))?;
    }
    if departure.situation.here {
        reset::this_machine(true)?;
    }
    Ok(departure.told(&steps, &done, arguments.json))
}

/// ssh, where the machine is to be reset by it: not where that is this one.
fn over_ssh(arguments: &Remove) -> Result<Option<Arc<Ssh>>, Failure> {
    if !arguments.over_ssh || machine::is(&arguments.node) {
        return Ok(None);
    }
    let ssh = reach::ssh_with(SshOptions {
        config: arguments.ssh_config.clone(),
        options: arguments.ssh_option.clone(),
    })?;
    Ok(Some(ssh))
}

/// The node in cluster.toml, which says where its machine is.
fn in_spec<'v>(arguments: &Remove, vantage: &'v Vantage) -> Result<&'v Node, Failure> {
    let found = vantage.source.spec.node(&arguments.node);
    found.ok_or_else(|| {
        Failure::new(
            format_args!(
                "cluster.toml has no node {}, so nobody knows where its machine is",
                output::printable(&arguments.node)
            ),
            "leave --over-ssh out, and run kinstall reset --yes --purge on that machine",
        )
    })
}

/// All that is known before anything is done.
struct Departure {
    situation: Situation,
    client: Client,
    removal: Option<Removal>,
    forgetting: Option<Forgetting>,
    /// Whether its tree lies in `removed/` from an earlier run.
    was_removed: bool,
    was_control_plane: bool,
}

/// What came of the steps.
#[derive(Default)]
struct Done {
    forgotten: Option<Forgotten>,
}

impl Departure {
    async fn look(arguments: &Remove, vantage: &Vantage) -> Result<Self, Failure> {
        let node = arguments.node.as_str();
        let spec = &vantage.source.spec;
        let own = spec.node(node);
        let ca_dir = vantage.ca_dir.as_deref();
        // What the cluster cannot do without is refused before anybody is asked.
        let forgetting = match own {
            Some(_) => Some(Forgetting::of(&vantage.dir, ca_dir, node)?),
            None => None,
        };
        let client = api_servers::ready(vantage, Some(node)).await?;
        let object = drain::find(&client, node).await?;
        let removal = member(vantage, node).await?;
        let was_removed = is_dir(&vantage.dir, node);
        if own.is_none() && object.is_none() && removal.is_none() && !was_removed {
            // It names those that there are.
            drain::find_or_name(&client, node).await?;
        }
        let choice = if object.is_some() {
            draining::choice(&client, node, &arguments.draining.options()).await?
        } else {
            drain::Choice::default()
        };
        Ok(Self {
            situation: Situation {
                node: node.to_owned(),
                object: object.map(|object| object.ready),
                choice,
                no_drain: arguments.no_drain,
                member: removal.as_ref().map(|removal| (removal.id, removal.left)),
                expected: own.is_some(),
                kept_in: forgetting.as_ref().and_then(|one| one.kept_in.clone()),
                here: machine::is(node),
                elsewhere: None,
            },
            client,
            removal,
            forgetting,
            was_removed,
            was_control_plane: own.is_some_and(|own| own.has(Role::ControlPlane)),
        })
    }

    async fn take(
        &self,
        step: &Step,
        arguments: &Remove,
        vantage: &Vantage,
        progress: &mut Progress,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let node = arguments.node.as_str();
        match step {
            Step::Drain { .. } => {
                let options = arguments.draining.options();
                let (_, drained) = draining::go(&self.client, node, &options, progress).await?;
                if !drained.not_gone.is_empty() {
                    return Err(draining::not_gone(node, &drained));
                }
            }
            Step::RemoveMember { .. } => {
                let removal = self.removal.as_ref().expect("that is why there is a step");
                etcd::remove(&vantage.source.tree, removal).await?;
            }
            Step::DeleteNode { .. } => {
                // The member's leaving may have left this one's API server without its etcd.
                let client = api_servers::ready_soon(vantage, Some(node)).await?;
                drain::delete(&client, node).await?;
            }
            Step::Forget { .. } => {
                let ca_dir = vantage.ca_dir.as_deref();
                let forgetting = Forgetting::of(&vantage.dir, ca_dir, node)?;
                done.forgotten = Some(forgetting.commit(OffsetDateTime::now_utc())?);
            }
            // Not from in here: these wait by themselves.
            Step::Reset | Step::ResetElsewhere { .. } => {}
        }
        Ok(())
    }

    /// What is about to be done, before a question.
    fn words(&self, steps: &[Step]) -> String {
        let node = output::printable(&self.situation.node);
        let mut text = format!("{STRONG}{node} leaves the cluster for good:{STRONG:#}\n");
        for step in steps {
            let _ = writeln!(text, "  {step}");
        }
        text.push_str(&self.warning());
        text
    }

    /// What removing does not do: Kubernetes and etcd look at no revocation list.
    fn warning(&self) -> String {
        let node = output::printable(&self.situation.node);
        let until = self.forgetting.as_ref().and_then(|one| one.valid_until);
        let until = until.map_or_else(
            || "until they end".to_owned(),
            |end| {
                let days = (end - OffsetDateTime::now_utc()).whole_days();
                format!("until {} ({days} days)", end.date())
            },
        );
        let mut text = format!(
            "{WARNING}Its certificates stay valid {until}:{WARNING:#} Kubernetes knows no revocation. Destroy the keys on its machine.\n"
        );
        let authorities = self
            .forgetting
            .as_ref()
            .is_some_and(|one| one.had_authorities);
        if authorities || (self.forgetting.is_none() && self.was_control_plane) {
            let _ = writeln!(
                text,
                "{WARNING}{node} had keys of the cluster's CAs:{WARNING:#} where its machine is in other hands, only new CAs keep them out (kpki apply --replace)."
            );
        }
        text
    }

    /// What is left to do by hand.
    fn next(&self) -> String {
        let node = output::printable(&self.situation.node);
        let mut text = format!("{GOOD}{node} is no node of the cluster{GOOD:#}");
        if self.situation.here {
            text.push_str(", and this machine is reset\n");
        } else if self.situation.elsewhere.is_some() {
            text.push_str(", and its machine is reset. Next:\n\n");
        } else {
            let _ = write!(
                text,
                ". Next:\n\n  kinstall reset --yes --purge   on {node}, where its machine is still there\n"
            );
        }
        text
    }

    fn told(&self, steps: &[Step], done: &Done, as_json: bool) -> Outcome {
        let forgotten = done.forgotten.as_ref();
        if as_json {
            return Outcome::fine(output::json(&Document {
                node: &self.situation.node,
                done: steps,
                kept_in: forgotten.and_then(|one| one.kept_in.as_deref()),
                valid_until: self.valid_until(),
                machine_reset: self.situation.here || self.situation.elsewhere.is_some(),
            }));
        }
        let mut text = self.next();
        if let Some(forgotten) = forgotten {
            text.push_str(
                "  cluster.toml                   bring it to the other machines, and run kinstall node there\n",
            );
            if forgotten.to_apply > 0 {
                text.push_str("  kpki apply                     other files named it, people's kubeconfigs perhaps\n");
            }
            text.push('\n');
            if let Some(kept) = &forgotten.kept_in {
                let _ = writeln!(text, "its tree is kept in {}", kept.display());
            }
        }
        text.push_str(&self.warning());
        Outcome::fine(text)
    }

    fn valid_until(&self) -> Option<i64> {
        let forgetting = self.forgetting.as_ref()?;
        forgetting.valid_until.map(OffsetDateTime::unix_timestamp)
    }
}

/// Its member of etcd, where it has one that may go.
async fn member(vantage: &Vantage, node: &str) -> Result<Option<Removal>, Failure> {
    let source = &vantage.source;
    match etcd::removal(&source.spec, &source.tree, node).await {
        // A name is no number.
        Ok(removal) => Ok((removal.name == node).then_some(removal)),
        Err(EtcdError::NoSuchMember { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_dir(dir: &Path, node: &str) -> bool {
    // A name that is a path is nobody's.
    !node.contains('/') && dir.join(REMOVED).join(node).is_dir()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    node: &'a str,
    done: &'a [Step],
    kept_in: Option<&'a Path>,
    valid_until: Option<i64>,
    machine_reset: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Plan<'a> {
    node: &'a str,
    steps: &'a [Step],
    pods: &'a drain::Choice,
    valid_until: Option<i64>,
}

fn shown(departure: &Departure, steps: &[Step], as_json: bool) -> Outcome {
    let text = if as_json {
        output::json(&Plan {
            node: &departure.situation.node,
            steps,
            pods: &departure.situation.choice,
            valid_until: departure.valid_until(),
        })
    } else if steps.is_empty() {
        let again = if departure.was_removed {
            " any more"
        } else {
            ""
        };
        format!(
            "nothing to do: {} is no node of the cluster{again}\n",
            output::printable(&departure.situation.node)
        )
    } else {
        let mut text = departure.words(steps);
        text.push_str(&draining::words(&departure.situation.choice));
        text
    };
    Outcome::with_attention(text, !steps.is_empty())
}
