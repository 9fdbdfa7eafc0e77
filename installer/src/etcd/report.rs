//! All members, as `kinstall etcd members` tells them.

use std::collections::BTreeMap;

use pki_core::cluster::spec::ClusterSpec;
use serde::Serialize;

use super::client::{Asker, Unanswered};
use super::decide::Said;
use super::error::EtcdError;
use super::look::{all, healthy, name_of, statuses, words};
use super::member::{Member, MemberId, MemberStatus};
use super::quorum::Quorum;
use crate::component::{self, EtcdNode};
use crate::desired::Tree;

/// etcd's members, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Whether every member is well and the quorum held.
    pub healthy: bool,
    /// The votes.
    pub quorum: Quorum,
    /// All of them, by name.
    pub members: Vec<MemberLine>,
    /// Nodes of cluster.toml with the role etcd that are no members.
    pub absent: Vec<String>,
}

/// A member, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MemberLine {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: MemberId,
    /// Whether it has no vote yet.
    pub learner: bool,
    /// Whether it leads.
    pub leader: bool,
    /// Whether it answers, knows a leader and finds nothing wrong.
    pub healthy: bool,
    /// Why it is not well.
    pub reason: Option<String>,
    /// Its version, where it tells.
    pub version: Option<String>,
    /// How large its data are, in bytes.
    pub db_size: Option<u64>,
    /// How many changes it has not made yet that another one has: entries of the log. Where all work, it is never quite nought.
    pub behind: Option<u64>,
    /// Where clients dial it.
    pub client_urls: Vec<String>,
    /// Where its peers dial it.
    pub peer_urls: Vec<String>,
    /// Whether cluster.toml has it.
    pub expected: bool,
}

/// Asks all nodes of cluster.toml that have the role etcd who the members are, and each member how it is, with the pairs of
/// a node's tree.
///
/// # Errors
/// [`EtcdError`] when nobody answers.
pub async fn report(cluster: &ClusterSpec, tree: &Tree) -> Result<Report, EtcdError> {
    let asker = Asker::of(tree).await?;
    let nodes = component::etcd_nodes(cluster);
    let asked = nodes.iter().map(|node| {
        let client = asker.at(&node.client_url);
        let question = async move {
            let client = client?;
            // How it is first: one that is behind may know members that are gone.
            let status = client.status().await?;
            Ok::<_, Unanswered>((status, client.members_it_knows().await))
        };
        (node.peer.name.clone(), question)
    });
    let (mut heard, mut told) = (Vec::new(), Vec::new());
    for (name, answer) in all(asked).await {
        match answer {
            Ok((status, Ok(members))) => told.push((status, members)),
            // One without a vote tells about nobody but itself.
            Ok((_, Err(error))) | Err(error) => {
                heard.push((name, Said::Unable(error.reason().to_owned())));
            }
        }
    }
    // The leader knows best, then whoever knows a leader.
    told.sort_by_key(|(status, _)| match status.leader {
        Some(leader) if leader == status.id => 0,
        Some(_) => 1,
        None => 2,
    });
    let Some((_, members)) = told.into_iter().next() else {
        return Err(EtcdError::NoAnswer {
            heard: words(&heard),
        });
    };
    let statuses = statuses(&asker, &members).await;
    Ok(Report::of(&members, statuses, &nodes))
}

impl Report {
    fn of(
        members: &[Member],
        mut statuses: BTreeMap<MemberId, Result<MemberStatus, String>>,
        nodes: &[EtcdNode],
    ) -> Self {
        let well = healthy(&statuses);
        let furthest = statuses.values().flatten().map(|one| one.applied).max();
        let quorum = Quorum::of(members, &well);
        let mut lines: Vec<_> = members
            .iter()
            .map(|member| {
                let status = statuses.remove(&member.id);
                let status = status.unwrap_or_else(|| Err("nobody asked it".into()));
                let applied = status.as_ref().ok().map(|one| one.applied);
                MemberLine {
                    behind: applied.and_then(|applied| furthest?.checked_sub(applied)),
                    ..MemberLine::of(member, status, well.contains(&member.id), nodes)
                }
            })
            .collect();
        lines.sort_by(|a, b| a.name.cmp(&b.name));
        let is_absent = |node: &&EtcdNode| {
            !members
                .iter()
                .any(|member| member.peer_urls.contains(&node.peer.url))
        };
        Self {
            healthy: quorum.held && lines.iter().all(|line| line.healthy),
            quorum,
            members: lines,
            absent: nodes
                .iter()
                .filter(is_absent)
                .map(|node| node.peer.name.clone())
                .collect(),
        }
    }
}

