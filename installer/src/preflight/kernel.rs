//! What the kernel has to have, and how it has to be set.

use pki_core::cluster::spec::IpFamily;

use super::{Check, Context, Finding, sysctl};
use crate::addon::vxlan;
use crate::desired::{CgroupVersion, SysctlValue};

pub(super) const FEATURES: Check = Check {
    name: "kernel-features",
    reason: "containers are made of them, and Services and pod networks with them",
    run: features,
};

pub(super) const CONTROLLERS: Check = Check {
    name: "cgroup-controllers",
    reason: "the kubelet does not start without them: it limits pods with them",
    run: controllers,
};

pub(super) const CGROUP_VERSION: Check = Check {
    name: "cgroup-version",
    reason: "version 1 is in maintenance; the kubelet runs on it only when it is told to, and some day no more (KEP-4569)",
    run: cgroup_version,
};

pub(super) const BR_NETFILTER: Check = Check {
    name: "br-netfilter",
    reason: "without it, packets between pods of one node pass by the rules of Services; flannel refuses to start \
             (flannel#2068)",
    run: br_netfilter,
};

pub(super) const BRIDGE_NF_CALL: Check = Check {
    name: "bridge-nf-call",
    reason: "with 0, packets between pods of one node pass by the rules of Services",
    run: bridge_nf_call,
};

pub(super) const INOTIFY: Check = Check {
    name: "inotify",
    reason: "kubelet, containerd and pods watch files; with the kernel's 128 they soon say `too many open files`",
    run: inotify,
};

pub(super) const DEFAULTS: Check = Check {
    name: "kernel-defaults",
    reason: "the kubelet does not start with others, as it is told to protect them (protectKernelDefaults)",
    run: defaults,
};

pub(super) const CONNTRACK: Check = Check {
    name: "conntrack",
    reason: "connections through Services are tracked; when the table is full, new ones are dropped",
    run: conntrack,
};

pub(super) const SYSCTLS_WRITABLE: Check = Check {
    name: "sysctls-writable",
    reason: "kinstall and the kubelet set sysctls of pods and of the node",
    run: sysctls_writable,
};

fn features(context: &Context<'_>) -> Vec<Finding> {
    let kernel = &context.readings.kernel;
    let mut missing = Vec::new();
    for namespace in ["net", "pid", "mnt", "ipc", "uts"] {
        if !kernel.namespaces.contains(namespace) {
            missing.push(format!("{namespace} namespaces"));
        }
    }
    if !kernel.file_systems.contains("overlay") && kernel.has("overlay") == Some(false) {
        missing.push("overlay file system".into());
    }
    if kernel.has("veth") == Some(false) {
        missing.push("veth".into());
    }
    let has_vxlan = vxlan::is_needed(context.spec, context.network);
    if has_vxlan && kernel.has("vxlan") == Some(false) {
        missing.push("vxlan".into());
    }
    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(Finding::error(
            format!("this kernel has no {}", missing.join(", no ")),
            "run a kernel that has it: those of the distributions do; in a virtual machine, not a container",
        ));
    }
    if has_vxlan && !context.facts.has_nf_tables {
        findings.push(Finding::error(
            "this kernel has no nf_tables: nothing would keep strangers' packets off flannel's VXLAN port",
            "run a kernel that has it; or wrap nothing, where the nodes are neighbours: --network host-gw; or bring a network of \
             your own: --network none",
        ));
    } else if !context.facts.has_nf_tables {
        findings.push(Finding::warning(
            "this kernel has no nf_tables: kube-proxy makes the rules of Services with iptables",
            "run a kernel that has it, as those of the distributions do",
        ));
    }
    findings
}

fn controllers(context: &Context<'_>) -> Vec<Finding> {
    // pkg/kubelet/cm/container_manager_linux.go (expectedCgroups) and libcontainer: cpuacct is part of cpu in version 2.
    let needed: &[&str] = match context.facts.cgroups {
        CgroupVersion::V1 => &["cpu", "cpuacct", "cpuset", "memory", "pids"],
        CgroupVersion::V2 => &["cpu", "cpuset", "memory", "pids"],
    };
    let there = &context.readings.kernel.controllers;
    let missing: Vec<_> = needed
        .iter()
        .filter(|controller| !there.contains(**controller))
        .copied()
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![Finding::error(
        format!(
            "control groups have no {} controller",
            missing.join(", no ")
        ),
        "mount it below /sys/fs/cgroup, or switch it on on the kernel's command line: cgroup_enable=memory",
    )]
}

