//! The machine itself.

use pki_core::cluster::spec::NodeName;

use super::{Check, Context, Finding};

/// kubeadm's minimum for a control plane (cmd/kubeadm/app/constants).
const CORES_WANTED: usize = 2;
/// kubeadm's minimum for a control plane, in bytes: 1700 MB (cmd/kubeadm/app/constants).
const MEMORY_WANTED: u64 = 1_700_000_000;

pub(super) const ROOT: Check = Check {
    name: "root",
    reason: "containers, sysctls and files below /etc are root's",
    run: root,
};

pub(super) const CORES: Check = Check {
    name: "cores",
    reason: "with fewer, etcd misses its heartbeats while anything else works",
    run: cores,
};

pub(super) const MEMORY: Check = Check {
    name: "memory",
    reason: "with less, the kernel ends etcd or the API server under load",
    run: memory,
};

pub(super) const HOST_NAME: Check = Check {
    name: "host-name",
    reason: "programs that ask the machine for its name would call it something else than the cluster does",
    run: host_name,
};

fn root(context: &Context<'_>) -> Vec<Finding> {
    match context.readings.user {
        0 => Vec::new(),
        user => vec![Finding::error(
            format!("this is user {user}, not root"),
            "run kinstall as root: sudo kinstall ...",
        )],
    }
}

fn cores(context: &Context<'_>) -> Vec<Finding> {
    let cores = context.facts.cores;
    if cores >= CORES_WANTED || !context.is_control_plane() {
        return Vec::new();
    }
    vec![Finding::error(
        format!("{cores} processor, {CORES_WANTED} are needed for a control plane"),
        "give the machine more processors",
    )]
}

fn memory(context: &Context<'_>) -> Vec<Finding> {
    let bytes = context.facts.memory_bytes;
    if bytes >= MEMORY_WANTED || !context.is_control_plane() {
        return Vec::new();
    }
    vec![Finding::error(
        format!(
            "{} MB of memory, {} MB are needed for a control plane",
            bytes / 1_000_000,
            MEMORY_WANTED / 1_000_000
        ),
        "give the machine more memory",
    )]
}

fn host_name(context: &Context<'_>) -> Vec<Finding> {
    let (host, node) = (&context.facts.host_name, context.node.name());
    match host.parse::<NodeName>() {
        Ok(_) => Vec::new(),
        Err(fact) => vec![Finding::warning(
            format!(
                "the machine's name {host:?} is none that a node can have: {fact}; it is {node} in the cluster"
            ),
            format!("give the machine the node's name: hostnamectl set-hostname {node}"),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn too_small() {
        let mut fixture = Fixture::ipv4();
        fixture.facts.cores = 1;
        fixture.facts.memory_bytes = 1_699_000_000;
        assert_eq!(
            fixture.error(CORES),
            "1 processor, 2 are needed for a control plane"
        );
        assert_eq!(
            fixture.error(MEMORY),
            "1699 MB of memory, 1700 MB are needed for a control plane"
        );
        fixture.facts.memory_bytes = 1_700_000_000;
        fixture.fine(MEMORY);
        let mut worker = Fixture::worker();
        worker.facts.cores = 1;
        worker.fine(CORES);
    }

    #[test]
    fn not_root() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(ROOT);
        fixture.readings.user = 1000;
        assert_eq!(fixture.error(ROOT), "this is user 1000, not root");
    }

    #[test]
    fn a_name_that_is_none() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(HOST_NAME);
        fixture.facts.host_name = "my_host".into();
        assert!(
            fixture
                .warning(HOST_NAME)
                .starts_with("the machine's name \"my_host\" is none")
        );
    }
}
