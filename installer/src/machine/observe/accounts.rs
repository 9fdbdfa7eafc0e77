//! Users and groups: `/etc/passwd` and `/etc/group`.

use std::io;

use super::Found;
use crate::machine::error::HostError;
use crate::machine::root::Root;

/// All users and groups of the machine's own files.
pub(super) struct Accounts {
    /// Name, number, number of its group.
    users: Vec<(String, u32, u32)>,
    groups: Vec<(String, u32)>,
}

impl Accounts {
    pub(super) fn read(root: &Root) -> Result<Self, HostError> {
        let users = lines(root, "/etc/passwd")?;
        let groups = lines(root, "/etc/group")?;
        let number = |fields: &[String], index: usize| fields.get(index)?.parse::<u32>().ok();
        Ok(Self {
            users: users
                .iter()
                .filter_map(|fields| {
                    Some((fields[0].clone(), number(fields, 2)?, number(fields, 3)?))
                })
                .collect(),
            groups: groups
                .iter()
                .filter_map(|fields| Some((fields[0].clone(), number(fields, 2)?)))
                .collect(),
        })
    }

    pub(super) fn find(&self, name: &str, id: u32) -> Found {
        let user = self.users.iter().find(|user| user.0 == name);
        let group = self.groups.iter().find(|group| group.0 == name);
        let other_user = self
            .users
            .iter()
            .find(|user| user.1 == id && user.0 != name);
        let other_group = self
            .groups
            .iter()
            .find(|group| group.1 == id && group.0 != name);
        if [user.is_some(), group.is_some()] == [false; 2]
            && [other_user.is_some(), other_group.is_some()] == [false; 2]
        {
            return Found::Absent;
        }
        Found::Account {
            user: user.map(|user| (user.1, user.2)),
            group: group.map(|group| group.1),
            user_with_number: other_user.map(|user| user.0.clone()),
            group_with_number: other_group.map(|group| group.0.clone()),
        }
    }
}

fn lines(root: &Root, path: &str) -> Result<Vec<Vec<String>>, HostError> {
    let path = root.join(path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(HostError::io(&path, "cannot be read", error)),
    };
    let fields = |line: &str| line.split(':').map(str::to_owned).collect();
    Ok(text.lines().map(fields).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_name_and_tells_who_has_the_number() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Root::at(scratch.path());
        std::fs::create_dir(root.join("/etc")).unwrap();
        std::fs::write(
            root.join("/etc/passwd"),
            "root:x:0:0::/:/bin/sh\netcd:x:7:8::/:/bin/sh\n",
        )
        .unwrap();
        std::fs::write(root.join("/etc/group"), "root:x:0:\nother:x:9:\n").unwrap();
        let accounts = Accounts::read(&root).unwrap();
        assert_eq!(accounts.find("new", 10), Found::Absent);
        assert_eq!(
            accounts.find("etcd", 9),
            Found::Account {
                user: Some((7, 8)),
                group: None,
                user_with_number: None,
                group_with_number: Some("other".into()),
            }
        );
        assert_eq!(
            accounts.find("new", 7),
            Found::Account {
                user: None,
                group: None,
                user_with_number: Some("etcd".into()),
                group_with_number: None,
            }
        );
    }
}
