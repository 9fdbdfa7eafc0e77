//! etcd, as a static pod.

use std::net::IpAddr;

use pki_core::cluster::FileMode;
use pki_core::cluster::spec::{ClusterSpec, Role};

use super::accounts;
use super::address::{list, loopback, url};
use super::arguments::Arguments;
use super::credentials::Credentials;
use super::make::{self, PRIVATE};
use super::static_pod::{Health, How, StaticPod};
use super::{ComponentError, Images, images, tls};
use crate::desired::layout::ETCD_ACCOUNT;
use crate::desired::{
    Contents, DirectoryContents, EtcdPeer, EtcdStart, NodeSpec, Owner, Resource, Stage, layout,
};

const NAME: &str = "etcd";
/// Where clients dial.
pub(super) const CLIENT_PORT: u16 = 2379;
/// Where other members dial.
const PEER_PORT: u16 = 2380;
/// Health and metrics, on loopback, in the clear: nothing secret is there.
const METRICS_PORT: u16 = 2381;
/// The most that etcd keeps, in bytes: what upstream calls the largest sensible size (etcd.io, "System limits"). With the
/// default of 2 GiB a busy cluster turns read-only.
const QUOTA: u64 = 8 << 30;
/// What etcd trusts: its clients and its members. Where clients have a CA of their own (profile `hardened`), both.
const TRUSTED: [&str; 2] = ["pki/etcd/trusted-ca.crt", "pki/etcd/ca.crt"];

/// A node of cluster.toml with the role etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EtcdNode {
    /// Its name, and where its peers dial it.
    pub peer: EtcdPeer,
    /// Where its clients dial it.
    pub client_url: String,
}

/// The nodes of cluster.toml with the role etcd, in its order: the first begins the cluster.
pub(crate) fn nodes(cluster: &ClusterSpec) -> Vec<EtcdNode> {
    let nodes = cluster.nodes_with(Role::Etcd);
    let nodes = nodes.filter_map(|node| {
        let address = node.address(cluster.family())?;
        Some(EtcdNode {
            peer: EtcdPeer {
                name: node.name().to_string(),
                url: url("https", address, PEER_PORT),
            },
            client_url: client_url(address),
        })
    });
    nodes.collect()
}

/// Where clients dial the member at an address.
pub(crate) fn client_url(address: IpAddr) -> String {
    url("https", address, CLIENT_PORT)
}

/// What etcd is called with on that node, and whose it is.
///
/// # Errors
/// [`ComponentError`], when the tree lacks one of its files.
pub(crate) fn command_line(spec: &NodeSpec) -> Result<(Vec<String>, Owner), ComponentError> {
    let owner = accounts::owner(spec, ETCD_ACCOUNT);
    let arguments = arguments(spec, &mut Credentials::new(spec, NAME, owner))?;
    Ok((arguments, owner))
}

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let owner = accounts::owner(spec, ETCD_ACCOUNT);
    let mut credentials = Credentials::new(spec, NAME, owner);
    let arguments = arguments(spec, &mut credentials)?;
    let pod = StaticPod {
        name: NAME,
        stage: Stage::ControlPlane,
        image: &images.etcd,
        // Without data it does not begin by itself.
        called_by: vec![images::tool(images::GUARD), layout::ETCD_DATA.into()],
        arguments,
        owner,
        credentials: credentials.directory(),
        inputs: credentials.digest(),
        writes: vec![layout::ETCD_DATA],
        health: Health {
            address: loopback(spec),
            port: METRICS_PORT,
            // What each says: kubeadm#3039.
            how: How::Http {
                scheme: "HTTP",
                live: "/livez",
                ready: "/readyz",
            },
        },
        requests: ("100m", "100Mi"),
        grace: 30,
    };
    let mut resources = vec![make::directory(
        Stage::Files,
        "all that the cluster knows",
        layout::ETCD_DATA,
        PRIVATE,
        owner,
        DirectoryContents::Data,
    )];
    if let Some(start) = &spec.etcd {
        resources.push(make::file(
            Stage::Files,
            "how etcd began: with other flags it would be started again for nothing",
            layout::ETCD_START,
            Contents::new(start.to_toml()),
            FileMode::SECRET,
            Owner::ROOT,
        ));
    }
    resources.push(pod.resource());
    resources.extend(credentials.resources());
    Ok(resources)
}

