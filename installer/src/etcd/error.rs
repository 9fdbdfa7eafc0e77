//! Why a node is no member of etcd's cluster, or a member stays.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::quorum::{Kept, Quorum};

/// Why a node is no member of etcd's cluster, or a member stays.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// There is no pair to ask with.
    #[error("etcd cannot be asked with {path}: {reason}")]
    Credentials {
        /// The file, by its path below `/etc/kubernetes`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was remembered makes no sense.
    #[error("{}: {reason}", path.display())]
    Remembered {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No other member is there, and this is not the node to begin with.
    #[error(
        "{node} cannot join etcd: no other member of cluster.toml answers{}: {heard}",
        after(waited)
    )]
    NobodyThere {
        /// This node.
        node: String,
        /// Which one begins.
        first: String,
        /// How long it was waited.
        waited: Duration,
        /// What was heard of each.
        heard: String,
    },
    /// Others are there, but cannot tell who the members are.
    #[error(
        "{node} cannot join etcd: no member can tell who the members are{}: {heard}",
        after(waited)
    )]
    Unable {
        /// This node.
        node: String,
        /// How long it was waited.
        waited: Duration,
        /// What was heard of each.
        heard: String,
    },
    /// Another member has no vote yet.
    #[error(
        "{node} cannot join etcd: {learner} joins too, and has no vote yet{}",
        after(waited)
    )]
    Learner {
        /// This node.
        node: String,
        /// Who it is.
        learner: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// etcd does not take one more.
    #[error("{node} cannot join etcd{}: {reason}", after(waited))]
    NotAdded {
        /// This node.
        node: String,
        /// How long it was tried.
        waited: Duration,
        /// What etcd said.
        reason: String,
    },
    /// Another one has this node's name.
    #[error("{node} cannot join etcd: a healthy member at {} has that name", urls.join(", "))]
    NameTaken {
        /// This node.
        node: String,
        /// Where the other is.
        urls: Vec<String>,
    },
    /// A member may not go.
    #[error("etcd's member {name} cannot be removed: {}", because(kept))]
    Kept {
        /// Its name, and its number.
        name: String,
        /// Why not.
        kept: Kept,
    },
    /// A member was not removed.
    #[error("etcd's member {name} was not removed: {reason}")]
    NotRemoved {
        /// Its name, and its number.
        name: String,
        /// What etcd said.
        reason: String,
    },
    /// The new member has no vote yet.
    #[error("{node} has no vote in etcd{}: {reason}", after(waited))]
    NotPromoted {
        /// This node.
        node: String,
        /// How long it was tried.
        waited: Duration,
        /// What was said last.
        reason: String,
    },
    /// The node has data of a member that was removed.
    #[error("{node} was removed from etcd's members, and its data are of no more use")]
    Removed {
        /// This node.
        node: String,
    },
    /// There is no such member.
    #[error("etcd has no member {name:?}")]
    NoSuchMember {
        /// What was looked for.
        name: String,
        /// Those that there are.
        members: Vec<String>,
    },
    /// Nobody can be asked.
    #[error("no member of etcd answers: {heard}")]
    NoAnswer {
        /// What was heard of each.
        heard: String,
    },
}

fn after(waited: &Duration) -> String {
    match waited.as_secs() {
        0 => String::new(),
        seconds => format!(" after {seconds} s"),
    }
}

fn because(kept: &Kept) -> String {
    let of = |Quorum {
                  voters,
                  healthy,
                  needed,
                  ..
              }: &Quorum| {
        let noun = if *voters == 1 { "member" } else { "members" };
        format!("{healthy} of {voters} {noun} healthy, and {needed} are needed")
    };
    match kept {
        Kept::Last => "it is the only one that votes, and has all the data".into(),
        Kept::NoQuorum(quorum) => format!("the quorum is lost: {}", of(quorum)),
        Kept::WouldLose(left) => format!("the quorum would be lost without it: {}", of(left)),
    }
}

