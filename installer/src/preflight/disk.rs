//! Room on disks.

use pki_core::cluster::spec::Role;

use super::{Check, Context, Finding};
use crate::desired::layout;

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
    let mut findings = Vec::new();
    for space in &context.readings.space {
        if space.path.as_os_str() == layout::ETCD_DATA && !context.node.has(Role::Etcd) {
            continue;
        }
        let (path, mib) = (space.path.display(), space.available >> 20);
        let fix = format!("make room, or mount a larger disk at {path}");
        if space.available < NEEDED {
            let fact = format!(
                "{mib} MiB are free for {path}, {} MiB are needed",
                NEEDED >> 20
            );
            findings.push(Finding::error(fact, fix));
        } else if space.available < WANTED {
            let fact = format!(
                "{mib} MiB are free for {path}, {} MiB are better",
                WANTED >> 20
            );
            findings.push(Finding::warning(fact, fix));
        } else if space.files.is_some_and(|files| files < FILES) {
            let fact = format!(
                "the file system of {path} has room for {} more files only",
                space.files.unwrap_or(0)
            );
            findings.push(Finding::error(fact, fix));
        }
    }
    findings
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
        let mut worker = Fixture::worker();
        worker.readings.space[0].available = 0;
        worker.fine(SPACE);
    }
}
