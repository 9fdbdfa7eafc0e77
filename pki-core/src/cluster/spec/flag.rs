//! The short forms of a node and of a user on a command line.

use super::{
    Fact, Mistake, Node, NodeDocument, Place, Role, SpecError, User, UserDocument, Written,
};

const NODE: &str = "--node";
const USER: &str = "--user";

impl Node {
    /// Reads `NAME=ADDRESS[,ADDRESS...][:ROLE,...]` from `--node`. IPv6 addresses may stand in
    /// brackets; what follows the last colon is a list of roles when no part of it could belong
    /// to an address.
    ///
    /// # Errors
    /// [`SpecError`] when there is no `=`; all else is left to the checks of the spec.
    pub fn from_flag(text: &str) -> Result<NodeDocument, SpecError> {
        let Some((name, rest)) = text.split_once('=') else {
            return Err(SpecError {
                mistakes: vec![Mistake {
                    place: Place::Flag(NODE.into()),
                    field: "node".into(),
                    value: Some(text.into()),
                    fact: Fact::NodeFlag,
                }],
            });
        };
        let (addresses, roles) = split_roles(rest);
        // "cp1=" has no address; "cp1=10.0.0.1," has two, and the second is none.
        let addresses = addresses.split(',').filter(|_| !addresses.is_empty());
        Ok(NodeDocument::new(Written::flag(NODE, name))
            .addresses(addresses.map(|part| Written::flag(NODE, without_brackets(part))))
            .roles(roles.map(|word| Written::flag(NODE, word))))
    }
}

impl User {
    /// Reads `NAME[:GROUP,...]` from `--user`. A group may contain colons (`system:masters`).
    pub fn from_flag(text: &str) -> UserDocument {
        let (name, groups) = match text.split_once(':') {
            Some((name, groups)) => (name, Some(groups)),
            None => (text, None),
        };
        let groups = groups.into_iter().flat_map(|groups| groups.split(','));
        UserDocument::new(Written::flag(USER, name))
            .groups(groups.map(|group| Written::flag(USER, group)))
    }
}

/// Cuts `:ROLE,...` off the end. `cp1=fd00::10` has none: `10` could belong to an address; nor has
/// `cp1=fd00::cafe`. A word with a letter or hyphen that no address has is a role, known or not.
fn split_roles(text: &str) -> (&str, impl Iterator<Item = &str>) {
    let cut = text.rfind(':').filter(|at| {
        let mut words = text[at + 1..].split(',');
        words.clone().next().is_some_and(|first| !first.is_empty())
            && words.all(|word| word.parse::<Role>().is_ok() || is_no_address(word))
    });
    let (addresses, roles) = match cut {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    (
        addresses,
        roles.into_iter().flat_map(|roles| roles.split(',')),
    )
}

/// Letters and hyphens, of which at least one is not a hexadecimal digit.
fn is_no_address(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        && word.chars().any(|c| !c.is_ascii_hexdigit())
}

fn without_brackets(address: &str) -> &str {
    address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(written: &[Written]) -> Vec<&str> {
        written.iter().map(Written::text).collect()
    }

    #[test]
    fn every_form_of_a_node() {
        for (text, addresses, roles) in [
            ("n=10.0.0.1", &["10.0.0.1"][..], &[][..]),
            ("n=10.0.0.1,fd00::10", &["10.0.0.1", "fd00::10"], &[]),
            ("n=fd00::cafe", &["fd00::cafe"], &[]),
            ("n=fd00::10:etcd", &["fd00::10"], &["etcd"]),
            (
                "n=10.0.0.1,fd00::10:control-plane,etcd",
                &["10.0.0.1", "fd00::10"],
                &["control-plane", "etcd"],
            ),
            ("n=[fd00::10]:worker", &["fd00::10"], &["worker"]),
            ("n=10.0.0.1:master", &["10.0.0.1"], &["master"]),
            ("n=10.0.0.1:worker,etdc", &["10.0.0.1"], &["worker", "etdc"]),
            ("n=fd00::1,10.0.0.1", &["fd00::1", "10.0.0.1"], &[]),
            ("n=10.0.0.1:6443", &["10.0.0.1:6443"], &[]),
            ("n=10.0.0.1,", &["10.0.0.1", ""], &[]),
            ("n=", &[], &[]),
        ] {
            let node = Node::from_flag(text).unwrap();
            assert_eq!(node.name.as_ref().unwrap().text(), "n", "{text}");
            assert_eq!(texts(&node.addresses), addresses, "{text}");
            assert_eq!(texts(&node.roles), roles, "{text}");
        }
        let refused = Node::from_flag("cp1").unwrap_err();
        assert_eq!(refused.mistakes[0].fact, Fact::NodeFlag);
    }

    #[test]
    fn every_form_of_a_user() {
        for (text, name, groups) in [
            ("alice", "alice", &[][..]),
            ("alice:dev", "alice", &["dev"]),
            ("alice:dev,ops", "alice", &["dev", "ops"]),
            ("root:system:masters", "root", &["system:masters"]),
            ("alice:", "alice", &[""]),
        ] {
            let user = User::from_flag(text);
            assert_eq!(user.name.as_ref().unwrap().text(), name, "{text}");
            assert_eq!(texts(&user.groups), groups, "{text}");
        }
    }
}
