//! What is the matter with a cluster, and its likely cause. Pure.
//!
//! A machine that is off would be told of by each of its servers: where all of them are silent, that is told once.

use std::collections::BTreeSet;

use ipnet::IpNet;
use pki_core::cluster::spec::IpFamily;
use serde::Serialize;

use super::nodes::{ClusterNode, NodeState};
use super::{Seen, Server, Silent};
use crate::etcd::{MemberLine, Quorum};
use crate::machine::programs::version::Version;
use crate::status::span;

/// A member so many entries behind may need all data anew and not just what it missed (etcd, server/etcdserver/server.go,
/// `DefaultSnapshotCatchUpEntries`).
const FAR_BEHIND: u64 = 5_000;
/// How many minor versions a kubelet may be older than any API server, and API servers apart (Kubernetes' version skew
/// policy).
const KUBELET_OLDER: u32 = 3;
const API_SERVERS_APART: u32 = 1;

/// Something that is the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterProblem {
    /// The node that it is about; none where it is the cluster's.
    pub node: Option<String>,
    /// What is so.
    pub fact: String,
    /// What to do about it.
    pub hint: String,
}

/// All problems, those of the whole cluster first.
pub(super) fn problems(seen: &Seen, nodes: &[ClusterNode], now: i64) -> Vec<ClusterProblem> {
    let mut found = Found::default();
    quorum(seen, &mut found);
    api(seen, &mut found);
    let dead: BTreeSet<&str> = nodes
        .iter()
        .filter(|node| node.state != NodeState::Absent && is_dead(&node.name, seen))
        .map(|node| node.name.as_str())
        .collect();
    for node in nodes {
        if dead.contains(node.name.as_str()) {
            self::dead(node, seen, now, &mut found);
        } else {
            self::node(node, seen, now, &mut found);
        }
    }
    members(seen, nodes, &dead, &mut found);
    versions(seen, nodes, &mut found);
    certificates(seen, &mut found);
    found.0
}

#[derive(Default)]
struct Found(Vec<ClusterProblem>);

impl Found {
    fn of(&mut self, node: Option<&str>, fact: impl Into<String>, hint: impl Into<String>) {
        self.0.push(ClusterProblem {
            node: node.map(str::to_owned),
            fact: fact.into(),
            hint: hint.into(),
        });
    }
}

fn quorum(seen: &Seen, found: &mut Found) {
    let report = match &seen.members {
        Ok(report) => report,
        Err(reason) => {
            return found.of(
                None,
                reason,
                "bring back etcd's members: kinstall status and kinstall logs etcd, on them, tell why they are down",
            );
        }
    };
    let Quorum {
        voters,
        healthy,
        needed,
        held,
    } = report.quorum;
    let down: Vec<_> = report
        .members
        .iter()
        .filter(|member| !member.healthy && is_away(member))
        .map(|member| member.name.as_str())
        .collect();
    let down = down.join(", ");
    if !held {
        let alive = report.members.iter();
        let alive = alive
            .filter(|one| !one.learner && one.version.is_some())
            .count();
        found.of(
            None,
            format!("quorum lost: {alive} of {voters} members of etcd alive, and {needed} are needed: nothing can be changed"),
            format!("bring back {down}: kinstall start, on it; what was acknowledged is not lost as long as a majority comes back with its data"),
        );
    } else if healthy < voters && healthy == needed {
        found.of(
            None,
            format!("the quorum is at risk: {healthy} of {voters} members of etcd healthy, and {needed} are needed"),
            format!("bring back {down}, or take out what will not come: kinstall remove NAME --no-drain"),
        );
    }
}

/// It does not answer at all; one that does and has no leader waits for others.
fn is_away(member: &MemberLine) -> bool {
    member.version.is_none()
}

fn api(seen: &Seen, found: &mut Found) {
    if let Err(reason) = &seen.nodes {
        found.of(
            None,
            format!("nothing is known of Nodes: {reason}"),
            "bring back an API server first: kinstall status, on a control-plane node, tells why it is down",
        );
    }
    let endpoint = seen.servers.iter().find(|one| one.name == "endpoint");
    if let Some((endpoint, why)) = endpoint.and_then(|one| Some((one, silent(one)?))) {
        found.of(
            None,
            format!("the endpoint {} does not answer: {why}", endpoint.address),
            "see that whatever balances over the API servers there works",
        );
    }
}

/// Whether it has servers and none of them answers.
fn is_dead(name: &str, seen: &Seen) -> bool {
    let mut servers = own(name, seen).peekable();
    servers.peek().is_some() && servers.all(|one| one.silent.is_some())
}

