//! kube-bench, and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tests::command::succeed;
use tests::component;
use tests::node::Node;

/// One check of the benchmark.
#[derive(Debug, Deserialize)]
pub struct Check {
    #[serde(rename = "test_number")]
    pub id: String,
    #[serde(rename = "test_desc")]
    pub text: String,
    pub status: Status,
    pub scored: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    audit: String,
    #[serde(default)]
    actual_value: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Pass,
    Fail,
    /// Not scored: it failed, or nobody but a person can tell.
    Warn,
    Info,
}

impl Check {
    /// The first number: 1 control plane, 2 etcd, 3 its configuration, 4 node, 5 policies.
    pub fn section(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// For a failure's message.
    pub fn details(&self) -> String {
        let Self {
            id,
            text,
            status,
            reason,
            audit,
            actual_value,
            ..
        } = self;
        format!(
            "{id} {status:?} {text}\n  audit: {audit}\n  found: {actual_value}\n  reason: {reason}"
        )
    }
}

/// How many checks count, and how many of all came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub scored: usize,
    pub passed: usize,
    pub failed: usize,
    pub warned: usize,
}

/// By section.
pub fn score(checks: &[Check]) -> BTreeMap<String, Score> {
    let mut sections = BTreeMap::<_, Score>::new();
    for check in checks {
        let score = sections.entry(check.section().to_owned()).or_default();
        score.scored += usize::from(check.scored);
        match check.status {
            Status::Pass => score.passed += 1,
            Status::Fail => score.failed += 1,
            Status::Warn | Status::Info => score.warned += 1,
        }
    }
    sections
}

/// The benchmark as kube-bench has it, where `tests/components/build` puts it.
pub fn directory() -> PathBuf {
    component::path("kube-bench").with_file_name("kube-bench.cfg")
}

/// All that kube-bench has to say about the node, of all its roles.
pub fn run(node: &Node<'_>, config: &Path, arguments: &[&str]) -> Vec<Check> {
    let mut command = node.machine.command("env");
    command
        .args(["KUBECONFIG=/etc/kubernetes/admin.conf", "kube-bench", "run"])
        .args(["--benchmark", "cis-1.12", "--config-dir"])
        .arg(config)
        .args(["--targets", "master,etcd,node,controlplane,policies"])
        .arg("--json")
        .args(arguments);
    let said = succeed(&mut command);
    let report: Report =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let groups = report
        .controls
        .into_iter()
        .filter_map(|controls| controls.groups)
        .flatten();
    groups.flat_map(|group| group.checks).collect()
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "Controls")]
    controls: Vec<Controls>,
}

#[derive(Deserialize)]
struct Controls {
    /// `null` where `--check` left none.
    #[serde(rename = "tests")]
    groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(rename = "results")]
    checks: Vec<Check>,
}