/// Its own pairs it reads at each handshake (client/pkg/transport/listener.go), CAs once (etcd#11555).
fn arguments(
    spec: &NodeSpec,
    credentials: &mut Credentials<'_>,
) -> Result<Vec<String>, ComponentError> {
    if spec.file("pki/etcd/ca.crt").is_none() && spec.file("pki/ca.crt").is_some() {
        return Err(ComponentError::SharedAuthority);
    }
    let address = spec.address();
    let client = client_url(address);
    let peer = url("https", address, PEER_PORT);
    let (state, token, members) = beginning(spec, &peer);
    let mut arguments = Arguments::new();
    arguments
        .flag("name", spec.node.name())
        .flag("data-dir", layout::ETCD_DATA)
        .flag(
            "listen-client-urls",
            list([url("https", loopback(spec), CLIENT_PORT), client.clone()]),
        )
        .flag("advertise-client-urls", client)
        .flag("listen-peer-urls", &peer)
        .flag("initial-advertise-peer-urls", peer)
        .flag("initial-cluster", members)
        .flag("initial-cluster-state", state)
        // Members of two clusters never mix, even at the same addresses.
        .flag("initial-cluster-token", token)
        .flag(
            "listen-metrics-urls",
            url("http", loopback(spec), METRICS_PORT),
        )
        .flag("cert-file", credentials.reread("pki/etcd/server.crt")?)
        .flag("key-file", credentials.reread("pki/etcd/server.key")?)
        .flag("client-cert-auth", true)
        .flag("trusted-ca-file", credentials.first(&TRUSTED)?)
        .flag("peer-cert-file", credentials.reread("pki/etcd/peer.crt")?)
        .flag("peer-key-file", credentials.reread("pki/etcd/peer.key")?)
        .flag("peer-client-cert-auth", true)
        .flag("peer-trusted-ca-file", credentials.file("pki/etcd/ca.crt")?)
        .flag("tls-min-version", "TLS1.2")
        .flag("cipher-suites", list(tls::SUITES))
        // No --auto-compaction-*: the API server compacts every five minutes.
        .flag("quota-backend-bytes", QUOTA)
        // Data that a disk damaged is found at the start and not served.
        .flag("feature-gates", "InitialCorruptCheck=true")
        // The API server's watch cache needs to know how far it is (KEP-2340).
        .flag("watch-progress-notify-interval", "5s");
    if spec.cluster.nodes_with(Role::Etcd).count() == 1 {
        // Alone it has nobody to wait for: it leads after a twentieth of a second and not after three quarters of one.
        // With others, upstream's times (a tenth and one second) leave room for a slow network.
        arguments
            .flag("heartbeat-interval", 10)
            .flag("election-timeout", 50);
    }
    Ok(arguments.finish())
}

/// How it begins without data: the state of the cluster then, what its numbers are made from, and its members. With data etcd
/// looks at none of these. A cluster begins with one, which waits for nobody, and the others join it.
fn beginning(spec: &NodeSpec, peer: &str) -> (&'static str, String, String) {
    let name = spec.cluster.name().to_owned();
    let alone = format!("{}={peer}", spec.node.name());
    match &spec.etcd {
        None => ("new", name, alone),
        Some(EtcdStart::Alone { token }) => ("new", token.clone(), alone),
        Some(EtcdStart::Joined { members }) => {
            let members = members
                .iter()
                .map(|member| format!("{}={}", member.name, member.url));
            ("existing", name, list(members))
        }
    }
}