fn own<'a>(name: &str, seen: &'a Seen) -> impl Iterator<Item = &'a Server> {
    let name = name.to_owned();
    let servers = seen.servers.iter();
    servers.filter(move |one| one.node.as_deref() == Some(&name))
}

fn dead(node: &ClusterNode, seen: &Seen, now: i64, found: &mut Found) {
    let name = &node.name;
    let since = match (node.state, node.since) {
        (NodeState::NotReady, Some(since)) => format!(", not ready for {}", span(now - since)),
        _ => String::new(),
    };
    let refused = own(name, seen).all(|one| one.silent == Some(Silent::Refused));
    let (what, hint) = if refused {
        (
            "its machine is there, and nothing of the node runs on it",
            format!("on {name}: kinstall start; kinstall status tells what does not come"),
        )
    } else {
        (
            "none of its servers answers",
            format!(
                "switch the machine on, or see why {} is not reached; if it will not come: kinstall remove {name} --no-drain",
                listed(&node.addresses)
            ),
        )
    };
    found.of(Some(name), format!("{name} is down{since}: {what}"), hint);
}

fn node(node: &ClusterNode, seen: &Seen, now: i64, found: &mut Found) {
    let name = &node.name;
    match node.state {
        NodeState::Absent => {
            // Its servers are not there either.
            return found.of(
                Some(name),
                format!("{name} is in cluster.toml, and has not joined"),
                format!(
                    "run kinstall node on it; or, where it is not to be: kinstall remove {name}"
                ),
            );
        }
        NodeState::NotReady => {
            let reason = node.reason.clone().unwrap_or_default();
            let since = node
                .since
                .map_or_else(String::new, |since| format!(" for {}", span(now - since)));
            found.of(
                Some(name),
                format!("{name} is not ready{since}: {reason}"),
                cause(&reason, name),
            );
        }
        NodeState::Ready | NodeState::Unknown => {}
    }
    if !node.expected {
        found.of(
            Some(name),
            format!("{name} is a node of the API, and not in cluster.toml"),
            format!(
                "add it there and run kpki apply; or, where it is not to be: kinstall remove {name}"
            ),
        );
    }
    for server in own(name, seen) {
        if let Some(why) = silent(server) {
            let component = component(&server.name);
            found.of(
                Some(name),
                format!(
                    "{component} of {name} ({}) does not answer: {why}",
                    server.address
                ),
                format!("on {name}: kinstall status and kinstall logs {component}"),
            );
        }
    }
    let answers = own(name, seen).any(|one| one.name == "apiserver" && one.silent.is_none());
    let api_server = seen.api_servers.iter().find(|one| one.node == *name);
    if let Some(server) = api_server.filter(|one| answers && !one.ready) {
        let reason = server.reason.as_deref().unwrap_or("it does not say why");
        let lost = seen.members.as_ref().is_ok_and(|one| !one.quorum.held);
        let hint = if lost {
            "it waits for etcd's quorum".to_owned()
        } else {
            format!("on {name}: kinstall logs kube-apiserver")
        };
        let fact = format!("kube-apiserver of {name} is not ready: {reason}");
        found.of(Some(name), fact, hint);
    }
    families(node, seen, found);
}

/// What a kubelet's or the node controller's words probably mean.
fn cause(reason: &str, name: &str) -> String {
    let reason = reason.to_lowercase();
    if reason.contains("stopped posting") {
        format!(
            "its kubelet does not reach the API server: on {name}, kinstall status and kinstall logs kubelet"
        )
    } else if reason.contains("cni") || reason.contains("network") {
        format!(
            "its pod network is not up: on {name}, kinstall logs flannel and kinstall logs kubelet"
        )
    } else if reason.contains("runtime") || reason.contains("pleg") {
        format!("its container runtime does not answer: on {name}, kinstall logs containerd")
    } else {
        format!("on {name}: kinstall status and kinstall logs kubelet")
    }
}

fn families(node: &ClusterNode, seen: &Seen, found: &mut Found) {
    let families: Vec<_> = seen
        .spec
        .service_cidrs()
        .iter()
        .copied()
        .map(family)
        .collect();
    for family in families {
        let has = node
            .addresses
            .iter()
            .any(|one| IpFamily::from(*one) == family);
        if !has && !node.addresses.is_empty() {
            let name = &node.name;
            found.of(
                Some(name),
                format!("{name} has no {family} address, and the cluster's Services do"),
                format!("give {name} one, name it in cluster.toml, run kpki apply, and kinstall node on it"),
            );
        }
    }
}

fn family(cidr: IpNet) -> IpFamily {
    cidr.into()
}

