//! A job as a CronJob of Kubernetes: one node's files, and no right to ask the API for anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Job, JobFile, MARK};

/// Where a job runs in a cluster.
#[derive(Clone, Debug)]
pub struct InCluster {
    /// The image with the program.
    pub image: String,
    /// The node whose files it is about.
    pub node: String,
    /// The namespace.
    pub namespace: String,
}

pub(super) fn files(job: &Job, place: &InCluster) -> Vec<JobFile> {
    vec![JobFile {
        name: format!("{}.yaml", job.name),
        contents: manifest(job, place),
    }]
}

/// Each directory of the node that the job needs, and whether it writes there.
fn mounts(job: &Job) -> BTreeMap<PathBuf, bool> {
    let mut all: BTreeMap<PathBuf, bool> = job
        .checks
        .iter()
        .map(|path| (path.clone(), false))
        .collect();
    all.extend(job.writes().into_iter().map(|path| (path, true)));
    // What is below a mount that is as free is there already.
    let outer = |path: &Path, writes: bool| {
        all.iter().any(|(other, other_writes)| {
            other.as_path() != path && path.starts_with(other) && (*other_writes || !writes)
        })
    };
    let kept = all.iter().filter(|(path, writes)| !outer(path, **writes));
    kept.map(|(path, writes)| (path.clone(), *writes)).collect()
}

/// YAML, in which every value from outside stands as a JSON string, which is one of YAML's forms.
fn manifest(job: &Job, place: &InCluster) -> String {
    let (name, namespace) = (quoted(&job.name), quoted(&place.namespace));
    let mounts = mounts(job);
    let program = super::text(&job.program);
    let container = |name: &str, words: &[String]| {
        let command = std::iter::once(&program).chain(words);
        let command: Vec<_> = command.map(|word| quoted(word)).collect();
        let mounted: String = mounts
            .iter()
            .enumerate()
            .map(|(index, (path, writes))| {
                let path = quoted(&super::text(path));
                let read_only = if *writes { "" } else { ", readOnly: true" };
                format!("            - {{name: files-{index}, mountPath: {path}{read_only}}}\n")
            })
            .collect();
        format!(
            "          - name: {name}
            image: {image}
            command: [{command}]
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: {{drop: [ALL]}}
            resources:
              requests: {{cpu: 10m, memory: 32Mi}}
              limits: {{memory: 256Mi}}
            volumeMounts:
{mounted}",
            image = quoted(&place.image),
            command = command.join(", "),
        )
    };
    let check = container("check", &job.check());
    // The check runs when the renewal has worked; where it has not, that is the failure.
    let renew = job.renew().map(|words| container("renew", &words));
    let renew = renew.map_or(String::new(), |text| {
        format!("          initContainers:\n{text}")
    });
    let volumes: String = mounts
        .keys()
        .enumerate()
        .map(|(index, path)| {
            let path = quoted(&super::text(path));
            format!(
                "          - {{name: files-{index}, hostPath: {{path: {path}, type: Directory}}}}\n"
            )
        })
        .collect();
    format!(
        "{MARK}: kpki {description}, on {node_comment}.
# An account without any right, whose token is not even mounted.
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {name}, namespace: {namespace}}}
automountServiceAccountToken: false
---
# Nobody speaks to it, and it speaks to nobody.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}
  policyTypes: [Ingress, Egress]
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  schedule: {schedule}
  concurrencyPolicy: Forbid
  # What was missed for longer than this is left to the next run.
  startingDeadlineSeconds: {deadline}
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 1
      activeDeadlineSeconds: 600
      template:
        metadata:
          labels: {{app.kubernetes.io/name: {name}}}
        spec:
          restartPolicy: Never
          serviceAccountName: {name}
          automountServiceAccountToken: false
          enableServiceLinks: false
          nodeSelector: {{kubernetes.io/hostname: {node}}}
          tolerations: [{{key: node-role.kubernetes.io/control-plane, operator: Exists}}]
          # The files are {owner}'s, and nobody else may read the keys among them. No capability comes with it.
          securityContext:
            runAsUser: {user}
            runAsGroup: {user}
            seccompProfile: {{type: RuntimeDefault}}
{renew}          containers:
{check}          volumes:
{volumes}",
        description = job.description(),
        node_comment = place.node,
        schedule = quoted(&job.cron_schedule()),
        deadline = job.jitter(),
        node = quoted(&place.node),
        owner = job.user.map_or("root".into(), |user| format!("user {user}")),
        user = job.user.unwrap_or(0),
    )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
