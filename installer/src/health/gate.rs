//! What is waited for.

/// A condition of a node, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// containerd answers on its socket.
    Containerd,
    /// etcd has a leader and answers.
    Etcd,
    /// The API server of this node is ready.
    ApiServer,
    /// An API server of the cluster answers this node, which has none itself.
    Endpoint,
    /// A controller manager is at work.
    ControllerManager,
    /// A scheduler is at work.
    Scheduler,
    /// The kubelet is healthy and its Node ready.
    Node,
    /// The addon manager has applied all that is in its folder as it is now.
    Addons,
    /// The API server's own Service is reached at its address: kube-proxy has done its work.
    Services,
    /// Every address of the cluster's DNS server answers a question about the cluster.
    ClusterDns,
    /// flanneld keeps the ways to other nodes' pods. A node alone can serve without it, and so would hide that it
    /// does not run.
    PodNetwork,
}

impl Gate {
    /// What becomes so, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Containerd => "containerd answers",
            Self::Etcd => "etcd healthy",
            Self::ApiServer => "API server ready",
            Self::Endpoint => "control plane reachable",
            Self::ControllerManager => "controller manager at work",
            Self::Scheduler => "scheduler at work",
            Self::Node => "node Ready",
            Self::Addons => "addons applied",
            Self::Services => "Services reachable",
            Self::ClusterDns => "CoreDNS answers",
            Self::PodNetwork => "pod network ready",
        }
    }

    /// Whose log tells why not.
    pub fn component(&self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Etcd => "etcd",
            Self::ApiServer | Self::Endpoint => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Node => "kubelet",
            Self::Addons => crate::install::ADDON_MANAGER,
            Self::Services => "kube-proxy",
            Self::ClusterDns => "coredns",
            Self::PodNetwork => "kube-flannel",
        }
    }

    /// Why it is waited for.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Containerd => "images are imported into it and the kubelet needs it",
            Self::Etcd => "the API server keeps everything in it",
            Self::ApiServer => "everything else talks to it",
            Self::Endpoint => "the kubelet learns from it which pods to run",
            Self::ControllerManager => "it makes pods of what the addon manager applies",
            Self::Scheduler => "no pod starts without it",
            Self::Node => "pods run only on a node that is ready",
            Self::Addons => "kube-proxy, CoreDNS and the network are addons",
            Self::Services => "pods reach each other and the API through them",
            Self::ClusterDns => "pods find Services by name",
            Self::PodNetwork => "pods reach pods of other nodes by it",
        }
    }

    /// Whether the kubelet runs the component, so that its log is a container's and its restarts are counted.
    pub(super) fn is_pod(self) -> bool {
        !matches!(
            self,
            Self::Containerd | Self::Node | Self::Addons | Self::Endpoint
        )
    }
}
