//! What the kernel has to do for pods.

use crate::desired::{Kind, Module, NodeSpec, Resource, Stage, Sysctl, SysctlValue};

use SysctlValue::{AtLeast, Exactly};

const FORWARDS: &str = "packets for pods are the node's to forward";
const PROTECTED: &str = "the kubelet does not start on other values (protectKernelDefaults)";

/// Both families, whatever the cluster's: a NodePort of the other one is dead without, and nothing says so
/// (kubespray#747). `default` is for interfaces that come later.
const FORWARDING: [&str; 3] = [
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/ipv6/conf/default/forwarding",
];

/// What the kubelet checks (component-helpers/node/util/sysctl).
const PROTECTED_SYSCTLS: [(&str, i64); 6] = [
    ("vm/overcommit_memory", 1),
    ("vm/panic_on_oom", 0),
    ("kernel/panic", 10),
    ("kernel/panic_on_oops", 1),
    ("kernel/keys/root_maxkeys", 1_000_000),
    ("kernel/keys/root_maxbytes", 25_000_000),
];

pub(super) fn resources(spec: &NodeSpec) -> Vec<Resource> {
    let mut resources = vec![
        module(
            "br_netfilter",
            "/proc/sys/net/bridge",
            "a Service is reached from a pod of the same bridge only when the bridge asks the packet filter",
        ),
        module(
            "overlay",
            "/sys/module/overlay",
            "containers share their images' files",
        ),
        module(
            "nf_conntrack",
            "/proc/sys/net/netfilter/nf_conntrack_max",
            "answers of a Service find their way back",
        ),
    ];
    resources.extend(FORWARDING.map(|key| sysctl(key, Exactly(1), FORWARDS)));
    // With forwarding on, 1 means that the kernel forgets the route that a router told it (k3s#5019).
    resources.extend(spec.facts.router_advertisements.iter().map(|interface| {
        sysctl(
            &format!("net/ipv6/conf/{interface}/accept_ra"),
            Exactly(2),
            "the default route is one that a router tells, and the node forwards",
        )
    }));
    resources.extend(
        [
            "net/bridge/bridge-nf-call-iptables",
            "net/bridge/bridge-nf-call-ip6tables",
        ]
        .map(|key| {
            let why = "bridged packets pass the rules of Services (flannel#2068)";
            sysctl(key, Exactly(1), why)
        }),
    );
    // k0s' and kubespray's number; every pod's log and every kubelet's and container's watch takes one.
    resources.push(sysctl(
        "fs/inotify/max_user_instances",
        AtLeast(1024),
        "with fewer, kubectl logs -f and the kubelet run out of watches",
    ));
    resources.extend(PROTECTED_SYSCTLS.map(|(key, value)| sysctl(key, Exactly(value), PROTECTED)));
    resources
}

fn sysctl(key: &str, value: SysctlValue, why: &str) -> Resource {
    Resource {
        stage: Stage::Host,
        why: why.into(),
        kind: Kind::Sysctl(Sysctl {
            key: key.into(),
            value,
        }),
    }
}

fn module(name: &str, proof: &str, why: &str) -> Resource {
    Resource {
        stage: Stage::Host,
        why: why.into(),
        kind: Kind::Module(Module {
            name: name.into(),
            proof: proof.into(),
        }),
    }
}
