//! Keeps the objects of a folder in the cluster, in the spirit of Kubernetes' own addon manager: what is in a file is
//! applied server-side and kept so, what is in no file any more is removed.
//!
//! | file | for |
//! |---|---|
//! | `folder` | files to objects |
//! | `kinds` | how the API calls a kind |
//! | `reconcile` | one pass: apply, record, prune |
//! | `prune` | what is ours and in no file any more |
//! | `run` | passes, as long as the node lives |
//! | `state` | what came of the last pass, for `kinstall status` |
//! | `connect` | a client from a kubeconfig |
//!
//! Two managers at once, on two nodes of the control plane, do no harm: server-side apply of the same object by the
//! same field manager changes nothing the second time.

mod connect;
mod folder;
mod kinds;
mod prune;
mod reconcile;
mod run;
mod state;

pub use connect::{ConnectError, connect, connect_to, reason};
pub(crate) use connect::{choose_cryptography, connect_with, is_away};
pub use folder::{Addon, Folder, Object, ObjectId};
pub use reconcile::{Away, reconcile};
pub use run::{Manager, ended, run, state_file};
pub use state::{Applied, Change, Failure, Report, State};

/// Who owns the fields that we apply.
pub const FIELD_MANAGER: &str = "kinstall-addons";
