//! What has to be done next so that a node without data becomes a member of etcd's cluster. Pure.

use std::collections::BTreeSet;

use super::member::{Member, MemberId};
use super::quorum::{Kept, may_remove};
use crate::desired::EtcdPeer;

/// What was heard from another node of cluster.toml with the role etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The members, as a majority of them knows.
    Members(Vec<Member>),
    /// A member is there, but cannot tell: its cluster has no quorum, or it has no vote itself.
    Unable(String),
    /// Something is there that is no etcd of this cluster.
    Stranger(String),
    /// Nobody is there.
    Nobody(String),
}

/// All that is known when it is decided.
#[derive(Clone, Debug)]
pub struct Situation {
    /// This node's member, as it should be.
    pub own: EtcdPeer,
    /// Whether this is the first node of cluster.toml that has the role etcd.
    pub is_first: bool,
    /// What the others said, by their names.
    pub heard: Vec<(String, Said)>,
    /// The members that are well.
    pub healthy: BTreeSet<MemberId>,
    /// The number of the member that was added for this node just now.
    pub added: Option<MemberId>,
}

/// What has to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is no cluster: this node begins one.
    Begin,
    /// A member that was this node, and has no data any more, has to go.
    Remove(MemberId),
    /// This node has to be added, without a vote.
    Add,
    /// The cluster expects this node: it starts with these members.
    Start(Vec<EtcdPeer>),
    /// Something has to become otherwise first.
    Wait(Wait),
    /// It cannot be.
    Refuse(Refusal),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// No other member is there, and this is not the first.
    Nobody,
    /// Others are there, and none can tell.
    Unable,
    /// Another member has no vote yet, and etcd takes one such at a time (its `--max-learners`).
    Learner(MemberId),
}

/// Why it cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The member that was this node may not be removed.
    Kept(MemberId, Kept),
    /// Another one, at these URLs, has this node's name and is well.
    NameTaken(Vec<String>),
}

impl Situation {
    /// The members, where somebody could tell.
    pub fn members(&self) -> Option<&[Member]> {
        self.heard.iter().find_map(|(_, said)| match said {
            Said::Members(members) => Some(members.as_slice()),
            _ => None,
        })
    }

    /// The member that this node was, whatever became of it.
    pub(super) fn former(&self) -> Option<&Member> {
        let mut members = self.members()?.iter();
        members
            .find(|member| member.peer_urls.contains(&self.own.url) || member.name == self.own.name)
    }

    /// With which members this node will start, as far as can be told; `all` are those of cluster.toml.
    pub fn prospect(&self, all: Vec<EtcdPeer>) -> Vec<EtcdPeer> {
        let Some(members) = self.members() else {
            return all;
        };
        let former = self.former().map(|member| member.id);
        let others = members.iter().filter(|member| Some(member.id) != former);
        let mut peers = peers(others);
        peers.push(self.own.clone());
        peers.sort_by(|a, b| a.url.cmp(&b.url));
        peers
    }
}

/// What has to be done next.
pub fn next(situation: &Situation) -> Next {
    let Some(members) = situation.members() else {
        let heard = situation.heard.iter();
        // Whoever is there may be the cluster that this node belongs to: then none is begun beside it.
        return if heard
            .clone()
            .any(|(_, said)| !matches!(said, Said::Nobody(_)))
        {
            Next::Wait(Wait::Unable)
        } else if situation.is_first {
            Next::Begin
        } else {
            Next::Wait(Wait::Nobody)
        };
    };
    let is_added = |member: &&Member| Some(member.id) == situation.added;
    if let Some(own) = members.iter().find(is_added) {
        let others = members.iter().filter(|member| member.id != own.id);
        let mut peers = peers(others);
        peers.push(situation.own.clone());
        peers.sort_by(|a, b| a.url.cmp(&b.url));
        return Next::Start(peers);
    }
    if let Some(former) = situation.former() {
        let is_elsewhere = !former.peer_urls.contains(&situation.own.url);
        if is_elsewhere && situation.healthy.contains(&former.id) {
            return Next::Refuse(Refusal::NameTaken(former.peer_urls.clone()));
        }
        return match may_remove(members, &situation.healthy, former.id) {
            Ok(()) => Next::Remove(former.id),
            Err(kept) => Next::Refuse(Refusal::Kept(former.id, kept)),
        };
    }
    match members.iter().find(|member| member.is_learner) {
        Some(learner) => Next::Wait(Wait::Learner(learner.id)),
        None => Next::Add,
    }
}

