//! The CNI plugin `flannel`: makes of what flanneld wrote down the configuration of the plugin that does the work.
//!
//! As upstream's (github.com/flannel-io/cni-plugin), with three differences. `ADD` waits for flanneld's file instead of
//! failing at once: the kubelet tries a failed sandbox again only after ten seconds, and at a node's first start the pods
//! are faster than flanneld. What is kept for `DEL` is written by rename, so that it is whole or not there. And pods'
//! packets fit into flannel's devices also where those carry IPv6.

mod call;
mod device;
mod netconf;
mod subnet;

pub use call::{Call, CallError, Command, call};
pub use netconf::{Delegate, NetConf};
pub use subnet::Subnet;
