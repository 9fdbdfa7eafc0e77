//! Taking a member out for good.

use pki_core::cluster::spec::ClusterSpec;

use super::client::Asker;
use super::decide::Said;
use super::error::EtcdError;
use super::look::{healthy, statuses, words};
use super::member::{Member, MemberId};
use super::quorum::may_remove;
use crate::component::{self, EtcdNode};
use crate::desired::Tree;

use super::look::name_of;

/// A member that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its number.
    pub id: MemberId,
    /// Its name.
    pub name: String,
    /// Whether it is well.
    pub is_healthy: bool,
    /// How many members with a vote are left.
    pub left: usize,
    /// Where clients dial a member that stays and answers.
    by: String,
}

/// Looks whether the member `name` (or with that number) may go; asks with the pairs of a node's tree. Changes nothing.
///
/// # Errors
/// [`EtcdError`], also where the quorum would be lost.
pub async fn removal(cluster: &ClusterSpec, tree: &Tree, name: &str) -> Result<Removal, EtcdError> {
    let asker = Asker::of(tree).await?;
    let nodes = component::etcd_nodes(cluster);
    let mut heard = Vec::new();
    for node in &nodes {
        let told = match asker.at(&node.client_url) {
            Ok(client) => client.members().await,
            Err(error) => Err(error),
        };
        match told {
            Ok(members) => {
                let well = healthy(&statuses(&asker, &members).await);
                let member = find(&members, &nodes, name)?;
                let told = name_of(member, &nodes);
                may_remove(&members, &well, member.id).map_err(|kept| EtcdError::Kept {
                    name: format!("{told} ({})", member.id),
                    kept,
                })?;
                let stays = |one: &&Member| one.id != member.id && !one.is_learner;
                let others = members.iter().filter(stays);
                let by = others.clone().find(|one| well.contains(&one.id));
                let by = by.and_then(|one| one.client_urls.first().cloned());
                return Ok(Removal {
                    id: member.id,
                    name: told,
                    is_healthy: well.contains(&member.id),
                    left: others.count(),
                    by: by.unwrap_or_else(|| node.client_url.clone()),
                });
            }
            Err(error) => {
                let said = Said::Unable(error.reason().to_owned());
                heard.push((node.peer.name.clone(), said));
            }
        }
    }
    Err(EtcdError::NoAnswer {
        heard: words(&heard),
    })
}

/// Takes it out. Its etcd ends by itself.
///
/// # Errors
/// [`EtcdError`], when etcd refuses.
pub async fn remove(tree: &Tree, removal: &Removal) -> Result<(), EtcdError> {
    let asker = Asker::of(tree).await?;
    let told = match asker.at(&removal.by) {
        Ok(client) => client.remove(removal.id).await,
        Err(error) => Err(error),
    };
    told.map_err(|error| EtcdError::NotRemoved {
        name: format!("{} ({})", removal.name, removal.id),
        reason: error.reason().to_owned(),
    })
}

/// The member of that name, or else with that number.
fn find<'a>(
    members: &'a [Member],
    nodes: &[EtcdNode],
    name: &str,
) -> Result<&'a Member, EtcdError> {
    let by_name = members.iter().find(|member| name_of(member, nodes) == name);
    let by_number = || members.iter().find(|member| member.id.to_string() == name);
    by_name
        .or_else(by_number)
        .ok_or_else(|| EtcdError::NoSuchMember {
            name: name.to_owned(),
            members: members
                .iter()
                .map(|member| name_of(member, nodes))
                .collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::EtcdPeer;

    #[test]
    fn a_member_is_found_by_name_by_cluster_toml_and_by_number() {
        let member = |id: u64, name: &str| Member {
            id: MemberId(id),
            name: name.into(),
            peer_urls: vec![format!("https://192.0.2.{id}:2380")],
            client_urls: vec![],
            is_learner: false,
        };
        let members = [member(10, "cp1"), member(11, "")];
        let nodes = [EtcdNode {
            peer: EtcdPeer {
                name: "cp2".into(),
                url: "https://192.0.2.11:2380".into(),
            },
            client_url: "https://192.0.2.11:2379".into(),
        }];
        let id = |name: &str| find(&members, &nodes, name).map(|member| member.id.0).ok();
        assert_eq!(id("cp1"), Some(10));
        assert_eq!(id("cp2"), Some(11));
        assert_eq!(id("a"), Some(10));
        assert_eq!(id("cp9"), None);
    }
}