fn cgroup_version(context: &Context<'_>) -> Vec<Finding> {
    match context.facts.cgroups {
        CgroupVersion::V2 => Vec::new(),
        CgroupVersion::V1 => vec![Finding::warning(
            "control groups are those of version 1",
            "boot with systemd.unified_cgroup_hierarchy=1, or a newer distribution",
        )],
    }
}

fn br_netfilter(context: &Context<'_>) -> Vec<Finding> {
    if context.readings.kernel.loaded.contains("br_netfilter") {
        return Vec::new();
    }
    let fact = "the kernel's module br_netfilter is not loaded";
    vec![match context.readings.kernel.has("br_netfilter") {
        Some(true) => Finding::error(
            fact,
            "modprobe br_netfilter, and the same in /etc/modules-load.d for the next boot",
        )
        .mendable(),
        _ => Finding::error(
            "this kernel has no br_netfilter",
            "install the kernel's extra modules, or run a kernel that has it",
        ),
    }]
}

fn bridge_nf_call(context: &Context<'_>) -> Vec<Finding> {
    // Without the module there are no such sysctls, and the check of it says so.
    if !context.readings.kernel.loaded.contains("br_netfilter") {
        return Vec::new();
    }
    let of = |family: &IpFamily| {
        let key = match family {
            IpFamily::V4 => "net/bridge/bridge-nf-call-iptables",
            IpFamily::V6 => "net/bridge/bridge-nf-call-ip6tables",
        };
        sysctl::wanted(context, key, SysctlValue::Exactly(1))
    };
    context.families().iter().filter_map(of).collect()
}

fn inotify(context: &Context<'_>) -> Vec<Finding> {
    // k0s and kubespray set it so.
    let least = SysctlValue::AtLeast(1024);
    let finding = sysctl::wanted(context, "fs/inotify/max_user_instances", least);
    finding.into_iter().collect()
}

fn defaults(context: &Context<'_>) -> Vec<Finding> {
    // pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
    let wanted = [
        ("vm/overcommit_memory", 1),
        ("vm/panic_on_oom", 0),
        ("kernel/panic", 10),
        ("kernel/panic_on_oops", 1),
        ("kernel/keys/root_maxkeys", 1_000_000),
        ("kernel/keys/root_maxbytes", 25_000_000),
    ];
    let look = |(key, value)| sysctl::wanted(context, key, SysctlValue::Exactly(value));
    wanted.into_iter().filter_map(look).collect()
}

fn conntrack(context: &Context<'_>) -> Vec<Finding> {
    /// kube-proxy's minimum (pkg/proxy/apis/config/v1alpha1/defaults.go).
    const FEW: i64 = 131_072;
    let kernel = &context.readings.kernel;
    let limit = context.readings.sysctl("net/netfilter/nf_conntrack_max");
    let limit = limit.and_then(|limit| limit.parse::<i64>().ok());
    match limit {
        None if kernel.has("nf_conntrack") == Some(false) => vec![Finding::error(
            "this kernel has no nf_conntrack",
            "run a kernel that has it, as those of the distributions do",
        )],
        Some(limit) if limit < FEW && !context.facts.conntrack_writable => vec![Finding::warning(
            format!(
                "net.netfilter.nf_conntrack_max is {limit}, less than kube-proxy's {FEW}, and read-only here"
            ),
            "raise it where it can be raised: in the machine's first network namespace",
        )],
        _ => Vec::new(),
    }
}

