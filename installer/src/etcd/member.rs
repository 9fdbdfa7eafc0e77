//! What etcd says of its members, as its gRPC gateway puts it into JSON: protobuf's names, numbers of 64 bits as text, and
//! nothing where a field has its default (embed/serve.go, `registerGateway`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a member. etcd and its tools show it in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct MemberId(pub u64);

/// A member, as the cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Its number.
    #[serde(rename = "ID")]
    pub id: MemberId,
    /// Its name. Empty until it has started once.
    #[serde(default)]
    pub name: String,
    /// Where its peers dial it.
    #[serde(default, rename = "peerURLs")]
    pub peer_urls: Vec<String>,
    /// Where clients dial it. None until it has started once.
    #[serde(default, rename = "clientURLs")]
    pub client_urls: Vec<String>,
    /// Whether it has no vote yet.
    #[serde(default, rename = "isLearner")]
    pub is_learner: bool,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its number.
    pub id: MemberId,
    /// Who leads, as it sees it; nobody where there is no quorum.
    pub leader: Option<MemberId>,
    /// Whether it has no vote yet.
    pub is_learner: bool,
    /// Its version.
    pub version: String,
    /// How large its data are on the disk, in bytes.
    pub db_size: u64,
    /// The last entry of the log that is in its data.
    pub applied: u64,
    /// What it finds wrong.
    pub errors: Vec<String>,
}

impl TryFrom<String> for MemberId {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl Serialize for MemberId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Deserialize)]
struct MembersDocument {
    #[serde(default)]
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct AddedDocument {
    member: Member,
}

#[derive(Deserialize)]
struct StatusDocument {
    header: Header,
    leader: Option<MemberId>,
    #[serde(default, rename = "isLearner")]
    is_learner: bool,
    #[serde(default)]
    version: String,
    #[serde(default, rename = "dbSize")]
    db_size: Option<Number>,
    #[serde(default, rename = "raftAppliedIndex")]
    applied: Option<Number>,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Header {
    member_id: MemberId,
}

/// A number that protobuf's JSON writes as text.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Number(u64);

impl TryFrom<String> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// The members in an answer to `/v3/cluster/member/list`.
pub(super) fn members(text: &str) -> Result<Vec<Member>, String> {
    let document: MembersDocument = read(text)?;
    Ok(document.members)
}

/// The new member in an answer to `/v3/cluster/member/add`.
pub(super) fn added(text: &str) -> Result<Member, String> {
    let document: AddedDocument = read(text)?;
    Ok(document.member)
}

/// An answer to `/v3/maintenance/status`.
pub(super) fn status(text: &str) -> Result<MemberStatus, String> {
    let document: StatusDocument = read(text)?;
    Ok(MemberStatus {
        id: document.header.member_id,
        leader: document.leader.filter(|leader| leader.0 != 0),
        is_learner: document.is_learner,
        version: document.version,
        db_size: document.db_size.map_or(0, |number| number.0),
        applied: document.applied.map_or(0, |number| number.0),
        errors: document.errors,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("what it answers is not etcd's: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As etcd 3.7 says it.
    #[test]
    fn members_with_and_without_a_start() {
        let text = r#"{"header":{"cluster_id":"17237436991929493444","member_id":"9372538179322589801","raft_term":"2"},
            "members":[{"ID":"9372538179322589801","name":"cp1","peerURLs":["https://192.0.2.11:2380"],
            "clientURLs":["https://192.0.2.11:2379"]},
            {"ID":"10501334649042878790","peerURLs":["https://192.0.2.12:2380"],"isLearner":true}]}"#;
        let members = members(text).unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(
            (members[0].name.as_str(), members[0].is_learner),
            ("cp1", false)
        );
        assert_eq!(members[0].id.to_string(), "8211f1d0f64f3269");
        assert_eq!(
            (members[1].name.as_str(), members[1].is_learner),
            ("", true)
        );
        assert!(members[1].client_urls.is_empty());
    }

    #[test]
    fn the_new_member() {
        let text = r#"{"member":{"ID":"7","peerURLs":["https://a:2380"],"isLearner":true},
            "members":[{"ID":"7","peerURLs":["https://a:2380"],"isLearner":true},{"ID":"8","name":"b"}]}"#;
        let new = added(text).unwrap();
        assert_eq!((new.id, new.is_learner), (MemberId(7), true));
    }

    #[test]
    fn a_status_with_and_without_a_leader() {
        let well = status(
            r#"{"header":{"cluster_id":"1","member_id":"7"},"version":"3.7.3","dbSize":"20480","leader":"8","raftIndex":"4","raftAppliedIndex":"3"}"#,
        )
        .unwrap();
        assert_eq!(
            (well.id, well.leader, well.db_size),
            (MemberId(7), Some(MemberId(8)), 20480)
        );
        assert_eq!(well.applied, 3);
        assert!(well.errors.is_empty() && !well.is_learner);
        let text =
            r#"{"header":{"member_id":"7"},"version":"3.7.3","errors":["etcdserver: no leader"]}"#;
        let alone = status(text).unwrap();
        assert_eq!(alone.leader, None);
        assert_eq!(alone.errors, ["etcdserver: no leader"]);
    }

    #[test]
    fn what_is_not_etcds_is_told() {
        let error = members("<html>").unwrap_err();
        assert!(error.contains("not etcd's"), "{error}");
        assert!(status("{}").is_err());
    }
}
