//! One thing that a node's machine should have.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use pki_core::cluster::FileMode;
use zeroize::Zeroizing;

/// One thing that a machine should have, and why.
#[derive(Clone, Debug)]
pub struct Resource {
    /// When in the course of an installation it is made.
    pub stage: Stage,
    /// Why a node needs it, in words for its owner.
    pub why: String,
    /// What it is.
    pub kind: Kind,
}

/// The parts of an installation, in their order. What one stage needs was made in those before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Accounts, kernel modules, sysctls.
    Host,
    /// Directories, certificates, keys, configuration.
    Files,
    /// containerd, and the load balancer before the API servers.
    Runtime,
    /// What the first pods run.
    Images,
    /// The kubelet, etcd and the API server.
    ControlPlane,
    /// What other pods run: imported while etcd and the API server start.
    LaterImages,
    /// The controller manager and the scheduler. Started before the API server has given them their permissions, they
    /// are refused, and try again ever more rarely.
    Controllers,
    /// What the addon manager keeps in the cluster.
    Addons,
}

/// Kinds of resources.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A user and a group of the same name and number.
    Account(Account),
    /// A directory.
    Directory(Directory),
    /// A file with its contents.
    File(File),
    /// A symbolic link.
    Symlink(Symlink),
    /// A value below `/proc/sys`.
    Sysctl(Sysctl),
    /// A module of the kernel.
    Module(Module),
    /// A container image, made from files of this machine.
    Image(Image),
    /// A program that is kept running by systemd or kinstall's supervisor.
    Service(Service),
    /// What components leave on a machine at run time, and a reset takes away again.
    Trace(Trace),
}

/// What names a resource from one run to the next, as `file /etc/kubernetes/admin.conf`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct ResourceId(pub String);

/// A user and a group of the same name and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The number of both.
    pub id: u32,
}

/// Who owns a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owner {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Absolute.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: FileMode,
    /// Its owner.
    pub owner: Owner,
    /// What a reset does with what is in it.
    pub contents: DirectoryContents,
}

/// What a reset does with what others put into a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryContents {
    /// Not ours: the directory goes only when it is empty.
    Foreign,
    /// Components filled it at run time: it goes with all that is in it.
    Ours,
    /// As `Ours`, but only with `--purge`: etcd's data.
    Data,
}

/// A file with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute.
    pub path: PathBuf,
    /// All of it.
    pub contents: Contents,
    /// Its permission bits, from birth.
    pub mode: FileMode,
    /// Its owner, from birth.
    pub owner: Owner,
}

/// Bytes that may be secret: wiped from memory, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Contents(Zeroizing<Vec<u8>>);

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symlink {
    /// Absolute.
    pub path: PathBuf,
    /// Where it leads.
    pub target: PathBuf,
}

/// A value below `/proc/sys`. It is also written to the file that sets it at the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// Its path below `/proc/sys`, as `net/ipv4/ip_forward`.
    pub key: String,
    /// What it should be.
    pub value: SysctlValue,
}

/// What a sysctl should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlValue {
    /// Just that.
    Exactly(i64),
    /// That or more.
    AtLeast(i64),
}

/// A module of the kernel, by the name that `modprobe` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// A path that exists when it is loaded or built in, as `/proc/sys/net/bridge`.
    pub proof: PathBuf,
}

/// A container image of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its full name with a tag that changes with its contents (see `image::reference`).
    pub reference: String,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Its files, by their absolute path in the image.
    pub files: BTreeMap<String, ImageFile>,
    /// Symbolic links, by their absolute path in the image, and where each leads. Parents are made.
    pub links: BTreeMap<String, String>,
}

/// One file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Where it is on this machine.
    pub source: PathBuf,
    /// SHA-256 of it, in hexadecimal.
    pub digest: String,
    /// Its permission bits.
    pub mode: FileMode,
}

/// A program that is kept running.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Service {
    /// Its name: `containerd`, `kubelet`.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// The program.
    pub program: PathBuf,
    /// What it is called with.
    pub arguments: Vec<String>,
    /// Further environment: never anything secret.
    pub environment: BTreeMap<String, String>,
    /// Services that are started before and stopped after it.
    pub after: Vec<String>,
    /// SHA-256, in hexadecimal, over what it reads when it starts: when that changes, it is restarted.
    pub inputs: String,
    /// How long it may take to stop before it is killed, in seconds.
    pub stop_seconds: u32,
}

/// What components leave on a machine at run time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Trace {
    /// A network interface with this name, or with this beginning when it ends in `*`.
    Link(String),
    /// Routes into this network over other machines.
    Routes(String),
    /// A table of nftables, as `ip kube-proxy`.
    NftTable(String),
    /// Chains of iptables whose name begins so, in every table and family, with the rules that lead to them.
    IptablesChains(String),
    /// A control group, below every hierarchy, with those below it.
    Cgroup(String),
    /// A directory that nobody but a component made, as `/var/lib/cni`, or a file.
    Path(PathBuf),
    /// What is mounted at this path and below it.
    Mounts(PathBuf),
    /// Network namespaces whose file below `/run/netns` begins so.
    NetworkNamespaces(String),
    /// A sysctl that a component sets, by its path below `/proc/sys`.
    Sysctl(String),
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Host,
        Self::Files,
        Self::Runtime,
        Self::Images,
        Self::ControlPlane,
        Self::LaterImages,
        Self::Controllers,
        Self::Addons,
    ];
}

impl Owner {
    /// User 0, group 0.
    pub const ROOT: Self = Self { user: 0, group: 0 };

    /// The user and group of the same number.
    pub const fn both(id: u32) -> Self {
        Self {
            user: id,
            group: id,
        }
    }
}

impl Contents {
    /// These bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves.
    pub fn secret_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of them, in hexadecimal.
    pub fn digest(&self) -> String {
        super::digest::hex(&self.0)
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Resource {
    /// What names it from one run to the next.
    pub fn id(&self) -> ResourceId {
        ResourceId(match &self.kind {
            Kind::Account(account) => format!("account {}", account.name),
            Kind::Directory(directory) => format!("directory {}", directory.path.display()),
            Kind::File(file) => format!("file {}", file.path.display()),
            Kind::Symlink(link) => format!("link {}", link.path.display()),
            Kind::Sysctl(sysctl) => format!("sysctl {}", sysctl.key),
            Kind::Module(module) => format!("module {}", module.name),
            Kind::Image(image) => format!("image {}", image.reference),
            Kind::Service(service) => format!("service {}", service.name),
            Kind::Trace(trace) => format!("trace {trace}"),
        })
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(name) => write!(f, "link {name}"),
            Self::Routes(network) => write!(f, "routes into {network}"),
            Self::NftTable(name) => write!(f, "nft table {name}"),
            Self::IptablesChains(prefix) => write!(f, "iptables chains {prefix}*"),
            Self::Cgroup(name) => write!(f, "cgroup {name}"),
            Self::Path(path) => write!(f, "path {}", path.display()),
            Self::Mounts(path) => write!(f, "mounts below {}", path.display()),
            Self::NetworkNamespaces(prefix) => write!(f, "network namespaces {prefix}*"),
            Self::Sysctl(key) => write!(f, "sysctl {key}"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Host => "host",
            Self::Files => "files",
            Self::Runtime => "runtime",
            Self::Images => "images",
            Self::ControlPlane => "control-plane",
            Self::LaterImages => "later-images",
            Self::Controllers => "controllers",
            Self::Addons => "addons",
        })
    }
}
