//! What is allowed but worth a word.

use ipnet::IpNet;

use super::user::UNREVOCABLE_GROUP;
use super::{ClusterSpec, IpFamily, NodeName, Role, UserName, cidr};

/// Something in a spec that works, but probably not as its author expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// kube-apiserver 1.37 refuses to start when its advertise address and the first service CIDR
    /// differ in family (cmd/kube-apiserver/app/options/validation.go,
    /// validatePublicIPServiceClusterIPRangeIPFamilies).
    #[error(
        "node {node} has no {family} address, and its API server cannot start without one: the \
         first service CIDR is {family}"
    )]
    AdvertiseFamily {
        /// The node of the API server.
        node: NodeName,
        /// The family of the first service CIDR.
        family: IpFamily,
    },
    /// Pods cannot reach the public hosts behind it.
    #[error("the {range} {cidr} is public address space; pods cannot reach its real hosts")]
    PublicCidr {
        /// Which of the two.
        range: super::Range,
        /// The CIDR.
        cidr: IpNet,
    },
    /// controller-manager hands each node a /24 or a /64 of the pod CIDR, refuses a smaller pod
    /// CIDR (pkg/controller/nodeipam/node_ipam_controller.go), and more than 16 bits between the
    /// two for IPv6 (pkg/controller/nodeipam/ipam/cidrset/cidr_set.go, clusterSubnetMaxDiff).
    #[error(
        "controller-manager cannot cut the pod CIDR {cidr} into a /{per_node} per node; it needs \
         another --node-cidr-mask-size"
    )]
    PodCidrPerNode {
        /// The pod CIDR.
        cidr: IpNet,
        /// The prefix of each node's share.
        per_node: u8,
    },
    /// One more member, and not one more failure survived (etcd's FAQ).
    #[error("{members} etcd members survive no more failures than {} do", members - 1)]
    EvenEtcd {
        /// How many nodes have the role.
        members: usize,
    },
    /// Certificates cannot be revoked, and this group needs no RBAC rule (kubeadm#2414).
    #[error("user {user} is in {UNREVOCABLE_GROUP}, which only a new authority takes away again")]
    UnrevocableUser {
        /// The user.
        user: UserName,
    },
}

/// All that is worth a word about `spec`.
pub(super) fn warnings(spec: &ClusterSpec) -> Vec<Warning> {
    let family = spec.family();
    let unreachable = spec
        .nodes_with(Role::ControlPlane)
        .filter(|node| node.address(family).is_none())
        .map(|node| Warning::AdvertiseFamily {
            node: node.name().clone(),
            family,
        });
    let public = [
        (super::Range::Service, spec.service_cidrs()),
        (super::Range::Pod, spec.pod_cidrs()),
    ]
    .into_iter()
    .flat_map(|(range, cidrs)| cidrs.iter().map(move |cidr| (range, *cidr)))
    .filter(|(_, cidr)| !cidr::is_private(*cidr))
    .map(|(range, cidr)| Warning::PublicCidr { range, cidr });
    let per_node = spec.pod_cidrs().iter().filter_map(|cidr| {
        let (per_node, shortest) = match cidr {
            IpNet::V4(_) => (24, 0),
            IpNet::V6(_) => (64, 64 - 16),
        };
        let fits = (shortest..=per_node).contains(&cidr.prefix_len());
        (!fits).then_some(Warning::PodCidrPerNode {
            cidr: *cidr,
            per_node,
        })
    });
    let members = spec.nodes_with(Role::Etcd).count();
    let even = (members > 0 && members.is_multiple_of(2)).then_some(Warning::EvenEtcd { members });
    let unrevocable = spec
        .users()
        .iter()
        .filter(|user| user.groups().iter().any(|group| group == UNREVOCABLE_GROUP))
        .map(|user| Warning::UnrevocableUser {
            user: user.name().clone(),
        });
    unreachable
        .chain(public)
        .chain(per_node)
        .chain(even)
        .chain(unrevocable)
        .collect()
}
