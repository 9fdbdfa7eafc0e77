//! Evicting pods, until all have gone or time is over.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, DeleteParams, EvictParams, ListParams, Preconditions};
use serde::Serialize;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinSet;

use super::{DrainOptions, PodName};
use crate::addon::manager::{is_away, reason};
use crate::api_servers::refused;
use crate::machine::Problem;

/// Between two attempts against a budget, and between two looks whether a pod has gone.
const AGAIN: Duration = Duration::from_secs(1);

/// What came of a drain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Drained {
    /// Those that have gone.
    pub gone: Vec<PodName>,
    /// Those that have not.
    pub not_gone: Vec<NotGone>,
}

/// A pod that has not gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotGone {
    /// Which.
    pub pod: PodName,
    /// What keeps it, in words.
    pub why: String,
}

/// All pods of a node.
///
/// # Errors
/// When the API server does not tell.
pub async fn pods(client: &Client, node: &str) -> Result<Vec<Pod>, Problem> {
    let pods: Api<Pod> = Api::all(client.clone());
    let of_node = ListParams::default().fields(&format!("spec.nodeName={node}"));
    let list = pods.list(&of_node).await;
    let list = list.map_err(|error| refused(&format!("the pods of {node}"), &error))?;
    Ok(list.items)
}

/// Evicts all `go` at once, and waits until they have gone. `tell` hears what is waited for.
pub async fn evict(
    client: &Client,
    go: &[PodName],
    options: &DrainOptions,
    tell: &mut dyn FnMut(&str),
) -> Drained {
    let deadline = Instant::now() + options.timeout;
    let (say, mut heard) = mpsc::unbounded_channel();
    let mut work = JoinSet::new();
    for pod in go {
        let one = Eviction {
            api: Api::namespaced(client.clone(), &pod.namespace),
            pod: pod.clone(),
            grace_period: options.grace_period,
            deadline,
            say: say.clone(),
        };
        work.spawn(async move {
            let ended = one.run().await;
            (one.pod, ended)
        });
    }
    drop(say);
    let mut drained = Drained::default();
    while let Some(what) = heard.recv().await {
        tell(&what);
    }
    for (pod, ended) in work.join_all().await {
        match ended {
            Ok(()) => drained.gone.push(pod),
            Err(why) => drained.not_gone.push(NotGone { pod, why }),
        }
    }
    drained.gone.sort();
    drained.not_gone.sort_by(|one, next| one.pod.cmp(&next.pod));
    drained
}

struct Eviction {
    api: Api<Pod>,
    pod: PodName,
    grace_period: Option<u32>,
    deadline: Instant,
    say: UnboundedSender<String>,
}

impl Eviction {
    async fn run(&self) -> Result<(), String> {
        if self.ask().await? {
            return Ok(());
        }
        loop {
            let why = match self.is_gone().await {
                Ok(true) => return Ok(()),
                Ok(false) => "it was told to end, and has not yet".to_owned(),
                Err(error) => reason(&error),
            };
            self.again(why).await?;
        }
    }

    async fn is_gone(&self) -> kube::Result<bool> {
        let there = self.api.get_metadata_opt(&self.pod.name).await?;
        // Another one of that name may be there already.
        Ok(there.is_none_or(|one| one.metadata.uid.as_ref() != Some(&self.pod.uid)))
    }

    /// Has it told to end, as soon as that is allowed; whether it is gone already.
    async fn ask(&self) -> Result<bool, String> {
        let uid = Some(self.pod.uid.clone());
        let parameters = EvictParams {
            delete_options: Some(DeleteParams {
                grace_period_seconds: self.grace_period,
                preconditions: Some(Preconditions {
                    uid,
                    resource_version: None,
                }),
                ..DeleteParams::default()
            }),
            ..EvictParams::default()
        };
        loop {
            let error = match self.api.evict(&self.pod.name, &parameters).await {
                Ok(_) => return Ok(false),
                Err(error) => error,
            };
            let why = match &error {
                kube::Error::Api(status) if status.code == 404 => return Ok(true),
                // It is another one, or was changed just now.
                kube::Error::Api(status) if status.code == 409 => match self.is_gone().await {
                    Ok(true) => return Ok(true),
                    _ => status.message.clone(),
                },
                kube::Error::Api(status) if status.code == 429 => budget(status),
                error if is_away(error) => reason(error),
                error => return Err(reason(error)),
            };
            self.again(why).await?;
        }
    }

    async fn again(&self, why: String) -> Result<(), String> {
        if Instant::now() >= self.deadline {
            return Err(why);
        }
        // Whoever listens may have gone.
        let _ = self.say.send(format!("{}: {why}", self.pod));
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }
}

/// Which budget does not allow it: the API server names it among the causes (pkg/registry/core/pod/storage/eviction.go).
fn budget(status: &kube::core::Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let causes: Vec<_> = causes
        .filter(|cause| !cause.message.is_empty())
        .map(|cause| cause.message.as_str())
        .collect();
    if causes.is_empty() {
        status.message.clone()
    } else {
        causes.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_named() {
        let status = |text: &str| serde_json::from_str(text).expect("a Status");
        let told = budget(&status(
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"TooManyRequests","code":429,
                "message":"Cannot evict pod as it would violate the pod's disruption budget.",
                "details":{"causes":[{"reason":"DisruptionBudget",
                "message":"The disruption budget web needs 2 healthy pods and has 2 currently"}]}}"#,
        ));
        assert_eq!(
            told,
            "The disruption budget web needs 2 healthy pods and has 2 currently"
        );
        let told = budget(&status(
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":429,"message":"too many requests"}"#,
        ));
        assert_eq!(told, "too many requests");
    }
}