/// Members as etcd's `--initial-cluster` has them: it finds them by their URLs, and each needs some name.
fn peers<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<EtcdPeer> {
    let peers = members.flat_map(|member| {
        member.peer_urls.iter().map(|url| EtcdPeer {
            name: if member.name.is_empty() {
                member.id.to_string()
            } else {
                member.name.clone()
            },
            url: url.clone(),
        })
    });
    peers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(number: u64) -> String {
        format!("https://192.0.2.1{number}:2380")
    }

    fn peer(number: u64) -> EtcdPeer {
        EtcdPeer {
            name: format!("cp{number}"),
            url: url(number),
        }
    }

    fn voter(number: u64) -> Member {
        Member {
            id: MemberId(number),
            name: format!("cp{number}"),
            peer_urls: vec![url(number)],
            client_urls: vec![format!("https://192.0.2.1{number}:2379")],
            is_learner: false,
        }
    }

    /// Added, and never started.
    fn learner(number: u64) -> Member {
        Member {
            name: String::new(),
            client_urls: vec![],
            is_learner: true,
            ..voter(number)
        }
    }

    /// Node `own` of three, each of the others having said something.
    fn situation(own: u64, said: impl Fn(u64) -> Said, healthy: &[u64]) -> Situation {
        Situation {
            own: peer(own),
            is_first: own == 1,
            heard: (1..=3)
                .filter(|number| *number != own)
                .map(|number| (format!("cp{number}"), said(number)))
                .collect(),
            healthy: healthy.iter().copied().map(MemberId).collect(),
            added: None,
        }
    }

    fn nobody(_: u64) -> Said {
        Said::Nobody("connection refused".into())
    }

    /// The first member tells, others are not there.
    fn told(members: Vec<Member>) -> impl Fn(u64) -> Said {
        move |number| {
            if members
                .iter()
                .any(|member| member.id.0 == number && !member.is_learner)
            {
                Said::Members(members.clone())
            } else {
                nobody(number)
            }
        }
    }

    #[test]
    fn the_first_begins_and_the_others_wait_for_it() {
        assert_eq!(next(&situation(1, nobody, &[])), Next::Begin);
        assert_eq!(next(&situation(2, nobody, &[])), Next::Wait(Wait::Nobody));
    }

    #[test]
    fn alone_there_is_nobody_to_ask() {
        let mut alone = situation(1, nobody, &[]);
        alone.heard.clear();
        assert_eq!(next(&alone), Next::Begin);
    }

    /// A first node whose disk was replaced: the others may be the cluster, whatever they say.
    #[test]
    fn none_is_begun_beside_one_that_may_be_there() {
        for said in [
            Said::Unable("etcdserver: no leader".into()),
            Said::Stranger("certificate of another CA".into()),
        ] {
            let one = |number: u64| {
                if number == 2 {
                    said.clone()
                } else {
                    nobody(number)
                }
            };
            assert_eq!(next(&situation(1, one, &[])), Next::Wait(Wait::Unable));
            assert_eq!(next(&situation(3, one, &[])), Next::Wait(Wait::Unable));
        }
    }

    #[test]
    fn a_new_one_is_added_and_then_starts_with_all() {
        let before = situation(2, told(vec![voter(1)]), &[1]);
        assert_eq!(next(&before), Next::Add);
        let mut after = situation(2, told(vec![voter(1), learner(2)]), &[1]);
        after.added = Some(MemberId(2));
        assert_eq!(next(&after), Next::Start(vec![peer(1), peer(2)]));
    }

    #[test]
    fn one_without_a_vote_is_waited_for() {
        let members = vec![voter(1), learner(2)];
        let third = situation(3, told(members), &[1]);
        assert_eq!(next(&third), Next::Wait(Wait::Learner(MemberId(2))));
    }

    /// What an earlier run added may have had data that it has no more: it never starts again under that number.
    #[test]
    fn one_of_an_earlier_run_goes_first() {
        let again = situation(2, told(vec![voter(1), learner(2)]), &[1]);
        assert_eq!(next(&again), Next::Remove(MemberId(2)));
    }

    #[test]
    fn one_whose_data_are_gone_is_replaced_where_the_rest_is_a_majority() {
        let members = vec![voter(1), voter(2), voter(3)];
        let lost = situation(3, told(members.clone()), &[1, 2]);
        assert_eq!(next(&lost), Next::Remove(MemberId(3)));
        // Also the first one.
        let lost = situation(1, told(members), &[2, 3]);
        assert_eq!(next(&lost), Next::Remove(MemberId(1)));
    }

    #[test]
    fn it_stays_where_the_rest_is_none() {
        let members = vec![voter(1), voter(2), voter(3)];
        let lost = situation(3, told(members), &[1]);
        let Next::Refuse(Refusal::Kept(id, Kept::NoQuorum(quorum))) = next(&lost) else {
            panic!("{:?}", next(&lost));
        };
        assert_eq!((id, quorum.healthy), (MemberId(3), 1));
    }

    /// A node that moved: its member is found by its name, where nobody else has it.
    #[test]
    fn one_that_moved_is_replaced_and_another_of_its_name_is_not() {
        let mut moved = voter(3);
        moved.peer_urls = vec![url(9)];
        let members = vec![voter(1), voter(2), moved];
        let dead = situation(3, told(members.clone()), &[1, 2]);
        assert_eq!(next(&dead), Next::Remove(MemberId(3)));
        let alive = situation(3, told(members), &[1, 2, 3]);
        let taken = Refusal::NameTaken(vec![url(9)]);
        assert_eq!(next(&alive), Next::Refuse(taken));
    }

    #[test]
    fn one_that_somebody_removed_meanwhile_is_added_again() {
        let mut after = situation(2, told(vec![voter(1)]), &[1]);
        after.added = Some(MemberId(2));
        assert_eq!(next(&after), Next::Add);
    }

    #[test]
    fn the_prospect_is_what_will_be() {
        let all = vec![peer(1), peer(2), peer(3)];
        let fresh = situation(2, nobody, &[]);
        assert_eq!(fresh.prospect(all.clone()), all);
        let joins = situation(2, told(vec![voter(1)]), &[1]);
        assert_eq!(joins.prospect(all.clone()), [peer(1), peer(2)]);
        let replaced = situation(1, told(vec![voter(1), voter(2), voter(3)]), &[2, 3]);
        assert_eq!(replaced.prospect(all.clone()), all);
    }

    /// Simulates whole clusters: from any state, done step by step, a node ends as a learner of a cluster that has its quorum.
    #[test]
    fn steps_lead_to_a_start() {
        for own in 1..=3 {
            for others in [vec![], vec![voter(own)], vec![learner(own)]] {
                let mut members: Vec<_> = (1..=3).filter(|n| *n != own).map(voter).collect();
                members.extend(others);
                let healthy: Vec<u64> = (1..=3).filter(|n| *n != own).collect();
                let mut added = None;
                let mut steps = 0;
                loop {
                    let mut now = situation(own, told(members.clone()), &healthy);
                    now.added = added;
                    match next(&now) {
                        Next::Remove(id) => members.retain(|member| member.id != id),
                        Next::Add => {
                            let mut new = learner(own);
                            new.id = MemberId(10 + own);
                            added = Some(new.id);
                            members.push(new);
                        }
                        Next::Start(peers) => {
                            assert_eq!(peers, [peer(1), peer(2), peer(3)]);
                            break;
                        }
                        other => panic!("{other:?}"),
                    }
                    steps += 1;
                    assert!(steps <= 2, "{members:?}");
                }
            }
        }
    }
}
