//! Programs, and others of their kind that run here already.

use std::path::Path;

use super::{Check, Context, Finding};
use crate::desired::layout;

pub(super) const PROGRAMS: Check = Check {
    name: "programs",
    reason: "a node is made of them, and versions that are too far apart do not understand each other",
    run: programs,
};

pub(super) const KUBELET: Check = Check {
    name: "foreign-kubelet",
    reason: "two kubelets fight over the same pods, directories and ports",
    run: kubelet,
};

pub(super) const CONTAINERD: Check = Check {
    name: "foreign-containerd",
    reason: "kinstall runs its own containerd at that socket, with the settings that a node needs",
    run: containerd,
};

pub(super) const DOCKER: Check = Check {
    name: "docker",
    reason: "it sets the FORWARD policy to DROP whenever it starts, and images and rules are not the cluster's",
    run: docker,
};

pub(super) const SWAP: Check = Check {
    name: "swap",
    reason: "memory that is swapped out is slow where its pod was promised to be quick, and secrets may reach the disk",
    run: swap,
};

pub(super) const SELINUX: Check = Check {
    name: "selinux",
    reason: "static pods read files below /etc/kubernetes and /var/lib, which its policy may forbid to containers",
    run: selinux,
};

fn programs(context: &Context<'_>) -> Vec<Finding> {
    let problems = context.programs.iter();
    problems
        .map(|(fact, hint)| Finding::error(fact, hint))
        .collect()
}

fn kubelet(context: &Context<'_>) -> Vec<Finding> {
    let mut processes = context.readings.processes.iter();
    match processes.find(|process| process.is("kubelet")) {
        Some(process) if !context.ours.installed => vec![Finding::error(
            format!(
                "a kubelet is running that kinstall did not start: process {}",
                process.id
            ),
            "take the machine out of its cluster (kubeadm reset), or stop it: systemctl disable --now kubelet",
        )],
        _ => Vec::new(),
    }
}

fn containerd(context: &Context<'_>) -> Vec<Finding> {
    let socket = Path::new(layout::CONTAINERD_SOCKET);
    let listening = context.readings.unix_sockets.iter();
    // Some show the place behind the link from /var/run.
    let is_socket = |path: &Path| {
        path == socket || path == Path::new("/var").join("run/containerd/containerd.sock")
    };
    if context.ours.installed || !listening.into_iter().any(|path| is_socket(path)) {
        return Vec::new();
    }
    vec![Finding::error(
        format!(
            "a container runtime that kinstall did not start listens at {}",
            socket.display()
        ),
        "stop it: systemctl disable --now containerd (its images and containers stay where they are)",
    )]
}

fn docker(context: &Context<'_>) -> Vec<Finding> {
    let mut processes = context.readings.processes.iter();
    match processes.find(|process| process.is("dockerd")) {
        Some(process) => vec![Finding::warning(
            format!("Docker is running: process {}", process.id),
            "stop it: systemctl disable --now docker.socket docker; or set \"iptables\": false in /etc/docker/daemon.json",
        )],
        None => Vec::new(),
    }
}

fn swap(context: &Context<'_>) -> Vec<Finding> {
    let swaps = &context.readings.swaps;
    if swaps.is_empty() {
        return Vec::new();
    }
    vec![Finding::warning(
        format!(
            "swap is on: {}; the kubelet runs with failSwapOn: false, and pods do not get any of it",
            swaps.join(", ")
        ),
        "swapoff -a, and take swap out of /etc/fstab",
    )]
}

fn selinux(context: &Context<'_>) -> Vec<Finding> {
    if !context.readings.selinux_enforces {
        return Vec::new();
    }
    vec![Finding::warning(
        "SELinux enforces its policy",
        "install container-selinux; when a pod may not read a file, ausearch -m avc says which",
    )]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::testing::Fixture;
    use super::*;
    use crate::machine::readings::Process;

    fn process(program: &str) -> Process {
        Process {
            id: 42,
            name: program.into(),
            program: Some(PathBuf::from("/usr/bin").join(program)),
        }
    }

    #[test]
    fn others_of_the_kind() {
        let mut fixture = Fixture::ipv4();
        fixture.readings.processes = vec![process("kubelet"), process("dockerd")];
        fixture
            .readings
            .unix_sockets
            .insert(layout::CONTAINERD_SOCKET.into());
        assert!(fixture.error(KUBELET).ends_with("process 42"));
        assert!(
            fixture
                .error(CONTAINERD)
                .ends_with("/run/containerd/containerd.sock")
        );
        assert_eq!(fixture.warning(DOCKER), "Docker is running: process 42");
        fixture.ours.installed = true;
        fixture.fine(KUBELET);
        fixture.fine(CONTAINERD);
    }

    #[test]
    fn a_socket_elsewhere_is_nobody_s_business() {
        let mut fixture = Fixture::ipv4();
        fixture
            .readings
            .unix_sockets
            .insert("/run/k3s/containerd/containerd.sock".into());
        fixture.fine(CONTAINERD);
    }

    #[test]
    fn programs_swap_and_selinux() {
        let mut fixture = Fixture::ipv4();
        fixture.programs = vec![(
            "etcd is nowhere".into(),
            "name its directory with --bin-dir".into(),
        )];
        fixture.readings.swaps = vec!["/dev/sda2".into()];
        fixture.readings.selinux_enforces = true;
        assert_eq!(fixture.error(PROGRAMS), "etcd is nowhere");
        assert!(fixture.warning(SWAP).starts_with("swap is on: /dev/sda2;"));
        assert_eq!(fixture.warning(SELINUX), "SELinux enforces its policy");
    }
}
