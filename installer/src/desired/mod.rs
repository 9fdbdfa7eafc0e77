//! What a node needs. Pure.

pub mod digest;
mod etcd_start;
mod facts;
pub mod layout;
mod node;
mod node_spec;
mod persisted;
mod programs;
mod resource;

pub use etcd_start::{EtcdPeer, EtcdStart};
pub use facts::{CgroupVersion, Facts, InitSystem};
pub use node::{NeededFile, NodeNeeds};
pub use node_spec::{Network, NodeOptions, NodeSpec, ProxyMode, Tree, TreeFile, UserKubeconfig};
pub use persisted::persisted;
pub use programs::{Program, Programs, XTABLES};
pub use resource::{
    Account, Contents, Directory, DirectoryContents, File, Image, ImageFile, Kind, Module, Owner,
    Resource, ResourceId, Service, Stage, Symlink, Sysctl, SysctlValue, Trace,
};
