//! etcd's members: who they are, how one more joins, and how one goes, never at the risk of their quorum.
//!
//! | file | for |
//! |---|---|
//! | `member` | what etcd says of its members |
//! | `quorum` | how many have to be well, and when one may go; pure |
//! | `decide` | what has to be done next so that a node becomes a member; pure |
//! | `client` | asking a member |
//! | `look` | asking all of them |
//! | `join` | doing what `decide` says, until etcd can start |
//! | `settle` | giving the new member its vote |
//! | `remove` | taking a member out for good |
//! | `parting` | what the others say to this node's leaving |
//! | `removed` | telling that this node's was |
//! | `report` | all members, for people and programs |

mod client;
mod decide;
mod error;
mod join;
mod look;
mod member;
mod parting;
mod quorum;
mod remove;
mod removed;
mod report;
mod settle;

pub use decide::{Next, Refusal, Said, Situation, Wait, next};
pub use error::EtcdError;
pub use join::{Prospect, join, prospect};
pub use member::{Member, MemberId, MemberStatus};
pub use parting::{Parting, parting};
pub use quorum::{Kept, Quorum, may_remove};
pub use remove::{Removal, removal, remove};
pub use removed::is_removed;
pub use report::{MemberLine, Report, report};
pub use settle::settle;
