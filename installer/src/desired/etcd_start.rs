//! How a node's etcd begins where it has no data yet.

use serde::{Deserialize, Serialize};

/// How a node's etcd begins where it has no data yet. With data etcd does not look at the flags that come of it; they stay as
/// they were, so that a later run finds the same manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "began", deny_unknown_fields)]
pub enum EtcdStart {
    /// As the first member of a new cluster, alone: the others join.
    Alone {
        /// What the new cluster's and its member's numbers are made from, with the member's URL. Another each time: a member
        /// that lost its data and began anew would else have the same numbers, and the others would take it for the old one.
        token: String,
    },
    /// As one more member of a cluster that is there.
    Joined {
        /// All of them, itself among them.
        members: Vec<EtcdPeer>,
    },
}

/// A member of etcd's cluster, as its peers dial it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EtcdPeer {
    /// Its name.
    pub name: String,
    /// Where its peers dial it.
    pub url: String,
}

impl EtcdStart {
    /// What a file says that [`Self::to_toml`] made.
    ///
    /// # Errors
    /// Why it makes no sense.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// The file that remembers it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("names and URLs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back() {
        let joined = EtcdStart::Joined {
            members: vec![
                EtcdPeer {
                    name: "cp1".into(),
                    url: "https://192.0.2.11:2380".into(),
                },
                EtcdPeer {
                    name: "cp2".into(),
                    url: "https://[2001:db8::12]:2380".into(),
                },
            ],
        };
        let alone = EtcdStart::Alone {
            token: "blue-0123456789abcdef".into(),
        };
        for start in [joined, alone] {
            assert_eq!(EtcdStart::from_toml(&start.to_toml()), Ok(start));
        }
        let error = EtcdStart::from_toml("began = 'somehow'").unwrap_err();
        assert!(error.contains("somehow"), "{error}");
    }
}
