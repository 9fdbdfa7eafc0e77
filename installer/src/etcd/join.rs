//! A node without data becomes a member: step by step what `decide` says, until etcd can start.

use std::path::Path;
use std::time::{Duration, Instant};

use pki_core::cluster::spec::Role;
use ring::rand::{SecureRandom, SystemRandom};

use super::client::{Asker, Unanswered};
use super::decide::{Next, Refusal, Wait, next};
use super::error::EtcdError;
use super::look::{Look, look, name_of, words};
use super::member::MemberId;
use crate::component;
use crate::desired::{EtcdPeer, EtcdStart, NodeSpec, layout};
use crate::machine::etcd_data;

/// Between two looks at members that have to change first.
const PAUSE: Duration = Duration::from_secs(1);

/// How a node's etcd will start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// Not at all: the node has none.
    None,
    /// From its data. Nothing is remembered of one that had data before kinstall remembered anything.
    FromData(Option<EtcdStart>),
    /// Without data, as the first of a new cluster.
    Begins(EtcdStart),
    /// Without data, probably so: the node has to [join] first.
    Joins(EtcdStart),
}

impl Prospect {
    /// How it will start, or probably will.
    pub fn start(&self) -> Option<EtcdStart> {
        match self {
            Self::None => None,
            Self::FromData(start) => start.clone(),
            Self::Begins(start) | Self::Joins(start) => Some(start.clone()),
        }
    }

    /// Whether it starts without data.
    pub fn is_without_data(&self) -> bool {
        matches!(self, Self::Begins(_) | Self::Joins(_))
    }
}

/// How the etcd of a node will start. Asks other members where it has no data; changes nothing.
///
/// # Errors
/// [`EtcdError`], when the node's own files cannot be read. That nobody answers is none yet.
pub async fn prospect(spec: &NodeSpec) -> Result<Prospect, EtcdError> {
    if !spec.has(Role::Etcd) {
        return Ok(Prospect::None);
    }
    let data = Path::new(layout::ETCD_DATA);
    if etcd_data::is_there(data).map_err(io(data))? {
        return remembered(Path::new(layout::ETCD_START)).map(Prospect::FromData);
    }
    let asker = Asker::of(&spec.tree).await?;
    let Look { situation, .. } = look(&asker, spec, None).await;
    if next(&situation) == Next::Begin {
        return Ok(Prospect::Begins(begin(spec)));
    }
    let nodes = component::etcd_nodes(&spec.cluster);
    let all: Vec<EtcdPeer> = nodes.into_iter().map(|node| node.peer).collect();
    let members = situation.prospect(all);
    Ok(Prospect::Joins(EtcdStart::Joined { members }))
}