fn sysctls_writable(context: &Context<'_>) -> Vec<Finding> {
    let forwarding = context.readings.sysctls.get("net/ipv4/ip_forward");
    let writable = forwarding.is_none_or(|reading| reading.writable);
    // That root can do it is another check.
    if writable || context.readings.user != 0 {
        return Vec::new();
    }
    vec![Finding::error(
        "/proc/sys is read-only",
        "mount it for writing: mount -o remount,rw /proc/sys; containers need --privileged",
    )]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn what_the_kernel_lacks() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(FEATURES);
        let kernel = &mut fixture.readings.kernel;
        kernel.file_systems.clear();
        kernel.namespaces.remove("pid");
        // Where nobody knows, nobody claims anything.
        kernel.loaded.clear();
        assert_eq!(fixture.error(FEATURES), "this kernel has no pid namespaces");
        fixture.readings.kernel.loadable = Some(BTreeSet::from(["veth".into()]));
        assert_eq!(
            fixture.error(FEATURES),
            "this kernel has no pid namespaces, no overlay file system"
        );
        // Between nodes, packets are wrapped.
        let mut fixture = Fixture::worker();
        fixture.fine(FEATURES);
        fixture.facts.has_nf_tables = false;
        assert!(fixture.error(FEATURES).contains("VXLAN port"));
        fixture.network = crate::desired::Network::None;
        assert!(fixture.warning(FEATURES).contains("iptables"));
        let mut fixture = Fixture::worker();
        fixture.readings.kernel.loaded.clear();
        fixture.readings.kernel.loadable = Some(BTreeSet::from(["veth".into()]));
        assert_eq!(fixture.error(FEATURES), "this kernel has no vxlan");
        let mut fixture = Fixture::ipv4();
        fixture.facts.has_nf_tables = false;
        assert!(fixture.warning(FEATURES).contains("iptables"));
    }

    #[test]
    fn control_groups() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(CONTROLLERS);
        fixture.readings.kernel.controllers.remove("memory");
        assert_eq!(
            fixture.error(CONTROLLERS),
            "control groups have no memory controller"
        );
        fixture.facts.cgroups = CgroupVersion::V1;
        assert_eq!(
            fixture.error(CONTROLLERS),
            "control groups have no cpuacct, no memory controller"
        );
        assert_eq!(
            fixture.warning(CGROUP_VERSION),
            "control groups are those of version 1"
        );
    }

    #[test]
    fn bridges() {
        let mut fixture = Fixture::dual();
        fixture.fine(BR_NETFILTER);
        fixture.set("net/bridge/bridge-nf-call-ip6tables", "0");
        assert_eq!(
            fixture.error(BRIDGE_NF_CALL),
            "net.bridge.bridge-nf-call-ip6tables is 0, not 1"
        );
        fixture.readings.kernel.loaded.remove("br_netfilter");
        fixture.fine(BRIDGE_NF_CALL);
        assert!(!fixture.run(BR_NETFILTER)[0].mendable);
        fixture.readings.kernel.loadable = Some(BTreeSet::from(["br_netfilter".into()]));
        assert!(fixture.run(BR_NETFILTER)[0].mendable);
        let mut ipv4 = Fixture::ipv4();
        ipv4.set("net/bridge/bridge-nf-call-ip6tables", "0");
        ipv4.fine(BRIDGE_NF_CALL);
    }

    #[test]
    fn values() {
        let mut fixture = Fixture::ipv4();
        fixture.set("fs/inotify/max_user_instances", "128");
        fixture.set("vm/overcommit_memory", "0");
        assert_eq!(
            fixture.error(INOTIFY),
            "fs.inotify.max_user_instances is 128, less than 1024"
        );
        assert_eq!(fixture.error(DEFAULTS), "vm.overcommit_memory is 0, not 1");
        fixture.fine(CONNTRACK);
        fixture.set("net/netfilter/nf_conntrack_max", "65536");
        fixture.fine(CONNTRACK);
        fixture.facts.conntrack_writable = false;
        assert!(fixture.warning(CONNTRACK).contains("65536"));
    }

    #[test]
    fn read_only() {
        let mut fixture = Fixture::ipv4();
        fixture.fine(SYSCTLS_WRITABLE);
        fixture
            .readings
            .sysctls
            .get_mut("net/ipv4/ip_forward")
            .unwrap()
            .writable = false;
        assert_eq!(fixture.error(SYSCTLS_WRITABLE), "/proc/sys is read-only");
        fixture.readings.user = 1000;
        fixture.fine(SYSCTLS_WRITABLE);
    }
}
