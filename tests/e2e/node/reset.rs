//! `kinstall reset`: the machine as it was.

use tests::node::{Node, UNCOUNTED};

/// Nothing but what is below these paths, and those changes of the machine's state that are another's.
pub fn leaves_nothing_but(node: &Node<'_>, paths: &[&str], is_anothers: impl Fn(&str) -> bool) {
    let ended = node.kinstall(&["reset", "--yes", "--purge"]);
    assert!(ended.code == Some(0), "{ended}");
    let uncounted = [&UNCOUNTED, paths].concat();
    node.is_as_it_was(&uncounted, is_anothers);
}