/// Makes a member of the node `spec`: what it was before goes, and it is added without a vote. Other members are waited for
/// as long as `timeout`; `tell` hears what is done or waited for.
///
/// # Errors
/// [`EtcdError`]; then the cluster has its quorum as before.
pub async fn join(
    spec: &NodeSpec,
    timeout: Duration,
    tell: &mut dyn FnMut(&str),
) -> Result<EtcdStart, EtcdError> {
    let asker = Asker::of(&spec.tree).await?;
    let nodes = component::etcd_nodes(&spec.cluster);
    let began = Instant::now();
    let mut added: Option<MemberId> = None;
    loop {
        let Look { situation, teller } = look(&asker, spec, added).await;
        let node = || spec.node.name().to_string();
        let waited = began.elapsed();
        let name = |id: MemberId| {
            let mut members = situation.members().unwrap_or_default().iter();
            let member = members.find(|member| member.id == id);
            member.map_or_else(|| id.to_string(), |member| name_of(member, &nodes))
        };
        let heard = || words(&situation.heard);
        let why_not = match (next(&situation), &teller) {
            (Next::Begin, _) => return Ok(begin(spec)),
            (Next::Start(members), _) => return Ok(EtcdStart::Joined { members }),
            (Next::Refuse(Refusal::NameTaken(urls)), _) => {
                return Err(EtcdError::NameTaken { node: node(), urls });
            }
            (Next::Refuse(Refusal::Kept(id, kept)), _) => {
                let name = format!("{} ({id})", name(id));
                return Err(EtcdError::Kept { name, kept });
            }
            (Next::Remove(id), Some(teller)) => {
                tell(&format!("taking the member out that {} was", node()));
                match teller.remove(id).await {
                    Ok(()) if waited < timeout => continue,
                    Ok(()) => not_added(node(), waited, "it is removed again and again".into()),
                    Err(error) => EtcdError::NotRemoved {
                        name: format!("{} ({id})", name(id)),
                        reason: error.reason().to_owned(),
                    },
                }
            }
            (Next::Add, Some(teller)) => {
                tell(&format!("adding {} to etcd's members", node()));
                match teller.add_learner(&situation.own.url).await {
                    Ok(member) => {
                        added = Some(member.id);
                        if waited < timeout {
                            continue;
                        }
                        not_added(node(), waited, "it is removed again and again".into())
                    }
                    Err(Unanswered::Refused(reason)) => not_added(node(), waited, reason),
                    // Whether it did is seen at the next look.
                    Err(error) => not_added(node(), waited, error.reason().to_owned()),
                }
            }
            (Next::Wait(Wait::Learner(id)), _) => EtcdError::Learner {
                node: node(),
                learner: name(id),
                waited,
            },
            (Next::Wait(Wait::Nobody), _) => EtcdError::NobodyThere {
                node: node(),
                first: nodes[0].peer.name.clone(),
                waited,
                heard: heard(),
            },
            (Next::Wait(Wait::Unable) | Next::Remove(_) | Next::Add, _) => EtcdError::Unable {
                node: node(),
                waited,
                heard: heard(),
            },
        };
        if waited >= timeout {
            return Err(why_not);
        }
        tell(&format!("waiting: {why_not}"));
        tokio::time::sleep(PAUSE).await;
    }
}

fn not_added(node: String, waited: Duration, reason: String) -> EtcdError {
    EtcdError::NotAdded {
        node,
        waited,
        reason,
    }
}

/// A new cluster, which nobody takes for another.
fn begin(spec: &NodeSpec) -> EtcdStart {
    let mut bytes = [0; 8];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.expect("the system has randomness");
    EtcdStart::Alone {
        token: format!("{}-{:016x}", spec.cluster.name(), u64::from_be_bytes(bytes)),
    }
}

/// How this node's etcd started, where kinstall remembers it.
///
/// # Errors
/// [`EtcdError`], when the file cannot be read or makes no sense.
pub(super) fn remembered(path: &Path) -> Result<Option<EtcdStart>, EtcdError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(path)(error)),
    };
    EtcdStart::from_toml(&text)
        .map(Some)
        .map_err(|reason| EtcdError::Remembered {
            path: path.to_owned(),
            reason,
        })
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> EtcdError {
    move |source| EtcdError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addon::testing::{UNUSUAL, spec};

    #[test]
    fn no_two_clusters_begin_alike() {
        let spec = spec(UNUSUAL);
        let (EtcdStart::Alone { token }, second) = (begin(&spec), begin(&spec)) else {
            panic!("it begins alone");
        };
        assert!(
            token.starts_with("unusual-") && token.len() == 24,
            "{token}"
        );
        assert_ne!(EtcdStart::Alone { token }, second);
    }

    #[test]
    fn what_is_remembered_is_read_back_and_nonsense_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("etcd.toml");
        assert_eq!(remembered(&file).unwrap(), None);
        let start = EtcdStart::Alone {
            token: "blue".into(),
        };
        std::fs::write(&file, start.to_toml()).unwrap();
        assert_eq!(remembered(&file).unwrap(), Some(start));
        std::fs::write(&file, "began = 'never'").unwrap();
        let error = remembered(&file).unwrap_err();
        assert!(error.to_string().contains("etcd.toml"), "{error}");
        assert!(error.hint().contains("etcd.toml"));
    }
}
