//! cluster.toml's nodes and the API's as one list. Pure.

use std::net::IpAddr;

use serde::Serialize;

use super::{ApiNode, Seen};

/// A node of cluster.toml, of the API, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: NodeState,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// Since when, in seconds since 1970.
    pub since: Option<i64>,
    /// Whether it takes no new pods.
    pub cordoned: bool,
    /// What cluster.toml has it do; nothing where that has no such node.
    pub roles: Vec<String>,
    /// Whether cluster.toml has it.
    pub expected: bool,
    /// Its kubelet's version, without `v`.
    pub version: Option<String>,
    /// Its addresses: the API's where it knows some, else those of cluster.toml.
    pub addresses: Vec<IpAddr>,
    /// When it joined, in seconds since 1970.
    pub created: Option<i64>,
    /// How its API server is; none where it has none.
    pub api_server: Option<bool>,
    /// How its member of etcd is: `leader`, `voter`, `learner`, `down`, `absent`; none where it has none.
    pub member: Option<&'static str>,
    /// Whole days until the first of its certificates ends, of those on disk here and those that its servers serve.
    pub days_left: Option<i64>,
}

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It says that it is ready.
    Ready,
    /// It does not.
    NotReady,
    /// The API has no such Node: it has not joined.
    Absent,
    /// Nobody could say.
    Unknown,
}

pub(super) fn nodes(seen: &Seen) -> Vec<ClusterNode> {
    let told = seen.nodes.as_deref().unwrap_or_default();
    let expected = seen.spec.nodes().iter().map(|node| {
        let name = node.name().as_str();
        let told = told.iter().find(|one| one.name == name);
        let mut line = line(name, told, seen);
        line.roles = node.roles().iter().map(ToString::to_string).collect();
        line.expected = true;
        if line.addresses.is_empty() {
            line.addresses = node.addresses().to_vec();
        }
        line
    });
    let others = told
        .iter()
        .filter(|one| seen.spec.node(&one.name).is_none())
        .map(|one| line(&one.name, Some(one), seen));
    expected.chain(others).collect()
}

fn line(name: &str, told: Option<&ApiNode>, seen: &Seen) -> ClusterNode {
    let state = match told {
        Some(node) if node.ready => NodeState::Ready,
        Some(_) => NodeState::NotReady,
        None if seen.nodes.is_ok() => NodeState::Absent,
        None => NodeState::Unknown,
    };
    let told = told.cloned().unwrap_or_default();
    let servers = &mut seen.api_servers.iter();
    let own = seen.certificates.iter();
    let own = own.filter(|one| one.node.as_deref() == Some(name));
    ClusterNode {
        name: name.to_owned(),
        state,
        reason: told.reason,
        since: told.since,
        cordoned: told.cordoned,
        roles: Vec::new(),
        expected: false,
        version: told.version,
        addresses: told.addresses,
        created: told.created,
        api_server: servers.find(|one| one.node == name).map(|one| one.ready),
        member: member(name, seen),
        days_left: own.map(|one| one.days_left).min(),
    }
}

fn member(name: &str, seen: &Seen) -> Option<&'static str> {
    let report = seen.members.as_ref().ok()?;
    let Some(member) = report.members.iter().find(|one| one.name == name) else {
        let absent = report.absent.iter().any(|one| one == name);
        return absent.then_some("absent");
    };
    Some(match (member.healthy, member.learner, member.leader) {
        (false, ..) => "down",
        (_, true, _) => "learner",
        (.., true) => "leader",
        _ => "voter",
    })
}