impl EtcdError {
    /// What would mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Credentials { .. } => {
                "run kpki apply where the CA keys are, and bring the node's tree here again".into()
            }
            Self::Io { .. } => "run as root, and see that the disk can be written".into(),
            Self::Remembered { path, .. } => format!(
                "remove {}, and run kinstall node again",
                path.display()
            ),
            Self::NobodyThere { node, first, .. } => format!(
                "install {first} first: it begins the cluster; or, where it runs, see why {node} does not reach its port 2379"
            ),
            Self::Unable { .. } => {
                "bring back members until a majority is healthy: kinstall etcd members, on one of them, tells which are not"
                    .into()
            }
            Self::Learner { learner, .. } => format!(
                "finish kinstall node there; or, if it will not come, kinstall etcd remove {learner}"
            ),
            Self::NotAdded { .. } => {
                "kinstall etcd members, on another node, tells how they are; then run this again".into()
            }
            Self::NameTaken { .. } => {
                "give this node another name in cluster.toml, or remove that member: kinstall etcd remove NAME".into()
            }
            Self::Kept { kept, .. } => match kept {
                Kept::Last => "kinstall reset --purge ends the cluster, with all that is in it".into(),
                Kept::NoQuorum(_) | Kept::WouldLose(_) => {
                    "bring back the members that are down first: kinstall etcd members names them".into()
                }
            },
            Self::NotRemoved { .. } | Self::NoAnswer { .. } => {
                "kinstall status and kinstall logs etcd, on the members, tell why".into()
            }
            Self::NotPromoted { .. } => {
                "run kinstall node again: it goes on from here; kinstall logs etcd tells how far it is".into()
            }
            Self::Removed { .. } => {
                "kinstall reset --purge, and kinstall node makes it a new member; or take the role etcd from it in cluster.toml".into()
            }
            Self::NoSuchMember { members, .. } => format!("there are: {}", members.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_who_why_and_what_to_do() {
        let quorum = Quorum {
            voters: 2,
            healthy: 1,
            needed: 2,
            held: false,
        };
        let heard = "cp1: https://192.0.2.11:2379: Connection refused (os error 111)";
        let errors = [
            EtcdError::NobodyThere {
                node: "cp2".into(),
                first: "cp1".into(),
                waited: Duration::from_secs(120),
                heard: heard.into(),
            },
            EtcdError::Learner {
                node: "cp3".into(),
                learner: "cp2".into(),
                waited: Duration::from_millis(900),
            },
            EtcdError::Kept {
                name: "cp3 (8211f1d0f64f3269)".into(),
                kept: Kept::WouldLose(quorum),
            },
            EtcdError::Kept {
                name: "cp1 (7)".into(),
                kept: Kept::Last,
            },
            EtcdError::Removed { node: "cp3".into() },
            EtcdError::NoSuchMember {
                name: "cp9".into(),
                members: vec!["cp1".into(), "cp2".into()],
            },
        ];
        let told = errors.map(|error| format!("{error}\nhint: {}", error.hint()));
        insta::assert_snapshot!(told.join("\n\n"), @r#"
        cp2 cannot join etcd: no other member of cluster.toml answers after 120 s: cp1: https://192.0.2.11:2379: Connection refused (os error 111)
        hint: install cp1 first: it begins the cluster; or, where it runs, see why cp2 does not reach its port 2379

        cp3 cannot join etcd: cp2 joins too, and has no vote yet
        hint: finish kinstall node there; or, if it will not come, kinstall etcd remove cp2

        etcd's member cp3 (8211f1d0f64f3269) cannot be removed: the quorum would be lost without it: 1 of 2 members healthy, and 2 are needed
        hint: bring back the members that are down first: kinstall etcd members names them

        etcd's member cp1 (7) cannot be removed: it is the only one that votes, and has all the data
        hint: kinstall reset --purge ends the cluster, with all that is in it

        cp3 was removed from etcd's members, and its data are of no more use
        hint: kinstall reset --purge, and kinstall node makes it a new member; or take the role etcd from it in cluster.toml

        etcd has no member "cp9"
        hint: there are: cp1, cp2
        "#);
    }
}
