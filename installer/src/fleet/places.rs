//! Where things are on a machine of the fleet. Pure.

use crate::desired::layout;

/// The directories that `kinstall cluster` makes on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Programs that were brought: `/opt/kinstall/cluster/bin`. Below /opt, since a machine may forbid programs in /var.
    pub programs: String,
    /// cluster.toml and the node's own tree, 0700: `/var/lib/kinstall/cluster`. `kinstall reset` takes it along.
    pub tree: String,
    /// Where a tree arrives, 0700, before it is whole.
    pub arriving: String,
    /// The ledger of kinstall.
    pub ledger: String,
    /// What kinstall was told there before.
    pub options: String,
}

impl Places {
    /// Those of a real machine.
    pub fn system() -> Self {
        Self::below("")
    }

    /// The same below a directory, for tests.
    pub fn below(root: &str) -> Self {
        let (state, etc) = (layout::STATE, layout::KINSTALL);
        Self {
            programs: format!("{root}/opt/kinstall/cluster/bin"),
            tree: format!("{root}{state}/cluster"),
            arriving: format!("{root}{state}/cluster.arriving"),
            ledger: format!("{root}{state}/ledger.json"),
            options: format!("{root}{etc}/node.toml"),
        }
    }
}
