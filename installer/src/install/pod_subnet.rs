//! What a cluster's only node tells its pods' plugin before flanneld does.
//!
//! A pod with a network of its own waits for flanneld's file, and flanneld takes more than a second to write it (its first
//! look at the Node comes after a fixed one: flannel, pkg/subnet/kube/kube.go). All that it finds out is what the controller
//! manager wrote into the Node. Where there are other nodes it also makes the way to their pods: there it is waited for.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client};
use pki_core::cluster::spec::Role;

use crate::addon::manager::connect;
use crate::cni::Subnet;
use crate::desired::{NodeSpec, layout};
use crate::machine::pod_subnet;

/// How often the Node is looked at: a question costs a local packet or two.
const PAUSE: Duration = Duration::from_millis(50);

/// Writes the file as soon as the Node has its pods' addresses, and ends. What keeps it from that is no error: flanneld
/// will write the file anyway, and says why when it cannot.
pub(super) async fn tell(spec: &NodeSpec) {
    let file = Path::new(layout::FLANNEL_SUBNET);
    let alone = spec.has(Role::ControlPlane) && spec.cluster.nodes().len() == 1;
    if !spec.options.network.is_flannel() || !alone {
        return;
    }
    let Some(mtu) = interface(spec, spec.address()).and_then(pod_subnet::mtu) else {
        return;
    };
    let mut client = None;
    while !file.exists() {
        if let Some(subnets) = subnets(&mut client, spec.node.name().as_str()).await {
            let subnet = Subnet {
                networks: spec.pod_cidrs(),
                subnets,
                mtu: Some(mtu),
                // flanneld's `--ip-masq`.
                masquerades: true,
            };
            let _ = pod_subnet::write(file, &subnet.text());
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The interface that has an address.
fn interface(spec: &NodeSpec, address: IpAddr) -> Option<&str> {
    let mut addresses = spec.facts.addresses.iter();
    let found = addresses.find(|(_, net)| net.addr() == address);
    found.map(|(interface, _)| interface.as_str())
}

/// The addresses of the Node's pods, once the controller manager has given it some.
async fn subnets(kept: &mut Option<Client>, node: &str) -> Option<Vec<IpNet>> {
    if kept.is_none() {
        let kubeconfig = Path::new(layout::KUBERNETES).join("super-admin.conf");
        *kept = connect(&kubeconfig).await.ok();
    }
    let nodes: Api<Node> = Api::all(kept.clone()?);
    let node = nodes.get_opt(node).await.ok()??;
    let cidrs = node.spec?.pod_cidrs?;
    let cidrs: Result<Vec<IpNet>, _> = cidrs.iter().map(|cidr| cidr.parse()).collect();
    cidrs.ok().filter(|cidrs| !cidrs.is_empty())
}
