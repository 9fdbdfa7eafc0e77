//! What containerd, the kubelet and CNI plugins leave on a machine. The addons' traces are
//! [`addon::host`](crate::addon::host())'s.

use crate::desired::{InitSystem, NodeSpec, Resource, Trace, layout};

use super::make::trace;

pub(super) fn resources(spec: &NodeSpec) -> Vec<Resource> {
    let mut resources = Vec::new();
    let containerd = "containerd makes it at run time";
    resources.extend(
        [
            // Root file systems of containers, shm of sandboxes, and containerd's own.
            Trace::Mounts("/run/containerd".into()),
            Trace::Mounts(layout::CONTAINERD.into()),
            Trace::Path("/run/containerd".into()),
            // One for each sandbox with a network of its own (internal/cri/server/podsandbox, netns).
            Trace::NetworkNamespaces("cni-".into()),
            // Sandboxes and containers that the kubelet did not place.
            Trace::Cgroup("k8s.io".into()),
        ]
        .map(|item| trace(containerd, item)),
    );

    let kubelet = "the kubelet makes it at run time";
    resources.extend(
        [
            // Volumes of pods.
            Trace::Mounts(layout::KUBELET.into()),
            Trace::Path("/var/log/pods".into()),
            Trace::Path("/var/log/containers".into()),
            // Its hint and canary for whoever looks which iptables is in use, its rule against martians
            // (pkg/kubelet/kubelet_network_linux.go).
            Trace::IptablesChains("KUBE-".into()),
            Trace::Cgroup(match spec.facts.init {
                InitSystem::Systemd => "kubepods.slice".into(),
                InitSystem::Supervisor => "kubepods".into(),
            }),
        ]
        .map(|item| trace(kubelet, item)),
    );

    if spec.options.network.is_flannel() {
        let plugins = "CNI plugins make it at run time";
        resources.push(trace(plugins, Trace::Link("cni0".into())));
        // The ends of pods' cables go with the pods' namespaces, unless a plugin was interrupted.
        resources.push(trace(plugins, Trace::Link("veth*".into())));
        // host-local's addresses, kinstall-flannel's and libcni's records.
        resources.push(trace(plugins, Trace::Path("/var/lib/cni".into())));
        if spec.facts.has_nf_tables {
            for family in ["ip", "ip6"] {
                let table = Trace::NftTable(format!("{family} cni_hostport"));
                resources.push(trace(plugins, table));
            }
        } else {
            resources.push(trace(plugins, Trace::IptablesChains("CNI-".into())));
        }
    }
    resources
}
