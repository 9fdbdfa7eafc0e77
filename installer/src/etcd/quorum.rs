//! How many members have to be well for etcd to work, and when one may go. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::member::{Member, MemberId};

/// The votes of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quorum {
    /// Members with a vote.
    pub voters: usize,
    /// Those of them that are well.
    pub healthy: usize,
    /// How many have to be.
    pub needed: usize,
    /// Whether they are.
    pub held: bool,
}

/// Why a member may not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There is no other.
    Last,
    /// The healthy ones are too few to agree on anything.
    NoQuorum(Quorum),
    /// Of those that would be left, too few are healthy.
    WouldLose(Quorum),
}

impl Quorum {
    /// Of these members, with the ids of those that are well.
    pub fn of<'a>(
        members: impl IntoIterator<Item = &'a Member>,
        healthy: &BTreeSet<MemberId>,
    ) -> Self {
        let voters: Vec<_> = members
            .into_iter()
            .filter(|member| !member.is_learner)
            .collect();
        let healthy = voters
            .iter()
            .filter(|member| healthy.contains(&member.id))
            .count();
        let needed = voters.len() / 2 + 1;
        Self {
            voters: voters.len(),
            healthy,
            needed,
            held: healthy >= needed,
        }
    }
}

/// Whether the member `id` may be taken out of the cluster: never when the healthy rest is no majority of the rest.
pub fn may_remove(
    members: &[Member],
    healthy: &BTreeSet<MemberId>,
    id: MemberId,
) -> Result<(), Kept> {
    let now = Quorum::of(members, healthy);
    if !now.held {
        return Err(Kept::NoQuorum(now));
    }
    let goes = members.iter().find(|member| member.id == id);
    // Without a vote it is not missed.
    if goes.is_none_or(|member| member.is_learner) {
        return Ok(());
    }
    let left = Quorum::of(members.iter().filter(|member| member.id != id), healthy);
    if left.voters == 0 {
        Err(Kept::Last)
    } else if left.held {
        Ok(())
    } else {
        Err(Kept::WouldLose(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u64, is_learner: bool) -> Member {
        Member {
            id: MemberId(id),
            name: format!("cp{id}"),
            peer_urls: vec![],
            client_urls: vec![],
            is_learner,
        }
    }

    fn voters(count: u64) -> Vec<Member> {
        (1..=count).map(|id| member(id, false)).collect()
    }

    fn well(ids: &[u64]) -> BTreeSet<MemberId> {
        ids.iter().copied().map(MemberId).collect()
    }

    #[test]
    fn a_majority_is_needed_and_learners_do_not_count() {
        for (count, needed) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let mut members = voters(count);
            members.push(member(9, true));
            let quorum = Quorum::of(&members, &well(&[1, 2, 9]));
            assert_eq!(quorum.voters as u64, count);
            assert_eq!(quorum.needed, needed, "{count}");
            assert_eq!(quorum.healthy as u64, count.min(2), "{count}");
            assert_eq!(quorum.held, quorum.healthy >= needed, "{count}");
        }
    }

    #[test]
    fn a_dead_one_may_go_while_the_rest_is_a_majority() {
        assert_eq!(may_remove(&voters(3), &well(&[1, 2]), MemberId(3)), Ok(()));
        assert_eq!(
            may_remove(&voters(5), &well(&[1, 2, 3]), MemberId(4)),
            Ok(())
        );
    }

    #[test]
    fn a_healthy_one_may_not_while_another_is_dead() {
        let kept = may_remove(&voters(3), &well(&[1, 2]), MemberId(2)).unwrap_err();
        let Kept::WouldLose(left) = kept else {
            panic!("{kept:?}");
        };
        assert_eq!((left.voters, left.healthy, left.needed), (2, 1, 2));
        assert_eq!(
            may_remove(&voters(3), &well(&[1, 2, 3]), MemberId(2)),
            Ok(())
        );
        assert_eq!(may_remove(&voters(2), &well(&[1, 2]), MemberId(2)), Ok(()));
    }

    #[test]
    fn nothing_goes_without_a_quorum() {
        for (count, healthy) in [(2, 1), (3, 1), (5, 2)] {
            let healthy: Vec<u64> = (1..=healthy).collect();
            let kept = may_remove(&voters(count), &well(&healthy), MemberId(count));
            assert!(matches!(kept, Err(Kept::NoQuorum(_))), "{count}: {kept:?}");
        }
    }

    #[test]
    fn the_last_one_stays() {
        assert_eq!(
            may_remove(&voters(1), &well(&[1]), MemberId(1)),
            Err(Kept::Last)
        );
        // Also beside one that has no vote.
        let members = [member(1, false), member(2, true)];
        assert_eq!(
            may_remove(&members, &well(&[1, 2]), MemberId(1)),
            Err(Kept::Last)
        );
        assert_eq!(may_remove(&members, &well(&[1]), MemberId(2)), Ok(()));
    }

    /// Whatever is healthy: what is allowed leaves a majority of the rest.
    #[test]
    fn no_removal_loses_the_quorum() {
        for count in 1..=5 {
            for mask in 0_u32..1 << count {
                let healthy: Vec<u64> =
                    (1..=count).filter(|id| mask >> (id - 1) & 1 == 1).collect();
                for id in 1..=count {
                    if may_remove(&voters(count), &well(&healthy), MemberId(id)).is_ok() {
                        let left = healthy.iter().filter(|one| **one != id).count() as u64;
                        assert!(
                            left > (count - 1) / 2,
                            "{count} members, {healthy:?}, without {id}"
                        );
                    }
                }
            }
        }
    }
}
