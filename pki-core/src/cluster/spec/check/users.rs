//! The rules of users.

use super::Checker;
use crate::cluster::spec::read::named;
use crate::cluster::spec::{Fact, User, UserDocument, UserName, user};
use crate::x509::Lifetime;

impl Checker {
    /// Every user that is fine by themselves.
    pub(super) fn users(&mut self, written: &[UserDocument], limit: Option<Lifetime>) -> Vec<User> {
        let mut users: Vec<User> = Vec::new();
        for one in written {
            let name = self.user_name(one, &users);
            let path = named("user", one.name.as_ref());
            let groups = self.many(&format!("{path}.groups"), &one.groups, user::subject_text);
            let validity = self.leaf_lifetime(&format!("{path}.validity"), &one.validity, limit);
            users.extend(name.map(|name| User {
                name,
                groups,
                validity,
            }));
        }
        users
    }

    fn user_name(&mut self, written: &UserDocument, others: &[User]) -> Option<UserName> {
        let path = named("user", written.name.as_ref());
        self.places.note(&path, &written.place);
        if written.name.is_none() {
            self.absence("user.name", written.place.clone(), Fact::Missing);
        }
        self.one(&format!("{path}.name"), &written.name, |text| {
            let name: UserName = text.parse()?;
            match others.iter().any(|user| user.name == name) {
                true => Err(Fact::Repeated),
                false => Ok(name),
            }
        })
    }
}