impl MemberLine {
    fn of(
        member: &Member,
        status: Result<MemberStatus, String>,
        is_well: bool,
        nodes: &[EtcdNode],
    ) -> Self {
        let (status, mut reason) = match status {
            Ok(status) => (Some(status), None),
            Err(reason) => (None, Some(reason)),
        };
        if let Some(status) = &status {
            if !status.errors.is_empty() {
                reason = Some(status.errors.join("; "));
            } else if let Some(leader) = status.leader.filter(|_| !is_well) {
                reason = Some(format!("its leader, {leader}, does not answer"));
            } else if !is_well {
                reason = Some("it knows no leader".into());
            }
        }
        let expected = nodes
            .iter()
            .any(|node| member.peer_urls.contains(&node.peer.url));
        Self {
            name: name_of(member, nodes),
            id: member.id,
            learner: member.is_learner,
            leader: status
                .as_ref()
                .is_some_and(|status| status.leader == Some(member.id)),
            healthy: reason.is_none(),
            reason,
            version: status.as_ref().map(|status| status.version.clone()),
            db_size: status.as_ref().map(|status| status.db_size),
            behind: None,
            client_urls: member.client_urls.clone(),
            peer_urls: member.peer_urls.clone(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::EtcdPeer;

    fn node(number: u64) -> EtcdNode {
        EtcdNode {
            peer: EtcdPeer {
                name: format!("cp{number}"),
                url: format!("https://192.0.2.1{number}:2380"),
            },
            client_url: format!("https://192.0.2.1{number}:2379"),
        }
    }

    fn member(number: u64) -> Member {
        Member {
            id: MemberId(number),
            name: format!("cp{number}"),
            peer_urls: vec![node(number).peer.url],
            client_urls: vec![node(number).client_url],
            is_learner: false,
        }
    }

    fn status(number: u64, leader: Option<u64>) -> Result<MemberStatus, String> {
        Ok(MemberStatus {
            id: MemberId(number),
            leader: leader.map(MemberId),
            is_learner: false,
            version: "3.7.3".into(),
            db_size: 4096,
            applied: 1000 - number,
            errors: vec![],
        })
    }

    #[test]
    fn all_well() {
        let statuses = (1..=3).map(|n| (MemberId(n), status(n, Some(2)))).collect();
        let members = [member(3), member(1), member(2)];
        let report = Report::of(&members, statuses, &[node(1), node(2), node(3)]);
        assert!(report.healthy && report.quorum.held);
        let names: Vec<_> = report
            .members
            .iter()
            .map(|line| line.name.as_str())
            .collect();
        assert_eq!(names, ["cp1", "cp2", "cp3"]);
        let leaders: Vec<_> = report.members.iter().map(|line| line.leader).collect();
        assert_eq!(leaders, [false, true, false]);
        let behind: Vec<_> = report.members.iter().map(|line| line.behind).collect();
        assert_eq!(behind, [Some(0), Some(1), Some(2)]);
        assert!(report.absent.is_empty());
    }

    #[test]
    fn one_dead_needs_attention_and_two_lose_the_quorum() {
        let nodes = [node(1), node(2), node(3)];
        let members = [member(1), member(2), member(3)];
        let dead = || Err("https://192.0.2.13:2379: no answer".to_owned());
        let statuses = BTreeMap::from([
            (MemberId(1), status(1, Some(1))),
            (MemberId(2), status(2, Some(1))),
            (MemberId(3), dead()),
        ]);
        let report = Report::of(&members, statuses, &nodes);
        assert!(!report.healthy && report.quorum.held);
        assert!(report.members[2].reason.is_some());
        let statuses = BTreeMap::from([
            (MemberId(1), status(1, None)),
            (MemberId(2), status(2, Some(3))),
            (MemberId(3), dead()),
        ]);
        let report = Report::of(&members, statuses, &nodes);
        assert!(!report.quorum.held && report.quorum.healthy == 0);
        assert_eq!(
            report.members[1].reason.as_deref(),
            Some("its leader, 3, does not answer")
        );
        assert_eq!(
            report.members[0].reason.as_deref(),
            Some("it knows no leader")
        );
    }

    #[test]
    fn who_is_missing_and_who_is_not_expected() {
        let statuses = BTreeMap::from([
            (MemberId(1), status(1, Some(1))),
            (MemberId(4), status(4, Some(1))),
        ]);
        let report = Report::of(&[member(1), member(4)], statuses, &[node(1), node(2)]);
        // Nothing of that is an illness.
        assert!(report.healthy);
        assert_eq!(report.absent, ["cp2"]);
        assert_eq!(
            report
                .members
                .iter()
                .map(|line| line.expected)
                .collect::<Vec<_>>(),
            [true, false]
        );
    }
}
