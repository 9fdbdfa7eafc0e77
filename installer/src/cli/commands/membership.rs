//! This node's member of etcd, where the machine is reset: it leaves the others first.

use std::path::Path;

use installer::desired::NodeSpec;
use installer::desired::layout;
use installer::etcd::{self, Parting, Removal};
use pki_core::cluster::spec::Role;

use super::machine;
use crate::cli::output::Failure;

/// How this node stands with etcd's members.
pub enum Membership {
    /// It is none, or the only one.
    None,
    /// It leaves.
    Leaves(Box<NodeSpec>, Removal),
    /// It stays listed, as the user wants.
    Stays(String),
}

/// What became of it.
pub enum Left {
    /// It was none, or the only one.
    None,
    /// It left.
    Gone,
    /// It stays listed.
    Stays(String),
}

/// Asks the other members whether it may go. With `keep` it stays listed, and nobody is asked.
pub fn of_this_node(keep: bool) -> Result<Membership, Failure> {
    // What does not know any more which node it is, can ask nobody.
    let Ok(spec) = machine::node() else {
        return Ok(Membership::None);
    };
    let name = spec.node.name().to_string();
    if keep {
        let several = spec.has(Role::Etcd) && spec.cluster.nodes_with(Role::Etcd).count() > 1;
        return Ok(if several {
            Membership::Stays(name)
        } else {
            Membership::None
        });
    }
    let parting = etcd::parting(&spec, Path::new(layout::ETCD_DATA));
    match machine::runtime()?.block_on(parting) {
        Parting::Stranger | Parting::Last => Ok(Membership::None),
        Parting::May(removal) => Ok(Membership::Leaves(Box::new(spec), removal)),
        Parting::MayNot(error) => Err(Failure::new(
            format_args!("{name} cannot leave etcd's members before its machine is reset: {error}"),
            format_args!(
                "{}; or go on with --keep-member, and later, on another member: kinstall etcd remove {name}",
                error.hint()
            ),
        )),
    }
}

impl Membership {
    /// What is about to be done, before a question.
    pub fn words(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Leaves(_, removal) => format!(
                "{} leaves etcd's members for good; {} with a vote are left. ",
                removal.name, removal.left
            ),
            Self::Stays(name) => format!("{name} stays listed among etcd's members. "),
        }
    }

    /// Leaves, where it may.
    pub fn leave(self) -> Result<Left, Failure> {
        match self {
            Self::None => Ok(Left::None),
            Self::Leaves(spec, removal) => {
                machine::runtime()?.block_on(etcd::remove(&spec.tree, &removal))?;
                Ok(Left::Gone)
            }
            Self::Stays(name) => Ok(Left::Stays(name)),
        }
    }
}

impl Left {
    /// For programs: nothing where it was none.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gone => Some("left"),
            Self::Stays(_) => Some("stays"),
        }
    }

    /// What somebody should know afterwards; whether data of etcd are still there.
    pub fn note(&self, has_data: bool) -> Option<String> {
        match self {
            Self::Gone if has_data => Some(
                "it is no member of etcd any more, and its data are of no use: kinstall reset --purge takes them away"
                    .into(),
            ),
            Self::Stays(name) => Some(format!(
                "etcd still lists {name}: on another member, kinstall etcd remove {name}"
            )),
            Self::None | Self::Gone => None,
        }
    }
}
