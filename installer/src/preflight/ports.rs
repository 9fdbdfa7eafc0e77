//! Ports that the components listen on.

use pki_core::cluster::spec::Role;

use super::{Check, Context, Finding};
use crate::addon::vxlan;
use crate::machine::readings::{Listener, Protocol};

pub(super) const PORTS: Check = Check {
    name: "ports",
    reason: "a component that cannot listen does not start",
    run: ports,
};

/// The component that listens on a port.
#[derive(Clone, Copy)]
struct Needed {
    protocol: Protocol,
    port: u16,
    component: &'static str,
}

fn needed(context: &Context<'_>) -> Vec<Needed> {
    let tcp = |port, component| Needed {
        protocol: Protocol::Tcp,
        port,
        component,
    };
    // cluster/ports/ports.go of k8s.io/kubernetes and etcd's own; 10248, 10249, 10256: health and metrics.
    let mut needed = vec![
        tcp(10248, "kubelet"),
        tcp(10249, "kube-proxy"),
        tcp(10250, "kubelet"),
        tcp(10256, "kube-proxy"),
    ];
    if context.is_control_plane() {
        let port = context.spec.apiserver_port(context.node);
        needed.push(tcp(port, "kube-apiserver"));
        needed.push(tcp(10257, "kube-controller-manager"));
        needed.push(tcp(10259, "kube-scheduler"));
    }
    if context.node.has(Role::Etcd) {
        needed.extend([tcp(2379, "etcd"), tcp(2380, "etcd"), tcp(2381, "etcd")]);
    }
    if context.spec.has_local_balancer() {
        needed.push(tcp(context.spec.endpoint().port(), "haproxy"));
    }
    if vxlan::is_needed(context.spec, context.network) {
        needed.push(Needed {
            protocol: Protocol::Udp,
            port: vxlan::PORT,
            component: "flannel",
        });
    }
    needed
}

fn ports(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in needed(context) {
        let mut listeners = context.readings.listeners.iter();
        let taken = listeners.find(|listener| {
            (listener.protocol, listener.port) == (one.protocol, one.port)
                && !is_ours(context, one, listener)
        });
        if let Some(listener) = taken {
            findings.push(finding(one, listener));
        }
    }
    findings
}

/// Our own component on a further run. Whom a port belongs to is not always to be seen, as with the kernel's own VXLAN;
/// then an installation that was begun has it.
fn is_ours(context: &Context<'_>, needed: Needed, listener: &Listener) -> bool {
    let known = listener.process.as_ref();
    context.ours.installed && known.is_none_or(|process| process.is(needed.component))
}

fn finding(needed: Needed, listener: &Listener) -> Finding {
    let Needed {
        port, component, ..
    } = needed;
    let kind = match needed.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    };
    let (by, fix) = match &listener.process {
        Some(process) => (
            format!("{} (process {})", process.name, process.id),
            format!("stop {}, or have it listen elsewhere", process.name),
        ),
        None if needed.protocol == Protocol::Udp => (
            "the kernel, perhaps for a VXLAN interface".to_owned(),
            "take the interface away that another cluster left: ip link delete flannel.1"
                .to_owned(),
        ),
        None => (
            "a process that is not to be seen from here".to_owned(),
            format!("find it with ss -tlnp 'sport = :{port}', and stop it"),
        ),
    };
    Finding::error(
        format!(
            "{kind} port {port} of {component} is taken by {by}, at {}",
            listener.address
        ),
        fix,
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use pki_core::cluster::spec::ClusterSpec;

    use super::super::testing::Fixture;
    use super::*;
    use crate::desired::Network;
    use crate::machine::readings::Process;

    fn listener(protocol: Protocol, port: u16, program: Option<&str>) -> Listener {
        Listener {
            protocol,
            address: "0.0.0.0".parse().unwrap(),
            port,
            process: program.map(|program| Process {
                id: 99,
                name: program.chars().take(15).collect(),
                program: Some(PathBuf::from("/usr/bin").join(program)),
            }),
        }
    }

    #[test]
    fn taken_by_others() {
        let mut fixture = Fixture::ipv4();
        fixture.readings.listeners = vec![listener(Protocol::Tcp, 6443, Some("nginx"))];
        assert_eq!(
            fixture.error(PORTS),
            "TCP port 6443 of kube-apiserver is taken by nginx (process 99), at 0.0.0.0"
        );
        // Also when we were here before.
        fixture.ours.installed = true;
        assert!(fixture.error(PORTS).contains("nginx"));
        fixture.readings.listeners = vec![listener(Protocol::Udp, 6443, Some("nginx"))];
        fixture.fine(PORTS);
    }

    #[test]
    fn our_own_on_a_further_run() {
        let mut fixture = Fixture::worker();
        fixture.readings.listeners = vec![
            listener(Protocol::Tcp, 10249, Some("kube-proxy")),
            listener(Protocol::Udp, 8472, None),
        ];
        assert_eq!(fixture.run(PORTS).len(), 2);
        fixture.ours.installed = true;
        fixture.fine(PORTS);
    }

    #[test]
    fn another_port_of_the_endpoint() {
        let builder = ClusterSpec::builder().service_cidrs(["10.3.0.0/24"]);
        let builder = builder.node_flag("cp1=192.0.2.11");
        for (endpoint, taken, fine) in [
            ("192.0.2.11:8443", 8443, false),
            ("192.0.2.11:8443", 6443, true),
            // A load balancer in front.
            ("192.0.2.99:443", 443, true),
            ("192.0.2.99:443", 6443, false),
        ] {
            let mut fixture = Fixture::ipv4();
            fixture.spec = builder.clone().endpoint(endpoint).build().unwrap();
            fixture.readings.listeners = vec![listener(Protocol::Tcp, taken, Some("nginx"))];
            assert_eq!(fixture.run(PORTS).is_empty(), fine, "{endpoint} {taken}");
        }
    }

    #[test]
    fn by_role_and_network() {
        let mut worker = Fixture::worker();
        worker.readings.listeners = vec![listener(Protocol::Tcp, 2379, Some("etcd"))];
        worker.fine(PORTS);
        worker.readings.listeners = vec![listener(Protocol::Tcp, 10250, None)];
        assert!(worker.error(PORTS).contains("not to be seen"));
        let mut alone = Fixture::ipv4();
        alone.readings.listeners = vec![listener(Protocol::Udp, 8472, None)];
        alone.fine(PORTS);
        let mut worker = Fixture::worker();
        worker.readings.listeners = vec![listener(Protocol::Udp, 8472, None)];
        assert!(worker.error(PORTS).contains("8472"));
        for network in [Network::HostGw, Network::None] {
            worker.network = network;
            worker.fine(PORTS);
        }
    }
}
