//! What etcd's other members say to this node's leaving for good.

use std::path::Path;

use pki_core::cluster::spec::Role;

use super::error::EtcdError;
use super::quorum::Kept;
use super::remove::{Removal, removal};
use crate::desired::NodeSpec;
use crate::machine::etcd_data;

/// How a node leaves etcd's members.
#[derive(Debug)]
pub enum Parting {
    /// It is none, or nobody knows it any more.
    Stranger,
    /// It is the only one that votes: nobody is left who would miss it.
    Last,
    /// It may be taken out.
    May(Removal),
    /// It may not, or nobody tells.
    MayNot(EtcdError),
}

/// Asks the members of cluster.toml, with the pairs of the node's own tree, whether the node of `spec` may go. Its data are
/// at `data`. Changes nothing.
pub async fn parting(spec: &NodeSpec, data: &Path) -> Parting {
    let several = spec.cluster.nodes_with(Role::Etcd).count() > 1;
    if !several || !spec.has(Role::Etcd) {
        return Parting::Stranger;
    }
    let told = removal(&spec.cluster, &spec.tree, spec.node.name().as_str()).await;
    of(told, etcd_data::is_there(data).unwrap_or(true))
}

fn of(told: Result<Removal, EtcdError>, has_data: bool) -> Parting {
    match told {
        Ok(removal) => Parting::May(removal),
        Err(EtcdError::NoSuchMember { .. }) => Parting::Stranger,
        Err(EtcdError::Kept {
            kept: Kept::Last, ..
        }) => Parting::Last,
        // It has never begun: whoever answers later knows nobody of it, or one without a vote that never came.
        Err(EtcdError::NoAnswer { .. }) if !has_data => Parting::Stranger,
        Err(error) => Parting::MayNot(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::quorum::Quorum;
    use super::*;

    #[test]
    fn who_cannot_be_asked_is_not_left_without_a_word() {
        let silent = || EtcdError::NoAnswer {
            heard: "cp1: refused".into(),
        };
        assert!(matches!(of(Err(silent()), true), Parting::MayNot(_)));
        assert!(matches!(of(Err(silent()), false), Parting::Stranger));
        let kept = |kept| EtcdError::Kept {
            name: "cp3 (a)".into(),
            kept,
        };
        let quorum = Quorum {
            voters: 3,
            healthy: 1,
            needed: 2,
            held: false,
        };
        for refusal in [Kept::NoQuorum(quorum), Kept::WouldLose(quorum)] {
            // Whatever is on its disk: it has a vote.
            assert!(matches!(of(Err(kept(refusal)), false), Parting::MayNot(_)));
        }
        assert!(matches!(of(Err(kept(Kept::Last)), true), Parting::Last));
        let unknown = EtcdError::NoSuchMember {
            name: "cp3".into(),
            members: vec![],
        };
        assert!(matches!(of(Err(unknown), true), Parting::Stranger));
    }
}
