//! What has to be done so that a node leaves, and in which order. Pure: whatever is done already is no step.

use std::fmt;

use serde::Serialize;

use crate::drain::Choice;
use crate::etcd::MemberId;
use crate::machine::Problem;

/// How a node stands in the cluster.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Its name.
    pub node: String,
    /// Whether the API has a Node of that name, and whether that is ready.
    pub object: Option<bool>,
    /// What would become of its pods.
    pub choice: Choice,
    /// Whether its pods are to be left alone.
    pub no_drain: bool,
    /// Its member of etcd, and how many with a vote would be left.
    pub member: Option<(MemberId, usize)>,
    /// Whether cluster.toml has it.
    pub expected: bool,
    /// Where its tree will be.
    pub kept_in: Option<String>,
    /// Whether it is this machine.
    pub here: bool,
    /// Where its machine is reached, and how many things kinstall made there, where that is to be reset from here.
    pub elsewhere: Option<(String, usize)>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Its pods are moved.
    Drain {
        /// How many.
        pods: usize,
    },
    /// Its member leaves etcd.
    RemoveMember {
        /// Its number.
        id: MemberId,
        /// How many with a vote are left.
        left: usize,
    },
    /// Its Node is deleted.
    DeleteNode {
        /// How many pods nobody moved; Kubernetes deletes them with it.
        pods: usize,
    },
    /// Its machine, another one, is reset.
    ResetElsewhere {
        /// Where it is reached by SSH.
        destination: String,
        /// How many things kinstall made there.
        made: usize,
    },
    /// cluster.toml has it no more, and nobody renews its certificates.
    Forget {
        /// Where its tree will be, below the cluster's directory.
        kept_in: Option<String>,
    },
    /// This machine is reset.
    Reset,
}

/// What has to be done.
///
/// # Errors
/// Where its pods cannot be moved as they should.
pub fn steps(situation: &Situation) -> Result<Vec<Step>, Problem> {
    let node = &situation.node;
    let mut steps = Vec::new();
    let pods = situation.choice.go.len() + situation.choice.refused.len();
    if let Some(is_ready) = situation.object {
        if situation.no_drain {
            steps.push(Step::DeleteNode { pods });
        } else {
            if !is_ready && pods > 0 {
                return Err(Problem::new(
                    format!(
                        "{node} is not ready: its {pods} pods would be told to end, and never say that they have"
                    ),
                    "bring it back first; or say --no-drain: its pods are deleted with its Node, and what they have on its disk is lost",
                ));
            }
            steps.push(Step::Drain {
                pods: situation.choice.go.len(),
            });
            steps.push(Step::DeleteNode { pods: 0 });
        }
    }
    if let Some((id, left)) = situation.member {
        // Before its Node: until then the API tells who it was.
        let at = steps.len().saturating_sub(1);
        let at = if situation.object.is_some() { at } else { 0 };
        steps.insert(at, Step::RemoveMember { id, left });
    }
    // While cluster.toml still says where it is.
    if let Some((destination, made)) = situation.elsewhere.clone() {
        steps.push(Step::ResetElsewhere { destination, made });
    }
    if situation.expected {
        let kept_in = situation.kept_in.clone();
        steps.push(Step::Forget { kept_in });
    }
    if situation.here {
        steps.push(Step::Reset);
    }
    Ok(steps)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drain { pods } => write!(f, "drain: no new pods come, {pods} are evicted"),
            Self::RemoveMember { id, left } => write!(
                f,
                "take its member {id} out of etcd: {left} with a vote are left"
            ),
            Self::DeleteNode { pods: 0 } => f.write_str("delete its Node"),
            Self::DeleteNode { pods } => {
                write!(
                    f,
                    "delete its Node, and with it {pods} pods that nobody moves"
                )
            }
            Self::ResetElsewhere { destination, made } => write!(
                f,
                "reset its machine at {destination}, with etcd's data: {made} things that kinstall made go"
            ),
            Self::Forget { kept_in: Some(to) } => write!(
                f,
                "take it out of cluster.toml; its tree is kept in {to}, and renewed no more"
            ),
            Self::Forget { kept_in: None } => f.write_str("take it out of cluster.toml"),
            Self::Reset => f.write_str("reset this machine, with etcd's data"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::{Leave, PodName, Refused};

    fn pod(name: &str) -> PodName {
        PodName {
            namespace: "default".into(),
            name: name.into(),
            uid: "1".into(),
        }
    }

    fn situation() -> Situation {
        Situation {
            node: "cp3".into(),
            object: Some(true),
            choice: Choice {
                go: vec![pod("web-1"), pod("web-2")],
                ..Choice::default()
            },
            member: Some((MemberId(0xa3), 2)),
            expected: true,
            kept_in: Some("removed/cp3".into()),
            ..Situation::default()
        }
    }

    fn told(situation: &Situation) -> String {
        match steps(situation) {
            Ok(steps) => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                steps.join("\n")
            }
            Err(problem) => format!(
                "{}\nhint: {}",
                problem.fact,
                problem.hint.unwrap_or_default()
            ),
        }
    }

    #[test]
    fn a_control_plane_with_all_that_it_has() {
        insta::assert_snapshot!(told(&situation()), @"
        drain: no new pods come, 2 are evicted
        take its member a3 out of etcd: 2 with a vote are left
        delete its Node
        take it out of cluster.toml; its tree is kept in removed/cp3, and renewed no more
        ");
    }

    #[test]
    fn its_machine_is_reset_while_it_is_known_where_it_is() {
        let mut situation = situation();
        situation.member = None;
        situation.elsewhere = Some(("root@192.0.2.13".into(), 140));
        insta::assert_snapshot!(told(&situation), @"
        drain: no new pods come, 2 are evicted
        delete its Node
        reset its machine at root@192.0.2.13, with etcd's data: 140 things that kinstall made go
        take it out of cluster.toml; its tree is kept in removed/cp3, and renewed no more
        ");
    }

    #[test]
    fn what_is_done_already_is_no_step() {
        let mut situation = situation();
        situation.member = None;
        situation.object = None;
        situation.kept_in = None;
        situation.here = true;
        insta::assert_snapshot!(told(&situation), @"
        take it out of cluster.toml
        reset this machine, with etcd's data
        ");
        situation.member = Some((MemberId(0xa3), 2));
        situation.expected = false;
        situation.here = false;
        assert_eq!(
            told(&situation),
            "take its member a3 out of etcd: 2 with a vote are left"
        );
        situation.member = None;
        assert_eq!(told(&situation), "");
    }

    #[test]
    fn a_dead_node_is_not_waited_for() {
        let mut situation = situation();
        situation.object = Some(false);
        insta::assert_snapshot!(told(&situation), @"
        cp3 is not ready: its 2 pods would be told to end, and never say that they have
        hint: bring it back first; or say --no-drain: its pods are deleted with its Node, and what they have on its disk is lost
        ");
        situation.no_drain = true;
        situation.choice.refused.push(Refused {
            pod: pod("bare"),
            wants: Leave::Force,
        });
        insta::assert_snapshot!(told(&situation), @"
        take its member a3 out of etcd: 2 with a vote are left
        delete its Node, and with it 3 pods that nobody moves
        take it out of cluster.toml; its tree is kept in removed/cp3, and renewed no more
        ");
        // Without pods there is nothing to wait for.
        situation.no_drain = false;
        situation.choice = Choice::default();
        assert!(told(&situation).starts_with("drain: no new pods come, 0 are evicted"));
    }
}
