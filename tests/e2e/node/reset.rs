//! `kinstall reset`: the machine as it was.

use tests::node::Node;

/// Nothing but what is below these paths, and those changes of the machine's state that are another's.
pub fn leaves_nothing_but(node: &Node<'_>, paths: &[&str], is_anothers: impl Fn(&str) -> bool) {
    let ended = node.kinstall(&["reset", "--yes", "--purge"]);
    assert!(ended.code == Some(0), "{ended}");
    // What the test put there, and the copies that useradd and userdel keep of what they change.
    let mine = [
        "/root",
        "/etc/passwd-",
        "/etc/group-",
        "/etc/shadow-",
        "/etc/gshadow-",
    ];
    let mine = [&mine, paths].concat();
    let before = node.files_before.clone().without(&mine);
    let files = before.changes_to(&node.machine.files().without(&mine));
    let mut state = node.before.changes_to(&node.machine.state());
    state.retain(|change| !is_anothers(change));
    assert!(
        files.is_empty() && state.is_empty(),
        "files: {files:#?}\nstate: {state:#?}"
    );
}
