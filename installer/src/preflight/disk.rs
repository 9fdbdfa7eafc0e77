//! Room on disks.

use pki_core::cluster::spec::Role;

use super::{Check, Context, Finding};
use crate::desired::layout;
use crate::machine::readings::Space;

pub(super) const SPACE: Check = Check {
    name: "disk-space",
    reason: "images, containers and etcd's data grow; an etcd without room stops, and a kubelet evicts pods",
    run: space,
};

const GIB: u64 = 1 << 30;
/// The images and an empty cluster fit, and nothing else.
const NEEDED: u64 = GIB;
/// etcd's own limit of its data (--quota-backend-bytes).
const WANTED: u64 = 2 * GIB;
/// Containers are many small files.
const FILES: u64 = 20_000;

fn space(context: &Context<'_>) -> Vec<Finding> {
    // Directories of one file system share its room, and a lack of it is one lack.
    let mut systems: Vec<(&Space, Vec<String>)> = Vec::new();
    for space in &context.readings.space {
        if space.path.as_os_str() == layout::ETCD_DATA && !context.node.has(Role::Etcd) {
            continue;
        }
        let path = space.path.display().to_string();
        let known = systems
            .iter_mut()
            .find(|(one, _)| one.file_system == space.file_system);
        match known {
            Some((_, paths)) => paths.push(path),
            None => systems.push((space, vec![path])),
        }
    }
    let systems = systems.into_iter();
    systems
        .filter_map(|(space, paths)| finding(space, &paths.join(", ")))
        .collect()
}

fn finding(space: &Space, paths: &str) -> Option<Finding> {
    let mib = space.available >> 20;
    let fix = format!("make room, or mount a larger disk at {paths}");
    if space.available < NEEDED {
        let needed = NEEDED >> 20;
        let fact = format!("{mib} MiB are free for {paths}, {needed} MiB are needed");
        return Some(Finding::error(fact, fix));
    }
    if space.available < WANTED {
        let wanted = WANTED >> 20;
        let fact = format!("{mib} MiB are free for {paths}, {wanted} MiB are better");
        return Some(Finding::warning(fact, fix));
    }
    let files = space.files.filter(|files| *files < FILES)?;
    let fact = format!("the file system of {paths} has room for {files} more files only");
    Some(Finding::error(fact, fix))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn nearly_full() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(SPACE);
        fixture.readings.space[0].available = GIB + (GIB >> 1);
        assert_eq!(
            fixture.warning(SPACE),
            "1536 MiB are free for /var/lib/etcd, 2048 MiB are better"
        );
        fixture.readings.space[0].available = 5 << 20;
        assert_eq!(
            fixture.error(SPACE),
            "5 MiB are free for /var/lib/etcd, 1024 MiB are needed"
        );
        fixture.readings.space[0].available = 3 * GIB;
        fixture.readings.space[0].files = Some(3);
        assert!(fixture.error(SPACE).contains("3 more files"));
        // One file system is one problem.
        for space in &mut fixture.readings.space {
            (space.file_system, space.available) = (1, 5 << 20);
        }
        assert_eq!(
            fixture.error(SPACE),
            "5 MiB are free for /var/lib/etcd, /var/lib/containerd, /var/lib/kubelet, 1024 MiB are needed"
        );
        let mut worker = Fixture::worker();
        worker.readings.space[0].available = 0;
        worker.fine(SPACE);
    }
}
