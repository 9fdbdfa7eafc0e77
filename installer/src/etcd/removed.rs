//! A member that was removed, whose node does not know it yet.

use super::client::Asker;
use super::look::look;
use crate::desired::NodeSpec;

/// Whether a majority of etcd's members knows nobody of this node. Where nobody can tell, nobody has removed it.
pub async fn is_removed(spec: &NodeSpec) -> bool {
    let Ok(asker) = Asker::of(&spec.tree).await else {
        return false;
    };
    let situation = look(&asker, spec, None).await.situation;
    situation.members().is_some() && situation.former().is_none()
}
