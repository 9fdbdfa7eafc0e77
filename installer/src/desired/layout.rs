//! Where things are on a node: kubeadm's and upstream's places where they have one.

/// The node's tree, as kubeadm lays it out.
pub const KUBERNETES: &str = "/etc/kubernetes";
/// The kubelet's folder of static pods. It runs whatever is in there.
pub const MANIFESTS: &str = "/etc/kubernetes/manifests";
/// The folder of what the addon manager keeps in the cluster.
pub const ADDONS: &str = "/etc/kubernetes/addons";
/// kinstall's own configuration: which node of which cluster this is.
pub const KINSTALL: &str = "/etc/kinstall";
/// The configuration of the API servers' load balancer.
pub const BALANCER_CONFIG: &str = "/etc/kinstall/api-balancer.cfg";
/// kinstall's own state: ledger, images' index, credentials of components.
pub const STATE: &str = "/var/lib/kinstall";
/// One directory for each component that does not run as root: just those files of the tree that it needs, as its own.
/// A static pod sees its own as `/etc/kubernetes`.
pub const CREDENTIALS: &str = "/var/lib/kinstall/credentials";
/// What came in a bundle: `cluster/`, the cluster's directory, and `bin/`, programs.
pub const BUNDLE: &str = "/var/lib/kinstall/bundle";
/// Logs of services, and below it `audit/`.
pub const LOGS: &str = "/var/log/kubernetes";
/// The supervisor's socket and process ids.
pub const RUN: &str = "/run/kinstall";
/// How this node's etcd began, for the next run.
pub const ETCD_START: &str = "/var/lib/kinstall/etcd.toml";
/// etcd's data.
pub const ETCD_DATA: &str = "/var/lib/etcd";
/// The kubelet's own directory.
pub const KUBELET: &str = "/var/lib/kubelet";
/// The kubelet's configuration.
pub const KUBELET_CONFIG: &str = "/var/lib/kubelet/config.yaml";
/// containerd's configuration.
pub const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
/// containerd's data.
pub const CONTAINERD: &str = "/var/lib/containerd";
/// containerd's socket.
pub const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";
/// CNI plugins.
pub const CNI_PLUGINS: &str = "/opt/cni/bin";
/// CNI configuration.
pub const CNI_CONFIG: &str = "/etc/cni/net.d";
/// Where flanneld writes which addresses this node's pods get.
pub const FLANNEL_SUBNET: &str = "/run/flannel/subnet.env";

/// The account that etcd runs as. The numbers of these five are 5 and the component's port: outside what Debian, Red Hat
/// and systemd give to people, services or containers. An account of the same name that is there already keeps its own.
pub const ETCD_ACCOUNT: (&str, u32) = ("etcd", 52379);
/// The account that kube-apiserver runs as.
pub const APISERVER_ACCOUNT: (&str, u32) = ("kube-apiserver", 56443);
/// The account that kube-controller-manager runs as.
pub const CONTROLLER_MANAGER_ACCOUNT: (&str, u32) = ("kube-controller-manager", 50257);
/// The account that kube-scheduler runs as.
pub const SCHEDULER_ACCOUNT: (&str, u32) = ("kube-scheduler", 50259);
/// The account that HAProxy runs as: its package's, where that is installed.
pub const BALANCER_ACCOUNT: (&str, u32) = ("haproxy", 57443);
