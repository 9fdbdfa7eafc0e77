//! The new member's vote: once it has what the others have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use pki_core::cluster::spec::IpFamily;

use super::client::Asker;
use super::error::EtcdError;
use crate::component;
use crate::desired::NodeSpec;

/// Between two attempts. etcd refuses at once, and a member of usual size has what it needs in less than a second.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until this node's etcd has a vote, and has it given one. It has to run.
///
/// # Errors
/// [`EtcdError::NotPromoted`] when it has none after `timeout`.
pub async fn settle(
    spec: &NodeSpec,
    timeout: Duration,
    tell: &mut dyn FnMut(&str),
) -> Result<(), EtcdError> {
    let nodes = component::etcd_nodes(&spec.cluster);
    // With one there was never another to join.
    if nodes.len() < 2 {
        return Ok(());
    }
    let asker = Asker::of(&spec.tree).await?;
    let loopback: IpAddr = match spec.cluster.family() {
        IpFamily::V4 => Ipv4Addr::LOCALHOST.into(),
        IpFamily::V6 => Ipv6Addr::LOCALHOST.into(),
    };
    let here = component::etcd_client_url(loopback);
    let others = nodes
        .iter()
        .filter(|node| node.peer.name != spec.node.name().as_str());
    let began = Instant::now();
    loop {
        let own = match asker.at(&here) {
            Ok(client) => client.status().await,
            Err(error) => Err(error),
        };
        let mut reason = match &own {
            Ok(status) if !status.is_learner => return Ok(()),
            Ok(_) => "no other member answers".to_owned(),
            Err(error) => error.reason().to_owned(),
        };
        if let Ok(status) = own {
            tell("waiting: etcd's vote");
            for other in others.clone() {
                // A learner itself may not; whoever is not the leader asks it.
                let told = match asker.at(&other.client_url) {
                    Ok(client) => client.promote(status.id).await,
                    Err(error) => Err(error),
                };
                match told {
                    Ok(()) => break,
                    Err(error) => reason = error.reason().to_owned(),
                }
            }
        }
        if began.elapsed() >= timeout {
            return Err(EtcdError::NotPromoted {
                node: spec.node.name().to_string(),
                waited: began.elapsed(),
                reason,
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
