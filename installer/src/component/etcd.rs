//! etcd, as a static pod.

use pki_core::cluster::spec::Role;

use super::accounts;
use super::address::{list, loopback, url};
use super::arguments::Arguments;
use super::credentials::Credentials;
use super::make::{self, PRIVATE};
use super::static_pod::{Health, How, StaticPod};
use super::{ComponentError, Images, tls};
use crate::desired::layout::ETCD_ACCOUNT;
use crate::desired::{DirectoryContents, NodeSpec, Resource, Stage, layout};

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

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let owner = accounts::owner(spec, ETCD_ACCOUNT);
    let mut credentials = Credentials::new(spec, NAME, owner);
    let arguments = arguments(spec, &mut credentials)?;
    let pod = StaticPod {
        name: NAME,
        stage: Stage::ControlPlane,
        image: &images.etcd,
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
    let client = url("https", address, CLIENT_PORT);
    let peer = url("https", address, PEER_PORT);
    let members = spec.cluster.nodes_with(Role::Etcd);
    let family = spec.cluster.family();
    let members: Vec<_> = members
        .filter_map(|node| {
            let address = node.address(family)?;
            Some(format!(
                "{}={}",
                node.name(),
                url("https", address, PEER_PORT)
            ))
        })
        .collect();
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
        .flag("initial-cluster", list(&members))
        .flag("initial-cluster-state", "new")
        // Members of two clusters never mix, even at the same addresses.
        .flag("initial-cluster-token", spec.cluster.name())
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
    if members.len() == 1 {
        // Alone it has nobody to wait for: it leads after a twentieth of a second and not after three quarters of one.
        // With others, upstream's times (a tenth and one second) leave room for a slow network.
        arguments
            .flag("heartbeat-interval", 10)
            .flag("election-timeout", 50);
    }
    Ok(arguments.finish())
}
