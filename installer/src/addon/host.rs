//! What the addons' pods need from the host and leave on it, on every node that runs them.

use pki_core::cluster::spec::{IpFamily, Role};

use super::vxlan;

use crate::desired::{Kind, NodeSpec, Resource, Stage, Sysctl, SysctlValue, Trace, layout};

/// kube-proxy's default for one processor (pkg/proxy/apis/config/v1alpha1/defaults.go).
const CONNTRACK_PER_CORE: i64 = 32 * 1024;
/// kube-proxy's default minimum.
const CONNTRACK_MIN: i64 = 128 * 1024;
/// kube-proxy's cap (pkg/proxy/conntrack/sysctls.go).
const CONNTRACK_LIMIT: i64 = 1_048_576;

/// The sysctls that kube-proxy would set if it were privileged, and the traces of kube-proxy and flannel.
///
/// kube-proxy is not privileged here, so `/proc/sys` is read-only to it; what it would write there is the node's
/// business, visible in its plan and gone with its reset.
pub fn host(spec: &NodeSpec) -> Vec<Resource> {
    if !spec.has(Role::ControlPlane) && !spec.has(Role::Worker) {
        return Vec::new();
    }
    let mut resources = Vec::new();
    if spec.facts.conntrack_writable {
        let cores = i64::try_from(spec.facts.cores).unwrap_or(1);
        let max = cores
            .saturating_mul(CONNTRACK_PER_CORE)
            .clamp(CONNTRACK_MIN, CONNTRACK_LIMIT);
        let sysctls = [
            ("nf_conntrack_max", SysctlValue::AtLeast(max)),
            // One day and one hour: what kube-proxy sets where it may.
            (
                "nf_conntrack_tcp_timeout_established",
                SysctlValue::Exactly(86_400),
            ),
            (
                "nf_conntrack_tcp_timeout_close_wait",
                SysctlValue::Exactly(3_600),
            ),
        ];
        resources.extend(sysctls.map(|(name, value)| Resource {
            stage: Stage::Host,
            why: "connections through Services are tracked by the kernel".into(),
            kind: Kind::Sysctl(Sysctl {
                key: format!("net/netfilter/{name}"),
                value,
            }),
        }));
    }
    let mut traces = Vec::new();
    if spec.proxies_by_nftables() {
        // Both, whatever the cluster's families: it makes them where the kernel has both.
        for family in ["ip", "ip6"] {
            traces.push(Trace::NftTable(format!("{family} kube-proxy")));
        }
    } else {
        traces.push(Trace::IptablesChains("KUBE-".into()));
    }
    if spec.options.network.is_flannel() {
        let families = spec.families();
        if families.contains(&IpFamily::V4) {
            traces.push(Trace::Link("flannel.1".into()));
        }
        if families.contains(&IpFamily::V6) {
            traces.push(Trace::Link("flannel-v6.1".into()));
        }
        // With `host-gw`, which the control plane's choice is: a worker need not be told.
        let pods = spec.pod_cidrs().into_iter();
        traces.extend(pods.map(|cidr| Trace::Routes(cidr.to_string())));
        traces.push(Trace::NftTable("ip flannel-ipv4".into()));
        traces.push(Trace::NftTable("ip6 flannel-ipv6".into()));
        traces.push(Trace::NftTable(vxlan::TABLE.into()));
        let directory = std::path::Path::new(layout::FLANNEL_SUBNET).parent();
        let directory = directory.expect("a file in a directory");
        traces.push(Trace::Path(directory.to_owned()));
    }
    resources.extend(traces.into_iter().map(|trace| Resource {
        stage: Stage::Addons,
        why: "kube-proxy and flannel make it at run time".into(),
        kind: Kind::Trace(trace),
    }));
    resources
}
