//! The accounts that components run as.

use pki_core::cluster::spec::Role;

use crate::desired::layout::{
    APISERVER_ACCOUNT, BALANCER_ACCOUNT, CONTROLLER_MANAGER_ACCOUNT, ETCD_ACCOUNT,
    SCHEDULER_ACCOUNT,
};
use crate::desired::{Account, Kind, NodeSpec, Owner, Resource, Stage};

pub(super) fn resources(spec: &NodeSpec) -> Vec<Resource> {
    let mut accounts = Vec::new();
    if spec.has(Role::Etcd) {
        accounts.push(ETCD_ACCOUNT);
    }
    if spec.has(Role::ControlPlane) {
        accounts.extend([
            APISERVER_ACCOUNT,
            CONTROLLER_MANAGER_ACCOUNT,
            SCHEDULER_ACCOUNT,
        ]);
    }
    if spec.cluster.has_local_balancer() {
        accounts.push(BALANCER_ACCOUNT);
    }
    let resource = |account: (&str, u32)| Resource {
        stage: Stage::Host,
        why: format!("{} runs as nobody else", account.0),
        kind: Kind::Account(Account {
            name: account.0.into(),
            id: owner(spec, account).user,
        }),
    };
    accounts.into_iter().map(resource).collect()
}

/// The owner of what is that account's. An account that is there already keeps its number.
pub(super) fn owner(spec: &NodeSpec, (name, id): (&str, u32)) -> Owner {
    Owner::both(spec.facts.accounts.get(name).copied().unwrap_or(id))
}
