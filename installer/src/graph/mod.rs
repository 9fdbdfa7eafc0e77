//! A node as a picture: what runs under systemd or the supervisor, what the kubelet runs from its folder of manifests,
//! what the addon manager keeps in the cluster, and who talks to whom.

mod links;
mod svg;

use crate::component::BALANCER;
use crate::desired::{InitSystem, NodeSpec};
use pki_core::cluster::spec::Role;

pub use links::links;
pub use svg::svg;

/// A node, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The node and its cluster.
    pub title: String,
    /// Addresses and ranges.
    pub subtitle: String,
    /// What runs, by what runs it: from left to right.
    pub groups: Vec<Group>,
    /// Who talks to whom.
    pub links: Vec<Link>,
}

/// What is run by the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What runs it.
    pub title: String,
    /// Where that reads what to run.
    pub source: String,
    /// Whether its frame is dashed: the kubelet's static pods, which are no objects of the cluster.
    pub dashed: bool,
    /// What it runs, from top to bottom.
    pub members: Vec<Member>,
}

/// Something that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: what links refer to.
    pub name: String,
    /// A line about it, such as its version.
    pub detail: String,
    /// How it is.
    pub light: Light,
}

/// Health, as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Green: it does what it should.
    Up,
    /// Red: it does not.
    Down,
    /// Grey: nobody could say.
    Unknown,
}

/// One talks to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The client's name.
    pub from: String,
    /// The server's name.
    pub to: String,
    /// Where the server listens: `6443/tcp`, or a socket's path.
    pub port: String,
    /// What the client proves itself with, and what the server does.
    pub credentials: String,
}

/// What is known of something that runs: a line about it, and its health.
pub type Known<'a> = &'a dyn Fn(&str) -> (String, Light);

impl Graph {
    /// The node `spec`, with what is `known` of each of its members.
    pub fn of(spec: &NodeSpec, known: Known<'_>) -> Self {
        let group = |title: &str, source: &str, dashed: bool, names: Vec<&str>| Group {
            title: title.to_owned(),
            source: source.to_owned(),
            dashed,
            members: names
                .into_iter()
                .map(|name| {
                    let (detail, light) = known(name);
                    Member {
                        name: name.to_owned(),
                        detail,
                        light,
                    }
                })
                .collect(),
        };
        let control_plane = spec.has(Role::ControlPlane);
        let (keeper, source) = match spec.facts.init {
            InitSystem::Systemd => ("systemd", "/etc/systemd/system"),
            InitSystem::Supervisor => ("kinstall's supervisor", "/etc/kinstall/services"),
        };
        let mut services = vec!["containerd"];
        if spec.cluster.has_local_balancer() {
            services.push(BALANCER);
        }
        services.push("kubelet");
        let mut pods = Vec::new();
        if spec.has(Role::Etcd) {
            pods.push("etcd");
        }
        if control_plane {
            services.push("addon-manager");
            pods.extend([
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
            ]);
        }
        let mut addons = vec!["kube-proxy"];
        if spec.options.network.is_flannel() {
            addons.push("flannel");
        }
        if control_plane {
            // Where its pods are, only the cluster knows; here they are looked after.
            addons.push("coredns");
        }
        let addresses: Vec<_> = spec.addresses().iter().map(ToString::to_string).collect();
        let list = |cidrs: &[ipnet::IpNet]| {
            let texts: Vec<_> = cidrs.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        let dns: Vec<_> = spec
            .cluster
            .cluster_dns()
            .iter()
            .map(ToString::to_string)
            .collect();
        Self {
            title: format!("{} in cluster {}", spec.node.name(), spec.cluster.name()),
            subtitle: format!(
                "{} · services {} · DNS {} · pods {} · {}",
                addresses.join(", "),
                list(spec.cluster.service_cidrs()),
                dns.join(", "),
                list(&spec.pod_cidrs()),
                spec.cluster.domain(),
            ),
            groups: [
                group(keeper, source, false, services),
                group(
                    "kubelet, static pods",
                    crate::desired::layout::MANIFESTS,
                    true,
                    pods,
                ),
                group(
                    "addon manager",
                    crate::desired::layout::ADDONS,
                    false,
                    addons,
                ),
            ]
            .into_iter()
            .filter(|group| !group.members.is_empty())
            .collect(),
            links: links(spec),
        }
    }
}
