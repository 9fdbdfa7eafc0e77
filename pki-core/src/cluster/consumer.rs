//! Who reads the files of an artifact, and what each needs when they change. Pure.
//!
//! Read in the sources of Kubernetes 1.37 and etcd 3.7. Components are known by the identifiers of the shipped
//! profiles: an artifact of a profile of one's own under another identifier has no consumer here.

use std::fmt;

use super::blueprint::{Artifact, ArtifactId, Blueprint, Content, Owner, Part};
use super::spec::NodeName;

/// One reader of an artifact's files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumer {
    /// Which program.
    pub component: Component,
    /// The node that it runs on; `None` for people, and for what may run on any.
    pub node: Option<NodeName>,
    /// What it needs when the files change.
    pub need: Need,
}

/// A program that reads certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// etcd.
    Etcd,
    /// The kubelet.
    Kubelet,
    /// kube-proxy.
    KubeProxy,
    /// CoreDNS.
    ClusterDns,
    /// kubectl, etcdctl or a probe: whatever a person starts, and that reads its files each time.
    Person,
}

/// What a reader needs when its files change. The greater one includes the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// It reads them anew by itself.
    Nothing,
    /// A signal.
    Signal(&'static str),
    /// It reads them once, when it starts.
    Restart,
}

/// Who reads the files of `artifact`, in order, each once with all that it needs.
pub fn consumers(blueprint: &Blueprint, artifact: &Artifact) -> Vec<Consumer> {
    let mut found = match &artifact.content {
        Content::Authority(_) => {
            let mut found = trusting(blueprint, artifact, std::slice::from_ref(&artifact.id));
            found.extend(signing(blueprint, artifact));
            found
        }
        Content::TrustBundle(authorities) => trusting(blueprint, artifact, authorities),
        Content::Certificate(_)
        | Content::Kubeconfig(_)
        | Content::ServiceAccount(_)
        | Content::Encryption => presenting(artifact),
    };
    // The greatest need of each first, so that it is the one that stays.
    found.sort_by(|one, other| {
        (one.component, &one.node, other.need).cmp(&(other.component, &other.node, one.need))
    });
    found.dedup_by(|one, other| (one.component, &one.node) == (other.component, &other.node));
    found
}

/// The program that reads an artifact of that identifier of a shipped profile, and what it needs then.
pub fn readers(id: &str) -> &'static [(Component, Need)] {
    use Component as C;
    use Need::{Nothing, Restart, Signal};
    match id {
        // kubernetes#90360: the serving pair, like everything in k8s.io/apiserver pkg/server/dynamiccertificates. The
        // aggregator's client pair too (k8s.io/kube-aggregator pkg/apiserver/apiserver.go, "aggregator-proxy-cert");
        // client-go reads client pairs given as files anew (k8s.io/client-go transport, ReloadTLSFiles), etcd's client
        // at each handshake (etcd client/pkg/transport/listener.go, GetClientCertificate).
        "apiserver"
        | "apiserver-kubelet-client"
        | "apiserver-etcd-client"
        | "front-proxy-client" => &[(C::ApiServer, Nothing)],
        // etcd client/pkg/transport/listener.go, GetCertificate: at each handshake.
        "etcd-server" | "etcd-peer" => &[(C::Etcd, Nothing)],
        "etcd-healthcheck-client" | "admin" | "super-admin" => &[(C::Person, Nothing)],
        // ReloadKubeletServerCertificateFile, on by default since 1.31 (pkg/features/kube_features.go).
        "kubelet" => &[(C::Kubelet, Nothing)],
        // Its tls plugin reads the pair when the Corefile is loaded, and SIGUSR1 loads it (coredns man page, SIGNALS).
        "cluster-dns" => &[(C::ClusterDns, Signal("SIGUSR1"))],
        // What a kubeconfig embeds is read once (k8s.io/client-go transport.TLSConfigFor, staticCert).
        "controller-manager" => &[(C::ControllerManager, Restart)],
        "scheduler" => &[(C::Scheduler, Restart)],
        "kubelet-client" => &[(C::Kubelet, Restart)],
        "kube-proxy" => &[(C::KubeProxy, Restart)],
        // Both are read at the start only (pkg/controlplane/apiserver/options, cmd/kube-controller-manager/app).
        "sa" => &[(C::ApiServer, Restart), (C::ControllerManager, Restart)],
        // Without --encryption-provider-config-automatic-reload.
        "encryption-config" => &[(C::ApiServer, Restart)],
        _ => &[],
    }
}

/// Those whose own artifact it is.
fn presenting(artifact: &Artifact) -> Vec<Consumer> {
    if let Owner::User(_) = artifact.id.owner {
        return vec![Consumer {
            component: Component::Person,
            node: None,
            need: Need::Nothing,
        }];
    }
    let nodes: Vec<_> = nodes_with(artifact, None).into_iter().map(Some).collect();
    let on = |&(component, need): &(Component, Need)| {
        let nodes = match component {
            Component::Person | Component::ClusterDns => &[None][..],
            _ => &nodes,
        };
        let at = move |node: &Option<NodeName>| Consumer {
            component,
            node: node.clone(),
            need,
        };
        nodes.iter().map(at).collect::<Vec<_>>()
    };
    readers(&artifact.id.name).iter().flat_map(on).collect()
}

