//! Which machines come after which others. Pure.

use pki_core::cluster::spec::{ClusterSpec, Node, Role};

/// Machines that may be worked on at once, after all those of the waves before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Their places in the list that was given.
    pub machines: Vec<usize>,
    /// What cannot be done when one of them fails.
    pub holds_up: HoldsUp,
}

/// What cannot be done when a machine fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldsUp {
    /// All that comes after it: there is no cluster.
    Everything,
    /// The rest of the control plane: etcd takes one new member at a time.
    ControlPlane,
    /// Nothing.
    Nothing,
}

/// The order in which `nodes` of a cluster come up: etcd's first member, for which no other waits; its other members one by
/// one; what is left of the control plane one by one; all others at once.
pub fn up(spec: &ClusterSpec, nodes: &[&Node]) -> Vec<Wave> {
    let first = |role| spec.nodes_with(role).next().map(Node::name);
    let firsts = [first(Role::Etcd), first(Role::ControlPlane)];
    let mut waves = Vec::new();
    for rank in [Role::Etcd, Role::ControlPlane] {
        let own = |node: &Node| match rank {
            Role::Etcd => node.has(Role::Etcd),
            _ => node.has(rank) && !node.has(Role::Etcd),
        };
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| own(node)) {
            let is_first = firsts.contains(&Some(node.name()));
            waves.push(Wave {
                machines: vec![index],
                holds_up: match is_first {
                    true => HoldsUp::Everything,
                    false => HoldsUp::ControlPlane,
                },
            });
        }
    }
    let works = |node: &Node| !node.has(Role::Etcd) && !node.has(Role::ControlPlane);
    let indexes = nodes.iter().enumerate().filter(|(_, node)| works(node));
    let workers: Vec<_> = indexes.map(|(index, _)| index).collect();
    if !workers.is_empty() {
        waves.push(Wave {
            machines: workers,
            holds_up: HoldsUp::Nothing,
        });
    }
    waves
}

/// The order in which they are taken away: the other way round, etcd's first member last.
pub fn down(spec: &ClusterSpec, nodes: &[&Node]) -> Vec<Wave> {
    let mut waves = up(spec, nodes);
    waves.reverse();
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "service-cidr = '10.3.0.0/24'
        [[node]]
        name = 'w1'
        addresses = '192.0.2.21'
        [[node]]
        name = 'cp1'
        addresses = '192.0.2.11'
        roles = ['control-plane', 'etcd']
        [[node]]
        name = 'cp2'
        addresses = '192.0.2.12'
        roles = ['control-plane', 'etcd', 'worker']
        [[node]]
        name = 'api'
        addresses = '192.0.2.13'
        roles = 'control-plane'
        [[node]]
        name = 'w2'
        addresses = '192.0.2.22'";

    fn names(waves: &[Wave], nodes: &[&Node]) -> String {
        let wave = |wave: &Wave| {
            let names: Vec<_> = wave
                .machines
                .iter()
                .map(|at| nodes[*at].name().as_str())
                .collect();
            format!("{} ({:?})", names.join("+"), wave.holds_up)
        };
        waves.iter().map(wave).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn members_one_by_one_and_then_workers_at_once() {
        let spec = ClusterSpec::from_toml(CLUSTER).unwrap();
        let nodes: Vec<_> = spec.nodes().iter().collect();
        assert_eq!(
            names(&up(&spec, &nodes), &nodes),
            "cp1 (Everything), cp2 (ControlPlane), api (ControlPlane), w1+w2 (Nothing)"
        );
        assert_eq!(
            names(&down(&spec, &nodes), &nodes),
            "w1+w2 (Nothing), api (ControlPlane), cp2 (ControlPlane), cp1 (Everything)"
        );
        // Some of them only: what is first in the cluster is so in no smaller list.
        let some: Vec<_> = nodes[2..].to_vec();
        assert_eq!(
            names(&up(&spec, &some), &some),
            "cp2 (ControlPlane), api (ControlPlane), w2 (Nothing)"
        );
        assert!(up(&spec, &[]).is_empty());
    }
}
