//! `kinstall reset`: the machine as it was.

use tests::node::Node;

pub fn leaves_nothing(node: &Node<'_>) {
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
    let before = node.files_before.clone().without(&mine);
    let files = before.changes_to(&node.machine.files().without(&mine));
    let state = node.before.changes_to(&node.machine.state());
    assert!(
        files.is_empty() && state.is_empty(),
        "files: {files:#?}\nstate: {state:#?}"
    );
}