fn members(seen: &Seen, nodes: &[ClusterNode], dead: &BTreeSet<&str>, found: &mut Found) {
    let Ok(report) = &seen.members else { return };
    for member in &report.members {
        let name = &member.name;
        let etcd_answers =
            !own(name, seen).any(|one| one.name == "etcd-server" && one.silent.is_some());
        let is_told = dead.contains(name.as_str()) || !report.quorum.held;
        if let Some(reason) = member.reason.as_ref().filter(|_| etcd_answers && !is_told) {
            found.of(
                Some(name),
                format!("etcd's member {name} is not well: {reason}"),
                format!("on {name}: kinstall logs etcd"),
            );
        }
        if !member.expected {
            found.of(
                Some(name),
                format!("etcd has the member {name}, and cluster.toml no such node with that role"),
                format!("take it out: kinstall etcd remove {name}"),
            );
        }
        if member.learner {
            found.of(
                Some(name),
                format!("etcd's member {name} has no vote yet"),
                "run kinstall node on it again: it goes on from there",
            );
        }
        if let Some(behind) = member.behind.filter(|behind| *behind > FAR_BEHIND) {
            found.of(
                Some(name),
                format!("etcd's member {name} is {behind} changes behind the others"),
                format!("see whether the disk or the network of {name} is slow: kinstall logs etcd, on it"),
            );
        }
    }
    for name in &report.absent {
        let joined = nodes.iter().find(|node| node.name == *name);
        if joined.is_some_and(|node| node.state != NodeState::Absent) {
            found.of(
                Some(name),
                format!("{name} has the role etcd in cluster.toml, and is no member"),
                "run kinstall node on it; or take the role from it",
            );
        }
    }
}

fn versions(seen: &Seen, nodes: &[ClusterNode], found: &mut Found) {
    let servers: Vec<_> = seen
        .api_servers
        .iter()
        .filter_map(|server| Some((server, Version::parse(server.version.as_deref()?)?)))
        .collect();
    let Some((oldest, low)) = servers.iter().min_by_key(|(_, version)| *version) else {
        return;
    };
    if let Some((newest, high)) = servers.iter().max_by_key(|(_, version)| *version)
        && high.minor.abs_diff(low.minor) > API_SERVERS_APART
    {
        found.of(
            None,
            format!(
                "the API servers of {} ({low}) and {} ({high}) are too far apart",
                oldest.node, newest.node
            ),
            format!(
                "bring {} to {high}: one minor version apart at most",
                oldest.node
            ),
        );
    }
    for node in nodes {
        let version = node.version.as_deref().and_then(Version::parse);
        let Some(version) = version else { continue };
        let name = &node.name;
        if version.minor > low.minor {
            found.of(
                Some(name),
                format!(
                    "the kubelet of {name} ({version}) is newer than the API server of {} ({low})",
                    oldest.node
                ),
                "update the control plane first: a kubelet may not be newer",
            );
        } else if low.minor - version.minor > KUBELET_OLDER {
            found.of(
                Some(name),
                format!(
                    "the kubelet of {name} ({version}) is too old for the API server of {} ({low})",
                    oldest.node
                ),
                format!("update {name}: a kubelet may be {KUBELET_OLDER} minor versions older"),
            );
        }
    }
}

fn certificates(seen: &Seen, found: &mut Found) {
    for certificate in &seen.certificates {
        for finding in &certificate.findings {
            let place = match (&certificate.file, &certificate.server) {
                (Some(file), _) => file.display().to_string(),
                (None, Some(server)) => format!("served at {server}"),
                (None, None) => "somewhere".into(),
            };
            let node = certificate.node.as_deref();
            let then = node.map_or_else(String::new, |node| {
                format!(", bring its tree to {node}, and run kinstall node on it")
            });
            found.of(
                node,
                format!("{} ({place}): {finding}", certificate.name),
                format!("run kpki renew where the CA keys are{then}"),
            );
        }
    }
    for problem in &seen.unreadable {
        let hint = problem.hint.clone();
        let hint = hint.unwrap_or_else(|| "kpki check tells more".into());
        found.of(None, problem.fact.clone(), hint);
    }
}

fn silent(server: &Server) -> Option<String> {
    match server.silent.as_ref()? {
        Silent::Refused => Some("nobody listens there".into()),
        // It begins with the address, which is told already.
        Silent::Nothing(reason) => {
            let plain = reason.strip_prefix(&format!("{}: ", server.address));
            Some(plain.unwrap_or(reason).to_owned())
        }
    }
}

/// The program behind a server certificate of the profiles.
fn component(name: &str) -> &str {
    match name {
        "apiserver" => "kube-apiserver",
        "etcd-server" | "etcd-peer" => "etcd",
        other => other,
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(", ")
}
