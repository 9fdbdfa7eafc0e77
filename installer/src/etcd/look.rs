//! Asking all members at once.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::client::{Asker, Client, Unanswered};
use super::decide::{Said, Situation};
use super::member::{Member, MemberId, MemberStatus};
use crate::component::{self, EtcdNode};
use crate::desired::NodeSpec;

/// What is known of other members, and who told it.
pub(super) struct Look {
    pub situation: Situation,
    /// The members that were told of; empty where nobody could tell.
    pub teller: Option<Client>,
}

/// How this node's way into the cluster stands.
pub(super) async fn look(asker: &Asker, spec: &NodeSpec, added: Option<MemberId>) -> Look {
    let nodes = component::etcd_nodes(&spec.cluster);
    let is_own = |node: &EtcdNode| node.peer.name == spec.node.name().as_str();
    let is_first = nodes.first().is_some_and(is_own);
    let own = nodes.iter().find(|node| is_own(node));
    let own = own.expect("it has the role etcd").peer.clone();
    let others = nodes.into_iter().filter(|node| !is_own(node));
    let asked = others.map(|node| {
        let client = asker.at(&node.client_url);
        let question = async move {
            match &client {
                Ok(client) => client.members().await,
                Err(error) => Err(error.clone()),
            }
        };
        ((node.peer.name, node.client_url), question)
    });
    let (mut heard, mut teller) = (Vec::new(), None);
    for ((name, url), answer) in all(asked).await {
        let said = match answer {
            Ok(members) => {
                teller = teller.or_else(|| asker.at(&url).ok());
                Said::Members(members)
            }
            Err(Unanswered::Nobody(reason)) => Said::Nobody(reason),
            Err(Unanswered::Refused(reason)) => Said::Unable(reason),
            Err(Unanswered::Stranger(reason)) => Said::Stranger(reason),
        };
        heard.push((name, said));
    }
    let mut situation = Situation {
        own,
        is_first,
        heard,
        healthy: BTreeSet::new(),
        added,
    };
    let members = situation.members().unwrap_or_default();
    situation.healthy = healthy(&statuses(asker, members).await);
    Look { situation, teller }
}

/// How each member is, by its own word.
pub(super) async fn statuses(
    asker: &Asker,
    members: &[Member],
) -> BTreeMap<MemberId, Result<MemberStatus, String>> {
    let asked = members.iter().map(|member| {
        let clients: Vec<_> = member.client_urls.iter().map(|url| asker.at(url)).collect();
        let question = async move {
            let mut last = Err("it has never started".to_owned());
            for client in clients {
                last = match client {
                    Ok(client) => client.status().await,
                    Err(error) => Err(error),
                }
                .map_err(|error| error.reason().to_owned());
                if last.is_ok() {
                    break;
                }
            }
            last
        };
        (member.id, question)
    });
    let told = all(asked).await.into_iter();
    // Somebody else may be at the URL of one that is gone.
    let told = told.map(|(id, status)| match status {
        Ok(status) if status.id != id => {
            (id, Err(format!("another member, {}, is there", status.id)))
        }
        status => (id, status),
    });
    told.collect()
}

/// Those that know a leader who answers: the votes that count. One whose leader has just died knows it still.
pub(super) fn healthy(
    statuses: &BTreeMap<MemberId, Result<MemberStatus, String>>,
) -> BTreeSet<MemberId> {
    let answers = |leader: MemberId| statuses.get(&leader).is_some_and(Result::is_ok);
    let has_leader = |status: &MemberStatus| status.leader.is_some_and(answers);
    let healthy = statuses
        .iter()
        .filter(|(_, status)| status.as_ref().is_ok_and(has_leader));
    healthy.map(|(id, _)| *id).collect()
}

/// Asks all at once; the answers come in the order of the questions.
pub(super) async fn all<K, T, F>(questions: impl Iterator<Item = (K, F)>) -> Vec<(K, T)>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut set = JoinSet::new();
    let mut keys = Vec::new();
    for (index, (key, question)) in questions.enumerate() {
        keys.push(key);
        set.spawn(async move { (index, question.await) });
    }
    let mut answers = set.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    let answers = answers.into_iter().map(|(_, answer)| answer);
    keys.into_iter().zip(answers).collect()
}

/// What was heard of each, in one line.
pub(super) fn words(heard: &[(String, Said)]) -> String {
    let words = heard.iter().map(|(name, said)| match said {
        Said::Members(members) => format!("{name}: there are {} members", members.len()),
        Said::Unable(reason) | Said::Stranger(reason) | Said::Nobody(reason) => {
            format!("{name}: {reason}")
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A member as people know it: its name, or that of cluster.toml for its URL, or its number.
pub(super) fn name_of(member: &Member, nodes: &[EtcdNode]) -> String {
    if !member.name.is_empty() {
        return member.name.clone();
    }
    let mut nodes = nodes.iter();
    let node = nodes.find(|node| member.peer_urls.contains(&node.peer.url));
    node.map_or_else(|| member.id.to_string(), |node| node.peer.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_of_questions() {
        let questions = [30_u64, 1, 10].map(|millis| {
            let question = async move {
                tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
                millis
            };
            (millis, question)
        });
        let answers = all(questions.into_iter()).await;
        assert_eq!(answers, [(30, 30), (1, 1), (10, 10)]);
    }

    #[test]
    fn one_that_knows_no_leader_is_not_well_nor_one_whose_leader_is_dead() {
        let status = |id: u64, leader: Option<u64>| MemberStatus {
            id: MemberId(id),
            leader: leader.map(MemberId),
            is_learner: false,
            version: "3.7.3".into(),
            db_size: 1,
            applied: 1,
            errors: vec![],
        };
        let statuses = BTreeMap::from([
            (MemberId(1), Ok(status(1, Some(1)))),
            (MemberId(2), Ok(status(2, None))),
            (MemberId(3), Err("no answer".into())),
            (MemberId(4), Ok(status(4, Some(3)))),
        ]);
        assert_eq!(healthy(&statuses), BTreeSet::from([MemberId(1)]));
    }

    #[test]
    fn a_member_that_never_started_has_the_name_of_cluster_toml() {
        let node = EtcdNode {
            peer: crate::desired::EtcdPeer {
                name: "cp2".into(),
                url: "https://192.0.2.12:2380".into(),
            },
            client_url: "https://192.0.2.12:2379".into(),
        };
        let mut member = Member {
            id: MemberId(255),
            name: String::new(),
            peer_urls: vec![node.peer.url.clone()],
            client_urls: vec![],
            is_learner: true,
        };
        let nodes = [node];
        assert_eq!(name_of(&member, &nodes), "cp2");
        member.peer_urls.clear();
        assert_eq!(name_of(&member, &nodes), "ff");
        member.name = "other".into();
        assert_eq!(name_of(&member, &nodes), "other");
    }
}