/// Those who trust `authorities` by the files of `artifact`.
fn trusting(
    blueprint: &Blueprint,
    artifact: &Artifact,
    authorities: &[ArtifactId],
) -> Vec<Consumer> {
    let here = nodes_with(artifact, Some(Part::Certificate));
    // Where several are trusted at once, a bundle of just those is what is read.
    let reads = |trusted: &[ArtifactId]| {
        if same(trusted, authorities) {
            return true;
        }
        let bundled = || {
            blueprint.artifacts().iter().any(
                |other| matches!(&other.content, Content::TrustBundle(all) if same(all, trusted)),
            )
        };
        authorities.iter().all(|id| trusted.contains(id)) && !bundled()
    };
    let mut found = Vec::new();
    for edge in blueprint.edges() {
        let ends = [
            (Some(&edge.server), &edge.server_node, &edge.server_trusts),
            (edge.client.as_ref(), &edge.client_node, &edge.client_trusts),
        ];
        for (end, node, trusted) in ends {
            if trusted.is_empty() || !reads(trusted) {
                continue;
            }
            let Some(end) = end else {
                // Pods trust what the controller manager publishes, and it publishes what it read at its start
                // (kubernetes#137410).
                found.extend(here.iter().map(|node| Consumer {
                    component: Component::ControllerManager,
                    node: Some(node.clone()),
                    need: Need::Restart,
                }));
                continue;
            };
            let Some(node) = node.as_ref().filter(|node| here.contains(node)) else {
                continue;
            };
            let end = readers(&end.name).iter();
            found.extend(end.filter_map(|(component, _)| {
                let need = match component {
                    // Read when it starts, for clients and for members (etcd#11555).
                    Component::Etcd => Need::Restart,
                    // As a client of etcd it reads the CA when it starts (the same code); of its own clients and of
                    // kubelets whenever it changes (kubernetes#90360, #132922).
                    Component::ApiServer if edge.server.name == "etcd-server" => Need::Restart,
                    // For the kubelet: ReloadKubeletClientCAFile, on by default since 1.36 (kubernetes#136762).
                    Component::ApiServer | Component::Kubelet => Need::Nothing,
                    // People read it each time; all others read what their kubeconfig embeds.
                    _ => return None,
                };
                Some(Consumer {
                    component: *component,
                    node: Some(node.clone()),
                    need,
                })
            }));
        }
    }
    // A node that runs no controller manager has nobody who publishes.
    let manages = |node: &NodeName| {
        let id = ArtifactId::node(node, "controller-manager");
        blueprint.artifact(&id).is_some()
    };
    found.retain(|consumer| {
        consumer.component != Component::ControllerManager
            || consumer.node.as_ref().is_some_and(manages)
    });
    found
}

/// The controller managers that sign kubelets' requests with an authority. They read it anew by themselves
/// (pkg/controller/certificates/signer/ca_provider.go).
fn signing(blueprint: &Blueprint, artifact: &Artifact) -> Vec<Consumer> {
    let nodes = nodes_with(artifact, Some(Part::PrivateKey));
    let signs_on = |node: &&NodeName| {
        let kubelet = blueprint.artifact(&ArtifactId::node(node, "kubelet-client"));
        let issuer = kubelet.and_then(|kubelet| kubelet.content.leaf());
        let manager = ArtifactId::node(node, "controller-manager");
        issuer.is_some_and(|leaf| leaf.issuer == artifact.id)
            && blueprint.artifact(&manager).is_some()
    };
    nodes
        .iter()
        .filter(signs_on)
        .map(|node| Consumer {
            component: Component::ControllerManager,
            node: Some(node.clone()),
            need: Need::Nothing,
        })
        .collect()
}

/// The nodes whose tree holds a copy of that part, or any.
fn nodes_with(artifact: &Artifact, part: Option<Part>) -> Vec<NodeName> {
    let mut nodes: Vec<_> = artifact
        .placements
        .iter()
        .filter(|placement| part.is_none_or(|part| placement.part == part))
        .filter_map(|placement| placement.location.node()?.parse().ok())
        .collect();
    nodes.sort();
    nodes.dedup();
    nodes
}

fn same(one: &[ArtifactId], other: &[ArtifactId]) -> bool {
    one.len() == other.len() && one.iter().all(|id| other.contains(id))
}

impl Component {
    /// The name of its program.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Etcd => "etcd",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
            Self::ClusterDns => "coredns",
            Self::Person => "people",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// As `etcd on cp1`, `people`.
impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => f.pad(&format!("{} on {node}", self.component)),
            None => self.component.fmt(f),
        }
    }
}

/// What to do, in two or three words.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.pad("nothing"),
            Self::Signal(signal) => f.pad(signal),
            Self::Restart => f.pad("a restart"),
        }
    }
}

#[cfg(test)]
mod tests;
